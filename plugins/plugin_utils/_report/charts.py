# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of a report as SVG, by pygal. Without it there are none: the page has the same numbers as tables."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ...module_utils._client.times import duration
from .figures import Age, Limit
from .kinds import TITLES

try:
    import pygal
    from pygal.style import Style
except ImportError:
    pygal = None

_LEAST_MAJOR = 3
_INK = "currentColor"
"""Of the page, which is dark on light or light on dark as its reader wants it."""
COLOURS = {
    "bad": "#d1495b",
    "unseen": "#8d99ae",
    "waiting": "#e09f3e",
    "done": "#2a9d8f",
    "well": "#5a8f53",
}
_WIDTH = 720
_LINE = 0.02
"""Half of the width of the line at a limit, where a bar with its space is 1."""
_LEGEND = {"show_legend": True, "legend_at_bottom": True}


def problem() -> str:
    """Why there are no charts; empty where there are."""
    if pygal is None:
        return "There are no charts, since pygal is not installed where Ansible runs: pip install 'pygal>=3'."
    version = str(getattr(pygal, "__version__", "0"))
    major = re.match(r"\d+", version)
    if major and int(major[0]) < _LEAST_MAJOR:
        return f"There are no charts, since pygal {version} is too old: pip install 'pygal>=3'."
    return ""


def bars(name: str, numbers: Mapping[str, int], kinds: Mapping[str, str]) -> str:
    """A bar for each of *numbers*, in the colour of its kind."""
    chart = pygal.HorizontalBar(height=60 + 26 * len(numbers), **_options())
    chart.x_labels = list(reversed(list(numbers)))
    values = [{"value": number, "color": COLOURS[kinds.get(label, "waiting")]} for label, number in numbers.items()]
    chart.add("hosts", list(reversed(values)))
    return _svg(chart, name)


def ages(found: list[Age], limit: Limit | None) -> str:
    """Bars by age, with a line where the *limit* is that most of them have."""
    chart = pygal.Histogram(
        **{**_options((COLOURS["waiting"], COLOURS["bad"], _INK)), "height": 300, "show_x_guides": False, **_LEGEND}
    )
    chart.xrange = (0, len(found))
    chart.x_labels = [{"label": each.label, "value": number + 0.5} for number, each in enumerate(found)]
    for title, begin, values in (
        ("below its limit", 0.1, [each.below_limit for each in found]),
        ("past its limit", 0.5, [each.past_limit for each in found]),
    ):
        shown = [(value, number + begin, number + begin + 0.4) for number, value in enumerate(values) if value]
        chart.add(title, shown, formatter=_height)
    if limit:
        highest = max(max(each.below_limit, each.past_limit) for each in found)
        line = (highest, limit.place - _LINE, limit.place + _LINE)
        chart.add(f"limit of most: {duration(limit.minutes)}", [line], formatter=lambda _drawn: "")
    return _svg(chart, "ages")


def trend(moments: list[str], numbers: Mapping[str, list[int]]) -> str:
    """A line for each kind, from run to run."""
    chart = pygal.Line(
        **{
            **_options(COLOURS[kind] for kind in numbers),
            "height": 300,
            "stroke_style": {"width": 3},
            "print_values": False,
            **_LEGEND,
        }
    )
    chart.x_labels = moments
    for kind, values in numbers.items():
        chart.add(TITLES[kind], values)
    return _svg(chart, "trend")


def _options(colours: t.Iterable[str] = ()) -> dict[str, t.Any]:
    return {
        "style": Style(
            background="transparent",
            plot_background="transparent",
            foreground=_INK,
            foreground_strong=_INK,
            foreground_subtle=_INK,
            colors=tuple(colours) or (_INK,),
            font_family="inherit",
            label_font_size=13,
            major_label_font_size=13,
            value_font_size=13,
            legend_font_size=13,
            opacity=1,
        ),
        "width": _WIDTH,
        "js": (),
        "show_legend": False,
        "print_values": True,
        "print_zeroes": False,
        "value_formatter": _whole,
        "truncate_label": -1,
        "margin_right": 40,
        "disable_xml_declaration": True,
    }


def _height(drawn: tuple[float, float, float]) -> str:
    return f"{drawn[0]:.0f}"


def _whole(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else ""


def _svg(chart: t.Any, name: str) -> str:
    """The same for the same numbers, and without the script that pygal adds: the page has one of its own."""
    chart.uuid = name
    return _ADDED.sub("", str(chart.render(is_unicode=True)))


_ADDED = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)
