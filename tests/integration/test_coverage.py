# SPDX-License-Identifier: GPL-3.0-or-later
"""Every verdict, every signal of the guard and every disputed behaviour of Windows and the client has an endpoint here.

Whoever adds one of them without an entry is told so.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.harness import FQCN, Case, Lab, Outcome
from tests.integration.harness import MODULES as EVERY_MODULE
from tests.integration.test_verdicts import VERDICTS
from tests.simulator.windows.variants import Variants
from tests.simulator.wsman.settings import WsmanSettings

FORCE = {"force": True, "force_reason": "CHG0012345"}


def product(module: str) -> Any:
    """A module of the installed collection, for what it goes by."""
    return importlib.import_module(f"ansible_collections.{FQCN}.plugins.module_utils.{module}")


# -- verdicts ----------------------------------------------------------------------------------------------------------


def test_every_verdict_has_a_profile() -> None:
    known = {verdict.value for verdict in product("_client.mode.verdict").Verdict}
    assert {verdict for pair in VERDICTS.values() for verdict in pair if verdict} == known


# -- signals of the guard ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signal:
    """What is set on an endpoint that is stuck otherwise; the verdict; the evidence by which it is left alone."""

    spec: Mapping[str, Any]
    verdict: str
    evidence: tuple[str, Any]
    by_force: bool = False


def setup(name: str, verdict: str = "expected", **more: Any) -> Signal:
    return Signal({"setup": {name: 1, **more}}, verdict, ("setup", more.get("CmdLine") or f"{name}=1"), bool(more))


def registry(key: str, **values: int) -> dict[str, Any]:
    return {"registry": {key: {name: {"type": "dword", "data": value} for name, value in values.items()}}}


ARMED = r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"
SIGNALS: dict[str, Signal] = {
    **{
        name: Signal({"processes": [name]}, "expected", ("process", name))
        for name in ("TSManager.exe", "OSDApplyOS.exe", "WindowsUpdateBox.exe", "windeploy.exe")
    },
    "setup.exe": Signal({"processes": [r"D:\sources\setup.exe /quiet"]}, "expected", ("process", "setup.exe")),
    "smstsmgr": Signal({"services": {"smstsmgr": {"state": "Running"}}}, "expected", ("service", "smstsmgr Running")),
    **{name: setup(name) for name in ("SystemSetupInProgress", "OOBEInProgress")},
    **{
        name: Signal(registry(r"HKLM\SYSTEM\Setup", **{name: 1}), "expected", ("setup", f"{name}=1"))
        for name in ("Upgrade", "RollbackActive", "FactoryPreInstallInProgress")
    },
    "SetupType": setup("SetupType", "resume_pending", CmdLine=ARMED),
    "SetupPhase": Signal({"setup": {"SetupPhase": 4}}, "resume_pending", ("setup", "SetupPhase=4"), by_force=True),
    "AuditBoot": Signal(registry(r"HKLM\SYSTEM\Setup\Status", AuditBoot=1), "expected", ("audit", True)),
    "Autopilot": Signal(
        registry(
            r"HKLM\SOFTWARE\Microsoft\Windows\Autopilot\EnrollmentStatusTracking\Device\Setup",
            HasProvisioningCompleted=0,
        ),
        "expected",
        ("autopilot", True),
    ),
    "young, a request": Signal(
        {"uptime": "5m", "ts_requests": [{"State": "Running", "RunningState": "Running", "CompletionState": ""}]},
        "resume_pending",
        ("request", "Running/Running/-"),
    ),
    "young, an agent that starts by itself": Signal(
        {"uptime": "5m", "ts_requests": [], "services": {"smstsmgr": {"start_mode": "Auto"}}},
        "resume_pending",
        ("service", "smstsmgr Auto"),
    ),
    "young, a client that was left disabled": Signal(
        {"uptime": "5m", "ts_requests": [], "services": {"CcmExec": {"state": "Stopped", "start_mode": "Disabled"}}},
        "resume_pending",
        ("service", "CcmExec Disabled"),
    ),
    "MiniNT": Signal({"winpe": True}, "expected", ("winpe", True)),
}
UNREADABLE: dict[str, Mapping[str, str]] = {
    "processes": {"class": "Win32_Process"},
    "services": {"class": "Win32_Service"},
    "setup": {"value": "SYSTEM\\Setup"},
    "winpe": {"value": "MiniNT"},
    "audit": {"value": "SYSTEM\\Setup\\Status"},
    "autopilot": {"value": "EnrollmentStatusTracking"},
    "clock": {"class": "Win32_OperatingSystem"},
}
MODULES: dict[str, Mapping[str, Any]] = {
    "client_action": {"schedules": ["application_evaluation"]},
    "client_preparation": {"wait_timeout": 1},
    "provisioning_mode": {"enabled": False},
    "provisioning_safeguard": {},
    "provisioning_timeout": {"max_minutes": 60},
    "smstsmgr_dependency": {"depends_on": []},
    "task_sequence_request": {"minimum_age": 0},
}
"""What writes to an endpoint, each with something to do there."""
NEEDED = {
    "services unreadable": (("client_action", "client_preparation", "smstsmgr_dependency"), "Win32_Service"),
    "clock unreadable": (("client_action", "client_preparation", "provisioning_safeguard"), "Win32_OperatingSystem"),
}
"""What these read for what they do themselves, so that they fail where it cannot be read."""


def case_of(module: str, signal: Mapping[str, Any], **options: Any) -> Case:
    given = signal.get("services", {})
    services = {**given, "smstsmgr": {"depend_on": ["Winmgmt"], **given.get("smstsmgr", {})}}
    profile = "normal" if module == "client_preparation" else "stuck"  # a preparation comes before the mode
    return Case(module, {**MODULES[module], **options}, {"profile": profile, **signal, "services": services})


def unreadable(match: Mapping[str, str]) -> dict[str, Any]:
    return {"faults": [{"match": dict(match), "then": "provider_failure"}]}


@pytest.fixture(scope="module")
def guarded(lab: Lab) -> dict[str, Outcome]:
    signals = {key: signal.spec for key, signal in SIGNALS.items()}
    signals |= {f"{key} unreadable": unreadable(match) for key, match in UNREADABLE.items()}
    cases = {f"{key}, {module}": case_of(module, signal) for key, signal in signals.items() for module in MODULES}
    forced = {f"{key}, forced": case_of("provisioning_mode", signal, **FORCE) for key, signal in signals.items()}
    return lab.play({**cases, **forced, **{module: case_of(module, {}) for module in MODULES}})


def test_every_module_that_writes_is_guarded_here() -> None:
    reading = {module for module in EVERY_MODULE if module.endswith("_info")} | {"client_log"}
    assert set(MODULES) | reading == set(EVERY_MODULE)


def test_every_signal_has_an_endpoint() -> None:
    constants = product("_client.constants")
    names = {*constants.SETUP_LIVE, *constants.SETUP_ARMED, constants.AGENT_SERVICE, constants.AUDIT, "Autopilot"}
    assert names | {constants.WINPE_KEY.rpartition("\\")[2]} <= set(SIGNALS)
    readings = {each.name for each in dataclasses.fields(product("_client.activity").Activity)}
    assert set(UNREADABLE) == readings - {"system", "requests", "unreadable"} | {"clock"}


@pytest.mark.parametrize("key", SIGNALS)
def test_a_signal_keeps_the_client_in_the_mode_and_is_named(guarded: dict[str, Outcome], key: str) -> None:
    signal = SIGNALS[key]
    outcome = guarded[f"{key}, provisioning_mode"]
    assert (outcome.status, outcome.result["verdict"]) == ("ok", signal.verdict), outcome.msg
    name, value = signal.evidence
    assert value in [item["value"] for item in outcome.signals[name]]
    live = [item for name in outcome.signals for item in outcome.signals[name]]
    assert any(str(item["value"]) in outcome.result["left_alone"] for item in live)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("key", [*SIGNALS, *(f"{key} unreadable" for key in UNREADABLE)])
def test_a_signal_stops_whatever_writes(guarded: dict[str, Outcome], key: str, module: str) -> None:
    outcome = guarded[f"{key}, {module}"]
    assert (outcome.changed, outcome.writes, outcome.endpoint["shells"]) == (False, [], []), outcome.msg
    modules, needed = NEEDED.get(key, ((), ""))
    if module in modules:
        assert (outcome.status, needed in outcome.msg) == ("failed", True)
    else:
        assert (outcome.status, bool(outcome.result["left_alone"])) == ("ok", True)


@pytest.mark.parametrize("key", [*SIGNALS, *(f"{key} unreadable" for key in UNREADABLE)])
def test_force_overrules_a_restart_that_is_waited_for_and_nothing_else(guarded: dict[str, Outcome], key: str) -> None:
    outcome = guarded[f"{key}, forced"]
    assert outcome.changed is (key in SIGNALS and SIGNALS[key].by_force), outcome.msg
    assert bool(outcome.writes) is outcome.changed


@pytest.mark.parametrize("module", MODULES)
def test_without_a_signal_each_of_them_writes(guarded: dict[str, Outcome], module: str) -> None:
    assert guarded[module].changed, guarded[module].msg
    assert guarded[module].writes


# -- disputed behaviour ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dispute:
    """A case that meets the behaviour; what of the result is known; the mode that the endpoint is in afterwards."""

    case: Case
    result: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "normal"
    status: str = "ok"


RELEASED = {"action": "released", "changed": True}


def release(profile: str = "stuck", /, *, options: Any = None, **spec: Any) -> Case:
    return Case(
        "provisioning_mode", {"enabled": False, "wait_timeout": 5, **(options or {})}, {"profile": profile, **spec}
    )


def look(profile: str, /, **spec: Any) -> Case:
    return Case(options={"full": True}, spec={"profile": profile, **spec})


def with_variant(case: Case, **variants: Any) -> Case:
    return dataclasses.replace(case, spec={**case.spec, "variants": {**case.spec.get("variants", {}), **variants}})


REFUSING = {"variants": {"sms_client_invoke": "refused"}}
ENTRY = Case("provisioning_mode", {"enabled": True}, {"profile": "normal"})
WRONG_TYPE = {"HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec": {"SystemTaskExcludes": 7}}
LATER = {"max_minutes": 60}
PROOF = Case("client_action", {"schedules": ["hardware_inventory"], "wait": True, "wait_timeout": 1}, {})
INVENTORY = release(
    options={"trigger": ["hardware_inventory"], "wait_timeout": 2}, variants={"known_schedules": "policy"}
)
UNBOUND = Case("smstsmgr_dependency", {}, {"profile": "smstsmgr_dependency"})
BY_COMMAND = release(options={"via": "command"})
LOGS = Case("client_log", {"name": "CcmExec.log"}, {})
FREED = {"changed": True, "depends_on": []}
STUCK, UNKNOWN = {"verdict": "stuck"}, {"verdict": "unknown"}

DISPUTES: dict[str, dict[Any, Dispute]] = {
    "missing_value_code": dict.fromkeys((1, 2), Dispute(look("no_timestamp"), STUCK, "provisioning")),
    "wrong_type_code": {
        2147749893: Dispute(look("stuck", registry=WRONG_TYPE), {}, "provisioning", "failed"),
        1: Dispute(look("stuck", registry=WRONG_TYPE), STUCK, "provisioning"),
    },
    "nil_on_failure": dict.fromkeys(("nil", "absent"), Dispute(look("no_timestamp"), STUCK, "provisioning")),
    "empty_key_arrays": dict.fromkeys(
        ("null", "empty"), Dispute(look("stuck", winpe=True), {"verdict": "expected"}, "provisioning")
    ),
    "parameter_names": dict.fromkeys(("exact", "any_case"), Dispute(release(), RELEASED)),
    "return_value": dict.fromkeys(("zero", "absent", "nil"), Dispute(release(), RELEASED)),
    "lsa_protection": dict.fromkeys((True, False), Dispute(release(), RELEASED)),
    "start_service_answer": dict.fromkeys(("late", "at_once"), Dispute(release("dead_upgrade"), RELEASED)),
    "sms_client_invoke": {
        "allowed": Dispute(release(), {**RELEASED, "via": "wmi"}),
        "refused": Dispute(release(), {**RELEASED, "via": "command"}),
    },
    "sms_client_refusal": {
        **dict.fromkeys(
            ("invalid_method_parameters", "invalid_method", "not_supported", "type_mismatch"),
            Dispute(release(**REFUSING), {**RELEASED, "via": "command"}),
        ),
        **dict.fromkeys(
            ("provider_failure", "failed"),
            Dispute(release(options={"wait_timeout": 1}, **REFUSING), {"changed": False}, "provisioning", "failed"),
        ),
    },
    "set_provisioning_mode": {
        "works": Dispute(release(), RELEASED),
        "ignored": Dispute(release(options={"wait_timeout": 1}), {"changed": False}, "provisioning", "failed"),
        "fails": Dispute(release(options={"wait_timeout": 1}), {"changed": False}, "provisioning", "failed"),
        "flag_only": Dispute(release(options={"wait_timeout": 1}), {"changed": True}, "half_exited", "failed"),
    },
    "known_schedules": {
        "documented": Dispute(release(), RELEASED),
        "policy": Dispute(release(), RELEASED),
    },
    "unknown_schedule": dict.fromkeys(("not_found", "success", "failed"), Dispute(INVENTORY, RELEASED)),
    "enter_restarts": dict.fromkeys((True, False), Dispute(ENTRY, {"action": "entered"}, "provisioning")),
    "exit_enables_ccmexec": dict.fromkeys((False, True), Dispute(release("dead_upgrade"), RELEASED)),
    "scheduler_history_time": dict.fromkeys(("utc", "local"), Dispute(PROOF, {"changed": True})),
    "scheduler_history": dict.fromkeys(("every_trigger", "own_schedule"), Dispute(PROOF, {"changed": True})),
    "request_time": dict.fromkeys(
        ("utc", "local"), Dispute(Case("task_sequence_request", {}, {"profile": "leftovers"}), {"changed": True})
    ),
    "oem_license": dict.fromkeys((False, True), Dispute(release("oem_key"), RELEASED)),
    "change_empty_dependency": dict.fromkeys(("clears", "keeps", "invalid"), Dispute(UNBOUND, FREED)),
    "cleared_dependency": dict.fromkeys(("deleted", "empty"), Dispute(UNBOUND, FREED)),
    "wmic": dict.fromkeys((True, False), Dispute(BY_COMMAND, {**RELEASED, "via": "command"})),
    "powershell": dict.fromkeys((True, False), Dispute(BY_COMMAND, {**RELEASED, "via": "command"})),
    "powershell_language": {
        "FullLanguage": Dispute(LOGS),
        "ConstrainedLanguage": Dispute(LOGS, {"changed": False}, status="failed"),
    },
}
ELSEWHERE = {
    "fails_after_seconds": "test_scenarios.py",
    "not_ready_minutes": "test_scenarios.py",
    "task_sequence_resumes": "tests/guard",
    "max_minutes_read": "below",
    "timestampless_exit": "below",
}
"""What takes its time."""
WSMAN: dict[str, tuple[Any, ...]] = {
    "access_denied": ("service", "provider", "connect", "win32"),
    "first_page": ("one", "all"),
    "empty_items": ("element", "absent"),
    "projected_row": ("fragment", "instance"),
    "missing_namespace": ("wmi_error", "wsman"),
    "operations_quota": ("wmi_error", "wsman"),
    "provider_architecture": ("ignored", "honoured"),
    "client_wmi_uri": ("accepted", "unknown_uri", "unknown_action", "not_found", "bad_parameters"),
    "client_dmtf_uri": (
        *("accepted", "unknown_uri", "unknown_action", "not_found"),
        *("not_dmtf", "other_version", "other_namespace"),
    ),
    "activity_id": (True, False),
    "shell_description": (True, False),
}


@pytest.fixture(scope="module")
def disputed(lab: Lab) -> dict[str, Outcome]:
    cases = {
        f"{name} {value}": with_variant(dispute.case, **{name: value})
        for name, values in DISPUTES.items()
        for value, dispute in values.items()
    }
    for name, values in WSMAN.items():
        for value in values:
            cases[f"wsman {name} {value}"] = release("native_refused", wsman={name: value})
            cases[f"wsman {name} {value}, no client"] = look("no_client", wsman={name: value})
            cases[f"wsman {name} {value}, denied"] = look("access_denied", wsman={name: value})
    return lab.play(cases)


def test_every_disputed_behaviour_has_an_endpoint() -> None:
    allowed = {each.name: set(each.metadata.get("allowed", ())) for each in dataclasses.fields(Variants)}
    assert set(DISPUTES) | set(ELSEWHERE) == set(allowed)
    assert {name: set(values) for name, values in DISPUTES.items()} == {name: allowed[name] for name in DISPUTES}
    choices = {
        each.name for each in dataclasses.fields(WsmanSettings) if each.metadata or isinstance(each.default, bool)
    }
    assert choices == set(WSMAN)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in DISPUTES.items() for value in values])
def test_whatever_is_true_of_what_is_disputed(disputed: dict[str, Outcome], name: str, value: Any) -> None:
    outcome, dispute = disputed[f"{name} {value}"], DISPUTES[name][value]
    assert outcome.status == dispute.status, outcome.result
    assert {key: outcome.result.get(key) for key in dispute.result} == dispute.result, outcome.msg
    assert outcome.endpoint["mode"] == dispute.mode
    if outcome.result.get("action") == "released":
        assert outcome.endpoint["client"]["loaded_mode"] is False
        assert outcome.endpoint["services"]["CcmExec"]["start_mode"] == "Auto"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WSMAN.items() for value in values])
def test_whatever_is_true_of_the_protocol(disputed: dict[str, Outcome], name: str, value: Any) -> None:
    released = disputed[f"wsman {name} {value}"]
    assert (released.status, released.result.get("action")) == ("ok", "released"), released.msg
    assert released.endpoint["mode"] == "normal"
    assert disputed[f"wsman {name} {value}, no client"].result["verdict"] == "not_installed"
    denied = disputed[f"wsman {name} {value}, denied"]
    assert (denied.status, denied.result["error_layer"]) == ("failed", "permission")


# What the client makes of its limit, and of a mode without a time of entry: days later.
DAYS_LATER = {
    "limit read each time": ({"profile": "normal"}, {"max_minutes_read": "each_check"}, "normal"),
    "limit read at the start": ({"profile": "normal"}, {"max_minutes_read": "at_start"}, "overdue"),
    "no time, stays": ({"profile": "no_timestamp"}, {"timestampless_exit": "stays"}, "stuck"),
    "no time, leaves": ({"profile": "no_timestamp"}, {"timestampless_exit": "leaves"}, "normal"),
}


def test_whatever_the_client_does_by_itself_is_told_and_put_right(fast_lab: Lab) -> None:
    names = fast_lab.add({key: {**spec, "variants": variants} for key, (spec, variants, _) in DAYS_LATER.items()})
    before = fast_lab.again(names, dict.fromkeys(names, look("stuck")))
    assert [outcome.result["verdict"] for outcome in before.values()] == ["normal", "normal", "stuck", "stuck"]
    limited = [key for key in names if key.startswith("limit")]
    for case in (ENTRY, Case("provisioning_timeout", LATER)):
        for outcome in fast_lab.again({key: names[key] for key in limited}, dict.fromkeys(limited, case)).values():
            assert outcome.changed, outcome.msg
    fast_lab.simulator.advance("5h")
    seen = fast_lab.again(names, dict.fromkeys(names, look("stuck")))
    assert {key: outcome.result["verdict"] for key, outcome in seen.items()} == {
        key: verdict for key, (_, _, verdict) in DAYS_LATER.items()
    }
    released = fast_lab.again(names, dict.fromkeys(names, release()))
    assert {outcome.endpoint["mode"] for outcome in released.values()} == {"normal"}
    assert {key for key, outcome in released.items() if outcome.changed} == {
        key for key, (_, _, verdict) in DAYS_LATER.items() if verdict != "normal"
    }
