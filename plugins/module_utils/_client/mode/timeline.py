# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the mode was entered and when it will end by itself. Pure; all times are UTC by the endpoint's clock."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from ..._windows.registry import StoredValue
from .. import constants
from ..times import iso, whole_minutes

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
"""A time of entry this far ahead is still now: clocks are set now and then."""

_MOST_DIGITS = 20  # of a QWORD


@dataclass(frozen=True)
class Timeline:
    """``entered_at`` None: ``entered_problem`` says why. ``self_exit_*`` None: it stays, or nobody knows."""

    entered_at: dt.datetime | None
    entered_problem: str
    age_minutes: int | None
    limit_minutes: int
    limit_source: str
    leaves_by_itself: bool | None
    self_exit_earliest: dt.datetime | None
    self_exit_latest: dt.datetime | None

    def as_result(self) -> dict[str, t.Any]:
        return {
            "entered_at": iso(self.entered_at),
            "entered_problem": self.entered_problem,
            "age_minutes": self.age_minutes,
            "limit_minutes": self.limit_minutes,
            "limit_source": self.limit_source,
            "leaves_by_itself": self.leaves_by_itself,
            "self_exit_earliest": iso(self.self_exit_earliest),
            "self_exit_latest": iso(self.self_exit_latest),
        }


def timeline(
    entered: StoredValue,
    max_minutes: StoredValue,
    client_version: str | None,
    now: dt.datetime | None,
    *,
    in_mode: bool = True,
) -> Timeline:
    """*now* is the endpoint's clock; None where it could not be read, and then nothing is said of age.

    The client keeps the time of entry after it has left the mode: then there is no age and nothing to leave.
    """
    limit, limit_source = _limit(max_minutes)
    entered_at, problem = _entered(entered, now)
    build = constants.client_build(client_version)
    leaves = None if build is None else build >= constants.FIRST_BUILD_THAT_LEAVES
    earliest, latest = _self_exit(entered_at, limit) if leaves and in_mode else (None, None)
    return Timeline(
        entered_at=entered_at,
        entered_problem=problem,
        age_minutes=whole_minutes(now - entered_at) if entered_at and now and in_mode else None,
        limit_minutes=limit,
        limit_source=limit_source,
        leaves_by_itself=leaves,
        self_exit_earliest=earliest,
        self_exit_latest=latest,
    )


def _self_exit(entered_at: dt.datetime | None, limit: int) -> tuple[dt.datetime | None, dt.datetime | None]:
    if entered_at is None:
        return None, None
    interval = dt.timedelta(minutes=constants.CHECK_INTERVAL_MINUTES)
    try:
        earliest = entered_at + max(dt.timedelta(minutes=limit), interval)
        return earliest, earliest + interval
    except OverflowError:  # a limit of thousands of years
        return None, None


def _limit(stored: StoredValue) -> tuple[int, str]:
    if stored.data is None:
        return constants.DEFAULT_LIMIT_MINUTES, f"default, {constants.MAX_MINUTES} is absent"
    if not isinstance(stored.data, int):
        return constants.DEFAULT_LIMIT_MINUTES, f"default, {constants.MAX_MINUTES} is not a number"
    if stored.data == 0:
        return constants.DEFAULT_LIMIT_MINUTES, f"default, {constants.MAX_MINUTES} is 0"
    return stored.data, constants.MAX_MINUTES


def _entered(stored: StoredValue, now: dt.datetime | None) -> tuple[dt.datetime | None, str]:
    data = stored.data
    if data is None:
        return None, "absent"
    if isinstance(data, str):
        text = data.strip()
        if not (text.isascii() and text.isdigit()):
            return None, "not a number"
        if len(text) > _MOST_DIGITS:
            return None, "beyond any calendar"
        data = int(text)
    if not isinstance(data, int):
        return None, "not a number"
    if data == 0:
        return None, "zero"
    if data < constants.FIRST_ENTRY_TIME:
        return None, "before any client wrote it"
    try:
        entered_at = dt.datetime.fromtimestamp(data, dt.timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None, "beyond any calendar"
    if now is not None and entered_at > now + CLOCK_TOLERANCE:
        return None, f"in the future ({iso(entered_at)})"
    return entered_at, ""
