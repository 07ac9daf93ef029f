# SPDX-License-Identifier: GPL-3.0-or-later
"""The one clock of a simulated fleet."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone


def standing() -> float:
    """No time passes but by being moved: so a busy machine cannot make anything end early."""
    return 0.0


class Clock:
    """Ticks with real time from a settable start and can be moved forward at any moment.

    `monotonic` can be replaced, so that a test decides when a second has passed.
    """

    def __init__(self, start: datetime | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(f"the clock's start needs a time zone: {start!r}")
        self._monotonic = monotonic
        self._origin = monotonic()
        self._start = (start or datetime.now(timezone.utc)).astimezone(timezone.utc)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._monotonic() - self._origin)

    def advance(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError(f"the clock only moves forward, not by {by}")
        self._start += by
