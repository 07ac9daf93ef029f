# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's state from what the script read_mode printed there. Pure: the same state as is read over WinRM.

The format is that of ``_site/scripts/answers.schema.json``. Whatever is not of that format is NotUnderstood, and a
signal that is not there is one that could not be read: nothing is taken for absent that nobody has seen to be.
"""

from __future__ import annotations

import datetime as dt
import json
import typing as t

from ..._windows.errors import WindowsError
from ..._windows.registry import ABSENT, RegistryData, RegistryType, StoredValue
from ..._windows.services import Service
from ..._windows.system import OperatingSystem, Process
from ..activity import Activity, Setup
from ..errors import NotUnderstood
from ..times import from_iso
from . import hold, whole
from .state import ClientState, Hold, Mode

VERSION = 1
_OWN = frozenset({"entered_at", "max_minutes", "hold", "client_version"})
"""The signals that are the client's own, beside those of the activity."""
_TYPES = {"qword": RegistryType.QWORD, "dword": RegistryType.DWORD, "string": RegistryType.SZ}
_OTHER_TYPE = 0
_STRINGS_WITHIN = 2
"""The site tells a script's output as it is, or as a JSON text that has it; sources differ."""

Answer = t.Mapping[str, t.Any]


def parsed(output: str, script: str) -> Answer:
    """The object that *script* printed; raises NotUnderstood."""
    value: t.Any = output
    for _depth in range(1 + _STRINGS_WITHIN):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise NotUnderstood(f"the script {script} printed what is not its JSON: {_shown(output)}") from None
    if not isinstance(value, dict) or value.get("script") != script or value.get("version") != VERSION:
        raise NotUnderstood(f"the script {script} printed something else: {_shown(output)}")
    return value


def state_of(answer: Answer) -> ClientState:
    """Raises NotUnderstood where the answer is not one of read_mode."""
    errors = {str(name): str(reason) for name, reason in _mapping(answer, "errors").items()}
    readings = _Readings(answer, errors)
    for signal in ("mode", "excludes", "registry"):
        if signal in errors:  # without these nothing can be said
            raise NotUnderstood(f"the mode could not be read: {errors[signal]}")
    text, excludes = _optional(answer, "mode", str), (_optional(answer, "excludes", str) or "").strip()
    enabled = {"true": True, "false": False}.get((text or "").strip().lower())
    system = readings.of("clock", _system)
    activity = Activity(
        system=system,
        setup=readings.of("setup", _setup),
        winpe=readings.of("winpe", _flag),
        audit=readings.of("audit", _flag),
        autopilot=readings.of("autopilot", _flag),
        requests=readings.of("requests", _texts),
        services=readings.of("services", _services),
        processes=readings.of("processes", _processes),
        unreadable={name: reason for name, reason in readings.unreadable.items() if name != "requests"},
    )
    requests = activity.requests
    if not activity.is_settling:  # of a machine that has run for a while they are context
        activity = _without_requests(activity)
    own = {name: reason for name, reason in errors.items() if name in _OWN}
    if "requests" in readings.unreadable:
        own["requests"] = readings.unreadable["requests"]
    return ClientState(
        mode=Mode(enabled, text, excludes),
        full=True,
        entered=_stored(answer, "entered_at"),
        max_minutes=_stored(answer, "max_minutes"),
        activity=activity,
        hold=_hold(answer, own),
        requests=requests,
        client_version=_optional(answer, "client_version", str),
        unreadable=own,
    )


class _Readings:
    def __init__(self, answer: Answer, errors: t.Mapping[str, str]) -> None:
        self._answer = answer
        self._errors = errors
        self.unreadable: dict[str, str] = {}

    def of(self, signal: str, read: t.Callable[[t.Any], _Read]) -> _Read | None:
        if signal in self._errors:
            self.unreadable[signal] = self._errors[signal]
            return None
        try:
            return read(self._answer[signal])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.unreadable[signal] = f"the script's answer has it in another form ({type(error).__name__}: {error})"
            return None


_Read = t.TypeVar("_Read")


def _system(value: t.Any) -> OperatingSystem:
    now, booted = (_moment(value[name]) for name in ("now", "booted"))
    offset = value["offset"]
    return OperatingSystem(
        computer_name=_text(value["name"]),
        now=now,
        booted=booted,
        version=_text(value["os"]),
        caption="",
        system_directory="",
        offset_minutes=None if offset is None else _whole(offset),
    )


def _setup(value: t.Any) -> Setup:
    numbers = {_text(name): _whole(number) for name, number in value.items()}
    return whole.setup(numbers)


def _services(value: t.Any) -> dict[str, Service]:
    found = {
        _text(name).lower(): Service(name, _text(each["state"]), _text(each["start_mode"]), 0)
        for name, each in value.items()
    }
    return whole.services(found)


def _processes(value: t.Any) -> list[Process]:
    """Of a command line, the answer has only the switch that makes a difference."""
    found = [
        Process(_text(each["name"]), _whole(each["id"]), _text(each["path"]), _text(each["switch"])) for each in value
    ]
    return whole.processes(found)


def _hold(answer: Answer, unreadable: dict[str, str]) -> Hold | None:
    text = _optional(answer, "hold", str)
    if text is None:
        return None
    try:
        return hold.parse(text)
    except WindowsError as error:
        unreadable["hold"] = str(error)
        return None


def _stored(answer: Answer, name: str) -> StoredValue:
    if answer.get(name, answer) is None:
        return ABSENT
    kind, data = (_mapping(answer, name).get(key) for key in ("type", "data"))
    if not isinstance(kind, str) or not isinstance(data, str):
        raise NotUnderstood(f"the script's answer has {name} in another form")
    number: RegistryData = data
    if kind in ("qword", "dword"):
        if not data.lstrip("-").isascii() or not data.lstrip("-").isdigit():
            raise NotUnderstood(f"the script's answer has {name} in another form")
        number = int(data)
    return StoredValue(number, _TYPES.get(kind, _OTHER_TYPE))


def _without_requests(activity: Activity) -> Activity:
    return Activity(**{**vars(activity), "requests": None})


def _mapping(answer: Answer, name: str) -> Answer:
    value = answer.get(name)
    if not isinstance(value, dict):
        raise NotUnderstood(f"the script's answer has {name} in another form")
    return value


_Kind = t.TypeVar("_Kind")


def _optional(answer: Answer, name: str, kind: type[_Kind]) -> _Kind | None:
    """None for what is null; raises NotUnderstood for what is missing, or of another type."""
    value = answer.get(name, answer)
    if value is None or isinstance(value, kind):
        return value
    raise NotUnderstood(f"the script's answer has {name} in another form")


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _texts(value: t.Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.40} is no list")
    return [_text(each) for each in value]


def _whole(value: t.Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r:.40} is no whole number")
    return value


def _flag(value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r:.40} is neither true nor false")
    return value


def _moment(value: t.Any) -> dt.datetime:
    moment = from_iso(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r:.40} has no time zone")
    return moment.astimezone(dt.timezone.utc)


def _shown(output: str) -> str:
    """Enough to find out what it is, and no more: it may be anything."""
    return repr(output if len(output) <= 80 else f"{output[:80]}…")
