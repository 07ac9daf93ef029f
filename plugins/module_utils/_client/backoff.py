# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for an endpoint: short pauses at first, longer ones later, never past the end."""

from __future__ import annotations

import time
import typing as t

from .._wsman.deadline import Deadline

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0


class Backoff:
    """Iterates once at once and then after each pause, until *seconds* or the session's deadline are over."""

    def __init__(
        self,
        seconds: float,
        session_deadline: Deadline,
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
        *,
        first_pause: float = FIRST_PAUSE,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._end = clock() + min(seconds, session_deadline.available())
        self._sleep = sleep
        self._clock = clock

    def __iter__(self) -> t.Iterator[None]:
        pause = self._first_pause
        yield
        while self._clock() + pause < self._end:
            self._sleep(pause)
            pause = min(pause * 1.5, self._longest_pause)
            yield
