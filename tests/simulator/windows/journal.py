# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened on a machine, and what was written to it from outside, for the tests to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .timeline import Timeline


@dataclass(frozen=True)
class Entry:
    time: datetime
    """The fleet's time, not the machine's own."""
    event: str
    detail: str = ""

    def describe(self) -> dict[str, str]:
        return {"time": self.time.isoformat(), "event": self.event, "detail": self.detail}


class Journal:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.events: list[Entry] = []
        self.writes: list[Entry] = []

    def happened(self, event: str, detail: str = "") -> None:
        self.events.append(Entry(self._timeline.true_time, event, detail))

    def written(self, event: str, detail: str = "") -> None:
        """Somebody from outside changed the machine, or tried to."""
        self.writes.append(Entry(self._timeline.true_time, event, detail))
