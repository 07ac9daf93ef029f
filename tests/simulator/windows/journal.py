# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened on a machine, and what was written to it from outside, for the tests to look at.

Both are numbered in one count, so that a test can tell whether a write came before an event or after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from .timeline import Timeline


@dataclass(frozen=True)
class Entry:
    number: int
    time: datetime
    """The fleet's time, not the machine's own."""
    event: str
    detail: str = ""

    def describe(self) -> dict[str, Any]:
        return {"number": self.number, "time": self.time.isoformat(), "event": self.event, "detail": self.detail}


class Journal:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._numbers: Iterator[int] = count(1)
        self.events: list[Entry] = []
        self.writes: list[Entry] = []

    def happened(self, event: str, detail: str = "") -> None:
        self.events.append(self._entry(event, detail))

    def written(self, event: str, detail: str = "") -> None:
        """Somebody from outside changed the machine, or tried to."""
        self.writes.append(self._entry(event, detail))

    def _entry(self, event: str, detail: str) -> Entry:
        return Entry(next(self._numbers), self._timeline.true_time, event, detail)
