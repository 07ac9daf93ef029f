# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead task sequence leaves, over the wire: references of instances, and their deletion."""

from __future__ import annotations

import pytest
from simulator.client import Simulator
from simulator_tests.wire import ENUMERATION, NS, TRANSFER, WMI, Host, envelope
from winrm.exceptions import WSManFaultError

RESOURCE = f"{WMI}root/ccm/SMS_MaintenanceTaskRequests"
DEAD = "{3AAF7E53-0E4B-4C6F-8A6D-00000000A001}"


@pytest.fixture
def pc(fleet: Simulator) -> Host:
    (entry,) = fleet.add({"name": "PC-LEFT", "profile": "leftovers"})
    yield Host(fleet, entry["name"])
    fleet.remove(entry["name"])


def enumerate_(mode: str, extra: str = "") -> str:
    asked = "<w:OptimizeEnumeration/><w:MaxElements>1</w:MaxElements>"
    body = f"<n:Enumerate>{asked}<w:EnumerationMode>{mode}</w:EnumerationMode>{extra}</n:Enumerate>"
    return envelope(RESOURCE, f"{ENUMERATION}/Enumerate", body)


def test_instance_and_reference_come_together(pc: Host) -> None:
    (items,) = pc.send(enumerate_("EnumerateObjectAndEPR")).iterfind(".//w:Items", NS)
    (item,) = items
    assert item.tag == f"{{{NS['w']}}}Item"
    assert [child.tag.rpartition("}")[2] for child in item] == ["SMS_MaintenanceTaskRequests", "EndpointReference"]
    selectors = {each.get("Name"): each.text for each in item.iterfind(".//w:Selector", NS)}
    assert selectors == {"__cimnamespace": "root/ccm", "TaskID": DEAD}


def test_references_alone(pc: Host) -> None:
    (items,) = pc.send(enumerate_("EnumerateEPR")).iterfind(".//w:Items", NS)
    assert [child.tag for child in items] == [f"{{{NS['a']}}}EndpointReference"]


@pytest.mark.parametrize("message", [enumerate_("EnumerateAll"), enumerate_("EnumerateEPR", "<w:Filter>x</w:Filter>")])
def test_what_is_not_known_of_windows_is_refused(pc: Host, message: str) -> None:
    with pytest.raises(WSManFaultError) as caught:
        pc.pywinrm().send_message(message)
    assert caught.value.wsman_fault_code == 2150858801


def test_reference_leads_to_the_instance(pc: Host) -> None:
    selectors = {"__cimnamespace": "root/ccm", "TaskID": DEAD}
    pc.send(envelope(RESOURCE, f"{TRANSFER}/Delete", selectors=selectors))
    state = pc.fleet.endpoint(pc.name)
    assert [each["ClientID"] for each in state["maintenance_requests"]] == ["updatesmgr"]
    assert [each["event"] for each in state["events"]][-1] == "SMS_MaintenanceTaskRequests.deleted"


def test_whatever_is_deleted_under_a_live_task_sequence_is_noted(pc: Host) -> None:
    pc.fleet.event(pc.name, "start_task_sequence")
    pc.send(envelope(RESOURCE, f"{TRANSFER}/Delete", selectors={"TaskID": DEAD}))
    assert "task_sequence.broken" in [each["event"] for each in pc.fleet.endpoint(pc.name)["events"]]


def test_a_task_sequence_cleans_up_at_its_end_and_not_when_it_dies(pc: Host) -> None:
    pc.fleet.event(pc.name, "start_task_sequence")
    pc.fleet.event(pc.name, "kill_task_sequence")
    state = pc.fleet.endpoint(pc.name)
    assert len(state["task_sequence"]["requests"]) == 1
    assert "CcmTaskSequence" in [each["PolicySource"] for each in state["policies"]]
    pc.fleet.event(pc.name, "start_task_sequence")
    pc.fleet.event(pc.name, "end_task_sequence")
    state = pc.fleet.endpoint(pc.name)
    assert state["task_sequence"]["requests"] == []
    assert [each["PolicySource"] for each in state["policies"]] == ["CcmDefault"]
    assert [each["ClientID"] for each in state["maintenance_requests"]] == ["updatesmgr"]
    assert len(state["programs"]) == 1
