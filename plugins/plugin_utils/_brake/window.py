# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hours of the day in which a wave may begin. Pure but for the zone, which the controller's database knows."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TIME = "((?:[01][0-9]|2[0-3]):[0-5][0-9])"


@dataclass(frozen=True)
class Window:
    """From ``begin``, which is in it, to ``end``, which is not; past midnight where ``end`` is the earlier one."""

    begin: dt.time
    end: dt.time
    zone: dt.tzinfo

    def reason_to_stop(self, now: dt.datetime) -> str:
        """A sentence, or empty where *now*, an aware time of any zone, is in it."""
        time = now.astimezone(self.zone).time()
        if self.begin < self.end:
            within = self.begin <= time < self.end
        else:
            within = time >= self.begin or time < self.end
        if within:
            return ""
        return f"It is {time:%H:%M} in {self.zone}, outside of window={self.begin:%H:%M}-{self.end:%H:%M}."


def parsed(window: str, time_zone: str) -> Window:
    """Of ``HH:MM-HH:MM`` and a name of the IANA time zone database; raises ValueError that names the option."""
    match = re.fullmatch(f"{_TIME}-{_TIME}", window)
    if not match:
        raise ValueError(f"window={window!r} is no window: give two times of day as HH:MM-HH:MM, such as 22:00-04:30")
    begin, end = (dt.time.fromisoformat(each) for each in match.groups())
    if begin == end:
        raise ValueError(f"window={window!r} begins when it ends: give two different times, or leave it out")
    return Window(begin, end, _zone(time_zone))


def _zone(name: str) -> dt.tzinfo:
    if name == "UTC":  # needs no database, which a container may lack
        return dt.timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"time_zone={name!r} is not known on the controller: give a name such as Europe/Berlin, and install the"
            " package tzdata there if it lacks it"
        ) from None
