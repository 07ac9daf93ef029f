# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends what may never end by itself, such as a regular expression that backtracks."""

from __future__ import annotations

import signal
import time
import typing as t
from contextlib import contextmanager


class TookTooLong(Exception):
    """The time was over before the work was."""


@contextmanager
def time_limit(seconds: float) -> t.Iterator[None]:
    """Raises TookTooLong inside the block after *seconds*; an alarm that was set before goes off when it was to.

    An alarm rather than a thread: Python's regular expressions hold the interpreter and look for signals only.
    """

    def over(_number: int, _frame: object) -> None:
        raise TookTooLong

    handler = signal.signal(signal.SIGALRM, over)
    started = time.monotonic()
    earlier, _interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if earlier:
            left = earlier - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
