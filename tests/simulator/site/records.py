# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's database: its objects as rows of WMI classes, each property spelled as that class spells it (recorded)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..endpoint import Endpoint
from ..windows.spec import Ago
from .odata import Query, Rows, moment
from .spec import CollectionSpec, RecordSpec, SiteSpec

_FIRST_RESOURCE = 16777220
_ALL_SYSTEMS = CollectionSpec("SMS00001", "All Systems")
_ALL_USERS = CollectionSpec("SMS00002", "All Users", (), of_users=True)
_BY_ID = re.compile(r"(?:ResourceID eq \d+(?: or )?)+", re.IGNORECASE)

_BY_COLLECTION = re.compile(r"CollectionID eq '(\w+)'", re.IGNORECASE)

_POLICY_MINUTES = 55

Row = dict[str, Any]


class Record:
    """What the site knows of one machine."""

    def __init__(self, number: int, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._number = number

    @property
    def spec(self) -> RecordSpec:
        return self.endpoint.spec.site

    @property
    def resource_id(self) -> int:
        return self.spec.resource_id or _FIRST_RESOURCE + self._number

    @property
    def name(self) -> str:
        return self.spec.name or self.endpoint.spec.machine.netbios_name

    @property
    def is_client(self) -> bool:
        return self.spec.client and self.endpoint.spec.machine.client_version is not None

    @property
    def is_online(self) -> bool | None:
        """As the notification server knows it: a machine whose client does not run has lost its connection."""
        if not self.spec.online or not self.is_client:
            return self.spec.online if self.is_client else None
        return self.endpoint.client_answers

    def policy(self, now: datetime) -> datetime | None:
        """A client in the mode asks for none; another one within the hour."""
        if self.spec.policy is not None:
            return now - self.spec.policy
        if not self.is_client:
            return None
        told = self.endpoint.policy_received
        if told is not None:
            return told
        provisioning = self.endpoint.spec.machine.provisioning
        if provisioning.mode is True:
            return now - (provisioning.entered.delta if isinstance(provisioning.entered, Ago) else timedelta(days=3))
        return now - timedelta(minutes=self._number % _POLICY_MINUTES)


class Records:
    def __init__(self, spec: SiteSpec, endpoints: Callable[[], list[Endpoint]], now: Callable[[], datetime]) -> None:
        self.spec = spec
        self._endpoints = endpoints
        self.now = now
        self._classes: Mapping[str, Callable[[Query], Rows]] = {
            "sms_identification": lambda _query: _only({"ThisSiteCode": spec.code, "ThisSiteName": spec.name}),
            "sms_site": lambda _query: _only(self._site()),
            "sms_combineddeviceresources": lambda query: self._asked(query, self._combined),
            "sms_r_system": lambda query: self._asked(query, self._system),
            "sms_collection": lambda _query: Rows(self.collections, self._collection),
            "sms_fullcollectionmembership": self._memberships,
        }

    def has(self, name: str) -> bool:
        return name.lower() in self._classes

    def page(self, name: str, query: Query) -> list[Row]:
        if self.spec.ignores_skip:
            query = replace(query, skip=0)
        return self._classes[name.lower()](query).page(query, self.spec.largest_page)

    def records(self) -> list[Record]:
        """Those that the account may see."""
        endpoints = self._endpoints()
        return [Record(number, endpoints[number]) for number in self._numbers(endpoints)]

    def _numbers(self, endpoints: list[Endpoint]) -> Sequence[int]:
        visible, numbers = self.spec.visible, range(len(endpoints))
        return numbers if visible is None else [each for each in numbers if endpoints[each].spec.name in visible]

    def record(self, resource_id: int) -> Record | None:
        return next((record for record in self.records() if record.resource_id == resource_id), None)

    @property
    def collections(self) -> tuple[CollectionSpec, ...]:
        return (_ALL_SYSTEMS, _ALL_USERS, *self.spec.collections)

    def members(self, collection: CollectionSpec) -> list[Record]:
        if collection.of_users:
            return []
        wanted = collection.members
        return [each for each in self.records() if wanted is None or each.endpoint.spec.name in wanted]

    def collection(self, identifier: str) -> CollectionSpec | None:
        return next((each for each in self.collections if each.id.lower() == identifier.lower()), None)

    def _asked(self, query: Query, made: Callable[[Record], Row]) -> Rows:
        """Without those that a plain list of ids leaves out; what else a query says, its own condition judges."""
        endpoints = self._endpoints()
        numbers = self._numbers(endpoints)
        by_id = _BY_ID.fullmatch(query.where)
        if by_id:
            wanted = {int(number) for number in re.findall(r"\d+", query.where)}
            numbers = [each for each in numbers if Record(each, endpoints[each]).resource_id in wanted]
        return Rows(
            numbers, lambda number: made(Record(number, endpoints[number])), exact=bool(by_id) or not query.where
        )

    def _site(self) -> Row:
        spec = self.spec
        return {
            "BuildNumber": spec.build,
            "InstallDir": "C:\\Program Files\\Microsoft Configuration Manager",
            "ReportingSiteCode": "",
            "ServerName": spec.provider,
            "SiteCode": spec.code,
            "SiteName": spec.name,
            "Status": 1,
            "Type": 2,
            "Version": f"5.00.{spec.build}.1000",
        }

    def _combined(self, record: Record) -> Row:
        spec, machine, now = record.spec, record.endpoint.spec.machine, self.now()
        online, is_client = record.is_online, record.is_client
        since = now - spec.online_since if online is not None and spec.online_since is not None else None
        policy = record.policy(now)
        return {
            "ADLastLogonTime": moment(now - timedelta(days=2)),
            "ClientCheckPass": 1 if is_client else None,
            "ClientVersion": machine.client_version if is_client else None,
            "CNAccessMP": f"{self.spec.code.lower()}-mp.{machine.domain}" if online is not None else None,
            "CNIsOnInternet": False if online is not None else None,
            "CNIsOnline": online,
            "CNLastOfflineTime": moment(since - timedelta(hours=9) if online and since else since),
            "CNLastOnlineTime": moment(since if online or not since else since - timedelta(hours=9)),
            "DeviceOS": f"Microsoft Windows NT Workstation {machine.os.version[:4]}",
            "DeviceOSBuild": f"{machine.os.version}.1",
            "Domain": machine.domain.partition(".")[0].upper(),
            "IsActive": is_client and not spec.obsolete,
            "IsClient": is_client,
            "IsObsolete": spec.obsolete,
            "IsVirtualMachine": False,
            "LastActiveTime": moment(max(filter(None, (policy, since)), default=None)),
            "LastClientCheckTime": moment(now - timedelta(hours=20)) if is_client else "1980-01-01T00:00:00Z",
            "LastDDR": moment(now - spec.heartbeat),
            "LastHardwareScan": moment(now - spec.inventory) if is_client else "1970-01-01T00:00:00Z",
            "LastMPServerName": f"{self.spec.code}-MP.{machine.domain}".upper() if is_client else None,
            "LastPolicyRequest": moment(policy),
            "Name": record.name,
            "ResourceID": record.resource_id,
            "SiteCode": spec.site_code or (self.spec.code if is_client else None),
            "SMSID": f"GUID:{record.resource_id:08X}-0000-4000-8000-000000000000" if is_client else None,
        }

    def _system(self, record: Record) -> Row:
        spec, endpoint = record.spec, record.endpoint.spec
        addresses = spec.addresses if spec.addresses is not None else (endpoint.address,)
        return {
            "Active": int(record.is_client and not spec.obsolete),
            "Client": int(record.is_client),
            "FullDomainName": endpoint.machine.domain.upper(),
            "IPAddresses": list(addresses),
            "Name": record.name,
            "Obsolete": int(spec.obsolete),
            "ResourceId": record.resource_id,
            "ResourceNames": [f"{record.name}.{endpoint.machine.domain}".lower() if spec.fqdn else record.name],
            "SMSUniqueIdentifier": f"GUID:{record.resource_id:08X}-0000-4000-8000-000000000000",
        }

    def _collection(self, collection: CollectionSpec) -> Row:
        return {
            "CollectionID": collection.id,
            "CollectionType": 1 if collection.of_users else 2,
            "Comment": "",
            "IsBuiltIn": collection in (_ALL_SYSTEMS, _ALL_USERS),
            "LimitToCollectionID": None if collection is _ALL_SYSTEMS else _ALL_SYSTEMS.id,
            "MemberCount": len(self.members(collection)),
            "Name": collection.name,
        }

    def _memberships(self, query: Query) -> Rows:
        one = _BY_COLLECTION.fullmatch(query.where)
        wanted = [each for each in self.collections if one is None or each.id.lower() == one[1].lower()]
        found = [(collection.id, record) for collection in wanted for record in self.members(collection)]
        return Rows(found, self._membership, exact=one is not None or not query.where)

    def _membership(self, member: tuple[str, Record]) -> Row:
        collection_id, record = member
        return {
            "CollectionID": collection_id,
            "ResourceID": record.resource_id,
            "SiteCode": self.spec.code if record.is_client else None,
        }


def _only(row: Row) -> Rows:
    return Rows([row], lambda found: found)
