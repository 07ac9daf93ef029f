# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: the control manager's own rules, and that registry, WMI and sc.exe tell the same story."""

from __future__ import annotations

import pytest

from .conftest import Endpoint

KEY = "SYSTEM\\CurrentControlSet\\Services\\smstsmgr"


def dependencies(endpoint: Endpoint) -> object:
    return endpoint.registry("GetMultiStringValue", KEY, sValueName="DependOnService")["sValue"]


@pytest.mark.parametrize(
    ("method", "name", "arguments", "code"),
    [
        ("StartService", "CcmExec", {}, 10),
        ("StartService", "RemoteRegistry", {}, 14),
        ("StopService", "Winmgmt", {}, 3),
        ("StopService", "RpcSs", {}, 4),
        ("StopService", "smstsmgr", {}, 5),
        ("ChangeStartMode", "CcmExec", {"StartMode": "Auto"}, 21),
        ("ChangeStartMode", "CcmExec", {"StartMode": "Disabled"}, 0),
        ("Change", "Winmgmt", {"ServiceDependencies": ["CcmExec"]}, 18),
    ],
)
def test_return_codes(method: str, name: str, arguments: dict[str, str | list[str]], code: int) -> None:
    assert Endpoint().service(method, name, **arguments) == code


def test_a_disabled_service_says_so_everywhere() -> None:
    endpoint = Endpoint()
    endpoint.service("ChangeStartMode", "smstsmgr", StartMode="Disabled")
    assert endpoint.registry("GetDWORDValue", KEY, sValueName="Start")["uValue"] == 4
    (service,) = endpoint.rows("root/cimv2", "SELECT StartMode FROM Win32_Service WHERE Name='smstsmgr'")
    assert service["StartMode"] == "Disabled"
    assert endpoint.service("StartService", "smstsmgr") == 14


def test_a_started_service_has_a_process() -> None:
    endpoint = Endpoint()
    assert endpoint.service("StartService", "smstsmgr") == 0
    (service,) = endpoint.rows("root/cimv2", "SELECT ProcessId FROM Win32_Service WHERE Name='smstsmgr'")
    (process,) = endpoint.rows("root/cimv2", "SELECT * FROM Win32_Process WHERE Name='tsmanager.exe'")
    assert process["ProcessId"] == service["ProcessId"]


def test_every_running_service_lives_in_a_process() -> None:
    endpoint = Endpoint()
    processes = {row["ProcessId"] for row in endpoint.rows("root/cimv2", "SELECT ProcessId FROM Win32_Process")}
    services = endpoint.rows("root/cimv2", "SELECT Name, ProcessId FROM Win32_Service WHERE State='Running'")
    assert len(services) > 50
    assert [row["Name"] for row in services if row["ProcessId"] not in processes] == []


def test_dependencies_omitted_are_kept() -> None:
    endpoint = Endpoint()
    assert endpoint.service("Change", "smstsmgr", DisplayName="Agent") == 0
    assert dependencies(endpoint) == ["Winmgmt"]


@pytest.mark.parametrize(
    ("variant", "code", "left"), [("clears", 0, None), ("keeps", 0, ["Winmgmt"]), ("invalid", 21, ["Winmgmt"])]
)
def test_one_empty_dependency(variant: str, code: int, left: object) -> None:
    endpoint = Endpoint(variants={"change_empty_dependency": variant})
    assert endpoint.service("Change", "smstsmgr", ServiceDependencies=[""]) == code
    assert dependencies(endpoint) == left


@pytest.mark.parametrize(("variant", "code"), [("deleted", 1), ("empty", 0)])
def test_what_sc_leaves_of_cleared_dependencies(variant: str, code: int) -> None:
    endpoint = Endpoint(variants={"cleared_dependency": variant})
    assert endpoint.machine.run_program(None, 'sc.exe config "smstsmgr" depend= "/"').exit_code == 0
    assert endpoint.registry("GetMultiStringValue", KEY, sValueName="DependOnService")["ReturnValue"] == code


def test_a_service_marked_for_deletion() -> None:
    endpoint = Endpoint(services={"smstsmgr": {"marked_for_deletion": True}})
    assert endpoint.service("Change", "smstsmgr", ServiceDependencies=["Winmgmt"]) == 16
    assert endpoint.machine.run_program(None, "sc config smstsmgr depend= Winmgmt").exit_code == 1072


def test_terminal_services_has_a_class_of_its_own() -> None:
    found = Endpoint().wmi.query("root/cimv2", "SELECT * FROM Win32_Service WHERE Name='TermService'").instances
    assert [instance.class_name for instance in found] == ["Win32_TerminalService"]


@pytest.mark.parametrize(
    ("answer", "seconds", "code", "late"), [("late", 20, 0, 20), ("late", 60, 7, 30), ("at_once", 60, 0, 0)]
)
def test_a_service_may_take_a_minute_to_start(answer: str, seconds: int, code: int, late: int) -> None:
    services = {"CcmExec": {"state": "Stopped", "start_time": f"{seconds}s"}}
    endpoint = Endpoint(services=services, variants={"start_service_answer": answer})
    assert endpoint.service("StartService", "CcmExec") == code
    assert (endpoint.machine.time_taken(), endpoint.machine.time_taken()) == (late, 0)
    wql = "SELECT State,Started,AcceptStop,ProcessId FROM Win32_Service WHERE Name='CcmExec'"
    (row,) = endpoint.rows("root/cimv2", wql)
    assert (row["State"], row["AcceptStop"]) == ("Start Pending", False)
    assert row["ProcessId"]
    assert "2  START_PENDING" in endpoint.machine.run_program(None, "sc query CcmExec").stdout
    assert (endpoint.service("StartService", "CcmExec"), endpoint.service("StopService", "CcmExec")) == (10, 5)
    assert endpoint.machine.describe()["client"]["running"] is False
    endpoint.advance(seconds=seconds)
    assert endpoint.rows("root/cimv2", wql)[0]["State"] == "Running"
    assert endpoint.machine.describe()["client"]["running"] is True
    endpoint.machine.fire("reboot")
    assert endpoint.rows("root/cimv2", wql)[0]["State"] == "Start Pending"
    endpoint.machine.fire("stop_ccmexec")
    endpoint.advance(hours=1)
    assert endpoint.rows("root/cimv2", wql)[0]["State"] == "Stopped"
