# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.info import read_info
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.windows import Windows

MOBILE_CLIENT = r"SOFTWARE\Microsoft\SMS\Mobile Client"
FAILURES = [
    fault(FaultDetail(5, "AccessDenied", "Access is denied.")),
    fault(FaultDetail(0x80041013, "InternalError", "The provider could not be loaded.")),
    errors.ProtocolError("not one plain value"),
]
MISSING = fault(FaultDetail(2150858752, "DestinationUnreachable", "No such class."))

PARTS = {
    "Win32_Service": {"services"},
    "SMS_Client": {"client_class"},
    "Win32_ComputerSystem": {"names"},
    "Win32_OperatingSystem": {"operating_system"},
    "CCM_Scheduler_History": {"last_policy_request"},
    "DetermineIfRebootPending": {"restart_pending"},
    "GetStringValue": {"site"},
    "GetMultiStringValue": {"ccmexec_dependencies", "smstsmgr_dependencies"},
    "SMS_Authority": set(),
    "SMS_MPInformation": set(),
}
"""What is asked, and the parts that are lost without it."""


@pytest.fixture
def windows() -> Windows:
    windows = Windows()
    windows.registry |= {
        (MOBILE_CLIENT, "AssignedSiteCode"): (1, "ABC"),
        (MOBILE_CLIENT, "SmsClientVersion"): (1, "5.00.9128.1007"),
        (r"SYSTEM\CurrentControlSet\Services\CcmExec", "DependOnService"): (7, ["winmgmt"]),
        (r"SYSTEM\CurrentControlSet\Services\smstsmgr", "DependOnService"): (7, ["Winmgmt", "CcmExec"]),
    }
    windows.keys |= {key for key, _name in windows.registry}
    windows.rows |= {
        "SMS_Authority": [
            {"Name": "Other:XYZ", "CurrentManagementPoint": "other.corp.example"},
            {"Name": "SMS:ABC", "CurrentManagementPoint": "mp01.corp.example"},
        ],
        "SMS_MPInformation": [{"MP": "mp02.corp.example"}, {"MP": "mp03.corp.example"}],
        "CCM_Scheduler_History": [
            {
                "ScheduleID": "{00000000-0000-0000-0000-000000000021}",
                "LastTriggerTime": "2026-11-20T11:00:00Z",
            }
        ],
    }
    windows.outputs["DetermineIfRebootPending"] = {
        "RebootPending": "false",
        "IsHardRebootPending": "false",
        "ReturnValue": 0,
    }
    return windows


def test_everything(windows: Windows) -> None:
    info = read_info(windows.endpoint)
    assert info.pop("behaviours")
    assert info == {
        "installed": True,
        "client_version": "5.00.9128.1007",
        "release": "2403",
        "site": "ABC",
        "management_point": "mp01.corp.example",
        "last_policy_request": "2026-11-20T11:00:00",
        "restart_pending": False,
        "services": {
            "ccmexec": {"state": "Running", "start_mode": "Auto", "dependencies": ["winmgmt"]},
            "smstsmgr": {"state": "Stopped", "start_mode": "Manual", "dependencies": ["Winmgmt", "CcmExec"]},
        },
        "computer_name": "PC-0001",
        "dns_name": "pc-0001",
        "domain": "corp.example",
        "operating_system": "",
        "operating_system_version": "",
        "last_boot": "2026-11-11T12:00:00Z",
        "uptime_minutes": 9 * 24 * 60,
        "unreadable": {},
    }
    assert len(windows.calls) == 10


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("asked", PARTS)
def test_part_that_fails_spoils_no_other(windows: Windows, asked: str, failure: Exception) -> None:
    whole = read_info(windows.endpoint)
    windows.fail[asked] = failure
    info = read_info(windows.endpoint)
    assert info["unreadable"] == dict.fromkeys(PARTS[asked], str(failure))
    assert info.keys() == whole.keys()
    lost = {name for name in whole if info[name] is None and whole[name] is not None}
    assert lost <= PARTS[asked] | (
        {"computer_name", "dns_name", "domain"} if asked == "Win32_ComputerSystem" else set()
    ) | ({"operating_system_version", "last_boot", "uptime_minutes"} if asked == "Win32_OperatingSystem" else set())


def test_nothing_at_all_can_be_read(windows: Windows) -> None:
    windows.fail = dict.fromkeys([*PARTS, "GetAssignedSite"], FAILURES[0])
    info = read_info(windows.endpoint)
    assert info["installed"] is None
    assert set(info["unreadable"]) == {
        *("services", "client_class", "client_version", "names", "operating_system"),
        *("site", "management_point", "last_policy_request", "restart_pending"),
    }


def test_no_client(windows: Windows) -> None:
    windows.registry.clear()
    windows.rows["Win32_Service"] = []
    windows.fail["SMS_Client"] = MISSING
    info = read_info(windows.endpoint)
    assert (info["installed"], info["unreadable"]) == (False, {})
    assert info["computer_name"] == "PC-0001"
    assert info["services"] == {"ccmexec": None, "smstsmgr": None}
    assert {name for name, value in info.items() if value is None} == {
        *("client_version", "release", "site", "management_point", "last_policy_request", "restart_pending"),
    }
    assert "SMS_Authority" not in windows.calls


def test_service_without_its_class_is_a_broken_client(windows: Windows) -> None:
    windows.fail["SMS_Client"] = MISSING
    info = read_info(windows.endpoint)
    assert info["installed"] is True
    assert info["client_version"] == "5.00.9128.1007"
    assert "No such class." in info["unreadable"]["client_class"]


def test_class_that_is_missing_where_services_are_dark_tells_nothing(windows: Windows) -> None:
    windows.fail |= {"SMS_Client": MISSING, "Win32_Service": FAILURES[0]}
    assert read_info(windows.endpoint)["installed"] is None


@pytest.mark.parametrize("failure", [errors.ConnectionLost("gone"), errors.DeadlineExceeded("over")])
@pytest.mark.parametrize("asked", PARTS)
def test_connection_that_is_gone_ends_it(windows: Windows, asked: str, failure: Exception) -> None:
    windows.fail[asked] = failure
    if asked == "SMS_MPInformation":
        windows.rows["SMS_Authority"] = []
    with pytest.raises(type(failure)):
        read_info(windows.endpoint)


# Fallbacks


def test_site_by_the_method_where_the_registry_has_none(windows: Windows) -> None:
    del windows.registry[MOBILE_CLIENT, "AssignedSiteCode"]
    windows.outputs["GetAssignedSite"] = {"sSiteCode": "XYZ", "ReturnValue": 0}
    assert read_info(windows.endpoint)["site"] == "XYZ"
    windows.outputs["GetAssignedSite"] = {"sSiteCode": "", "ReturnValue": 0}
    info = read_info(windows.endpoint)
    assert (info["site"], info["unreadable"]) == (None, {})


@pytest.mark.parametrize(
    "authorities", [[], [{"Name": "SMS:ABC"}], [{"Name": "Other:XYZ", "CurrentManagementPoint": "x"}], FAILURES[1]]
)
def test_management_point_by_the_second_class(windows: Windows, authorities: t.Any) -> None:
    if isinstance(authorities, Exception):
        windows.fail["SMS_Authority"] = authorities
    else:
        windows.rows["SMS_Authority"] = authorities
    assert read_info(windows.endpoint)["management_point"] == "mp02.corp.example"


def test_no_management_point(windows: Windows) -> None:
    windows.rows |= {"SMS_Authority": [], "SMS_MPInformation": []}
    info = read_info(windows.endpoint)
    assert (info["management_point"], info["unreadable"]) == (None, {})
    windows.fail["SMS_MPInformation"] = MISSING
    assert "No such class." in read_info(windows.endpoint)["unreadable"]["management_point"]


def test_policy_never_requested(windows: Windows) -> None:
    windows.rows["CCM_Scheduler_History"] = []
    info = read_info(windows.endpoint)
    assert (info["last_policy_request"], info["unreadable"]) == (None, {})


# Restart


@pytest.mark.parametrize(
    ("pending", "hard", "told"),
    [("false", "false", False), ("true", "false", True), ("false", "true", True), ("true", None, True)],
)
def test_restart_pending(windows: Windows, pending: str, hard: str | None, told: bool) -> None:
    windows.outputs["DetermineIfRebootPending"] = {"RebootPending": pending, "IsHardRebootPending": hard}
    assert read_info(windows.endpoint)["restart_pending"] is told


@pytest.mark.parametrize("output", [{"ReturnValue": 2147749889}, {"ReturnValue": -2147217407}, {}])
def test_restart_that_is_not_told_is_none(windows: Windows, output: dict[str, t.Any]) -> None:
    windows.outputs["DetermineIfRebootPending"] = output
    info = read_info(windows.endpoint)
    assert info["restart_pending"] is None
    assert "DetermineIfRebootPending" in info["unreadable"]["restart_pending"]
