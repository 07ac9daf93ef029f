# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client is, whom it belongs to and how it is: one reading for each part, so that one may fail alone."""

from __future__ import annotations

import typing as t

from .._windows.endpoint import Endpoint
from .._windows.errors import WindowsError
from .._windows.services import Service
from .._wsman.cim import CimObject
from .._wsman.errors import Fault, NotFound, ProtocolError
from . import constants
from .readings import Readings
from .releases import behaviours, release
from .schedules.catalog import MACHINE_POLICY_REQUEST, find
from .schedules.history import read_last_triggers
from .times import whole_minutes

_SERVICES = (constants.CLIENT_SERVICE, constants.AGENT_SERVICE)
_SITE_AUTHORITY = "SMS:"


def read_info(endpoint: Endpoint) -> dict[str, t.Any]:
    """The module's result. A part that cannot be read is None, and ``unreadable`` says why."""
    readings = Readings()
    services = readings.read("services", lambda: endpoint.services.read(*_SERVICES))
    version, installed = _version(endpoint, services, readings)
    result = {"installed": installed, **_machine(endpoint, readings), **_client(version)}
    if installed is not False:
        result |= {
            "site": readings.read("site", lambda: _site(endpoint)),
            "management_point": readings.read("management_point", lambda: _management_point(endpoint)),
            "last_policy_request": readings.read("last_policy_request", lambda: _last_policy_request(endpoint)),
            "restart_pending": readings.read("restart_pending", lambda: _restart_pending(endpoint)),
            "services": {
                name.lower(): _service(endpoint, (services or {}).get(name.lower()), readings) for name in _SERVICES
            },
        }
    return {**result, "unreadable": readings.unreadable}


def _version(
    endpoint: Endpoint, services: dict[str, Service] | None, readings: Readings
) -> tuple[str | None, bool | None]:
    """The version, by the class or else by the registry, and whether a client is installed; None where nothing tells.

    Where the class is missing and the service is there, a client is installed and broken.
    """
    has_service = None if services is None else constants.CLIENT_SERVICE.lower() in services
    try:
        version = endpoint.session.get(constants.CLIENT_NAMESPACE, constants.CLIENT_CLASS).string("ClientVersion")
        if version:
            return version, True
        installed: bool | None = True
    except NotFound as error:
        if has_service is False:
            return None, False
        readings.unreadable["client_class"] = str(error)
        installed = has_service
    except (Fault, ProtocolError) as error:
        readings.unreadable["client_class"] = str(error)
        installed = has_service or None
    return readings.read("client_version", lambda: _mobile_client(endpoint, "SmsClientVersion")), installed


def _client(version: str | None) -> dict[str, t.Any]:
    """All of the client that does not have to be asked for, and None for the rest."""
    return {
        "client_version": version,
        "release": release(version),
        "behaviours": [behaviour.as_result() for behaviour in behaviours(version)],
        "site": None,
        "management_point": None,
        "last_policy_request": None,
        "restart_pending": None,
        "services": dict.fromkeys(name.lower() for name in _SERVICES),
    }


def _machine(endpoint: Endpoint, readings: Readings) -> dict[str, t.Any]:
    names = readings.read("names", endpoint.system.computer_names)
    windows = readings.read("operating_system", endpoint.system.operating_system)
    return {
        "computer_name": names.netbios if names else None,
        "dns_name": names.dns_host if names else None,
        "domain": names.domain if names else None,
        "operating_system": windows.caption if windows else None,
        "operating_system_version": windows.version if windows else None,
        "last_boot": f"{windows.booted:%Y-%m-%dT%H:%M:%SZ}" if windows else None,
        "uptime_minutes": whole_minutes(windows.now - windows.booted) if windows else None,
    }


def _service(endpoint: Endpoint, service: Service | None, readings: Readings) -> dict[str, t.Any] | None:
    if service is None:
        return None
    dependencies = readings.read(
        f"{service.name.lower()}_dependencies", lambda: endpoint.services.dependencies(service.name)
    )
    return {"state": service.state, "start_mode": service.start_mode, "dependencies": dependencies}


def _site(endpoint: Endpoint) -> str | None:
    """By the registry: whether methods of SMS_Client can be called from afar is disputed. Null: no site is assigned."""
    code = _mobile_client(endpoint, "AssignedSiteCode")
    if code:
        return code
    output = endpoint.session.invoke(
        constants.CLIENT_NAMESPACE, constants.CLIENT_CLASS, "GetAssignedSite", {}, repeatable=True, writes=False
    )
    return output.string("sSiteCode") or None


def _management_point(endpoint: Endpoint) -> str | None:
    """The current one by SMS_Authority, which Microsoft documents, else the first that SMS_MPInformation knows."""
    try:
        rows = endpoint.session.query(
            constants.CLIENT_NAMESPACE, f"SELECT Name,CurrentManagementPoint FROM {constants.AUTHORITY_CLASS}"
        )
        found = _first([row for row in rows if _is_site(row)], "CurrentManagementPoint")
        if found:
            return found
    except (Fault, ProtocolError):
        pass  # the other class decides whether it can be read
    rows = endpoint.session.query(constants.LOCATION_NAMESPACE, f"SELECT MP FROM {constants.LOCATION_CLASS}")
    return _first(rows, "MP")


def _is_site(row: CimObject) -> bool:
    return (row.string("Name") or "").upper().startswith(_SITE_AUTHORITY)


def _first(rows: t.Iterable[CimObject], name: str) -> str | None:
    return next((value for value in (row.string(name) for row in rows) if value), None)


def _last_policy_request(endpoint: Endpoint) -> str | None:
    """As the client has stored it: without a zone, since nobody says which it is."""
    schedule = find(MACHINE_POLICY_REQUEST).id
    moment = read_last_triggers(endpoint, [schedule]).get(schedule)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else None


def _restart_pending(endpoint: Endpoint) -> bool:
    method = "DetermineIfRebootPending"
    output = endpoint.session.invoke(
        constants.SDK_NAMESPACE, constants.UTILITIES_CLASS, method, {}, repeatable=True, writes=False
    )
    code = output.integer("ReturnValue") or 0
    if code:
        raise WindowsError(f"{constants.UTILITIES_CLASS}.{method} returned {code & 0xFFFFFFFF:#010x}", code)
    answers = [output.boolean(name) for name in ("RebootPending", "IsHardRebootPending")]
    if answers[0] is None:
        raise ProtocolError(f"{constants.UTILITIES_CLASS}.{method} says nothing of RebootPending")
    return any(answers)


def _mobile_client(endpoint: Endpoint, name: str) -> str | None:
    return endpoint.registry.get_string(constants.MOBILE_CLIENT_KEY, name) or None
