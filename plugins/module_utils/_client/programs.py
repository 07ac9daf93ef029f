# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes show that a task sequence, Windows Setup or the like is at work. Pure.

Names: Microsoft's pages on task sequences and Windows Setup, SetupDiag, the files of ConfigMgr's boot images, and what
administrators have published. Left out on purpose, since they run on healthy machines as well: UserOOBEBroker,
FirstLogonAnim, CloudExperienceHostBroker, UpdateAssistant, TiWorker; and ccmsetup, which upgrades clients every day.
``guide_verdicts.rst`` weighs them.
"""

from __future__ import annotations

import re
import typing as t

from .._windows.system import Process

PROOF = "lsass.exe"
"""Runs on every Windows, so a list without it is not the list of what runs."""

_PATTERNS = (
    # smss.exe runs everywhere, hence the way round it.
    *("TS%", "OSD%", "SMS[^S]%", "smsswd%", "%setup%", "%oobe%", "Windows[1U]%"),
    *("audit%", "%reset%", "rollback%", "mighost%", "McsClient%", "windeploy%", "sysprep%"),
)
_CANDIDATES = " OR ".join(
    [
        *(f"Name LIKE '{pattern}'" for pattern in _PATTERNS),
        "CommandLine LIKE '%SMSTSPost[U]pgrade%'",  # which a command line with this very condition is not like
        "ExecutablePath LIKE '%$WINDOWS.~BT%'",
        "ExecutablePath LIKE '%SMSTaskSequence%'",
    ]
)


def where(harmless: t.Iterable[tuple[int, str]]) -> str:
    """The WQL condition for PROOF and for every process to be weighed here, but for the *harmless* ones.

    Those are known by id and name. WMI limits how many terms a query may have, and Microsoft names no number.
    """
    known = "".join(
        f" AND (ProcessId<>{identifier} OR Name<>'{_escaped(name)}')" for identifier, name in sorted(harmless)
    )
    return f"Name='{PROOF}' OR (({_CANDIDATES}){known})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


TASK_SEQUENCE = "a task sequence runs"
SETUP = "Windows Setup runs"
_OOBE = "the out-of-box experience or a preparation for it runs"
_RESET = "a reset of Windows is being prepared or runs"

_NAMES = {
    TASK_SEQUENCE: (
        *("TSManager", "TSMBootstrap", "TsProgressUI", "TSBootShell", "TsEnv", "TSInstallSWUpdate", "smsboot"),
        *("smsswd", "smsappinstall", "smsnetuse", "OSDUpgradeWindows", "OSDSetupWindows", "OSDSetupHook"),
        *("OSDApplyOS", "OSDDiskPart", "OSDNetSettings", "OSDWinSettings", "OSDJoin", "OSDPrepareOS"),
        *("OSDPrepareSmsClient", "OSDDriverClient", "OSDDownloadContent", "OSDBitLocker", "OSDBitLocker_wtg"),
        *("OSDOfflineBitlocker", "OSDMigrateUserState", "OSDSmpClient", "OSDRunPowerShellScript"),
        *("OSDSetDynamicVariables", "OSDCaptureSystemImage", "OSDCaptureCD", "OSDPrestartCheck"),
    ),
    SETUP: (
        *("SetupHost", "setupprep", "SetupPlatform", "ModernSetupHost", "WindowsUpdateBox"),
        *("Windows10UpgraderApp", "Windows11InstallationAssistant", "setupugc", "setupcl"),
    ),
    _OOBE: ("windeploy", "oobeldr", "msoobe", "sysprep"),
    _RESET: ("systemreset", "ResetEngine", "SystemResetPlatform"),
}
_BY_NAME = {f"{name}.exe".lower(): means for means, names in _NAMES.items() for name in names}

_BY_PLACE = {
    "audit.exe": (_OOBE, ("\\oobe\\",)),
    "auditshd.exe": (_OOBE, ("\\oobe\\",)),
    "rollback.exe": (SETUP, ("$windows.~bt",)),
    "mighost.exe": (SETUP, ("$windows.~bt", "\\sources\\")),
    "tsd.exe": (TASK_SEQUENCE, ("\\ccm\\", "\\sms\\bin\\")),
    "mcsclient.exe": (TASK_SEQUENCE, ("\\ccm\\", "\\sms\\bin\\")),
    "smstftp.exe": (TASK_SEQUENCE, ("\\ccm\\", "\\sms\\bin\\")),
}
"""Names that others use too: what each means where its path holds one of these."""

NAMES = (*_BY_NAME, *_BY_PLACE)
"""All that are weighed, in lower case."""

_SETUP_PLACE = re.compile(r"\$windows\.~(bt|ws)\\|\\(sources|oobe)\\setup\.exe$|^[a-z]:\\setup\.exe$")
SETUP_SWITCH = re.compile(
    r"/auto[: ]+\"?(upgrade|clean|dataonly)|/(imageindex|installfrom|postoobe|postrollback|postrollbackcontext"
    r"|migratedrivers|migneo|showoobe|dynamicupdate|installdrivers|reflectdrivers|compat|pkey)\b|/eula +accept"
    r"|/product +server|/unattend:"
)
"""What only Windows Setup takes, as Microsoft's page on its command line has it."""


def means(process: Process) -> str:
    """What *process* shows to be at work; empty where it shows nothing."""
    name, path, line = process.name.lower(), process.path.lower(), process.command_line.lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    if "smstspostupgrade" in line:
        return "an upgrade's task sequence goes on"
    if "\\_smstasksequence\\packages\\" in path:
        return TASK_SEQUENCE
    if "\\$windows.~bt\\" in path:
        return SETUP
    if name == "setup.exe":
        return _of_setup_exe(path, line)
    if name == "ccmsetup.exe" and "provisionts" in line:
        return "the client is being installed and will start a task sequence"
    meaning, places = _BY_PLACE.get(name, ("", ()))
    if places and not path:
        return _undetermined(name)
    return meaning if any(place in path for place in places) else ""


def _of_setup_exe(path: str, line: str) -> str:
    """Any installer may have this name: its place or its switches tell."""
    if _SETUP_PLACE.search(path) or SETUP_SWITCH.search(line):
        return SETUP
    return "" if path else _undetermined("setup.exe")


def _undetermined(name: str) -> str:
    return f"a {name} runs, and whether it is that of Windows Setup or a task sequence cannot be determined"
