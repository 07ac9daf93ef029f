# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted faults, triggers, traffic records."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from simulator_tests.wire import Host, query, read_value
from winrm.exceptions import WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError

MESSAGE = read_value("ProvisioningMode")


def plant(host: Host, then: Any, **match: Any) -> None:
    host.fleet.patch(host.name, faults=[{"match": match, "then": then}])


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("access_denied", 5),
        ("wmi_access_denied", 2150859012),
        ("provider_failure", 0x80041004),
        ("quota", 2150859174),
        ("not_found", 2150858752),
        ("fault 2150859013", 2150859013),
        ("fault 0x80041033", 0x80041033),
        ({"do": "access_denied", "executed": True}, 5),
    ],
)
def test_planted_faults(fresh: Host, then: Any, code: int) -> None:
    plant(fresh, then)
    with pytest.raises(WSManFaultError) as caught:
        fresh.pywinrm().send_message(MESSAGE)
    assert (caught.value.wsman_fault_code or caught.value.wmierror_code) == code


def test_planted_timeout(fresh: Host) -> None:
    plant(fresh, "timeout")
    with pytest.raises(WinRMOperationTimeoutError):
        fresh.pywinrm().send_message(MESSAGE)


def test_hang_ends_with_the_operation_timeout(fresh: Host) -> None:
    plant(fresh, "hang 60")
    with pytest.raises(WinRMOperationTimeoutError):
        fresh.pywinrm().send_message(read_value("ProvisioningMode", timeout="PT0.5S"))


@pytest.mark.parametrize("then", ["drop", "drop_after", "truncate"])
def test_planted_broken_connections(fresh: Host, then: str) -> None:
    plant(fresh, then)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        fresh.pywinrm().send_message(MESSAGE)


def test_planted_http_status(fresh: Host) -> None:
    plant(fresh, "http_503")
    with pytest.raises(WinRMTransportError) as caught:
        fresh.pywinrm().send_message(MESSAGE)
    assert caught.value.code == 503


@pytest.mark.parametrize("then", ["garbage", "html", "dtd"])
def test_planted_bodies(fresh: Host, then: str) -> None:
    plant(fresh, then)
    assert b"_OUTPUT" not in fresh.pywinrm().send_message(MESSAGE)


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ({}, True),
        ({"class": "stdregprov", "method": "getstringvalue", "namespace": "root\\default"}, True),
        ({"value": "ProvisioningMode"}, True),
        ({"value": "SystemTaskExcludes"}, False),
        ({"operation": "Get"}, False),
        ({"class": "Win32_Service"}, False),
        ({"nth": 2}, False),
        ({"nth": "1-3"}, True),
        ({"nth": "2+"}, False),
    ],
)
def test_matches(fresh: Host, match: dict[str, Any], met: bool) -> None:
    plant(fresh, "access_denied", **match)
    if met:
        with pytest.raises(WSManFaultError):
            fresh.pywinrm().send_message(MESSAGE)
    else:
        fresh.pywinrm().send_message(MESSAGE)


def test_a_query_is_matched_by_its_class(fresh: Host) -> None:
    plant(fresh, "access_denied", **{"class": "Win32_Service", "operation": "Enumerate"})
    fresh.send(query("SELECT * FROM Win32_OperatingSystem"))
    with pytest.raises(WSManFaultError):
        fresh.send(query("SELECT Name FROM Win32_Service WHERE Name = 'x'"))


def test_a_trigger_changes_the_world_after_the_answer(fresh: Host) -> None:
    after = {"value": "ProvisioningMode", "nth": 2}
    fresh.fleet.patch(fresh.name, triggers=[{"after": after, "do": "start_in_place_upgrade"}])
    fresh.send(MESSAGE)
    assert "SetupHost.exe" not in str(fresh.fleet.endpoint(fresh.name)["processes"])
    fresh.send(MESSAGE)
    assert "SetupHost.exe" in str(fresh.fleet.endpoint(fresh.name)["processes"])


def test_a_trigger_that_ends_the_connection_lets_the_answer_out(fresh: Host) -> None:
    restart = {"after": {"operation": "Invoke"}, "do": {"event": "reboot"}}
    fresh.fleet.patch(fresh.name, boot_seconds=60, triggers=[restart])
    client = fresh.pywinrm()
    assert b"_OUTPUT" in client.send_message(MESSAGE)
    with pytest.raises(requests.ConnectionError):  # it takes its time to boot
        client.send_message(MESSAGE)


def test_traffic(fresh: Host) -> None:
    client = fresh.pywinrm()
    client.send_message(MESSAGE)
    client.send_message(query("SELECT * FROM Win32_OperatingSystem"))
    traffic = fresh.fleet.traffic(fresh.name)
    assert traffic["connections"] == 2  # HTTP.sys closes the first one with its 401
    assert traffic["login_requests"] == 3
    assert traffic["login_bytes"] > 0
    first, second = traffic["calls"]
    assert (first["operation"], first["method"], first["status"]) == ("Invoke", "GetStringValue", 200)
    assert (second["operation"], second["detail"]) == ("Enumerate", "SELECT * FROM Win32_OperatingSystem")
    octets = sum(each["request_bytes"] + each["response_bytes"] for each in (first, second))
    assert octets == traffic["wire_bytes"]
    fresh.fleet.reset_traffic(fresh.name)
    assert fresh.fleet.traffic(fresh.name)["calls"] == []
