# SPDX-License-Identifier: GPL-3.0-or-later
"""Task sequences, upgrades and restarts."""

from __future__ import annotations

import pytest

from .conftest import Endpoint

SETUP = "SYSTEM\\Setup"


def alive(endpoint: Endpoint) -> bool:
    return bool(endpoint.machine.describe()["task_sequence"]["alive"])


def test_an_upgrade_from_start_to_end() -> None:
    endpoint = Endpoint()
    endpoint.machine.fire("start_in_place_upgrade")
    assert alive(endpoint)
    assert endpoint.mode == "provisioning"
    assert (endpoint.ccmexec()["State"], endpoint.ccmexec()["StartMode"]) == ("Stopped", "Disabled")
    endpoint.machine.fire("upgrade_restart")
    assert not alive(endpoint)
    assert endpoint.registry("GetDWORDValue", SETUP, sValueName="SetupType")["uValue"] == 2
    assert "SMSTSPostUpgrade" in str(endpoint.text("CmdLine", SETUP))
    endpoint.machine.fire("reboot")
    assert alive(endpoint)
    endpoint.machine.fire("end_task_sequence")
    assert not alive(endpoint)
    assert endpoint.mode == "normal"
    assert (endpoint.ccmexec()["State"], endpoint.ccmexec()["StartMode"]) == ("Running", "Auto")
    assert not endpoint.machine.describe()["task_sequence"]["requests"]


def test_a_hard_reset_leaves_the_client_behind() -> None:
    endpoint = Endpoint()
    endpoint.machine.fire("start_in_place_upgrade")
    endpoint.machine.fire("hard_reset")
    endpoint.advance(hours=5)
    assert not alive(endpoint)
    assert endpoint.mode == "provisioning"
    assert endpoint.ccmexec()["StartMode"] == "Disabled"
    (request,) = endpoint.machine.describe()["task_sequence"]["requests"]
    assert (request["State"], request["CompletionState"]) == ("Ready", "Failure")


def test_an_oem_machine_does_not_resume() -> None:
    endpoint = Endpoint("upgrade_pending_restart", variants={"oem_license": True})
    endpoint.machine.fire("reboot")
    assert not alive(endpoint)
    assert endpoint.mode == "provisioning"


def test_a_restart_reads_services_from_the_registry() -> None:
    endpoint = Endpoint()
    key = "SYSTEM\\CurrentControlSet\\Services\\smstsmgr"
    endpoint.registry("SetMultiStringValue", key, sValueName="DependOnService", sValue=["Winmgmt", "CcmExec"])
    assert endpoint.machine.describe()["services"]["smstsmgr"]["depend_on"] == ["Winmgmt"]
    endpoint.machine.fire("reboot")
    assert endpoint.machine.describe()["services"]["smstsmgr"]["depend_on"] == ["Winmgmt", "CcmExec"]


def test_while_it_boots_it_is_not_up() -> None:
    endpoint = Endpoint(boot_seconds=60)
    endpoint.machine.fire("reboot")
    assert not endpoint.machine.describe()["up"]
    endpoint.advance(seconds=60)
    assert endpoint.machine.is_up
    assert endpoint.ccmexec()["State"] == "Running"


def test_a_deleted_request_is_gone() -> None:
    endpoint = Endpoint("stuck")
    (row,) = endpoint.rows("root/ccm/SoftMgmtAgent", "SELECT RequestID FROM CCM_TSExecutionRequest")
    keys = {"RequestID": str(row["RequestID"])}
    endpoint.wmi.delete("root/ccm/SoftMgmtAgent", "CCM_TSExecutionRequest", keys)
    assert not endpoint.rows("root/ccm/SoftMgmtAgent", "SELECT RequestID FROM CCM_TSExecutionRequest")


def test_a_boot_task_leaves_the_mode() -> None:
    endpoint = Endpoint("stuck")
    wmic = "wmic.exe /namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode False /NOINTERACTIVE"
    line = f'schtasks.exe /create /tn "Leave" /tr "{wmic}" /sc onstart /ru SYSTEM /delay 0005:00 /f'
    assert endpoint.machine.run_program(None, line).exit_code == 0
    endpoint.machine.fire("reboot")
    assert endpoint.mode == "provisioning"
    endpoint.advance(minutes=6)
    assert endpoint.mode == "normal"


XML = (
    '<?xml version="1.0" encoding="UTF-16"?>'
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">'
    "<Triggers><BootTrigger><Delay>PT2M</Delay></BootTrigger></Triggers>"
    "<Actions><Exec><Command>C:\\Windows\\CCM\\ccmeval.exe</Command></Exec></Actions></Task>"
)
TASKS = "root/Microsoft/Windows/TaskScheduler"


def test_tasks_are_registered_and_deleted_over_wmi() -> None:
    endpoint = Endpoint("dead_upgrade")
    names = {"TaskName": "Repair", "TaskPath": "\\Example\\"}
    endpoint.call(TASKS, "PS_ScheduledTask", "RegisterByXml", Force="true", Xml=XML, **names)
    (row,) = endpoint.rows(TASKS, "SELECT URI, State FROM MSFT_ScheduledTask")
    assert row == {"URI": "\\Example\\Repair", "State": 3}
    endpoint.machine.fire("reboot")
    endpoint.advance(minutes=2)
    assert endpoint.ccmexec()["State"] == "Running"
    endpoint.wmi.delete(TASKS, "MSFT_ScheduledTask", names)
    assert not endpoint.rows(TASKS, "SELECT * FROM MSFT_ScheduledTask")


def test_run_once_waits_for_an_administrator() -> None:
    endpoint = Endpoint("stuck")
    key = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce"
    command = (
        'powershell.exe Invoke-WmiMethod -Namespace "root\\ccm" -Class SMS_Client -Name SetClientProvisioningMode '
    )
    endpoint.registry("SetStringValue", key, sValueName="Leave", sValue=f"{command} $false")
    endpoint.machine.fire("reboot")
    assert endpoint.mode == "provisioning"
    endpoint.machine.fire("administrator_logs_on")
    assert endpoint.mode == "normal"
    assert endpoint.registry("GetStringValue", key, sValueName="Leave")["ReturnValue"] == 1


def test_unknown_events_are_named() -> None:
    with pytest.raises(ValueError, match="allowed: start_in_place_upgrade"):
        Endpoint().machine.fire("explode")


RUNNING = "SELECT State FROM CCM_TSExecutionRequest WHERE State='Running'"


@pytest.mark.parametrize("profile", ["live_osd", "live_upgrade"])
@pytest.mark.parametrize("request_stays", [True, False, "absent"])
@pytest.mark.parametrize("agent_auto", [True, False])
def test_a_restart_of_its_own_leaves_a_gap_in_which_nothing_runs(
    profile: str, request_stays: bool | str, agent_auto: bool
) -> None:
    endpoint = Endpoint(profile, boot_seconds=30)
    endpoint.machine.fire("task_sequence_restart", gap_minutes=4, request=request_stays, agent_auto=agent_auto)
    endpoint.advance(seconds=31)
    for minute in range(4):
        state = endpoint.machine.describe()
        assert (state["task_sequence"]["engine"], state["task_sequence"]["waits"]) == ([], True), minute
        agent = state["services"]["smstsmgr"]
        assert (agent["state"], agent["start_mode"]) == ("Stopped", "Auto" if agent_auto else "Manual")
        setup = state["registry"]["HKLM\\SYSTEM\\Setup"]
        assert (setup["SetupType"]["data"], setup["CmdLine"]["data"]) == (0, "")
        assert bool(endpoint.rows("root/ccm/SoftMgmtAgent", RUNNING)) is (request_stays is True)
        endpoint.advance(seconds=59)
    endpoint.advance(seconds=10)
    state = endpoint.machine.describe()
    assert state["task_sequence"]["alive"]
    assert state["services"]["smstsmgr"]["state"] == "Running"
    assert len(endpoint.rows("root/ccm/SoftMgmtAgent", RUNNING)) == 1
    assert "task_sequence.broken" not in endpoint.events()
    endpoint.machine.fire("end_task_sequence")
    assert endpoint.mode == "normal"


def test_what_is_done_in_the_gap_breaks_the_task_sequence() -> None:
    endpoint = Endpoint("stuck", task_sequence_resumes_in="3m")
    endpoint.set_mode(False)
    endpoint.advance(minutes=4)
    assert endpoint.events()[-2:] == ["task_sequence.resumed", "task_sequence.broken"]


def test_a_gap_outlasts_a_second_restart_and_ends_with_a_kill() -> None:
    endpoint = Endpoint("live_osd", variants={"task_sequence_resumes": 3})
    for _ in range(2):
        endpoint.machine.fire("hard_reset")
        endpoint.advance(minutes=2)
        assert not endpoint.machine.describe()["task_sequence"]["alive"]
    endpoint.machine.fire("kill_task_sequence")
    endpoint.machine.fire("reboot")  # the agent still starts by itself, and finds nothing to go on with
    endpoint.advance(hours=1)
    assert not endpoint.machine.describe()["task_sequence"]["alive"]
    with pytest.raises(ValueError, match="no task sequence runs"):
        endpoint.machine.fire("task_sequence_restart")
