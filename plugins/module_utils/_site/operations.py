# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client operations: what the console offers on a device or a collection, and how far it got."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._adminservice.errors import NotVisible
from .._adminservice.row import Row
from .._adminservice.service import AdminService
from .._wsman.errors import ProtocolError

NOTIFICATIONS = {
    "machine_policy": 8,
    "user_policy": 9,
    "heartbeat": 10,
    "software_inventory": 11,
    "hardware_inventory": 12,
    "application_evaluation": 13,
    "update_evaluation": 14,
}
"""The site's numbers, which Microsoft does not document: they are those of public tools."""
_ALL_SYSTEMS = "SMS00001"
_SUCCEEDED = 0


@dataclass(frozen=True)
class Status:
    """How many clients were told, and did what they were told as far as the channel knows."""

    total: int
    completed: int
    failed: int
    offline: int
    unknown: int
    is_expired: bool

    @property
    def is_over(self) -> bool:
        return self.is_expired or self.completed + self.failed + self.offline >= self.total


def notify(service: AdminService, kind: str, *, collection: str = "", resources: t.Collection[int] = ()) -> int:
    """The number of the operation. Without *resources* all members of the *collection* are told."""
    answer = service.post(
        "wmi/SMS_ClientOperation.InitiateClientOperation",
        {
            "Type": NOTIFICATIONS[kind],
            "TargetCollectionID": collection or _ALL_SYSTEMS,
            "RandomizationWindow": 1,
            "TargetResourceIDs": sorted(resources),
        },
    )
    row = Row(answer if isinstance(answer, dict) else {})
    code, number = row.integer("ReturnValue"), row.integer("OperationID")
    if code not in (None, _SUCCEEDED) or number is None:
        raise ProtocolError(f"{service.url} started no operation (ReturnValue {code})")
    return number


def status(service: AdminService, operation: int) -> Status | None:
    """None where the site shows nothing of it."""
    try:
        rows = service.members(f"wmi/SMS_ClientOperationStatus({operation})")
    except NotVisible:
        return None
    if not rows:
        return None
    row = rows[0]
    return Status(
        row.integer("TotalClients") or 0,
        row.integer("CompletedClients") or 0,
        row.integer("FailedClients") or 0,
        row.integer("OfflineClients") or 0,
        row.integer("UnknownClients") or 0,
        bool(row.boolean("IsExpired")),
    )
