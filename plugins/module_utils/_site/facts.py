# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A device as results and host variables tell it: plain JSON types. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._client.times import iso, whole_minutes
from .devices import Address, Device
from .suspicion import Suspicion


def device_facts(device: Device, address: Address | None, found: Suspicion, now: dt.datetime) -> dict[str, t.Any]:
    """*now* is the site's clock. Ages are in minutes, None where there is no time."""

    def age(moment: dt.datetime | None) -> int | None:
        return None if moment is None else whole_minutes(now - moment)

    return {
        "resource_id": device.resource_id,
        "name": device.name,
        "fqdn": address.fqdn if address else None,
        "addresses": address.addresses if address else [],
        "domain": device.domain,
        "site_code": device.site_code,
        "client": device.is_client,
        "client_id": device.client_id,
        "client_version": device.client_version,
        "obsolete": device.is_obsolete,
        "active": device.is_active,
        "os": device.os,
        "os_build": device.os_build,
        "online": device.online,
        "online_since": iso(device.online_since),
        "offline_since": iso(device.offline_since),
        "on_internet": device.on_internet,
        "management_point": device.management_point,
        "last_active": iso(device.last_active),
        "last_policy_request": iso(device.last_policy_request),
        "last_heartbeat": iso(device.last_heartbeat),
        "last_hardware_scan": iso(device.last_hardware_scan),
        "last_client_check": iso(device.last_client_check),
        "policy_age_minutes": age(device.last_policy_request),
        "heartbeat_age_minutes": age(device.last_heartbeat),
        "hardware_scan_age_minutes": age(device.last_hardware_scan),
        "client_check_age_minutes": age(device.last_client_check),
        "client_check_passed": device.client_check_passed,
        "provisioning_suspect": found.suspect,
        "provisioning_suspect_reasons": found.reasons,
    }


def host_variables(facts: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Of these *facts*, what an inventory keeps of each host: ansible-core copies and marks every text of it."""
    return {name: value for name, value in facts.items() if name not in _LEFT_OUT}


_LEFT_OUT = frozenset(
    {"active", "client_id", "last_active", "last_client_check", "last_hardware_scan", "last_heartbeat"}
    | {"last_policy_request", "management_point", "offline_since"}
)
