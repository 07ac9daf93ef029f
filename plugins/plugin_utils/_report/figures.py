# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a report that people look at, from its content. Pure; no library of charts is known here."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ...module_utils._client.times import from_iso
from .rows import Row, counts

_HOUR, _DAY = 60, 24 * 60
_AGES = (
    ("under 1 h", _HOUR),
    ("1 to 4 h", 4 * _HOUR),
    ("4 to 12 h", 12 * _HOUR),
    ("12 to 24 h", _DAY),
    ("1 to 2 d", 2 * _DAY),
    ("2 to 7 d", 7 * _DAY),
    ("7 to 30 d", 30 * _DAY),
)
_OLDEST = "over 30 d"
_EXITS = (("within 6 h", 6), ("within 12 h", 12), ("within 24 h", 24), ("within 48 h", 48))
_LATER, _PAST, _NEVER = "later", "should have", "not by itself"
_OUT = frozenset({"released", "entered"})
"""Of these the time line was read before they were changed."""


@dataclass(frozen=True)
class Age:
    """How many hosts have been in the mode that long, and have or have not reached their own limit."""

    label: str
    below_limit: int
    past_limit: int


@dataclass(frozen=True)
class Limit:
    """The limit that most have. ``place`` is where it lies among the ages, which begin at their numbers from 0 on."""

    minutes: int
    place: float


@dataclass(frozen=True)
class Figures:
    """``ages`` and ``exits`` are empty where no host was found in the mode; the others count hosts by name of kind."""

    statuses: dict[str, int]
    ages: list[Age]
    limit: Limit | None
    exits: dict[str, int]
    errors: dict[str, int]
    versions: dict[str, int]
    ways: dict[str, int]


def figures(hosts: Mapping[str, Row], made: dt.datetime) -> Figures:
    """Of a report's hosts; *made* is when it was made."""
    inside = [row["timeline"] for row in hosts.values() if _is_inside(row)]
    staying = [row["timeline"] for row in hosts.values() if _is_inside(row) and row["status"] not in _OUT]
    return Figures(
        statuses=counts(hosts),
        ages=_ages(inside),
        limit=_limit(inside),
        exits=_exits(staying, made),
        errors=_by(hosts, "error_layer"),
        versions=_by(hosts, "client_version"),
        ways=_by({host: row for host, row in hosts.items() if row.get("changed")}, "via"),
    )


def _is_inside(row: Row) -> bool:
    timeline = row.get("timeline")
    return isinstance(timeline, Mapping) and isinstance(timeline.get("age_minutes"), int)


def _ages(timelines: list[t.Any]) -> list[Age]:
    below: Counter[str] = Counter()
    past: Counter[str] = Counter()
    for each in timelines:
        age = each["age_minutes"]
        label = next((label for label, end in _AGES if age < end), _OLDEST)
        (past if age >= (each.get("limit_minutes") or 0) else below)[label] += 1
    if not timelines:
        return []
    return [Age(label, below[label], past[label]) for label in (*(label for label, _end in _AGES), _OLDEST)]


def _limit(timelines: list[t.Any]) -> Limit | None:
    found = Counter(each["limit_minutes"] for each in timelines if isinstance(each.get("limit_minutes"), int))
    if not found:
        return None
    minutes = max(found, key=lambda each: (found[each], -each))
    begin = 0
    for number, (_label, end) in enumerate(_AGES):
        if minutes <= end:
            return Limit(minutes, number + (minutes - begin) / (end - begin))
        begin = end
    return Limit(minutes, len(_AGES) + 0.5)


def _exits(timelines: list[t.Any], made: dt.datetime) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in timelines:
        found[_exit(each, made)] += 1
    return {label: found[label] for label in (*(label for label, _hours in _EXITS), _LATER, _PAST, _NEVER) if found}


def _exit(timeline: Mapping[str, t.Any], made: dt.datetime) -> str:
    latest = timeline.get("self_exit_latest")
    if not latest:
        return _NEVER
    latest = from_iso(str(latest))
    if latest < made:
        return _PAST
    hours = (latest - made).total_seconds() / 3600
    return next((label for label, most in _EXITS if hours <= most), _LATER)


def _by(hosts: Mapping[str, Row], name: str) -> dict[str, int]:
    """How many have each value, the most frequent first."""
    found = Counter(str(row[name]) for row in hosts.values() if row.get(name))
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
