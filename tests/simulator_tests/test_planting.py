# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted faults, triggers, traffic records."""

from __future__ import annotations

import time
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from simulator.client import Simulator
from simulator_tests.wire import CCMEXEC, HKLM, NS, STDREGPROV, WMI, Host, call, local_names, pull, query, read_value
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


def test_the_traffic_of_a_whole_fleet() -> None:
    with Simulator({"endpoints": [{"name": "PC-{1..2}"}]}) as fleet:
        hosts = [Host(fleet, f"PC-{number}") for number in (1, 2)]
        for host in hosts:
            host.send(MESSAGE)
        each = [fleet.traffic(host.name) for host in hosts]
        summed = {name: sum(one[name] for one in each) for name in ("login_bytes", "wire_bytes")}
        counts = {"connections": 4, "login_requests": 6, "logins": 2, "calls": 2}
        assert fleet.total_traffic() == {**summed, **counts}
        fleet.reset_total_traffic()
        assert set(fleet.total_traffic().values()) == {0}


def test_a_far_endpoint(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, round_trip=0.03)
    client = fresh.pywinrm()
    started = time.monotonic()
    client.send_message(MESSAGE)  # on two connections, with four answers
    logged_in = time.monotonic()
    client.send_message(MESSAGE)
    assert logged_in - started >= 6 * 0.03 and time.monotonic() - logged_in >= 0.03


ENUM_VALUES = call(STDREGPROV, "EnumValues", [("hDefKey", HKLM), ("sSubKeyName", CCMEXEC)])
SERVICES = "SELECT Name FROM Win32_Service WHERE Name LIKE 'W%'"


def rows(answer: ElementTree.Element) -> int:
    return len(answer.findall(".//w:XmlFragment", NS))


def test_success_with_nothing_in_it(fresh: Host) -> None:
    plant(fresh, "no_rows", value="Win32_Service")
    assert rows(fresh.send(query(SERVICES))) == 0
    plant(fresh, "no_rows", operation="Pull")
    first = fresh.send(query(SERVICES))
    assert rows(first) == 1
    last = fresh.send(pull(first.findtext(".//n:EnumerationContext", "", NS)))
    assert (rows(last), last.find(".//n:EndOfSequence", NS) is not None) == (0, True)
    plant(fresh, "no_rows")
    assert local_names(fresh.send(ENUM_VALUES)[1][0]) == ["ReturnValue"]
    assert "true" in [element.text for element in fresh.send(MESSAGE).iter()]  # a value has no rows


def test_a_planted_return_value(fresh: Host) -> None:
    plant(fresh, "return 1", method="GetStringValue")
    output = fresh.send(MESSAGE)[1][0]
    assert [(each.tag.rpartition("}")[2], each.text) for each in output] == [("sValue", None), ("ReturnValue", "1")]
    leave = call(f"{WMI}root/ccm/SMS_Client", "SetClientProvisioningMode", [("bEnable", "false")])
    for then, done in (("return 0", False), ({"do": "return 0x80041001", "executed": True}, True)):
        plant(fresh, then, method="SetClientProvisioningMode")
        assert fresh.send(leave)[1][0][-1].text == ("2147749889" if done else "0")
        assert bool(fresh.fleet.endpoint(fresh.name)["writes"]) is done
