# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a safeguard is: the names of its artefacts and the command lines that they hold. Pure.

Both lines end the mode only where every test before it found what it looked for. A test that fails, a value that is
missing and a program that cannot be started all read as "something may be running", and nothing is done.
"""

from __future__ import annotations

import datetime as dt
import re

from ..._windows.scheduled_tasks import BootTask
from .. import constants

BOOT_TASK, RUN_ONCE = "boot_task", "run_once"
KINDS = (BOOT_TASK, RUN_ONCE)

TASK_NAME = "configmgr.client.safeguard"
RUN_ONCE_KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce"
RUN_ONCE_NAME = "configmgr.client.safeguard"

DEFAULT_DELAY = 5
"""Minutes."""
LEAST_DELAY, LARGEST_DELAY = 1, 9999
"""Minutes. 9999 is the most that schtasks.exe can say (mmmm:ss), so that a task made here can be edited there."""
MAX_RUN_ONCE = 260
"""Characters; Windows ignores what is longer (Microsoft, Run and RunOnce registry keys)."""
MAX_SHELL_LINE = 8191
"""Characters; cmd.exe takes no more (Microsoft, KB 830473)."""

_BUSY = " ".join(
    (
        *("TSManager", "TSMBootstrap", "TsProgressUI", "TSBootShell", "smsboot", "smsswd", "smsappinstall"),
        *("OSDSetupHook", "OSDUpgradeWindows", "SetupHost", "setupprep", "SetupPlatform", "WindowsUpdateBox"),
        *("windeploy", "oobeldr", "msoobe", "ResetEngine"),
    )
)
"""Names of what must not run; findstr.exe takes 511 characters, and tasklist.exe cuts names after 25."""

_WMIC = r'wbem\WMIC{exe} /namespace:\\root\ccm path sms_client CALL SetClientProvisioningMode "False" /NOINTERACTIVE'


def delay_problem(delay: int) -> str | None:
    if LEAST_DELAY <= delay <= LARGEST_DELAY:
        return None
    return f"delay={delay} is out of range: give {LEAST_DELAY} to {LARGEST_DELAY} minutes"


def line_problem(kind: str, system_directory: str, line: str) -> str | None:
    """Why *line* cannot be left on the endpoint as a safeguard of that *kind*; None where it can."""
    if not re.fullmatch(r"[A-Za-z]:(\\[A-Za-z0-9_.-]+)+", system_directory):
        return f"the endpoint's system directory {system_directory!r} cannot stand in a command line unquoted"
    limit = MAX_RUN_ONCE if kind == RUN_ONCE else MAX_SHELL_LINE
    if len(line) > limit:
        instead = f": give {BOOT_TASK}, which takes {MAX_SHELL_LINE}" if kind == RUN_ONCE else ""
        return (
            f"with the endpoint's system directory {system_directory}, the command line of a {kind} has {len(line)}"
            f" characters, and Windows takes {limit}{instead}"
        )
    return None


def boot_task(system_directory: str, delay: int) -> BootTask:
    return BootTask(
        program=rf"{system_directory}\cmd.exe",
        arguments=f"/d /c {_boot_line(system_directory)}",
        delay=dt.timedelta(minutes=delay),
    )


def _boot_line(system_directory: str) -> str:
    def program(name: str) -> str:
        return rf"{system_directory}\{name}.exe"

    def reads(key: str, name: str, text: str) -> str:
        return rf'{program("reg")} query HKLM\{key} /v {name}|{program("find")} /i "{text}"'

    powershell = (
        rf"{system_directory}\WindowsPowerShell\v1.0\powershell.exe -NoProfile -NonInteractive -Command"
        r" Invoke-WmiMethod -Namespace root\ccm -Class SMS_Client -Name SetClientProvisioningMode -ArgumentList $false"
    )
    fires = "&&".join(
        [
            # WMIC is an optional feature that an upgrade may take away between now and then.
            rf"({system_directory}\{_WMIC.format(exe='.exe')}||{powershell})",
            # WMIC ends with 0 whatever the method returned, so the mode itself is asked.
            reads(constants.CCMEXEC_KEY, constants.MODE, "false"),
            rf"{program('schtasks')} /delete /f /tn \{TASK_NAME}",
        ]
    )
    return "&&".join(
        [
            reads(constants.CCMEXEC_KEY, constants.MODE, "true"),
            *(reads(constants.SETUP_KEY, name, "0x0") for name in constants.SETUP_REQUIRED),
            f'{program("sc")} query {constants.AGENT_SERVICE}|{program("find")} "STOPPED"',
            # Proves that the next list can be had at all: there, nothing found must mean that nothing runs.
            f'{program("tasklist")}|{program("findstr")} /i /l "lsass.exe"',
            f'({program("tasklist")}|{program("findstr")} /i /l "{_BUSY}"||({fires}))',
        ]
    )


def run_once_line(system_directory: str, *, wmic: bool) -> str:
    """Within 260 characters: hence short names from the directory that it changes to, and only two tests."""
    powershell = (
        r"WindowsPowerShell\v1.0\powershell -NoP -C"
        r" iwmi -Namespace root\ccm SMS_Client SetClientProvisioningMode $false"
    )
    return rf"{system_directory}\cmd.exe /d /c " + "&&".join(
        [
            f"cd /d {system_directory}",
            rf'reg query HKLM\{constants.SETUP_KEY} /v SetupType|find "0x0"',
            f'sc query {constants.AGENT_SERVICE}|find "STOPPED"',
            _WMIC.format(exe="") if wmic else powershell,
        ]
    )
