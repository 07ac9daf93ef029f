# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One point in time until which everything must be done."""

from __future__ import annotations

import time
import typing as t

from .errors import DeadlineExceeded


class Deadline:
    """*seconds* from now; *clock* is a monotonic clock in seconds, for tests."""

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Seconds left; raises DeadlineExceeded when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise DeadlineExceeded(f"not finished within the deadline of {self.seconds:g} s")
        return left
