# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every write from outside stands in it, in one order with what happened."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from simulator.windows.wmi import WmiError

from .conftest import Endpoint

REQUEST = "CCM_TSExecutionRequest"
POLICY = "root/ccm/policy/defaultmachine/requestedconfig"
TASKS = "root/microsoft/windows/taskscheduler"
SCHEDULE = "{00000000-0000-0000-0000-000000000021}"


def delete_first(namespace: str, class_name: str, *keys: str) -> Callable[[Endpoint], Any]:
    def delete(endpoint: Endpoint) -> None:
        (row, *_) = endpoint.rows(namespace, f"SELECT * FROM {class_name}")
        endpoint.wmi.delete(namespace, class_name, {key: str(row[key]) for key in keys})

    return delete


def run(line: str) -> Callable[[Endpoint], Any]:
    return lambda endpoint: endpoint.machine.run_program(None, line)


WRITES: dict[str, Callable[[Endpoint], Any]] = {
    "registry.set": lambda pc: pc.registry("SetStringValue", sValueName="ProvisioningMode", sValue="false"),
    "registry.delete_value": lambda pc: pc.registry("DeleteValue", sValueName="ProvisioningMode"),
    "registry.create_key": lambda pc: pc.registry("CreateKey", "SOFTWARE\\configmgr.client"),
    "registry.delete_key": lambda pc: pc.registry("DeleteKey", "SOFTWARE\\configmgr.client"),
    "service.StartService": lambda pc: pc.service("StartService", "smstsmgr"),
    "service.StopService": lambda pc: pc.service("StopService", "CcmExec"),
    "service.ChangeStartMode": lambda pc: pc.service("ChangeStartMode", "CcmExec", StartMode="Manual"),
    "service.Change": lambda pc: pc.service("Change", "smstsmgr", DisplayName="x"),
    "sc.config": run("sc config smstsmgr depend= /"),
    "SMS_Client.SetClientProvisioningMode": lambda pc: pc.set_mode(False),
    "SMS_Client.TriggerSchedule": lambda pc: pc.call("root/ccm", "SMS_Client", "TriggerSchedule", sScheduleID=SCHEDULE),
    f"{REQUEST}.delete": delete_first("root/ccm/softmgmtagent", REQUEST, "RequestID"),
    "CCM_Scheduler_History.delete": delete_first(
        "root/ccm/scheduler", "CCM_Scheduler_History", "ScheduleID", "UserSID"
    ),
    "CCM_ClientAgentConfig.delete": delete_first(
        POLICY, "CCM_ClientAgentConfig", "PolicyID", "PolicySource", "SiteSettingsKey"
    ),
    "task.RegisterByXml": lambda pc: pc.call(TASKS, "PS_ScheduledTask", "RegisterByXml", TaskName="x", Xml="?"),
    "schtasks.create": run("schtasks /create /tn x /sc onstart /tr notepad.exe"),
    "schtasks.delete": run("schtasks /delete /tn x /f"),
    "process.create": lambda pc: pc.call("root/cimv2", "Win32_Process", "Create", CommandLine="ccmeval.exe"),
    "process.terminate": lambda pc: pc.call_on("root/cimv2", "Win32_Process", "Terminate", {"Handle": "5344"}),
    "os.Reboot": lambda pc: pc.call_on("root/cimv2", "Win32_OperatingSystem", "Reboot", {}),
    "ccmeval": run("C:\\Windows\\CCM\\ccmeval.exe"),
}


@pytest.mark.parametrize("account", ["administrator", "limited"])
def test_every_write_is_recorded_tried_or_done(account: str) -> None:
    for word, write in WRITES.items():
        endpoint = Endpoint("stuck", account=account)
        endpoint.machine.fire("exit_provisioning_mode")
        endpoint.advance(minutes=1)
        with contextlib.suppress(WmiError):
            write(endpoint)
        assert word in [entry["event"] for entry in endpoint.machine.describe()["writes"]], word


def test_events_and_writes_are_counted_together() -> None:
    endpoint = Endpoint("stuck")
    endpoint.set_mode(False)
    endpoint.machine.fire("start_process", command_line="notepad.exe")
    endpoint.registry("CreateKey", "SOFTWARE\\configmgr.client")
    state = endpoint.machine.describe()
    order = sorted([*state["events"], *state["writes"]], key=lambda entry: int(entry["number"]))
    assert [entry["number"] for entry in order] == list(range(1, len(order) + 1))
    names = [entry["event"] for entry in order]
    assert names[0] == "SMS_Client.SetClientProvisioningMode"
    assert names[-2:] == ["process.started", "registry.create_key"]
