# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls and commands that take their time, by the fleet's clock; restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from simulator.client import Simulator, SimulatorError
from simulator_tests.wire import WMI, Host, call, query, read_value
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

LEAVE = call(f"{WMI}root/ccm/SMS_Client", "SetClientProvisioningMode", [("bEnable", "false")], timeout="PT60S")


def meanwhile(what: Callable[[], Any], host: Host, operation: str, by: str) -> BaseException | None:
    """Does something in a thread, moves the clock once the server is busy with it, and tells how it ended."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            what()
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not any(each["operation"] == operation for each in host.fleet.endpoint(host.name)["running"]):
        assert thread.is_alive()
    host.fleet.advance(by)
    thread.join(10)
    assert not thread.is_alive()
    return caught[0] if caught else None


def test_a_call_hangs_until_the_clock_moves(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, faults=[{"match": {}, "then": "hang 30"}])
    message = read_value("ProvisioningMode", timeout="PT60S")
    assert meanwhile(lambda: fresh.send(message), fresh, "Invoke", "31s") is None


def test_a_call_blocks_before_it_fails(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, variants={"set_provisioning_mode": "fails", "fails_after_seconds": 50})
    error = meanwhile(lambda: fresh.send(LEAVE), fresh, "Invoke", "51s")
    assert isinstance(error, WSManFaultError)


def test_a_call_blocks_longer_than_its_operation_timeout(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, variants={"set_provisioning_mode": "fails", "fails_after_seconds": 309})
    error = meanwhile(lambda: fresh.send(LEAVE), fresh, "Invoke", "61s")
    assert isinstance(error, WinRMOperationTimeoutError)


@pytest.mark.parametrize(
    ("limits", "code", "shape"),
    [
        ({"max_operations": 1}, 2150859174, "MSFT_WmiError"),
        ({"max_operations": 1, "operations_quota": "wsman"}, 2150859174, "WSManFault"),
        ({"max_plugin_operations": 1}, 2150859240, "WSManFault"),
    ],
)
def test_quota_of_operations(fresh: Host, limits: dict[str, Any], code: int, shape: str) -> None:
    fresh.fleet.patch(fresh.name, wsman=limits, faults=[{"match": {"nth": 1}, "then": "hang 30"}])
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(WSManFaultError) as caught:
            fresh.send(read_value("ProvisioningMode"))
        refused.append(caught.value.response)

    first = threading.Thread(target=fresh.send, args=[read_value("ProvisioningMode", timeout="PT60S")])
    first.start()
    while not fresh.fleet.endpoint(fresh.name)["running"]:
        assert first.is_alive()
    second()
    fresh.fleet.advance("31s")
    first.join(10)
    assert str(code) in refused[0] and shape in refused[0]


def test_a_leaked_shell_is_closed_after_two_idle_hours(fresh: Host) -> None:
    client = fresh.pywinrm()
    shell = client.open_shell()
    fresh.fleet.advance("1h")
    client.cleanup_command(shell, client.run_command(shell, "sc.exe", ["query"]))
    fresh.fleet.advance("1h59m")
    assert len(fresh.fleet.endpoint(fresh.name)["shells"]) == 1
    fresh.fleet.advance("2m")
    with pytest.raises(WSManFaultError):
        client.run_command(shell, "sc.exe")


def test_a_restart_leaves_nothing(fresh: Host) -> None:
    client = fresh.pywinrm()
    client.open_shell()
    client.send_message(query("SELECT * FROM Win32_Service"))
    fresh.fleet.event(fresh.name, "reboot")
    state = fresh.fleet.endpoint(fresh.name)
    assert (state["shells"], state["open_enumerations"], state["open_connections"]) == ([], 0, 0)


def test_the_clock_only_goes_forward(fleet: Simulator) -> None:
    with pytest.raises(SimulatorError, match="-5h"):
        fleet.advance("-5h")


@pytest.mark.parametrize(
    ("number", "language", "words"),
    [
        (1031, "de-DE", "Die angegebene Klasse ist"),
        (1041, "ja-JP", "指定されたクラスは"),
        (1036, "fr-FR", "Thé spéçîfîéd çläss"),
    ],
)
def test_faults_speak_the_language_of_the_machine(fleet: Simulator, number: int, language: str, words: str) -> None:
    (entry,) = fleet.add({"name": f"PC-{number}", "os": {"language": number}})
    with pytest.raises(WSManFaultError) as caught:
        Host(fleet, entry["name"]).send(query("SELECT * FROM Win32_Nothing"))
    fleet.remove(entry["name"])
    assert f'xml:lang="{language}"' in caught.value.response
    assert words in caught.value.response
    assert "The specified class does not exist" not in caught.value.response


def test_waits_that_are_skipped_move_the_clock() -> None:
    blocking = {"set_provisioning_mode": "fails", "fails_after_seconds": 30}
    with Simulator({"waits": "skipped", "endpoints": [{"name": "PC-1", "variants": blocking}]}) as fleet:
        before = fleet.now()
        with pytest.raises(WSManFaultError):
            Host(fleet, "PC-1").send(LEAVE)
        assert 30 <= (fleet.now() - before).total_seconds() < 60
        fleet.patch("PC-1", services={"smstsmgr": {"start_time": "50s"}})
        start = call(f"{WMI}root/cimv2/Win32_Service", "StartService", selectors={"Name": "smstsmgr"}, timeout="PT60S")
        before = fleet.now()
        answer = Host(fleet, "PC-1").send(start)
        assert [text for element in answer.iter() if (text := element.text or "").strip() == "7"]
        assert 30 <= (fleet.now() - before).total_seconds() < 50
        assert fleet.endpoint("PC-1")["services"]["smstsmgr"]["state"] == "Start Pending"
