# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a wave may begin at this time of day, in a zone that the controller's database knows."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...module_utils._client.window import parsed


def reason_to_stop(window: str, time_zone: str, now: dt.datetime) -> str:
    """A sentence, or empty where *now*, an aware time of any zone, is in the *window*.

    *time_zone* is a name of the IANA time zone database. Raises ValueError that names the option.
    """
    allowed, zone = parsed(window), _zone(time_zone)
    time = now.astimezone(zone).time()
    return "" if time in allowed else f"It is {time:%H:%M} in {zone}, outside of window={allowed}."


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
