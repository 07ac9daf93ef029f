# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of running processes."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .service_record import LSASS_PID, background_hosts

_SYSTEM32 = "C:\\Windows\\System32"
_SERVICES_PID = 684


@dataclass(frozen=True)
class Process:
    process_id: int
    name: str
    command_line: str | None = None
    parent_id: int = _SERVICES_PID
    session: int = 0
    since_boot: timedelta = timedelta(0)
    path: str = ""
    """The file, where the command line does not tell it."""
    protected: bool = False
    """A protected process tells nobody its file and its command line, administrators neither (official: protected
    processes refuse PROCESS_VM_READ; that WMI then shows NULL for both is seen every day, and not recorded here)."""

    @property
    def executable(self) -> str | None:
        """The whole path, also where the command line names the program alone."""
        if self.path or self.command_line is None:
            return self.path or None
        program = _program(self.command_line)
        return program if ntpath.isabs(program) else ntpath.join(_SYSTEM32, program)


def _program(command_line: str) -> str:
    """The quoted part in front, or what ends in .exe before a space, or the first word."""
    if command_line.startswith('"'):
        return command_line.split('"')[1]
    found = re.match(r"(.*?\.exe)(?=\s|$)", command_line, re.IGNORECASE | re.DOTALL)
    return found[1] if found else command_line.split(maxsplit=1)[0] if command_line.strip() else command_line


def _image(command_line: str) -> str:
    return ntpath.basename(_program(command_line))


# Protected on every Windows since 8.1 (official: csrss, smss, services are; wininit is seen to be). lsass.exe is where
# LSA protection is on, which a variant decides.
_PROTECTED = frozenset(("csrss.exe", "wininit.exe", "services.exe"))


def _basic_processes() -> tuple[Process, ...]:
    """What runs on every Windows 10 with somebody logged on. PIDs are the same on all machines, which is harmless."""
    bare = [(0, "System Idle Process", 0, 0), (4, "System", 0, 0), (108, "Registry", 4, 0), (392, "smss.exe", 4, 0)]
    hosted = [
        (504, "csrss.exe", 496, 0, f"{_SYSTEM32}\\csrss.exe ObjectDirectory=\\Windows SharedSection=1024,20480,768"),
        (580, "wininit.exe", 496, 0, "wininit.exe"),
        (588, "csrss.exe", 572, 1, f"{_SYSTEM32}\\csrss.exe ObjectDirectory=\\Windows SharedSection=1024,20480,768"),
        (672, "winlogon.exe", 572, 1, "winlogon.exe"),
        (_SERVICES_PID, "services.exe", 580, 0, f"{_SYSTEM32}\\services.exe"),
        (LSASS_PID, "lsass.exe", 580, 0, f"{_SYSTEM32}\\lsass.exe"),
        (3020, "dwm.exe", 672, 1, '"dwm.exe"'),
        (4116, "explorer.exe", 4068, 1, "C:\\Windows\\Explorer.EXE"),
        (4520, "RuntimeBroker.exe", 860, 1, f"{_SYSTEM32}\\RuntimeBroker.exe -Embedding"),
        (5208, "WmiPrvSE.exe", 860, 0, f"{_SYSTEM32}\\wbem\\wmiprvse.exe"),
        (5344, "OUTLOOK.EXE", 4116, 1, '"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE" '),
    ]
    hosts = [Process(pid, _image(path), path) for pid, path in background_hosts().items()]
    first = [Process(pid, name, None, parent, session, protected=True) for pid, name, parent, session in bare]
    own = [
        Process(pid, name, line, parent, session, protected=name in _PROTECTED)
        for pid, name, parent, session, line in hosted
    ]
    return (*first, *own, *hosts)


_BASIC = _basic_processes()


class ProcessTable:
    def __init__(self, now: Callable[[], datetime], boot_time: datetime) -> None:
        self._now = now
        self.boot_time = boot_time
        self._processes = {process.process_id: process for process in _BASIC}
        self._last_id = 6000

    def __iter__(self) -> Iterator[Process]:
        return iter(sorted(self._processes.values(), key=lambda process: process.process_id))

    def named(self, name: str) -> list[Process]:
        return [process for process in self if process.name.lower() == name.lower()]

    def created(self, process: Process) -> datetime:
        return self.boot_time + process.since_boot

    def next_id(self) -> int:
        """Process ids are multiples of four; a new process never gets the id of one that just ended."""
        self._last_id += 4 * (1 + len(self._processes) % 7)
        return self._last_id

    def start(
        self,
        command_line: str,
        name: str = "",
        parent_id: int = _SERVICES_PID,
        session: int = 0,
        *,
        path: str = "",
        protected: bool = False,
    ) -> int:
        process_id = self.next_id()
        age = self._now() - self.boot_time
        name = name or _image(path or command_line)
        process = Process(process_id, name, command_line, parent_id, session, age, path, protected)
        self._processes[process_id] = process
        return process_id

    def start_service(self, path: str, own_process: bool) -> int:
        if "lsass.exe" in path.lower():
            return LSASS_PID
        if own_process or "svchost.exe" not in path.lower():
            return self.start(path)
        return next((process.process_id for process in self if process.command_line == path), 0) or self.start(path)

    def end(self, process_id: int) -> bool:
        return self._processes.pop(process_id, None) is not None

    def end_named(self, *names: str) -> None:
        for name in names:
            for process in self.named(name):
                self.end(process.process_id)

    def reboot(self) -> None:
        """Services are started by who knows which of them start."""
        self.boot_time = self._now()
        hosts = background_hosts()
        self._processes = {process.process_id: process for process in _BASIC if process.process_id not in hosts}
