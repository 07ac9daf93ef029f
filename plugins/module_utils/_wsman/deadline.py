# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One point in time until which everything must be done."""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager

from .errors import DeadlineExceeded


class Deadline:
    """*seconds* from now; *clock* is a monotonic clock in seconds, for tests."""

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._kept = 0.0

    def remaining(self) -> float:
        """Seconds left; raises DeadlineExceeded when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise DeadlineExceeded(f"not finished within the deadline of {self.seconds:g} s")
        return left

    def left(self) -> float:
        """Seconds left, never less than none: of a limit that ends a wait and nothing else."""
        return max(0.0, self._end - self._clock())

    def available(self) -> float:
        """Seconds left for new requests, without what is kept for later; raises DeadlineExceeded when there are none.

        Who already waits for an answer goes by ``remaining``: it may come a little late.
        """
        left = self.remaining() - self._kept
        if left <= 0:
            raise DeadlineExceeded(f"not finished {self._kept:.3g} s before the deadline of {self.seconds:g} s")
        return left

    @contextmanager
    def keeping(self, seconds: float) -> t.Iterator[None]:
        """Inside, requests end *seconds* earlier, so that whatever comes of them can be looked at or cleared up.

        Never keeps more than half of what is available.
        """
        kept = min(seconds, self.available() / 2)
        self._kept += kept
        try:
            yield
        finally:
            self._kept -= kept
