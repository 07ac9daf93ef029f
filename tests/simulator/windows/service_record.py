# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service control manager knows about one service, and the services of a fresh Windows."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Literal

StartMode = Literal["Boot", "System", "Auto", "Manual", "Disabled"]
State = Literal["Running", "Stopped", "Start Pending"]

START_TYPES: Mapping[StartMode, int] = {"Boot": 0, "System": 1, "Auto": 2, "Manual": 3, "Disabled": 4}
LSASS_PID = 692
_OWN, _SHARE = 0x10, 0x20
START_MODES: Mapping[int, StartMode] = {number: mode for mode, number in START_TYPES.items()}
_MODES: Mapping[str, StartMode] = {mode: mode for mode in START_TYPES}
# Inferred: services without which Windows does not run refuse to stop.
_UNSTOPPABLE = frozenset(
    ("dcomlaunch", "rpcss", "rpceptmapper", "lsm", "samss", "power", "plugplay", "gpsvc", "brokerinfrastructure")
)


@dataclass(frozen=True)
class Service:
    name: str
    display_name: str
    path: str
    start_mode: StartMode = "Manual"
    start_name: str = "LocalSystem"
    depend_on: tuple[str, ...] = ()
    own_process: bool = True
    delayed: bool = False
    description: str = ""
    state: State = "Stopped"
    process_id: int = 0
    exit_code: int = 1077  # ERROR_SERVICE_NEVER_STARTED
    marked_for_deletion: bool = False
    start_time: timedelta = timedelta(0)
    """How long it takes to start."""

    @property
    def is_running(self) -> bool:
        return self.state == "Running"

    @property
    def is_stopped(self) -> bool:
        return self.state == "Stopped"

    @property
    def accepts_stop(self) -> bool:
        return self.is_running and self.name.lower() not in _UNSTOPPABLE

    @property
    def type_number(self) -> int:
        return _OWN if self.own_process else _SHARE


@cache
def background_services() -> Mapping[str, Service]:
    """The services of a fresh Windows that no test is about. Shared by all machines."""
    services: dict[str, Service] = {}
    hosts: dict[str, int] = {}
    with (Path(__file__).parent / "service_catalogue.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            path = row["path"].replace("%s", "C:\\Windows\\system32\\svchost.exe")
            running = row["running"] == "yes"
            own = row["type"] == "own"
            process_id = _host(hosts, f"{path}\n{row['name'] if own else ''}")
            services[row["name"].lower()] = Service(
                name=row["name"],
                display_name=row["display_name"],
                path=path,
                start_mode=_MODES[row["start"]],
                start_name=row["account"],
                depend_on=tuple(name for name in row["dependencies"].split(",") if name),
                own_process=own,
                state="Running" if running else "Stopped",
                process_id=process_id if running else 0,
                exit_code=0 if running else 1077,
            )
    return services


def _host(hosts: dict[str, int], key: str) -> int:
    if "lsass.exe" in key:
        return LSASS_PID
    return hosts.setdefault(key, 700 + 12 * len(hosts))


@cache
def background_hosts() -> Mapping[int, str]:
    """Command lines of the processes that the running background services live in, by process id."""
    return {
        service.process_id: service.path
        for service in background_services().values()
        if service.is_running and service.process_id != LSASS_PID
    }
