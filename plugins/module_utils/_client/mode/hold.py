# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds: somebody keeps a client in the mode on purpose, until a time. Kept on the endpoint, past any controller."""

from __future__ import annotations

import datetime as dt
import json
import typing as t

from ..._windows.endpoint import Endpoint
from ..._windows.errors import WindowsError
from ..._windows.registry import KeyAbsent, RegistryType
from .. import constants
from ..times import from_iso, iso
from . import limit
from .state import ClientState, Hold
from .timeline import timeline

_VALUE = "Hold"
LONGEST_TEXT = 255
"""Characters of an owner or a reason: enough for a person to read, and far below what the registry takes."""


def read_option(option: t.Mapping[str, str]) -> Hold:
    """From ``owner``, ``reason`` and ``expires`` (ISO 8601 with a time zone); ValueError says what is wrong."""
    for name in ("owner", "reason"):
        text = option[name].strip()
        if not text:
            raise ValueError(f"hold.{name} is empty: say it, for whoever finds the client held")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"hold.{name} has {len(text)} characters: give {LONGEST_TEXT} at most")
        if not text.isprintable():
            raise ValueError(f"hold.{name}={text!r} has characters that cannot be printed: give one line of text")
    text = option["expires"].strip()
    try:
        expires = from_iso(text)
    except ValueError:
        expires = None
    if expires is None or expires.tzinfo is None:
        raise ValueError(
            f"hold.expires={text!r} is not a valid time with a time zone: give one such as 2026-11-30T18:00:00Z"
        )
    return Hold(
        option["owner"].strip(), option["reason"].strip(), expires.astimezone(dt.timezone.utc).replace(microsecond=0)
    )


def problem(hold: Hold, state: ClientState) -> str | None:
    """Why the hold cannot be kept on this endpoint, by its own clock and limit; None where it can."""
    if state.system is None:
        return None  # nothing is written then, and the verdict says why
    now = state.system.now
    if hold.expires <= now:
        return (
            f"hold.expires={iso(hold.expires)} is past by the endpoint's clock ({iso(now)}): give a later time, or set"
            " that clock right"
        )
    maximum = state.max_minutes.data
    minutes = limit.effective(maximum if isinstance(maximum, int) else None)
    in_mode = state.mode.enabled is True
    leaves = timeline(state.entered, state.max_minutes, state.client_version, now, in_mode=in_mode).self_exit_earliest
    if leaves is None or leaves <= now:
        leaves = now + dt.timedelta(minutes=min(minutes, _MOST_MINUTES))
    if hold.expires > leaves:
        return (
            f"hold.expires={iso(hold.expires)} is later than {iso(leaves)}, when the client leaves by itself after"
            f" {minutes} minutes in the mode: give an earlier time, or raise {constants.MAX_MINUTES} first"
        )
    return None


_MOST_MINUTES = 366 * 24 * 60


def describe(hold: Hold) -> str:
    return f"{hold.owner}: {hold.reason}, until {iso(hold.expires)}"


def read(endpoint: Endpoint) -> Hold | None:
    """WindowsError where what is stored is not a valid hold."""
    try:
        types = endpoint.registry.types(constants.HOLD_KEY, strict=True)
    except KeyAbsent:
        return None
    if _VALUE.lower() not in types:
        return _read_in_parts(endpoint) if "expires" in types else None
    return parse(endpoint.registry.get_string(constants.HOLD_KEY, _VALUE) or "")


def parse(text: str) -> Hold:
    """WindowsError where what is stored is not a valid hold."""
    try:
        found = json.loads(text)
        return Hold(str(found["owner"]), str(found["reason"]), _moment(found["expires"]), found["entered"])
    except (ValueError, TypeError, KeyError):
        raise WindowsError(f"HKLM\\{constants.HOLD_KEY}: {_VALUE} is not a valid hold", 0) from None


def write(endpoint: Endpoint, hold: Hold) -> None:
    endpoint.registry.create_key(constants.HOLD_KEY)
    rewrite(endpoint, hold)


def rewrite(endpoint: Endpoint, hold: Hold) -> None:
    """Replaces one that is there."""
    text = json.dumps(
        {
            "owner": hold.owner,
            "reason": hold.reason,
            "expires": int(hold.expires.timestamp()),
            "entered": hold.entered,
        }
    )
    endpoint.registry.set(constants.HOLD_KEY, _VALUE, RegistryType.SZ, text)


def remove(endpoint: Endpoint) -> None:
    endpoint.registry.delete_key(constants.HOLD_KEY)


def _moment(epoch: t.Any) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(epoch, dt.timezone.utc)
    except (OverflowError, OSError) as error:
        raise ValueError from error


def _read_in_parts(endpoint: Endpoint) -> Hold:
    """As earlier builds stored it: a value for each part."""
    registry = endpoint.registry
    try:
        expires = _moment(registry.get(constants.HOLD_KEY, "Expires", RegistryType.QWORD))
    except (ValueError, TypeError):
        raise WindowsError(f"HKLM\\{constants.HOLD_KEY}: Expires is not a valid time", 0) from None
    entered = registry.get(constants.HOLD_KEY, "Entered", RegistryType.QWORD)
    return Hold(
        owner=registry.get_string(constants.HOLD_KEY, "Owner") or "",
        reason=registry.get_string(constants.HOLD_KEY, "Reason") or "",
        expires=expires,
        entered=entered if isinstance(entered, int) else None,
    )
