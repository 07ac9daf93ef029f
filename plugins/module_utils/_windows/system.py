# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the endpoint says of itself: its clock, its boot, its names."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from .._wsman.errors import ProtocolError
from .._wsman.session import Session

USUAL_SYSTEM_DIRECTORY = r"C:\Windows\system32"

_CIMV2 = "root/cimv2"


@dataclass(frozen=True)
class OperatingSystem:
    """``now`` and ``booted`` are UTC by the endpoint's own clock; ``utc_offset`` says how many minutes east it is."""

    computer_name: str
    now: dt.datetime
    booted: dt.datetime
    version: str
    caption: str
    system_directory: str
    utc_offset: int = 0


@dataclass(frozen=True)
class ComputerNames:
    """``domain`` is the DNS name of the Active Directory domain, None for a workgroup computer."""

    netbios: str
    dns_host: str
    domain: str | None


def operating_system(session: Session) -> OperatingSystem:
    wql = (
        "SELECT CSName,LocalDateTime,LastBootUpTime,CurrentTimeZone,Version,Caption,SystemDirectory"
        " FROM Win32_OperatingSystem"
    )
    row = _single(session, wql)
    now, booted = row.datetime("LocalDateTime"), row.datetime("LastBootUpTime")
    if now is None or booted is None:
        raise ProtocolError("Win32_OperatingSystem tells no time")
    return OperatingSystem(
        computer_name=row.string("CSName") or "",
        now=now,
        booted=booted,
        version=row.string("Version") or "",
        caption=(row.string("Caption") or "").strip(),
        system_directory=row.string("SystemDirectory") or USUAL_SYSTEM_DIRECTORY,
        utc_offset=row.integer("CurrentTimeZone") or 0,
    )


def computer_names(session: Session) -> ComputerNames:
    row = _single(session, "SELECT Name,DNSHostName,Domain,PartOfDomain FROM Win32_ComputerSystem")
    netbios = row.string("Name") or ""
    domain = row.string("Domain") if row.boolean("PartOfDomain") else None
    return ComputerNames(netbios, row.string("DNSHostName") or netbios, domain)


def processes(session: Session, names: t.Sequence[str]) -> list[str]:
    """The names of the running processes among *names* (with ``.exe``), sorted."""
    where = " OR ".join(f"Name='{name}'" for name in names)
    rows = session.query(_CIMV2, f"SELECT Name,ProcessId FROM Win32_Process WHERE {where}")
    return sorted({row.string("Name") or "" for row in rows})


def _single(session: Session, wql: str) -> t.Any:
    rows = session.query(_CIMV2, wql)
    if len(rows) != 1:
        raise ProtocolError(f"{wql!r} has {len(rows)} rows instead of one")
    return rows[0]
