# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records of the logs are wanted, and in which order. Pure, but for the search for a pattern.

Whether a pattern is harmless cannot be seen from it, nor does a bound on the text help: one like ``(a+)+b`` takes
longer than anybody waits on a line of forty characters. So the search as a whole has a time limit.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from dataclasses import dataclass

from ..times import from_iso
from .cmtrace import SEVERITIES, Record
from .search import search

SEARCH_SECONDS = 10.0
LONGEST_PATTERN = 1000

_EARLIEST = dt.datetime.min.replace(tzinfo=dt.timezone.utc)
_MINUTES = re.compile(r"\d{1,8}")

Moment: t.TypeAlias = "dt.datetime | dt.timedelta"
"""In UTC, or how long before the endpoint's own now."""


@dataclass(frozen=True)
class Entry:
    """A record, and the path of the log that it stands in."""

    log: str
    record: Record


@dataclass(frozen=True)
class Period:
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def moment(text: str) -> Moment:
    """``90`` (minutes back) or a date and time of ISO 8601, in UTC unless it names an offset; raises ValueError."""
    text = text.strip()
    if _MINUTES.fullmatch(text):
        return dt.timedelta(minutes=int(text))
    found = from_iso(text)
    return (found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)).astimezone(dt.timezone.utc)


def moment_problem(option: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        moment(text)
    except (ValueError, OverflowError):
        return (
            f"{option}={text!r} is not a valid time: give minutes back, such as 90, or UTC, such as"
            " 2026-11-02T08:00:00Z"
        )
    return None


def pattern_problem(pattern: str | None) -> str | None:
    if pattern is None:
        return None
    if len(pattern) > LONGEST_PATTERN:
        return f"pattern has {len(pattern)} characters: give no more than {LONGEST_PATTERN}"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"pattern={pattern!r} is not a valid regular expression of Python: {error}"
    return None


def order_problem(since: str | None, until: str | None) -> str | None:
    """Of two valid moments; one told by the endpoint's clock cannot be compared with one that is not."""
    start, stop = (None if text is None else moment(text) for text in (since, until))
    if isinstance(start, dt.datetime) and isinstance(stop, dt.datetime):
        wrong = start > stop
    else:
        wrong = isinstance(start, dt.timedelta) and isinstance(stop, dt.timedelta) and start < stop
    return f"since={since} is later than until={until}: exchange them" if wrong else None


def period(since: str | None, until: str | None, now: dt.datetime) -> Period:
    """*now* by the endpoint's clock, as its logs are."""
    ends = (None if text is None else moment(text) for text in (since, until))
    return Period(*(now - end if isinstance(end, dt.timedelta) else end for end in ends))


def in_period(entries: t.Iterable[Entry], wanted: Period) -> list[Entry]:
    """In the order of time. A record without a time goes with the one before it in its log, else with the first one.

    One whose time cannot be read, and any of a log without times, is in every period: it may be what is looked for.
    """
    entries = list(entries)
    near: dict[str, dt.datetime] = {}
    for entry in entries:
        if entry.record.time:
            near.setdefault(entry.log, entry.record.time)
    placed = []
    for entry in entries:
        when = near[entry.log] = entry.record.time or near.get(entry.log, _EARLIEST)
        unknown = entry.record.unread_time or when == _EARLIEST
        inside = (wanted.since is None or when >= wanted.since) and (wanted.until is None or when <= wanted.until)
        if unknown or inside:
            placed.append((when, entry))
    return [entry for _when, entry in sorted(placed, key=lambda pair: pair[0])]


def logs_without_times(entries: t.Iterable[Entry]) -> list[str]:
    """Those of which no record has a time that can be read."""
    dated: dict[str, bool] = {}
    for entry in entries:
        dated[entry.log] = dated.get(entry.log, False) or entry.record.time is not None
    return [log for log, has_times in dated.items() if not has_times]


def matching(entries: t.Iterable[Entry], *, component: str | None, severity: str, pattern: str | None) -> list[Entry]:
    """Those of the component, at least as severe, in whose message the pattern occurs; TookTooLong."""
    least = SEVERITIES.index(severity)
    found = [
        entry
        for entry in entries
        if SEVERITIES.index(entry.record.severity) >= least
        and (component is None or entry.record.component.lower() == component.lower())
    ]
    if pattern is None:
        return found
    occurs = search(pattern, [entry.record.message for entry in found], SEARCH_SECONDS)
    return [entry for entry, wanted in zip(found, occurs, strict=True) if wanted]
