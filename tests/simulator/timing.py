# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting by the fleet's clock: whoever moves the clock ends the waits that lie in between.

A fleet may also skip its waits: its clock stands, and each wait moves it to the moment of its end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from .windows.clock import Clock


class Pacer:
    def __init__(self, clock: Clock, *, skips: bool = False) -> None:
        self._clock = clock
        self._skips = skips
        self._waiting: set[asyncio.Event] = set()

    def now(self) -> datetime:
        return self._clock.now()

    def advance(self, by: timedelta) -> None:
        self._clock.advance(by)
        self.look_again()

    def look_again(self) -> None:
        """Lets everyone who waits check whether they still have to."""
        for woken in self._waiting:
            woken.set()

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now() + timedelta(seconds=seconds))

    async def sleep_until(self, moment: datetime, over: Callable[[], bool] = lambda: False) -> None:
        """Returns at that moment of the fleet's clock, or when a look finds that it is over."""
        if self._skips and not over():
            self.advance(max(moment - self.now(), timedelta(0)))
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            while not over() and (left := (moment - self.now()).total_seconds()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), left)
                woken.clear()
        finally:
            self._waiting.discard(woken)
