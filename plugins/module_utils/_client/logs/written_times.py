# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as writers of logs spell them. Pure.

The client writes ``11-02-2026 08:15:30.123-60``, month first, where the number after the time is UTC minus local time
in minutes: the opposite of a CIM datetime's. Scripts that write to the same logs take what their region gives them:
dots for colons, dates of ISO 8601, dots or slashes in the date. A date that may be read in two ways is not read.
"""

from __future__ import annotations

import datetime as dt
import re

_MONTH_FIRST = re.compile(r"(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{4})")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})([-./])(?P<month>\d{1,2})\2(?P<day>\d{1,2})")
_EITHER_FIRST = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})")
# Writers that put a plus before a number that may be negative produce two signs: the second one counts.
_WRITTEN = re.compile(
    r"(?P<date>[\d./-]+)(?:[T ]\s*)"
    r"(?P<hour>\d{1,2})(?P<separator>[:.])(?P<minute>\d{2})"
    r"(?:(?P=separator)(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])[Mm])?"
    r"(?:\+?(?P<bias>[+-]\d{1,4})|(?P<utc>Z)|(?P<sign>[+-])(?P<hours>\d\d):(?P<minutes>\d\d))?"
)
_MOST_MINUTES_FROM_UTC = 14 * 60 + 60


def read(text: str, utc_offset: int) -> dt.datetime | None:
    """The moment in UTC that *text*, a date and a time, means; None where that is not certain.

    *utc_offset*: minutes by which the writer is east of UTC, for a time that does not tell itself.
    """
    found = _WRITTEN.fullmatch(text.strip())
    day = _day(found["date"]) if found else None
    if found is None or day is None:
        return None
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
    micro = int((found["fraction"] or "").ljust(6, "0")[:6])
    bias = _bias(found, utc_offset)
    if abs(bias) > _MOST_MINUTES_FROM_UTC:
        return None
    try:
        clock = dt.time(hour, int(found["minute"]), int(found["second"] or 0), micro, dt.timezone.utc)
        return dt.datetime.combine(day, clock) + dt.timedelta(minutes=bias)
    except (ValueError, OverflowError):
        return None


def _bias(found: re.Match[str], utc_offset: int) -> int:
    """UTC minus local time in minutes. An offset of ISO 8601, known by its colon, is the opposite."""
    if found["bias"]:
        return int(found["bias"])
    if found["utc"]:
        return 0
    if found["hours"]:
        offset = int(found["hours"]) * 60 + int(found["minutes"])
        return offset if found["sign"] == "-" else -offset
    return -utc_offset


def _day(text: str) -> dt.date | None:
    found = _MONTH_FIRST.fullmatch(text) or _YEAR_FIRST.fullmatch(text)
    if found:
        return _date(int(found["year"]), int(found["month"]), int(found["day"]))
    either = _EITHER_FIRST.fullmatch(text)
    if either is None:
        return None
    one, other, year = int(either[1]), int(either[3]), int(either[4])
    days = {_date(year, one, other), _date(year, other, one)} - {None}
    return days.pop() if len(days) == 1 else None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
