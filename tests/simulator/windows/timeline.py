# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine will do by itself, and when.

Nothing runs in the background: whoever looks at a machine first lets it `catch_up()` with the fleet's clock, and each
due happening then runs at the instant it was due, in order. So a fleet of thousands costs nothing while nobody looks,
and moving the clock by two days plays two days of hourly checks.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .clock import Clock

Happening = Callable[[], None]


@dataclass(order=True)
class Appointment:
    due: datetime
    order: int
    happening: Happening = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Timeline:
    """A machine's agenda and its own, possibly wrong, idea of the time."""

    def __init__(self, clock: Clock, skew: timedelta = timedelta(0)) -> None:
        self._clock = clock
        self.skew = skew
        self._agenda: list[Appointment] = []
        self._count = itertools.count()
        self._instant: datetime | None = None

    @property
    def true_time(self) -> datetime:
        """The fleet's time; while a happening runs, the instant at which it was due."""
        return self._instant or self._clock.now()

    @property
    def now(self) -> datetime:
        """What the machine's own clock shows (UTC)."""
        return self.true_time + self.skew

    def after(self, delay: timedelta, happening: Happening) -> Appointment:
        appointment = Appointment(self.true_time + delay, next(self._count), happening)
        heapq.heappush(self._agenda, appointment)
        return appointment

    def catch_up(self) -> None:
        if self._instant is not None:  # a happening looks at its own machine: it is up to date already
            return
        until = self._clock.now()
        try:
            while self._agenda and self._agenda[0].due <= until:
                appointment = heapq.heappop(self._agenda)
                if not appointment.cancelled:
                    self._instant = appointment.due
                    appointment.happening()
        finally:
            self._instant = None
