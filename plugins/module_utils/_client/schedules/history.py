# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the client's schedules last fired, as its scheduler remembers, and what that proves.

Microsoft documents LastTriggerTime as the date and time when a trigger on the schedule last fired, null for never. It
does not say in which zone, and one author of client tools found that a schedule that is triggered by hand leaves it as
it was. So a proof is a proof, and a missing one means nothing.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ..._windows.endpoint import Endpoint
from .. import constants

_AHEAD = dt.timedelta(minutes=1)
"""How far the endpoint's clock may be ahead of what is reckoned here. Far less than any two time zones differ by."""


def read_last_triggers(endpoint: Endpoint, ids: t.Iterable[str]) -> dict[str, dt.datetime]:
    """LastTriggerTime by schedule id, taken as UTC, whatever it is; schedules that never fired are left out."""
    where = " OR ".join(f"ScheduleID='{each}'" for each in ids)
    rows = endpoint.session.query(
        constants.HISTORY_NAMESPACE, f"SELECT ScheduleID,LastTriggerTime FROM {constants.HISTORY_CLASS} WHERE {where}"
    )
    found: dict[str, dt.datetime] = {}
    for row in rows:  # one for the machine, and one for each user that has such a schedule
        identifier, moment = row.string("ScheduleID") or "", row.datetime("LastTriggerTime")
        if moment is not None:
            found[identifier] = max(moment, found.get(identifier, moment))
    return found


def proves(
    before: dt.datetime | None,
    after: dt.datetime | None,
    *,
    sent: dt.datetime,
    now: dt.datetime,
    minutes_ahead: int,
) -> bool:
    """Whether LastTriggerTime moved from *before* to a moment since *sent*, be it written in UTC or in local time.

    *sent* and *now* are UTC by the endpoint's clock, *minutes_ahead* is what its zone adds to UTC. Only one of the two
    readings can lie between *sent* and *now*, so the zone need not be known.
    """
    if after is None or after == before:
        return False
    since = sent.replace(microsecond=0)  # the client writes whole seconds
    readings = (after, after - dt.timedelta(minutes=minutes_ahead))
    return any(since <= reading <= now + _AHEAD for reading in readings)
