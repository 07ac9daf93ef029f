# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hours of the day in which something may be done, wherever the clock stands. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

_TIME = "((?:[01][0-9]|2[0-3]):[0-5][0-9])"


@dataclass(frozen=True)
class Window:
    """From ``begin``, which is in it, to ``end``, which is not; past midnight where ``end`` is the earlier one."""

    begin: dt.time
    end: dt.time

    def __contains__(self, time: dt.time) -> bool:
        if self.begin < self.end:
            return self.begin <= time < self.end
        return time >= self.begin or time < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def parsed(window: str) -> Window:
    """Of ``HH:MM-HH:MM``; raises ValueError that names the option."""
    match = re.fullmatch(f"{_TIME}-{_TIME}", window)
    if not match:
        raise ValueError(f"window={window!r} is no window: give two times of day as HH:MM-HH:MM, such as 22:00-04:30")
    begin, end = (dt.time.fromisoformat(each) for each in match.groups())
    if begin == end:
        raise ValueError(f"window={window!r} begins when it ends: give two different times, or leave it out")
    return Window(begin, end)
