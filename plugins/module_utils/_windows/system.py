# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the endpoint says of itself: its clock, its boot, its names, and what runs there."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from .._wsman.cim import CimObject
from .._wsman.errors import ProtocolError
from .._wsman.session import Session

USUAL_SYSTEM_DIRECTORY = r"C:\Windows\system32"

_CIMV2 = "root/cimv2"


@dataclass(frozen=True)
class OperatingSystem:
    """``now`` and ``booted`` are UTC by the endpoint's own clock, which shows local time: UTC + ``offset_minutes``.

    ``read_at`` is when this was read, by the clock here.
    """

    computer_name: str
    now: dt.datetime
    booted: dt.datetime
    version: str
    caption: str
    system_directory: str
    offset_minutes: int | None = None
    read_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.timezone.utc), compare=False)


@dataclass(frozen=True)
class Process:
    """``path`` and ``command_line`` are empty where Windows tells none, as of a protected process.

    A command line may hold secrets: it is weighed and never shown.
    """

    name: str
    identifier: int
    path: str = ""
    command_line: str = field(default="", repr=False)


@dataclass(frozen=True)
class ComputerNames:
    """``domain`` is the DNS name of the Active Directory domain, None for a workgroup computer."""

    netbios: str
    dns_host: str
    domain: str | None


class System:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._directory: str | None = None

    @property
    def directory(self) -> str:
        """The system directory, such as ``C:\\Windows\\system32``; asked for once."""
        if self._directory is None:
            self.operating_system()
        return self._directory or USUAL_SYSTEM_DIRECTORY

    def operating_system(self) -> OperatingSystem:
        row = self._single(
            "SELECT CSName,LocalDateTime,LastBootUpTime,Version,Caption,SystemDirectory,CurrentTimeZone"
            " FROM Win32_OperatingSystem"
        )
        now, booted = row.datetime("LocalDateTime"), row.datetime("LastBootUpTime")
        if now is None or booted is None:
            raise ProtocolError("Win32_OperatingSystem tells no time")
        self._directory = row.string("SystemDirectory") or USUAL_SYSTEM_DIRECTORY
        return OperatingSystem(
            computer_name=row.string("CSName") or "",
            now=now,
            booted=booted,
            version=row.string("Version") or "",
            caption=(row.string("Caption") or "").strip(),
            system_directory=self._directory,
            offset_minutes=row.integer("CurrentTimeZone"),
        )

    def computer_names(self) -> ComputerNames:
        row = self._single("SELECT Name,DNSHostName,Domain,PartOfDomain FROM Win32_ComputerSystem")
        netbios = row.string("Name") or ""
        domain = row.string("Domain") if row.boolean("PartOfDomain") else None
        return ComputerNames(netbios, row.string("DNSHostName") or netbios, domain)

    def processes(self, where: str) -> list[Process]:
        """The running processes of which the WQL condition *where* holds."""
        rows = self._session.query(
            _CIMV2, f"SELECT Name,ProcessId,ExecutablePath,CommandLine FROM Win32_Process WHERE {where}"
        )
        return [
            Process(
                row.string("Name") or "",
                row.integer("ProcessId") or 0,
                row.string("ExecutablePath") or "",
                row.string("CommandLine") or "",
            )
            for row in rows
        ]

    def process_names(self, identifiers: t.Iterable[int]) -> dict[int, str]:
        """The names of the running ones among the processes with these ids, by id."""
        where = " OR ".join(f"ProcessId={identifier}" for identifier in sorted(set(identifiers)))
        if not where:
            return {}
        rows = self._session.query(_CIMV2, f"SELECT Name,ProcessId FROM Win32_Process WHERE {where}")
        return {row.integer("ProcessId") or 0: row.string("Name") or "" for row in rows}

    def _single(self, wql: str) -> CimObject:
        rows = self._session.query(_CIMV2, wql)
        if len(rows) != 1:
            raise ProtocolError(f"{wql!r} has {len(rows)} rows instead of one")
        return rows[0]
