# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds: somebody keeps a client in the mode on purpose, until a time. Kept on the endpoint, past any controller."""

from __future__ import annotations

import datetime as dt
import typing as t

from ..._windows.endpoint import Endpoint
from ..._windows.registry import RegistryType
from .. import facts
from ..times import iso
from . import limit
from .state import ClientState, Hold


def read_option(option: t.Mapping[str, str]) -> Hold:
    """From ``owner``, ``reason`` and ``expires`` (ISO 8601 with a time zone); ValueError says what is wrong."""
    for name in ("owner", "reason"):
        if not option[name].strip():
            raise ValueError(f"hold.{name} is empty: say it, for whoever finds the client held")
    text = option["expires"].strip()
    try:
        expires = dt.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    except ValueError:
        expires = None
    if expires is None or expires.tzinfo is None:
        raise ValueError(f"hold.expires={text!r} is no time with a time zone: give one such as 2026-11-30T18:00:00Z")
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
    if hold.expires - now > dt.timedelta(minutes=min(minutes, _MOST_MINUTES)):
        return (
            f"hold.expires={iso(hold.expires)} is later than the {minutes} minutes after which the client leaves by"
            f" itself: give an earlier time, or raise {facts.MAX_MINUTES} first"
        )
    return None


_MOST_MINUTES = 366 * 24 * 60


def describe(hold: Hold) -> str:
    return f"{hold.owner}: {hold.reason}, until {iso(hold.expires)}"


def write(endpoint: Endpoint, hold: Hold) -> None:
    """The expiry last: without it there is no hold, so one that is cut short in the middle holds nothing."""
    registry = endpoint.registry
    registry.create_key(facts.HOLD_KEY)
    registry.delete_value(facts.HOLD_KEY, "Expires")
    registry.set(facts.HOLD_KEY, "Owner", RegistryType.SZ, hold.owner)
    registry.set(facts.HOLD_KEY, "Reason", RegistryType.SZ, hold.reason)
    registry.set(facts.HOLD_KEY, "Expires", RegistryType.QWORD, int(hold.expires.timestamp()))


def remove(endpoint: Endpoint) -> None:
    endpoint.registry.delete_key(facts.HOLD_KEY)
