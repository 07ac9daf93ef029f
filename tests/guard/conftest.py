# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting costs nothing here, and what was found is told as one table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.guard import product

COLUMNS = ("moments", "late", "unjudged", "untold", "untrailed", "claimed", "silent", "strange", "again")


@pytest.fixture(scope="module", autouse=True)
def stopped_clocks() -> Iterator[None]:
    """A worker runs other tests as well, before these and after: by real clocks."""
    with product.stopped_clocks():
        yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Each test that goes through moments tells by its properties what it counted: those travel between processes."""
    rows: dict[str, Counter[str]] = {}
    for report in [each for reports in terminalreporter.stats.values() for each in reports]:
        for name, value in getattr(report, "user_properties", ()):
            if name == "moments" and getattr(report, "when", "") == "call":
                rows.setdefault(value["call"], Counter()).update(value["counts"])
    if not rows:
        return
    terminalreporter.section("moments in which something happened, and what was wrong afterwards")
    width = max(map(len, rows))
    terminalreporter.write_line(" " * width + "".join(f"{column:>10}" for column in COLUMNS))
    rows["all"] = sum(rows.values(), Counter())
    for call, counts in rows.items():
        terminalreporter.write_line(f"{call:{width}}" + "".join(f"{counts[column] or '·':>10}" for column in COLUMNS))
