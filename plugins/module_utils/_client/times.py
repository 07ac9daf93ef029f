# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and spans as results and messages write them. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t


@t.overload
def iso(moment: dt.datetime) -> str:
    ...


@t.overload
def iso(moment: None) -> None:
    ...


def iso(moment: dt.datetime | None) -> str | None:
    """``2026-01-31T12:00:00Z``."""
    return None if moment is None else moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> dt.datetime:
    """A date and time of ISO 8601, ``Z`` included, which Python before 3.11 does not take; raises ValueError."""
    return dt.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)


def whole_minutes(age: dt.timedelta) -> int:
    """Never negative: clocks are set now and then."""
    return max(0, int(age.total_seconds() // 60))


def duration(minutes: int) -> str:
    """Minutes in words: the two largest units that are not zero."""
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "0 min"
