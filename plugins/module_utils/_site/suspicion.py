# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a device may be in provisioning mode, by what the site knows of it. Pure.

A hint and no more. A client in the mode is online and acts on no policy; so does one with a slow management point, a
metered connection or a broken name server. Only the client itself can tell.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from .._client.times import duration, whole_minutes
from .devices import Device

POLICY_INTERVAL_MINUTES = 60
"""The site's default for how often a client asks for policy."""
INTERVALS = 3
"""So many of them in a row are missed by chance seldom enough."""
_STALE_HEARTBEAT = dt.timedelta(days=8)
"""A day more than the site's default interval for heartbeats."""
_STALE_INVENTORY = dt.timedelta(days=8)


@dataclass(frozen=True)
class Suspicion:
    """``suspect`` None: nothing can be said, and the reasons tell why."""

    suspect: bool | None
    reasons: list[str]


def suspicion(
    device: Device,
    now: dt.datetime,
    policy_interval: int = POLICY_INTERVAL_MINUTES,
    intervals: int = INTERVALS,
) -> Suspicion:
    """*now* is the site's clock, *policy_interval* in minutes."""
    if device.is_obsolete:
        return Suspicion(None, ["the record is obsolete: another one stands for this computer"])
    if not device.is_client:
        return Suspicion(None, ["no ConfigMgr client is registered"])
    if device.online is None:
        return Suspicion(None, ["it was never online on the notification channel"])
    if not device.online:
        return Suspicion(None, ["it is offline, and a computer that is off asks for no policy either"])
    if device.online_since is not None and whole_minutes(now - device.online_since) < policy_interval:
        return Suspicion(None, ["it came online less than a policy interval ago, so its turn may not have come yet"])
    if device.last_policy_request is None:
        return Suspicion(True, ["online, and it never asked for policy"])
    age = whole_minutes(now - device.last_policy_request)
    if age < policy_interval * intervals:
        return Suspicion(False, [])
    reasons = [f"online, and its last policy request is {duration(age)} old"]
    for what, moment, stale in (
        ("heartbeat", device.last_heartbeat, _STALE_HEARTBEAT),
        ("hardware inventory", device.last_hardware_scan, _STALE_INVENTORY),
    ):
        if moment is not None and now - moment > stale:
            reasons.append(f"its last {what} is {duration(whole_minutes(now - moment))} old")
    if device.client_check_passed is False:
        reasons.append("its last client check failed")
    return Suspicion(True, reasons)
