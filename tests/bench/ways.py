# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to learn of a fleet, or to change it: what is run for each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .fleet import CORES, PASSWORD, Fleet

Task = Mapping[str, Any]
Commands = Callable[[Fleet, Path], list[list[str]]]
"""Take a directory for their files, and run at the same time."""

CONCURRENCY = 256
"""The default of fleet_info."""
FORKS, MANY_FORKS = 20, 50
POWERSHELL_SECONDS = 1.2
"""A model of powershell.exe's start with Ansible's wrapper, after which the module takes no time: nothing is known of
the time that real endpoints need."""
_UNREACHABLE = 4
"""With what ansible-playbook ends where a host could not be reached."""


@dataclass(frozen=True)
class Way:
    name: str
    commands: Commands
    codes: tuple[int, ...] = (0,)
    logs_in: bool = True


def _playbook(tasks: Sequence[Task], forks: int = FORKS) -> Commands:
    def commands(fleet: Fleet, directory: Path) -> list[list[str]]:
        inventory, playbook = directory / "inventory.json", directory / "playbook.json"
        fleet.write_inventory(inventory)
        playbook.write_text(json.dumps([{"hosts": "windows", "gather_facts": False, "tasks": tasks}]))
        return [["ansible-playbook", "-i", str(inventory), "--forks", str(forks), str(playbook)]]

    return commands


def _sweep(fleet: Fleet, directory: Path) -> list[list[str]]:
    task = {"configmgr.client.fleet_info": {"results_path": str(directory / "fleet.jsonl")}, "run_once": True}
    return _playbook([task])(fleet, directory)


def _bare(fleet: Fleet, directory: Path) -> list[list[str]]:
    """A process for each core, as the sweep has."""
    commands = []
    for number in range(CORES):
        endpoints = directory / f"endpoints-{number}"
        endpoints.write_text("".join(f"{each.address} {each.port}\n" for each in fleet.endpoints[number::CORES]))
        script = Path(__file__).with_name("bare_pywinrm.py")
        commands.append(
            [sys.executable, str(script), fleet.login.username, PASSWORD, str(CONCURRENCY // CORES), str(endpoints)]
        )
    return commands


_read = _playbook([{"configmgr.client.provisioning_mode_info": {}}])
_release = _playbook([{"configmgr.client.provisioning_mode": {"enabled": False}}])

SWEEP = Way("fleet_info", _sweep)
BARE = Way(f"bare pywinrm, {CONCURRENCY} threads", _bare)
PER_HOST = Way(f"provisioning_mode_info, {FORKS} forks", _read, (_UNREACHABLE,))
RELEASE = Way(f"provisioning_mode, {FORKS} forks", _release)

# With Ansible's own winrm plugin and modules.
_KEY, _VALUES = r"HKLM:\SOFTWARE\Microsoft\CCM\CcmExec", ("ProvisioningMode", "SystemTaskExcludes")
_quoted = ", ".join(f"'{name}'" for name in _VALUES)
_script = f"Get-ItemPropertyValue -LiteralPath '{_KEY}' -Name {_quoted}"
_win_powershell = [{"ansible.windows.win_powershell": {"script": _script}}]
WIN_REG_STAT = Way(
    f"win_reg_stat for each value, {FORKS} forks",
    _playbook([{"ansible.windows.win_reg_stat": {"path": _KEY, "name": name}} for name in _VALUES]),
    (_UNREACHABLE,),
)
WIN_POWERSHELL = Way(f"win_powershell, {FORKS} forks", _playbook(_win_powershell), (_UNREACHABLE,))
_STARTED = f"where PowerShell starts in {POWERSHELL_SECONDS} s"
STARTED = tuple(
    Way(f"win_powershell, {forks} forks, {_STARTED}", _playbook(_win_powershell, forks), (_UNREACHABLE,))
    for forks in (FORKS, MANY_FORKS)
)

# One task of each host, where all of them answer.
NOTHING = Way("a task that does nothing", _playbook([{"ansible.builtin.debug": {"msg": "nothing"}}]), logs_in=False)
ONE_TASK = Way("provisioning_mode_info", _read)
OWN_PROCESS = Way(
    "provisioning_mode_info, as a process of its own on the controller",
    _playbook(
        [
            {
                "configmgr.client.provisioning_mode_info": {
                    "endpoint": {
                        "host": "{{ ansible_host }}",
                        "port": "{{ ansible_port }}",
                        "scheme": "http",
                        "username": "{{ ansible_user }}",
                        "password": "{{ ansible_password }}",
                    }
                },
                "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            }
        ]
    ),
)

# One endpoint alone.
HEALTHY = Way("healthy, read", _read)
STUCK = Way("stuck, read in full", _read)
RELEASED = Way("stuck, released and verified", _release)
