# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of the collection that writes to an endpoint, on a machine that gives it something to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.guard.bench import START, Bench, machine
from tests.guard.product import Outcome
from tests.simulator.endpoint import EndpointSpec

HOLD_KEY = r"HKLM\SOFTWARE\configmgr.client\Hold"
_EXPIRED = {"Owner": "asmith", "Reason": "CHG0000001", "Expires": {"type": "qword", "data": 1577836800}}
_HOLD = {"owner": "jdoe", "reason": "CHG0012345", "expires": f"{START + timedelta(hours=10):%Y-%m-%dT%H:%M:%SZ}"}
_DEPENDING = {"profile": "smstsmgr_dependency"}
_EVERYTHING = {"max_minutes": 720, "dependency": "always", "safeguard": "boot_task"}
_SECOND = {"wsman": {"client_wmi_uri": "unknown_uri"}}
"""The first spelling of the class's address is refused, and the second is not."""
_STEPS = ["execution_requests", "maintenance_requests", "orphaned_policy", "paused_software_distribution"]


@dataclass(frozen=True)
class Call:
    """``before`` are tasks that have been run on the machine already, undisturbed."""

    module: str
    options: Mapping[str, Any]
    spec: Mapping[str, Any] = field(default_factory=lambda: {"profile": "normal"})
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    settles: bool = True
    """Whether a second run finds nothing to do. What is triggered is triggered each time."""

    def bench(self) -> Bench:
        bench = Bench(_endpoint(self))
        for module, options in self.before:
            outcome = bench.run(module, options)
            assert not outcome.failed, outcome
        bench.begin()
        return bench

    def run(self, bench: Bench) -> Outcome:
        return bench.run(self.module, self.options)


_endpoints: dict[int, EndpointSpec] = {}


def _endpoint(call: Call) -> EndpointSpec:
    """Read once: it never changes."""
    if id(call) not in _endpoints:
        _endpoints[id(call)] = machine(call.spec)
    return _endpoints[id(call)]


def _exit(spec: Mapping[str, Any], **options: Any) -> Call:
    return Call("provisioning_mode", {"enabled": False, **options}, spec)


def _entry(spec: Mapping[str, Any], **options: Any) -> Call:
    return Call("provisioning_mode", {"enabled": True, **options}, spec)


def _timeout(options: Mapping[str, Any], *, mode: bool, limit: int | None = 2880) -> Call:
    profile = "stuck" if mode else "normal"
    provisioning = {} if limit is None else {"provisioning": {"max_minutes": limit}}
    return Call("provisioning_timeout", options, {"profile": profile, **provisioning})


CALLS: dict[str, Call] = {
    "exit": _exit({"profile": "stuck"}),
    "exit, a hold to remove": _exit({"profile": "overdue", "registry": {HOLD_KEY: _EXPIRED}}),
    "exit, its own hold": _exit({"profile": "held"}, hold_owner="jdoe"),
    "exit after a dead upgrade": _exit({"profile": "dead_upgrade"}),
    "exit by the second spelling": _exit({"profile": "stuck", **_SECOND}),
    "exit by command": _exit({"profile": "native_refused"}),
    "exit by command, no WMIC": _exit(
        {"profile": "native_refused", "variants": {"sms_client_invoke": "refused", "wmic": False}}
    ),
    "exit by command, asked for": _exit({"profile": "stuck"}, via="command"),
    "exit, then ccmeval": _exit({"profile": "stuck"}, run_ccmeval=True),
    "exit of a client that starts": _exit({"profile": "starting_client", "ts_requests": []}, wait_timeout=250),
    "exit, half out": _exit({"profile": "half_exited"}),
    "entry": _entry({"profile": "normal"}),
    "entry with a hold": _entry({"profile": "normal"}, hold=_HOLD),
    "entry by the second spelling": _entry({"profile": "normal", **_SECOND}, hold=_HOLD),
    "entry by command": _entry({"profile": "normal", "variants": {"sms_client_invoke": "refused"}}, hold=_HOLD),
    "a hold for who is in the mode": _entry({"profile": "stuck"}, hold=_HOLD),
    "time-out raised": _timeout({"max_minutes": 4320}, mode=False),
    "time-out lowered": _timeout({"max_minutes": 600}, mode=False),
    "time-out removed": _timeout({"state": "absent"}, mode=False, limit=600),
    "time-out raised in the mode": _timeout({"max_minutes": 4320}, mode=True),
    "time-out lowered in the mode": _timeout({"max_minutes": 600}, mode=True),
    "time-out removed in the mode": _timeout({"state": "absent"}, mode=True, limit=6000),
    "dependency": Call("smstsmgr_dependency", {}, _DEPENDING),
    "dependency put back": Call(
        "smstsmgr_dependency", {"state": "absent"}, _DEPENDING, before=(("smstsmgr_dependency", {}),)
    ),
    "boot task": Call("provisioning_safeguard", {}),
    "boot task by command": Call(
        "provisioning_safeguard",
        {},
        {
            "profile": "normal",
            "faults": [
                {"match": {"class": "PS_ScheduledTask"}, "then": "fault 0x8033801a"},
            ],
        },
    ),
    "boot task removed": Call("provisioning_safeguard", {"state": "absent"}, before=(("provisioning_safeguard", {}),)),
    "run once": Call("provisioning_safeguard", {"kind": "run_once"}),
    "both safeguards removed": Call(
        "provisioning_safeguard",
        {"state": "absent"},
        before=(("provisioning_safeguard", {"kind": "run_once"}), ("provisioning_safeguard", {})),
    ),
    "preparation": Call("client_preparation", _EVERYTHING, _DEPENDING),
    "preparation, run once": Call("client_preparation", {**_EVERYTHING, "safeguard": "run_once"}, _DEPENDING),
    "preparation undone": Call(
        "client_preparation", {"state": "absent"}, _DEPENDING, before=(("client_preparation", _EVERYTHING),)
    ),
    "leftovers cleared": Call("task_sequence_request", {"steps": _STEPS}, {"profile": "leftovers"}),
    "schedules": Call("client_action", {}, settles=False),
    "schedules in the mode": Call(
        "client_action",
        {"schedules": ["machine_policy_request", "machine_policy_evaluation", "hardware_inventory"]},
        {"profile": "stuck"},
        settles=False,
    ),
    "schedules by the second spelling": Call("client_action", {}, {"profile": "normal", **_SECOND}, settles=False),
    "schedules by command, with proof": Call(
        "client_action",
        {"schedules": ["machine_policy_request", "hardware_inventory"], "wait": True, "pause": 2},
        {"profile": "normal", "variants": {"sms_client_invoke": "refused"}},
        settles=False,
    ),
}
