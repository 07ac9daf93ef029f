# SPDX-License-Identifier: GPL-3.0-or-later
"""The smaller classes of the ConfigMgr client: requests, schedule history, restart state, identity."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from ..cim.model import Row, Value, WmiError
from ..stored_instances import StoredInstances
from ..world import World
from .base import BaseProvider


class ExecutionRequestProvider(BaseProvider):
    """Requests of task sequences and of programs: plain objects of the WMI repository, so they can be deleted."""

    def instances(self, class_name: str) -> list[Row]:
        if class_name == "CCM_TSExecutionRequest":
            rows: list[Row] = [{**request, "TS_MemberPackageID": ["ABC00007"]} for request in self._world.requests]
        else:
            rows = list(self._world.programs)
        return [{**row, "ReceivedTime": self._written(row["ReceivedTime"])} for row in rows]

    def _written(self, received: Value) -> Value:
        local = self._world.variants.request_time == "local"
        if not local or not isinstance(received, datetime):
            return received
        return received + timedelta(minutes=self._world.spec.os.time_zone)

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        _check_delete(self._world, class_name, keys["RequestID"])
        if class_name == "CCM_TSExecutionRequest":
            self._world.requests.delete(keys["RequestID"])
        else:
            self._world.programs.delete(keys["RequestID"])


class StoredInstancesProvider(BaseProvider):
    def __init__(self, world: World, stored: StoredInstances) -> None:
        super().__init__(world)
        self._stored = stored

    def instances(self, class_name: str) -> list[Row]:
        return list(self._stored) if self._world.client else []

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        _check_delete(self._world, class_name, ", ".join(keys.values()))
        self._stored.delete(keys)


def _check_delete(world: World, class_name: str, which: str) -> None:
    world.journal.written(f"{class_name}.delete", which)
    if not world.access.is_administrator:
        raise WmiError("access_denied")
    world.journal.happened(f"{class_name}.deleted", which)
    world.task_sequences.touched(f"{class_name} {which}")


class SchedulerHistoryProvider(BaseProvider):
    """LastTriggerTime proves that a triggered cycle was seen; in which zone it is written is not known."""

    def instances(self, class_name: str) -> list[Row]:
        world = self._world
        local = world.variants.scheduler_history_time == "local"
        shift = timedelta(minutes=world.spec.os.time_zone if local else 0)
        return [
            {
                "ActivationMessageSent": _epoch(),
                "ActivationMessageSentIsGMT": True,
                "ExpirationMessageSent": _epoch(),
                "ExpirationMessageSentIsGMT": True,
                "FirstEvalTime": _epoch(),
                "LastTriggerTime": (moment + shift).replace(microsecond=0),
                "ScheduleID": schedule,
                "TriggerState": None,
                "UserSID": "Machine",
            }
            for schedule, moment in sorted(world.client.history.items() if world.client else ())
        ]

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        """Public scripts delete entries, so that a required deployment runs again."""
        self._world.journal.written("CCM_Scheduler_History.delete", keys["ScheduleID"])
        if not self._world.access.is_administrator:
            raise WmiError("access_denied")
        if self._world.client:
            self._world.client.history.pop(keys["ScheduleID"], None)


class ClientUtilitiesProvider(BaseProvider):
    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        pending = self._world.registry.key(REBOOT_DATA) is not None
        return {
            "DisableHideTime": _epoch(),
            "InGracePeriod": pending,
            "IsHardRebootPending": False,
            "NotifyUI": False,
            "RebootDeadline": _epoch(),
            "RebootPending": pending,
            "ReturnValue": 0,
        }


class IdentityProvider(BaseProvider):
    def instances(self, class_name: str) -> list[Row]:
        client = self._world.client
        if client is None:
            return []
        if class_name == "CCM_Client":
            identity = uuid.uuid5(uuid.NAMESPACE_DNS, self._world.spec.machine_name)
            return [{"ClientId": f"GUID:{str(identity).upper()}", "ClientIdChangeDate": "03/05/2024 09:58:31"}]
        server = f"mp01.{self._world.spec.domain}"
        if class_name == "SMS_MPInformation":
            # The columns that Microsoft's own collector of client logs asks for; a second one is the fallback.
            received = client.policy_received or _epoch()
            return [
                {"MP": name, "MPLastRequestTime": received, "MPLastUpdateTime": received, "SiteCode": client.site}
                for name in (server, f"mp02.{self._world.spec.domain}")
            ]
        return [
            {
                "CurrentManagementPoint": server,
                "Index": 1,
                "Name": f"SMS:{client.site}",
                "PolicyOrder": 0,
                "PolicyRequestTarget": "mp:[http]MP_PolicyManager",
                "Protocol": "http",
                "Version": 1,
            }
        ]


REBOOT_DATA = "HKLM\\SOFTWARE\\Microsoft\\SMS\\Mobile Client\\Reboot Management\\RebootData"


def _epoch() -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc)
