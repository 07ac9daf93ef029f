# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one page of HTML that needs nothing else: no network, no other file, and no script to be read."""

from __future__ import annotations

import pkgutil
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ...module_utils._client.times import duration, from_iso
from . import charts
from .figures import Figures, figures
from .kinds import KINDS, TITLES
from .rows import ORDER

Content = Mapping[str, t.Any]


def html(content: Content, earlier: Sequence[Content] = ()) -> str:
    """*content* is that of a report's JSON file, *earlier* are those of the runs before, the oldest first."""
    # The template is this collection's own; whatever a host or a site has said is escaped.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = (pkgutil.get_data(__name__, "page.html.j2") or b"").decode("utf-8")
    found = figures(content["hosts"], from_iso(content["run"]["made"]))
    kinds = Counter(KINDS.get(row["status"], "bad") for row in content["hosts"].values())
    missing = charts.problem()
    return environment.from_string(source).render(
        run=content["run"],
        hosts=content["hosts"],
        figures=found,
        kinds=KINDS,
        tiles=[(kind, TITLES[kind], kinds[kind]) for kind in TITLES if kinds[kind]],
        colours=charts.COLOURS,
        charts={} if missing else _charts(found, [*earlier, content]),
        missing=missing,
        trend=_trend([*earlier, content]) if earlier else {},
        moments=[each["run"]["made"] for each in [*earlier, content]],
        duration=duration,
        told_of=_TOLD_OF,
    )


_TOLD_OF = ("released", "entered", "prepared", "restored", "left_alone")
"""Statuses of what a run has done, or has left alone, with the evidence in its message."""


def _charts(found: Figures, runs: Sequence[Content]) -> dict[str, Markup]:
    drawn = {"statuses": charts.bars("statuses", found.statuses, KINDS)}
    if found.ages:
        drawn["ages"] = charts.ages(found.ages, found.limit)
    if found.exits:
        drawn["exits"] = charts.bars("exits", found.exits, {"should have": "bad", "not by itself": "bad"})
    if found.errors:
        drawn["errors"] = charts.bars("errors", found.errors, dict.fromkeys(found.errors, "unseen"))
    if len(runs) > 1:
        moments = [each["run"]["made"][:16].replace("T", " ") for each in runs]
        drawn["trend"] = charts.trend(moments, _trend_of_kinds(runs))
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - pygal has escaped what it was given


def _trend(runs: Sequence[Content]) -> dict[str, list[int]]:
    """The number of hosts of each status that any of the *runs* has, run by run."""
    there = [status for status in ORDER if any(status in each["counts"] for each in runs)]
    return {status: [each["counts"].get(status, 0) for each in runs] for status in there}


def _trend_of_kinds(runs: Sequence[Content]) -> dict[str, list[int]]:
    found = dict.fromkeys(TITLES, [0] * len(runs))
    for status, numbers in _trend(runs).items():
        kind = KINDS[status]
        found[kind] = [before + number for before, number in zip(found[kind], numbers, strict=True)]
    return {kind: numbers for kind, numbers in found.items() if any(numbers)}
