# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's state from rows of CMPivot. Pure: the same state as is read over WinRM, as far as rows can tell.

CMPivot tells values as texts and says nothing of what is not there. So what a client that answered the question has no
row for is absent, and what nobody asked, or of which it is not known whether that client answered, could not be read.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ..._windows.errors import WindowsError
from ..._windows.registry import ABSENT, RegistryType, StoredValue
from ..._windows.services import Service
from ..._windows.system import OperatingSystem, Process
from .. import constants, programs
from ..activity import Activity, Setup
from ..times import from_iso
from . import hold, whole
from .state import ClientState, Hold, Mode

Fields = t.Mapping[str, "str | None"]
"""A row: its properties by their names in lower case, as texts."""

_NOT_ASKED = "it was not asked"
_SILENT = "whether the client answered this question is not known"


def _registry(key: str, *names: str) -> str:
    wanted = " or ".join(f"Property == '{name}'" for name in names)
    return f"Registry('HKLM:\\{key}') | where {wanted} | project Device, Property, Value"


_NAMES = " or ".join(
    [
        f"Name startswith '{start}'"
        for start in (
            *("TS", "OSD", "smsswd", "smsapp", "smsboot", "smsnet", "smstftp", "WindowsUp", "Windows1", "audit"),
            *("rollback", "McsClient"),
        )
    ]
    + [f"Name contains '{part}'" for part in ("setup", "oobe", "reset", "mighost", "windeploy", "sysprep")]
)
"""Of all that ``programs.py`` weighs by its name; what command lines tell is not seen here."""

MODE = _registry(
    constants.CCMEXEC_KEY, constants.MODE, constants.EXCLUDES, constants.ENTERED, constants.MAX_MINUTES
)
UNUSUAL = (
    f"Registry('HKLM:\\{constants.CCMEXEC_KEY}') | where (Property == '{constants.MODE}' and Value != 'false') or"
    f" (Property == '{constants.EXCLUDES}' and Value != '') | project Device, Property, Value"
)
"""MODE for so many clients that their rows would be cut off: who answers without a row is out of the mode."""
EVIDENCE: t.Mapping[str, str] = {
    "clock": "OS | project Device, Version, LastBootUpTime",
    "setup": _registry(
        constants.SETUP_KEY,
        *dict.fromkeys((*constants.SETUP_REQUIRED, *constants.SETUP_LIVE, *constants.SETUP_ARMED)),
    ),
    "audit": _registry(constants.AUDIT_KEY, constants.AUDIT),
    "autopilot": _registry(constants.AUTOPILOT_KEY, constants.AUTOPILOT_DONE),
    "hold": _registry(constants.HOLD_KEY, "Hold", "Expires"),
    "services": (
        f"Service | where Name == '{constants.CLIENT_SERVICE}' or Name == '{constants.AGENT_SERVICE}' or Name =="
        f" '{constants.PROOF_SERVICE}' | project Device, Name, State, StartMode"
    ),
    "processes": (
        f"Process | where Name == '{programs.PROOF}' or {_NAMES} | project Device, Name, ProcessId, ExecutablePath"
    ),
}
"""The questions about what else decides, by their signals; which a client that is not in the mode need not answer."""


@dataclass(frozen=True)
class Rows:
    """What one client said to each question that it is known to have answered, and which questions were asked.

    ``unusual`` says that of the mode it was UNUSUAL.
    """

    mode: list[Fields]
    evidence: t.Mapping[str, list[Fields]] = field(default_factory=dict)
    asked: t.Collection[str] = ()
    unusual: bool = False


def with_usual(rows: list[Fields]) -> list[Fields]:
    """All *rows* of a client that answered UNUSUAL, with the value of the mode that it left out."""
    if any((row.get("property") or "").lower() == constants.MODE.lower() for row in rows):
        return rows
    return [*rows, {"property": constants.MODE, "value": "false"}]


def state_of(rows: Rows, now: dt.datetime, client_version: str | None, computer_name: str) -> ClientState | None:
    """*now* is the site's clock. None where the client said nothing of its mode, or two things."""
    values = _values(rows.mode)
    if values is None or constants.MODE.lower() not in values:
        return None
    text, excludes = values[constants.MODE.lower()], (values.get(constants.EXCLUDES.lower()) or "").strip()
    mode = Mode({"true": True, "false": False}.get((text or "").strip().lower()), text, excludes)
    if mode.exited and not rows.asked:
        return ClientState(mode)
    readings = _Readings(rows)
    activity = Activity(
        system=readings.of("clock", lambda found: _system(found, now, computer_name)),
        setup=readings.of("setup", _setup),
        winpe=False,  # there is no installed client in Windows PE that could answer
        audit=readings.of("audit", lambda found: bool(_number(found, constants.AUDIT))),
        autopilot=readings.of("autopilot", lambda found: _number(found, constants.AUTOPILOT_DONE) == 0),
        services=readings.of("services", _services),
        processes=readings.of("processes", _processes),
        unreadable={name: reason for name, reason in readings.unreadable.items() if name != "hold"},
    )
    held = readings.of("hold", _hold)
    return ClientState(
        mode=mode,
        full=True,
        entered=_stored(values.get(constants.ENTERED.lower())),
        max_minutes=_stored(values.get(constants.MAX_MINUTES.lower())),
        activity=activity,
        hold=held[0] if held else None,
        client_version=client_version,
        unreadable={
            **{name: reason for name, reason in readings.unreadable.items() if name == "hold"},
            **({"entered_at": _NOT_ASKED} if rows.unusual else {}),
        },
    )


class _Readings:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.unreadable: dict[str, str] = {}

    def of(self, signal: str, read: t.Callable[[list[Fields]], _Read]) -> _Read | None:
        if signal not in self._rows.evidence:
            self.unreadable[signal] = _SILENT if signal in self._rows.asked else _NOT_ASKED
            return None
        try:
            return read(self._rows.evidence[signal])
        except (ValueError, WindowsError) as error:
            self.unreadable[signal] = str(error)
            return None


_Read = t.TypeVar("_Read")


def _values(rows: t.Iterable[Fields]) -> dict[str, str | None] | None:
    """Registry values by their names in lower case; None where one has two."""
    found: dict[str, str | None] = {}
    for row in rows:
        name, value = (row.get("property") or "").lower(), row.get("value")
        if found.setdefault(name, value) != value:
            return None
    return found


def _certain(rows: list[Fields]) -> dict[str, str | None]:
    values = _values(rows)
    if values is None:
        raise ValueError("the answer has two values of one name")
    return values


def _number(rows: list[Fields], name: str) -> int | None:
    text = _certain(rows).get(name.lower())
    return None if text is None else int(text)


def _system(rows: list[Fields], now: dt.datetime, computer_name: str) -> OperatingSystem:
    if len(rows) != 1:
        raise ValueError(f"the answer has {len(rows)} rows in the place of one")
    booted = from_iso((rows[0].get("lastbootuptime") or "").replace(" ", "T"))
    if booted.tzinfo is None:
        booted = booted.replace(tzinfo=dt.timezone.utc)
    return OperatingSystem(computer_name, now, booted, rows[0].get("version") or "", "", "")


def _setup(rows: list[Fields]) -> Setup:
    values = _certain(rows)
    known = {*constants.SETUP_REQUIRED, *constants.SETUP_LIVE, *constants.SETUP_ARMED}
    numbers = {name: int(values[name.lower()] or "") for name in known if name.lower() in values}
    return whole.setup(numbers)


def _services(rows: list[Fields]) -> dict[str, Service]:
    found = {
        (row.get("name") or "").lower(): Service(
            row.get("name") or "", row.get("state") or "", row.get("startmode") or "", 0
        )
        for row in rows
    }
    return whole.services(found)


def _processes(rows: list[Fields]) -> list[Process]:
    found = [
        Process(row.get("name") or "", int(row.get("processid") or 0), row.get("executablepath") or "") for row in rows
    ]
    return whole.processes(found)


def _hold(rows: list[Fields]) -> tuple[Hold | None]:
    values = _certain(rows)
    if values.get("expires") is not None:
        raise ValueError("the hold is of an earlier form")
    text = values.get("hold")
    return (None if text is None else hold.parse(text),)


def _stored(text: str | None) -> StoredValue:
    if text is None:
        return ABSENT
    digits = text.strip()
    if digits.isascii() and digits.isdigit():
        return StoredValue(int(digits), RegistryType.QWORD)
    return StoredValue(text, RegistryType.SZ)
