# SPDX-License-Identifier: GPL-3.0-or-later
"""The ConfigMgr client's way into provisioning mode and out of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.windows.client_registry import EXCLUDED_TASKS
from simulator.windows.wmi import WmiError

from .conftest import START, Endpoint

NOW = int(START.timestamp())


def entered(endpoint: Endpoint) -> object:
    return endpoint.registry("GetQWORDValue", sValueName="ProvisioningEnabledTime")["uValue"]


def test_entering_and_leaving_by_the_method() -> None:
    endpoint = Endpoint()
    before = endpoint.ccmexec()["ProcessId"]
    assert endpoint.set_mode(True) == {"ReturnValue": 0}
    assert (endpoint.text("ProvisioningMode"), endpoint.text("SystemTaskExcludes")) == ("true", EXCLUDED_TASKS)
    assert entered(endpoint) == NOW
    endpoint.advance(hours=2)
    assert endpoint.ccmexec()["ProcessId"] not in (0, before)
    endpoint.set_mode(False)
    assert (endpoint.text("ProvisioningMode"), endpoint.text("SystemTaskExcludes")) == ("false", "")
    assert entered(endpoint) == NOW, "the time of the last entry stays"


def test_leaving_restarts_the_service_after_a_gap_and_then_policy_comes() -> None:
    endpoint = Endpoint("stuck", restart_seconds=30)
    before = endpoint.ccmexec()["ProcessId"]
    endpoint.set_mode(False)
    assert (endpoint.ccmexec()["State"], endpoint.ccmexec()["ProcessId"]) == ("Stopped", 0)
    assert "policy.requested" not in endpoint.events()
    endpoint.advance(seconds=30)
    assert endpoint.ccmexec()["State"] == "Running"
    assert endpoint.ccmexec()["ProcessId"] != before
    assert endpoint.events()[-3:] == ["policy.requested", "deployment.started", "deployment.started"]


def test_leaving_twice_restarts_once() -> None:
    endpoint = Endpoint("stuck")
    endpoint.set_mode(False)
    endpoint.advance(minutes=1)
    process = endpoint.ccmexec()["ProcessId"]
    endpoint.set_mode(False)
    endpoint.advance(minutes=1)
    assert endpoint.ccmexec()["ProcessId"] == process


def test_a_disabled_ccmexec_stays_disabled_until_ccmeval() -> None:
    endpoint = Endpoint("dead_upgrade")
    endpoint.set_mode(False)
    endpoint.advance(minutes=5)
    assert (endpoint.mode, endpoint.ccmexec()["StartMode"]) == ("normal", "Disabled")
    assert endpoint.machine.run_program(None, "C:\\Windows\\CCM\\ccmeval.exe").exit_code == 0
    assert (endpoint.ccmexec()["StartMode"], endpoint.ccmexec()["State"]) == ("Auto", "Running")


def test_editing_the_registry_is_only_half_an_exit() -> None:
    endpoint = Endpoint("stuck")
    endpoint.registry("SetStringValue", sValueName="ProvisioningMode", sValue="false")
    assert endpoint.mode == "half_exited"
    endpoint.machine.fire("restart_ccmexec")
    endpoint.advance(minutes=1)
    assert endpoint.mode == "half_exited"
    assert not endpoint.machine.describe()["client"]["takes_policy"]
    endpoint.set_mode(False)
    endpoint.advance(minutes=1)
    assert endpoint.mode == "normal"
    assert endpoint.machine.describe()["client"]["takes_policy"]


# -- the hourly check ------------------------------------------------------------------------------------------------


def test_it_leaves_by_itself_after_48_hours() -> None:
    endpoint = Endpoint("recent")
    endpoint.advance(hours=46, minutes=59)
    assert endpoint.mode == "provisioning"
    endpoint.advance(hours=1)
    assert endpoint.mode == "normal"
    assert "client.self_exit" in endpoint.events()


@given(limit=st.integers(min_value=1, max_value=6000), age=st.integers(min_value=0, max_value=9000))
def test_self_exit_comes_after_the_limit_and_at_most_an_hour_late(limit: int, age: int) -> None:
    endpoint = Endpoint(provisioning={"mode": True, "entered": START, "max_minutes": limit})
    endpoint.advance(minutes=age)
    if age <= limit:
        assert endpoint.mode == "provisioning"
    if age > limit + 60:
        assert endpoint.mode == "normal"


def test_a_limit_of_zero_means_the_default() -> None:
    endpoint = Endpoint(provisioning={"mode": True, "entered": "1h ago", "max_minutes": 0})
    endpoint.advance(hours=46)
    assert endpoint.mode == "provisioning"
    endpoint.advance(hours=2)
    assert endpoint.mode == "normal"


@pytest.mark.parametrize("profile", ["old_client", "overdue", "future_timestamp", "zero_timestamp", "no_timestamp"])
def test_who_never_leaves_within_two_days(profile: str) -> None:
    endpoint = Endpoint(profile)
    endpoint.advance(hours=49)
    assert endpoint.mode == "provisioning"


def test_entering_again_extends_the_time() -> None:
    endpoint = Endpoint("recent")
    endpoint.advance(hours=40)
    endpoint.set_mode(True)
    endpoint.advance(hours=20)
    assert endpoint.mode == "provisioning"


def test_the_limit_may_be_read_at_the_start_only() -> None:
    endpoint = Endpoint("recent", variants={"max_minutes_read": "at_start"})
    endpoint.registry("SetDWORDValue", sValueName="ProvisioningMaxMinutes", uValue="60")
    endpoint.advance(hours=5)
    assert endpoint.mode == "provisioning"
    endpoint.machine.run_program(None, "C:\\Windows\\CCM\\ccmeval.exe")
    endpoint.advance(hours=1)
    assert endpoint.mode == "normal"


# -- refusals and variants -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "answer"), [("absent", {}), ("nil", {"ReturnValue": None})])
def test_return_value_variants(variant: str, answer: dict[str, None]) -> None:
    assert Endpoint(variants={"return_value": variant}).set_mode(True) == answer


def test_a_lying_client() -> None:
    endpoint = Endpoint("lying_client")
    assert endpoint.set_mode(False) == {"ReturnValue": 0}
    assert endpoint.mode == "provisioning"


def test_a_client_that_fails_after_five_minutes() -> None:
    with pytest.raises(WmiError) as caught:
        Endpoint("failing_client").set_mode(False)
    assert (caught.value.hresult, caught.value.duration) == (0x80004005, 309)


def test_a_client_that_is_not_ready_yet() -> None:
    endpoint = Endpoint("starting_client")
    with pytest.raises(WmiError):
        endpoint.set_mode(False)
    endpoint.advance(minutes=3)
    assert endpoint.set_mode(False) == {"ReturnValue": 0}


def test_a_refused_native_call_works_locally() -> None:
    endpoint = Endpoint("native_refused")
    with pytest.raises(WmiError):
        endpoint.set_mode(False)
    line = 'wmic.exe /namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode "False" /NOINTERACTIVE'
    assert endpoint.machine.run_program(None, line).exit_code == 0
    assert endpoint.mode == "normal"


def test_release_1802_cannot_enter_while_the_agent_depends_on_ccmexec() -> None:
    endpoint = Endpoint("smstsmgr_dependency")
    with pytest.raises(WmiError):
        endpoint.set_mode(True)
    assert endpoint.machine.run_program(None, 'sc.exe config "smstsmgr" depend= "/"').exit_code == 0
    endpoint.set_mode(True)
    assert endpoint.mode == "provisioning"


def test_an_omitted_argument_is_refused() -> None:
    with pytest.raises(WmiError) as caught:
        Endpoint().call("root/ccm", "SMS_Client", "SetClientProvisioningMode")
    assert caught.value.kind == "invalid_method_parameters"


# -- schedules -------------------------------------------------------------------------------------------------------

POLICY = "{00000000-0000-0000-0000-000000000021}"


def test_a_triggered_schedule_shows_in_the_history() -> None:
    endpoint = Endpoint()
    endpoint.call("root/ccm", "SMS_Client", "TriggerSchedule", sScheduleID=POLICY)
    (row,) = endpoint.rows("root/ccm/Scheduler", f"SELECT * FROM CCM_Scheduler_History WHERE ScheduleID='{POLICY}'")
    assert row["LastTriggerTime"] == START
    endpoint.advance(minutes=1)
    endpoint.call("root/ccm", "SMS_Client", "RequestMachinePolicy", uFlags="0")
    (row,) = endpoint.rows("root/ccm/Scheduler", f"SELECT * FROM CCM_Scheduler_History WHERE ScheduleID='{POLICY}'")
    assert row["LastTriggerTime"] == START + timedelta(minutes=1)


@pytest.mark.parametrize(("variant", "kind"), [("not_found", "not_found"), ("failed", "failed"), ("success", None)])
def test_an_unknown_schedule(variant: str, kind: str | None) -> None:
    endpoint = Endpoint(variants={"unknown_schedule": variant})
    if kind is None:
        assert endpoint.call("root/ccm", "SMS_Client", "TriggerSchedule", sScheduleID="{7}") == {"ReturnValue": 0}
        return
    with pytest.raises(WmiError) as caught:
        endpoint.call("root/ccm", "SMS_Client", "TriggerSchedule", sScheduleID="{7}")
    assert caught.value.kind == kind


def test_a_scheduler_that_does_not_note_what_is_triggered_by_hand() -> None:
    endpoint = Endpoint(variants={"scheduler_history": "own_schedule"})
    endpoint.call("root/ccm", "SMS_Client", "TriggerSchedule", sScheduleID=POLICY)
    assert endpoint.rows("root/ccm/Scheduler", "SELECT * FROM CCM_Scheduler_History") == []
    assert "schedule.triggered" in endpoint.events()
    assert POLICY in endpoint.machine.describe()["client"]["triggered"]
    endpoint.set_mode(True)
    endpoint.set_mode(False)
    endpoint.advance(minutes=1)
    (row,) = endpoint.rows("root/ccm/Scheduler", f"SELECT * FROM CCM_Scheduler_History WHERE ScheduleID='{POLICY}'")
    assert row["LastTriggerTime"] is not None, "what the client does by itself is noted"


@pytest.mark.parametrize("number", [108, 121, 123])
def test_an_evaluation_of_deployments_installs_in_the_mode(number: int) -> None:
    endpoint = Endpoint("stuck")
    schedule = f"{{00000000-0000-0000-0000-{number:012d}}}"
    endpoint.call("root/ccm", "SMS_Client", "TriggerSchedule", sScheduleID=schedule)
    assert endpoint.events().count("deployment.started") == 2
    assert endpoint.mode == "provisioning"


def test_the_site_and_its_management_points() -> None:
    endpoint = Endpoint()
    (authority,) = endpoint.rows("root/ccm", "SELECT * FROM SMS_Authority")
    assert (authority["Name"], authority["CurrentManagementPoint"]) == ("SMS:ABC", "mp01.corp.example")
    found = endpoint.rows("root/ccm/LocationServices", "SELECT MP,SiteCode FROM SMS_MPInformation")
    assert [row["MP"] for row in found] == ["mp01.corp.example", "mp02.corp.example"]
