# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaving the mode: the ladder of ways, what stands before it, what goes wrong in the middle, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, client_key, spelled

REQUEST = "{00000000-0000-0000-0000-000000000021}"
EVALUATION = "{00000000-0000-0000-0000-000000000022}"
WMIC = r"C:\Windows\system32\wbem\WMIC.exe /namespace:\\root\ccm path sms_client CALL"
POWERSHELL = (
    r"C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe -NoProfile -NonInteractive -Command"
    r" Invoke-WmiMethod -Namespace 'root\ccm' -Class 'SMS_Client' -Name"
)
SET = {"class": "SMS_Client", "method": "SetClientProvisioningMode"}


def release(
    profile: str = "stuck", /, *, options: dict[str, Any] | None = None, check: bool = False, **spec: Any
) -> Case:
    return Case("provisioning_mode", {"enabled": False, **(options or {})}, {"profile": profile, **spec}, check=check)


def fault(match: dict[str, Any], then: Any) -> list[dict[str, Any]]:
    return [{"match": match, "then": then}]


def is_released(outcome: Outcome) -> bool:
    client = outcome.endpoint["client"]
    return outcome.endpoint["mode"] == "normal" and client["running"] and client["loaded_mode"] is False


def over_psrp(case: Case) -> Case:
    return replace(case, vars=spelled("psrp"))


# -- the ladder --------------------------------------------------------------------------------------------------------

REFUSED = {"sms_client_invoke": "refused"}
LADDER = {
    "auto, allowed": (release(), "wmi"),
    "wmi, allowed": (release(options={"via": "wmi"}), "wmi"),
    "wmi, the other spelling refused": (release(options={"via": "wmi"}, wsman={"client_dmtf_uri": "not_dmtf"}), "wmi"),
    "cim": (release(options={"via": "cim"}), "cim"),
    "cim, the other spelling refused": (
        release(options={"via": "cim"}, wsman={"client_wmi_uri": "unknown_uri"}),
        "cim",
    ),
    **{
        f"auto, one spelling refused as {how}": (release(wsman={"client_wmi_uri": how}), "cim")
        for how in ("unknown_uri", "unknown_action", "not_found", "bad_parameters")
    },
    **{
        f"auto, refused by spellings, the second as {how}": (
            release(wsman={"client_wmi_uri": "unknown_action", "client_dmtf_uri": how}),
            "wmic",
        )
        for how in ("unknown_uri", "unknown_action", "not_found", "not_dmtf", "other_version", "other_namespace")
    },
    "auto, refused": (release("native_refused"), "wmic"),
    "auto, refused as unknown method": (
        release(variants={**REFUSED, "sms_client_refusal": "invalid_method"}),
        "wmic",
    ),
    "auto, refused as not supported": (
        release(variants={**REFUSED, "sms_client_refusal": "not_supported"}),
        "wmic",
    ),
    "auto, refused, no wmic": (release("native_refused", variants={"wmic": False}), "powershell"),
    "command": (release(options={"via": "command"}), "wmic"),
    "command, no wmic": (release(options={"via": "command"}, variants={"wmic": False}), "powershell"),
    "success as nothing": (release(variants={"return_value": "absent"}), "wmi"),
    "success as null": (release(variants={"return_value": "nil"}), "wmi"),
}
LADDER |= {f"psrp: {key}": (over_psrp(LADDER[key][0]), LADDER[key][1]) for key in ("auto, allowed", "cim", "command")}
NATIVE = {"wmi": "/wsman/1/wmi/root/ccm/SMS_Client", "cim": "/wscim/1/cim-schema/2/SMS_Client"}


@pytest.fixture(scope="module")
def ladder(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: case for key, (case, _) in LADDER.items()})


@pytest.mark.parametrize("key", LADDER)
def test_each_way_leads_out(ladder: dict[str, Outcome], key: str) -> None:
    outcome = ladder[key]
    assert (outcome.status, outcome.changed, outcome.result.get("action")) == ("ok", True, "released"), outcome.msg
    assert is_released(outcome)
    assert outcome.happened.count("schedule.triggered") == 2
    way = LADDER[key][1]
    assert outcome.result["via"] == (way if way in NATIVE else "command")


@pytest.mark.parametrize("key", LADDER)
def test_the_command_lines_are_these(ladder: dict[str, Outcome], key: str) -> None:
    way = LADDER[key][1]
    wmic = [
        f"{WMIC} {call} /NOINTERACTIVE"
        for call in (
            'SetClientProvisioningMode "False"',
            f'TriggerSchedule "{REQUEST}"',
            f'TriggerSchedule "{EVALUATION}"',
        )
    ]
    powershell = [
        f"{POWERSHELL} {call}"
        for call in (
            "'SetClientProvisioningMode' -ArgumentList $false",
            f"'TriggerSchedule' -ArgumentList '{REQUEST}'",
            f"'TriggerSchedule' -ArgumentList '{EVALUATION}'",
        )
    ]
    run = ladder[key].commands()
    if way in NATIVE:
        assert run == []
        assert ladder[key].endpoint["shells_opened"] == 0
    elif way == "wmic":
        assert run == wmic
    else:
        assert [line for line in run if "powershell" in line] == powershell


@pytest.mark.parametrize("key", LADDER)
def test_no_shell_stays_open(ladder: dict[str, Outcome], key: str) -> None:
    assert ladder[key].endpoint["shells"] == []
    operations = [call["operation"] for call in ladder[key].calls]
    assert operations.count("Create") == operations.count("Delete") == ladder[key].endpoint["shells_opened"]


@pytest.mark.parametrize("key", LADDER)
def test_the_refusal_is_said_and_not_asked_for_again(ladder: dict[str, Outcome], key: str) -> None:
    """What is refused is asked for once, and what is accepted from then on."""
    way, outcome = LADDER[key][1], ladder[key]
    native = [
        (call["method"], call["resource"])
        for call in outcome.calls
        if call["method"] in ("SetClientProvisioningMode", "TriggerSchedule")
    ]
    found = [(method, next(each for each in NATIVE if resource.endswith(NATIVE[each]))) for method, resource in native]
    refused = {"wmi": [], "cim": ["wmi"]}.get(way, ["wmi", "cim"]) if key.startswith("auto") else []
    accepted = ["SetClientProvisioningMode", "TriggerSchedule", "TriggerSchedule"] if way in NATIVE else []
    assert found == [
        *(("SetClientProvisioningMode", each) for each in refused),
        *((method, way) for method in accepted),
    ]
    reason = outcome.result["via_reason"] or ""
    assert [each for each in NATIVE if f"{each}: " in reason] == refused


# -- the hours of the day ---------------------------------------------------------------------------------------------

EAST = 570
THERE = datetime.now(timezone.utc) + timedelta(minutes=EAST)
NIGHT, DAY = (
    f"{THERE + timedelta(hours=begin):%H:%M}-{THERE + timedelta(hours=end):%H:%M}" for begin, end in ((-2, 2), (2, -2))
)
"""The windows that this test is inside and outside of, by the clock of an endpoint in the east."""


def test_at_another_time_of_its_day_it_is_left_alone(lab: Lab) -> None:
    found = lab.play({window: release(options={"window": window}, os={"time_zone": EAST}) for window in (NIGHT, DAY)})
    assert is_released(found[NIGHT]), found[NIGHT].msg
    outcome = found[DAY]
    assert (outcome.status, outcome.changed, outcome.result["verdict"]) == ("ok", False, "stuck")
    assert outcome.result["retryable"] is True
    assert f" there, outside of window={DAY}." in outcome.result["left_alone"]
    assert outcome.endpoint["mode"] != "normal"
    assert not outcome.commands() and "client.left" not in outcome.happened


# -- exact costs -------------------------------------------------------------------------------------------------------


def test_a_verified_exit_costs_this_many_calls(ladder: dict[str, Outcome]) -> None:
    """What safety costs: before each of the three writes the guard asks 9 things, and whether it is still planned."""
    read, name, judged, planned, read_back, mode = 19, 1, 9, 5, 3, 2
    writes = 1 + 2  # the call and two schedules
    assert len(ladder["auto, allowed"].calls) == read + name + writes * (judged + 1) + planned + read_back + 2 * mode
    assert len(ladder["auto, allowed"].calls) == 62
    assert ladder["auto, allowed"].traffic["login_requests"] == 3


# -- the guard ---------------------------------------------------------------------------------------------------------

FORCE = {"force": True, "force_reason": "CHG0012345"}
GUARDED = {
    "live osd": release("live_osd", options=FORCE),
    "live upgrade": release("live_upgrade", options=FORCE),
    "agent alone": release(services={"smstsmgr": {"state": "Running"}}, options=FORCE),
    "winpe": release(winpe=True, options=FORCE),
    "oobe": release(setup={"OOBEInProgress": 1}, options=FORCE),
    "setup in progress": release(setup={"SystemSetupInProgress": 1}, options=FORCE),
    "missing mode": release("missing_mode_value", options=FORCE),
    "wmi class missing": release(broken_classes={"SMS_Client": "invalid_class"}, options=FORCE),
    "resume pending": release("upgrade_pending_restart"),
    "recent": release("recent"),
    "half out, armed": release("half_exited", setup={"SetupType": 2, "CmdLine": r"C:\x\SetupComplete.cmd"}),
    "young by its boot": release("no_timestamp", uptime="10m"),
    "future, young boot": release("future_timestamp", uptime="10m"),
    "zero, young boot": release("zero_timestamp", uptime="10m"),
    "wrong type, young boot": release("wrong_type_timestamp", uptime="10m"),
}
UNREADABLE = {
    "processes": {"class": "Win32_Process"},
    "services": {"class": "Win32_Service"},
    "setup": {"value": "SYSTEM\\Setup"},
    "winpe": {"value": "MiniNT"},
    "clock": {"class": "Win32_OperatingSystem"},
    "audit": {"value": "SYSTEM\\Setup\\Status"},
    "autopilot": {"value": "EnrollmentStatusTracking"},
    "hold": {"value": "configmgr.client\\Hold"},
    "registry": {"method": "EnumValues", "value": "CcmExec"},
    "client_version": {"class": "SMS_Client", "operation": "Get"},
    "entered_at": {"value": "ProvisioningEnabledTime"},
}
HOW = ("provider_failure", "wmi_access_denied", "timeout", "quota", "garbage", "dtd", "fault 0x80041001")
SAYS_NOTHING = {
    **dict.fromkeys(("processes", "services", "clock"), ("no_rows",)),
    **dict.fromkeys(("winpe", "hold", "entered_at"), ("return 1",)),
    **dict.fromkeys(("setup", "audit", "autopilot", "registry"), ("no_rows", "return 1")),
}
"""Success with nothing in it, and the code that also means that there is nothing."""
LATE = {"processes": "2+", "services": "3+", "setup": "5+"}
"""Readable the first time, and not right before the call."""


@pytest.fixture(scope="module")
def guarded(lab: Lab) -> dict[str, Outcome]:
    cases = dict(GUARDED)
    for number, (signal, match) in enumerate(UNREADABLE.items()):
        for then in {"provider_failure", HOW[number % len(HOW)], *SAYS_NOTHING.get(signal, ())}:
            cases[f"{signal}, {then}"] = release(faults=fault(match, then), options=FORCE)
    for signal, nth in LATE.items():
        late = {**UNREADABLE[signal], "nth": nth}
        cases[f"{signal}, late"] = release(faults=fault(late, "provider_failure"), options=FORCE)
    return lab.play(cases)


@pytest.mark.parametrize("key", GUARDED)
def test_the_guard_holds(guarded: dict[str, Outcome], key: str) -> None:
    outcome = guarded[key]
    assert (outcome.status, outcome.changed, outcome.result["action"]) == ("ok", False, "none"), outcome.msg
    assert outcome.result["left_alone"]
    assert outcome.msg.startswith("Left alone.")
    assert outcome.writes == []
    assert outcome.endpoint["shells_opened"] == 0


@pytest.mark.parametrize("signal", UNREADABLE)
def test_what_cannot_be_read_is_left_alone(guarded: dict[str, Outcome], signal: str) -> None:
    found = {key: outcome for key, outcome in guarded.items() if key.startswith(f"{signal}, ")}
    assert found
    for key, outcome in found.items():
        assert outcome.writes == [], key
        assert (outcome.status, outcome.result.get("verdict")) == ("ok", "unknown"), (key, outcome.msg)
        assert signal in outcome.result["left_alone"], key
        (evidence,) = [
            item for item in outcome.result["evidence"] if item["signal"] == signal and item["value"] is None
        ]
        assert "could not be read" in evidence["means"]


# -- force -------------------------------------------------------------------------------------------------------------

FORCED = {
    "recent": release("recent", options=FORCE),
    "resume pending": release("upgrade_pending_restart", options=FORCE),
    "held": release(
        options=FORCE,
        registry={
            "HKLM\\SOFTWARE\\configmgr.client\\Hold": {
                "Owner": "anna",
                "Reason": "why",
                "Expires": {"type": "qword", "data": 4102444800},
            }
        },
    ),
    "minimum_age": release("recent", options={"minimum_age": 30}),
    "minimum_age zero": release("recent", options={"minimum_age": 0}),
    "half exited": release("half_exited"),
    "half exited, disabled, full read": release("dead_upgrade"),
    "other schedules": release(options={"trigger": ["hardware_inventory", "software_updates_scan"]}),
    "no schedules": release(options={"trigger": []}),
    "default restart": release(restart_seconds="2s"),
    "idle connection closed": release(triggers=[{"after": {"nth": "9"}, "do": "drop_connections"}]),
    "closed before the call": release(
        triggers=[{"after": {"class": "Win32_Process", "nth": "2"}, "do": "drop_connections"}]
    ),
    "closed in a read back": release(triggers=[{"after": SET, "do": "drop_connections"}]),
    "dropped before the call": release(faults=fault({**SET, "nth": "1"}, "drop")),
    "dropped after the call": release(faults=fault({**SET, "nth": "1"}, "drop_after")),
    "timed out after the call": release(faults=fault(SET, {"do": "timeout", "executed": True})),
    "read dropped in mid-answer": release(faults=fault({"class": "Win32_OperatingSystem", "nth": "1"}, "drop_after")),
    "address": Case(
        "provisioning_mode", {"enabled": False, "name_check": "off"}, {"profile": "stuck"}, name="127.200.1.1"
    ),
    "named by option": Case(
        "provisioning_mode",
        {"enabled": False, "computer_name": "pc-other.corp.example"},
        {"profile": "stuck", "machine_name": "PC-OTHER"},
    ),
    "fqdn": Case(
        "provisioning_mode",
        {"enabled": False, "name_check": "fqdn", "computer_name": "PC-OTHER.corp.example"},
        {"profile": "stuck", "machine_name": "PC-OTHER"},
    ),
    "long name": replace(release(machine_name="ws-berlin-000123"), name="WS-BERLIN-000123"),
    "stale name, not checked": release("stale_name", options={"name_check": "off"}),
    "policy schedule late": release(faults=fault({"method": "TriggerSchedule", "nth": "1"}, "provider_failure")),
    "check": release("recent", options=FORCE, check=True),
}
BROKEN_OFF = ("idle connection closed", "closed before the call", "closed in a read back")
BROKEN_OFF += ("dropped before the call", "dropped after the call", "timed out after the call")
FORCED |= {f"psrp: {key}": over_psrp(FORCED[key]) for key in BROKEN_OFF}


@pytest.fixture(scope="module")
def forced(lab: Lab) -> dict[str, Outcome]:
    return lab.play(FORCED)


@pytest.mark.parametrize("key", [key for key in FORCED if key != "check"])
def test_released(forced: dict[str, Outcome], key: str) -> None:
    outcome = forced[key]
    assert (outcome.status, outcome.changed, outcome.result.get("action")) == ("ok", True, "released"), outcome.msg
    assert is_released(outcome)
    before = outcome.before["services"]["CcmExec"]["process_id"]
    assert outcome.endpoint["services"]["CcmExec"]["process_id"] not in (0, before)


def test_the_reason_of_force_is_returned(forced: dict[str, Outcome]) -> None:
    for key in ("recent", "resume pending", "held", "check"):
        assert forced[key].result["force_reason"] == "CHG0012345"
        assert forced[key].result["verdict"] == key.replace("check", "recent").replace(" ", "_")
    assert "force_reason" not in forced["minimum_age"].result


def test_a_forced_rehearsal_writes_nothing(forced: dict[str, Outcome]) -> None:
    outcome = forced["check"]
    assert outcome.writes == []
    assert outcome.changed and outcome.result["action"] == "released"
    assert outcome.result["steps"] == forced["recent"].result["steps"]
    assert outcome.result["diff"] == forced["recent"].result["diff"]
    assert "Would be released" in outcome.msg


@pytest.mark.parametrize(
    ("key", "schedules"),
    [
        ("recent", [REQUEST, EVALUATION]),
        ("other schedules", ["{00000000-0000-0000-0000-000000000001}", "{00000000-0000-0000-0000-000000000113}"]),
        ("no schedules", []),
        ("policy schedule late", [REQUEST, EVALUATION]),
    ],
)
def test_schedules(forced: dict[str, Outcome], key: str, schedules: list[str]) -> None:
    events = forced[key].endpoint["events"]
    assert [each["detail"].split()[0] for each in events if each["event"] == "schedule.triggered"] == schedules
    assert len([step for step in forced[key].result["steps"] if step["step"] == "trigger_schedule"]) == len(schedules)


def test_an_exit_that_waits_for_the_client_costs_no_more_than_this(forced: dict[str, Outcome]) -> None:
    assert 61 < len(forced["default restart"].calls) <= 75


@pytest.mark.parametrize("key", ["idle connection closed", "closed before the call", "closed in a read back"])
def test_a_kept_alive_connection_that_was_closed_is_opened_again_once(forced: dict[str, Outcome], key: str) -> None:
    assert forced[key].traffic["login_requests"] == 6
    assert forced[key].happened.count("client.left_provisioning_mode") == 1


@pytest.mark.parametrize("key", ["dropped after the call", "timed out after the call"])
def test_a_call_without_an_answer_is_decided_by_reading_back(forced: dict[str, Outcome], key: str) -> None:
    assert client_key(forced[key].endpoint)["ProvisioningMode"]["data"] == "false"
    assert forced[key].result["provisioning_mode"] is False


LIES = {"do": "fault 0x8033803b", "executed": True}


def test_a_refusal_that_lies_is_seen_before_the_next_way_is_taken(lab: Lab) -> None:
    case = release(faults=fault({**SET, "nth": "1"}, LIES))
    (outcome,) = lab.play(
        {
            "refused after the call": case,
        }
    ).values()
    assert [write["event"] for write in outcome.writes] == ["SMS_Client.SetClientProvisioningMode"]
    assert (outcome.status, outcome.result["provisioning_mode"]) == ("ok", False)
    assert "has just changed the mode" in outcome.msg


# -- failures ----------------------------------------------------------------------------------------------------------

QUICK = {"wait_timeout": 1}
# Key: the case; what the message says; whether anything was changed.
FAILED = {
    "lying client": (release("lying_client", options=QUICK), "ProvisioningMode is still true", False),
    "flag only": (
        release(variants={"set_provisioning_mode": "flag_only"}, options=QUICK),
        "SystemTaskExcludes is still filled",
        True,
    ),
    "failing client": (
        release("failing_client", variants={"fails_after_seconds": 0}, options=QUICK),
        "0x80004005",
        False,
    ),
    "client gone for long": (
        release(restart_seconds="1h", options=QUICK),
        "CcmExec is Stopped",
        True,
    ),
    **{
        f"{via}, refused": (
            release("native_refused", options={"via": via, **QUICK}),
            f"Only via={via} was tried",
            False,
        )
        for via in ("wmi", "cim")
    },
    "cim, refused by this spelling alone": (
        release(options={"via": "cim", **QUICK}, wsman={"client_dmtf_uri": "not_dmtf"}),
        "ERROR_WSMAN_URI_NON_DMTF_CLASS",
        False,
    ),
    "second spelling, denied": (
        release(
            wsman={"client_wmi_uri": "unknown_uri"},
            faults=fault({**SET, "value": "__cimnamespace"}, "wmi_access_denied"),
            options=QUICK,
        ),
        "local administrator",
        False,
    ),
    "access denied to the call": (
        release(faults=fault(SET, "wmi_access_denied"), options=QUICK),
        "local administrator",
        False,
    ),
    "limited account": (release("limited_account", options=QUICK), "local administrator", False),
    "denied account": (release("access_denied", options=QUICK), "local administrator", False),
    "never answered": (release(faults=fault(SET, "drop"), options=QUICK), "got no answer", False),
    "dropped twice after the call": (
        release(faults=fault(SET, "drop_after"), restart_seconds="1h", options=QUICK),
        "got no answer",
        True,
    ),
    "timed out": (release(faults=fault(SET, "timeout"), options=QUICK), "got no answer", False),
    "mode denied": (
        release(faults=fault({"value": "ProvisioningMode"}, "wmi_access_denied"), options=QUICK),
        "local administrator",
        False,
    ),
    "mode unreadable": (
        release(faults=fault({"value": "ProvisioningMode"}, "provider_failure"), options=QUICK),
        "WBEM_E_PROVIDER_FAILURE",
        False,
    ),
    "quota": (release(faults=fault({"nth": "1+"}, "quota"), options=QUICK), "limits", False),
    "shell quota": (
        release("native_refused", faults=fault({"operation": "Create"}, "shell_quota"), options=QUICK),
        "limits",
        False,
    ),
    "no wmic, no powershell": (
        release("native_refused", variants={"wmic": False, "powershell": False}, options=QUICK),
        "powershell",
        False,
    ),
    "stale name": (release("stale_name"), "PC-RENAMED", False),
    "long name, cut": (
        replace(release(machine_name="WS-BERLIN-00012"), name="WS-BERLIN-000123"),
        "answers as WS-BERLIN-000123 calls itself WS-BERLIN-00012",
        False,
    ),
    "long name, cut in the same place": (
        replace(release(machine_name="ws-berlin-000124"), name="WS-BERLIN-000123.corp.example"),
        "calls itself ws-berlin-000124",
        False,
    ),
    "stale name by fqdn": (
        release(options={"name_check": "fqdn"}),
        ".corp.example",
        False,
    ),
    "address": (
        Case("provisioning_mode", {"enabled": False}, {"profile": "stuck"}, name="127.200.1.2"),
        "is an address",
        False,
    ),
    "names unreadable": (
        release(faults=fault({"class": "Win32_ComputerSystem"}, "provider_failure")),
        "Win32_ComputerSystem",
        False,
    ),
    "start mode denied": (
        release("dead_upgrade", faults=fault({"method": "ChangeStartMode"}, "wmi_access_denied"), options=QUICK),
        "local administrator",
        False,
    ),
    "start denied": (
        release("dead_upgrade", faults=fault({"method": "StartService"}, "wmi_access_denied"), options=QUICK),
        "local administrator",
        True,
    ),
}


@pytest.fixture(scope="module")
def failed(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: case for key, (case, _, _) in FAILED.items()})


@pytest.mark.parametrize("key", FAILED)
def test_a_failure_says_what_failed(failed: dict[str, Outcome], key: str) -> None:
    outcome = failed[key]
    _, said, changed = FAILED[key]
    assert outcome.status == "failed", outcome.result
    assert said in outcome.msg
    assert len(outcome.msg.splitlines()) == 1
    assert outcome.result["error_layer"]
    assert outcome.changed is changed
    assert outcome.endpoint["shells"] == []


@pytest.mark.parametrize("key", [key for key, (_, _, changed) in FAILED.items() if not changed])
def test_a_failure_that_says_unchanged_changed_nothing(failed: dict[str, Outcome], key: str) -> None:
    outcome = failed[key]
    for part in ("mode", "registry", "services"):
        assert outcome.endpoint[part] == outcome.before[part], part


@pytest.mark.parametrize(
    "key",
    [
        *("stale name", "long name, cut", "long name, cut in the same place", "stale name by fqdn", "address"),
        *("names unreadable", "mode unreadable", "quota"),
    ],
)
def test_what_fails_before_the_call_has_no_writes(failed: dict[str, Outcome], key: str) -> None:
    assert failed[key].writes == []


@pytest.mark.parametrize("key", ["start mode denied", "start denied", "client gone for long"])
def test_a_run_cut_short_is_simply_run_again(lab: Lab, failed: dict[str, Outcome], key: str) -> None:
    name = failed[key].endpoint["name"]
    lab.simulator.patch(name, faults=[], restart_seconds="0s")
    if key == "client gone for long":
        lab.simulator.event(name, "start_ccmexec")
    outcome = lab.again({key: name}, {key: release(options=dict(QUICK))})[key]
    assert outcome.status == "ok"
    assert outcome.endpoint["mode"] == "normal"
    service = outcome.endpoint["services"]["CcmExec"]
    assert (service["state"], service["start_mode"]) == ("Running", "Auto")


# -- what starts in between: tests/guard goes through every moment, and here is what is told --------------------------

ENTERS = [{"after": SET, "do": "start_task_sequence"}]
# Key: the case; what is told; the writes that stand on the endpoint.
RACED = {
    "before the call": (
        release(triggers=[{"after": {"value": "client\\Hold", "nth": 2}, "do": "start_in_place_upgrade"}]),
        "Left alone. ",
        [],
    ),
    "between the service and the call": (
        release("dead_upgrade", triggers=[{"after": {"method": "StartService"}, "do": "start_task_sequence"}]),
        "Left alone. ",
        ["service.ChangeStartMode", "service.StartService"],
    ),
    "between the spellings": (
        release(wsman={"client_wmi_uri": "unknown_uri"}, triggers=ENTERS),
        "Left alone. ",
        [],
    ),
    "between the refusals and the command": (
        release("native_refused", triggers=[{"after": {**SET, "nth": 2}, "do": "start_task_sequence"}]),
        "Left alone. ",
        [],
    ),
    "between the refusal and the command, the shell open": (
        release("native_refused", triggers=[{"after": {"operation": "Create"}, "do": "start_task_sequence"}]),
        "Left alone. ",
        [],
    ),
    "right after the exit": (release(triggers=ENTERS), "Released. ", ["SMS_Client.SetClientProvisioningMode"]),
    "between the schedules": (
        release(triggers=[{"after": {"method": "TriggerSchedule", "nth": 1}, "do": "start_in_place_upgrade"}]),
        "Released. ",
        ["SMS_Client.SetClientProvisioningMode", "SMS_Client.TriggerSchedule"],
    ),
}


@pytest.fixture(scope="module")
def raced(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: case for key, (case, _, _) in RACED.items()})


@pytest.mark.parametrize("key", RACED)
def test_what_starts_in_between_is_not_written_to_and_what_was_done_is_told(
    raced: dict[str, Outcome], key: str
) -> None:
    outcome, (_, said, writes) = raced[key], RACED[key]
    assert outcome.endpoint["task_sequence"]["alive"]
    assert [write["event"] for write in outcome.writes] == writes
    assert (outcome.status, outcome.changed, len(outcome.result["steps"])) == ("ok", bool(writes), len(writes))
    assert outcome.msg.startswith(said) and outcome.result["left_alone"].rstrip(".") in outcome.msg
    assert (outcome.result["action"], outcome.result["retryable"]) == ("released" if said[0] == "R" else "none", True)
    assert outcome.endpoint["shells"] == []


# -- after a start -----------------------------------------------------------------------------------------------------

GOES_ON = {
    "request": {"ts_requests": [{"State": "Running", "RunningState": "Running", "CompletionState": ""}]},
    "agent": {"ts_requests": [], "services": {"smstsmgr": {"start_mode": "Auto"}}},
    "client": {"ts_requests": [], "services": {"CcmExec": {"state": "Stopped", "start_mode": "Disabled"}}},
    "nothing": {"ts_requests": []},
}


def test_what_may_go_on_after_a_start_is_waited_for_and_no_longer(fast_lab: Lab) -> None:
    names = fast_lab.add({key: {"profile": "stuck", "uptime": "10m", **spec} for key, spec in GOES_ON.items()})
    cases = dict.fromkeys(names, release(options=FORCE))
    rehearsed = fast_lab.again(names, dict.fromkeys(names, release(options=FORCE, check=True)))
    assert [key for key, outcome in rehearsed.items() if outcome.changed] == ["nothing"]
    young = fast_lab.again(names, cases)
    quiet = young.pop("nothing")
    assert quiet.result["action"] == "released", quiet.msg
    for outcome in young.values():
        assert (outcome.result["verdict"], outcome.result["retryable"]) == ("resume_pending", True), outcome.msg
        assert (outcome.writes, outcome.result["left_alone"].count("15 min")) == ([], 1)
    fast_lab.simulator.advance("6m")
    for outcome in fast_lab.again(names, cases).values():
        assert is_released(outcome), outcome.msg
