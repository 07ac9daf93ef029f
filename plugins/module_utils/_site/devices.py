# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices that a site knows, with what each last did."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from .._adminservice.errors import NotVisible
from .._adminservice.row import Row
from .._adminservice.service import AdminService
from .._wsman.errors import ProtocolError
from .errors import NoTarget
from .site import quoted

_AT_A_TIME = 50
"""Resources that are asked for in one request, by a filter: its URL then has some 1,500 characters."""
_SCAN_FROM = 2000
"""From so many resources on, all devices of the site are read, and those that were not asked for are dropped."""

_COMBINED = "wmi/SMS_CombinedDeviceResources"
_SYSTEMS = "wmi/SMS_R_System"
_PROPERTIES = (
    *("ResourceID", "Name", "Domain", "SiteCode", "SMSID", "ClientVersion", "DeviceOS", "DeviceOSBuild", "IsClient"),
    *("IsObsolete", "IsActive", "CNIsOnline", "CNLastOnlineTime", "CNLastOfflineTime", "CNAccessMP", "CNIsOnInternet"),
    *("LastActiveTime", "LastPolicyRequest", "LastDDR", "LastHardwareScan", "LastClientCheckTime", "ClientCheckPass"),
)
_SYSTEM_PROPERTIES = ("ResourceId", "ResourceNames", "IPAddresses", "FullDomainName")
_DEVICE_COLLECTION = 2
_CHECK_PASSED = 1


@dataclass(frozen=True)
class Device:
    """Times are UTC; None stands for never, and for what the site does not tell.

    ``online`` is what the notification channel knows, ``online_since`` when it last came online.
    """

    resource_id: int
    name: str
    domain: str | None
    site_code: str | None
    client_id: str | None
    client_version: str | None
    os: str | None
    os_build: str | None
    is_client: bool
    is_obsolete: bool
    is_active: bool | None
    online: bool | None
    online_since: dt.datetime | None
    offline_since: dt.datetime | None
    on_internet: bool | None
    management_point: str | None
    last_active: dt.datetime | None
    last_policy_request: dt.datetime | None
    last_heartbeat: dt.datetime | None
    last_hardware_scan: dt.datetime | None
    last_client_check: dt.datetime | None
    client_check_passed: bool | None


@dataclass(frozen=True)
class Address:
    """``fqdn`` None: the site knows no full name."""

    fqdn: str | None
    addresses: list[str]


@dataclass(frozen=True)
class Collection:
    id: str
    name: str
    member_count: int | None


def collection(service: AdminService, wanted: str) -> Collection:
    """The device collection of that id, or else of that name. Raises NotVisible and NoTarget."""
    found = _collections(service, f"CollectionID eq {quoted(wanted)}") or _collections(
        service, f"Name eq {quoted(wanted)}"
    )
    devices = [row for row in found if row.integer("CollectionType") == _DEVICE_COLLECTION]
    if not devices and found:
        raise NoTarget(f"collection={wanted!r} is a collection of users: name one of devices")
    if not devices:
        raise NotVisible(f"{service.url} shows the account no collection {wanted!r}", 404)
    if len(devices) > 1:
        raise NoTarget(f"collection={wanted!r} is the name of {len(devices)} collections: give its id")
    row = devices[0]
    identifier = row.text("CollectionID")
    if not identifier:
        raise ProtocolError(f"{service.url} answered with a collection without a CollectionID")
    return Collection(identifier, row.text("Name") or "", row.integer("MemberCount"))


def _collections(service: AdminService, condition: str) -> list[Row]:
    return service.members(
        "wmi/SMS_Collection", select="CollectionID,Name,CollectionType,MemberCount", filter=condition
    )


def members(service: AdminService, collection_id: str) -> set[int]:
    """The resources of a collection that the account may see."""
    rows = service.rows(
        "wmi/SMS_FullCollectionMembership",
        "ResourceID",
        select="CollectionID,ResourceID",
        filter=f"CollectionID eq {quoted(collection_id)}",
    )
    return {_identifier(row) for row in rows}


def all_devices(service: AdminService, condition: str = "") -> t.Iterator[Device]:
    """Those of which OData's *condition* holds, page by page."""
    query = {"filter": condition} if condition else {}
    for row in service.rows(_COMBINED, "ResourceID", select=",".join(_PROPERTIES), **query):
        yield _device(row)


def of_resources(service: AdminService, resources: t.Collection[int]) -> t.Iterator[Device]:
    if len(resources) >= _SCAN_FROM:
        yield from (device for device in all_devices(service) if device.resource_id in resources)
        return
    for condition in _conditions("ResourceID", resources):
        yield from all_devices(service, condition)


def named(service: AdminService, names: t.Iterable[str]) -> tuple[list[Device], list[str]]:
    """All records of the devices with these names or resource ids, and which of these have none that is shown.

    Full names are not known there: of one, the first part counts.
    """
    wanted = list(dict.fromkeys(names))
    found: dict[int, Device] = {}
    for start in range(0, len(wanted), _AT_A_TIME):
        condition = " or ".join(map(_is_called, wanted[start : start + _AT_A_TIME]))
        found.update((device.resource_id, device) for device in all_devices(service, condition))
    known = {str(identifier) for identifier in found} | {device.name.lower() for device in found.values()}
    return list(found.values()), [name for name in wanted if key(name) not in known]


def key(name: str) -> str:
    """By which a device is told that somebody calls so: its name or its number."""
    return name.partition(".")[0].lower()


def _is_called(name: str) -> str:
    if name.isascii() and name.isdigit():
        return f"ResourceID eq {int(name)}"
    return f"Name eq {quoted(name.partition('.')[0])}"


def addresses(service: AdminService, resources: t.Collection[int]) -> dict[int, Address]:
    """Full names and addresses by resource, as the client last reported them."""
    conditions: t.Iterable[str] = [""] if len(resources) >= _SCAN_FROM else _conditions("ResourceId", resources)
    found = {}
    for condition in conditions:
        query = {"filter": condition} if condition else {}
        for row in service.rows(_SYSTEMS, "ResourceId", select=",".join(_SYSTEM_PROPERTIES), **query):
            identifier = _identifier(row)
            if identifier in resources:
                full = [name for name in row.texts("ResourceNames") if "." in name]
                found[identifier] = Address(full[0] if full else None, row.texts("IPAddresses"))
    return found


def _conditions(name: str, resources: t.Iterable[int]) -> t.Iterator[str]:
    ordered = sorted(resources)
    for start in range(0, len(ordered), _AT_A_TIME):
        yield " or ".join(f"{name} eq {identifier}" for identifier in ordered[start : start + _AT_A_TIME])


def _identifier(row: Row) -> int:
    identifier = row.integer("ResourceID")
    if not identifier:
        raise ProtocolError("the service answered with a resource without a ResourceID")
    return identifier


def _device(row: Row) -> Device:
    check = row.integer("ClientCheckPass")
    online_since, offline_since = row.moment("CNLastOnlineTime"), row.moment("CNLastOfflineTime")
    online = row.boolean("CNIsOnline")
    if online is None and online_since is not None:
        online = offline_since is None or online_since > offline_since
    return Device(
        resource_id=_identifier(row),
        name=row.text("Name") or "",
        domain=row.text("Domain") or None,
        site_code=row.text("SiteCode") or None,
        client_id=row.text("SMSID") or None,
        client_version=row.text("ClientVersion") or None,
        os=row.text("DeviceOS") or None,
        os_build=row.text("DeviceOSBuild") or None,
        is_client=bool(row.boolean("IsClient")),
        is_obsolete=bool(row.boolean("IsObsolete")),
        is_active=row.boolean("IsActive"),
        online=online,
        online_since=online_since,
        offline_since=offline_since,
        on_internet=row.boolean("CNIsOnInternet"),
        management_point=row.text("CNAccessMP") or None,
        last_active=row.moment("LastActiveTime"),
        last_policy_request=row.moment("LastPolicyRequest"),
        last_heartbeat=row.moment("LastDDR"),
        last_hardware_scan=row.moment("LastHardwareScan"),
        last_client_check=row.moment("LastClientCheckTime"),
        client_check_passed=None if check is None else check == _CHECK_PASSED,
    )
