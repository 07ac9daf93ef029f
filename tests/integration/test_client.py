# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules that are triggered, what stands before them and what proves them; what an endpoint tells of its client.

What happened is asserted on the simulator's own knowledge of the endpoint.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome

REQUEST, EVALUATION, APPLICATIONS, SCAN, INVENTORY = (
    f"{{00000000-0000-0000-0000-000000000{number:03d}}}" for number in (21, 22, 121, 113, 1)
)
POLICY = ["machine_policy_request", "machine_policy_evaluation"]
TRIGGER = {"class": "SMS_Client", "method": "TriggerSchedule"}
CLIENT = "HKLM\\SOFTWARE\\Microsoft\\SMS\\Mobile Client"


def action(profile: str = "normal", /, *, check: bool = False, spec: Any = None, **options: Any) -> Case:
    return Case("client_action", options, {"profile": profile, **(spec or {})}, check=check)


def info(profile: str = "normal", /, **spec: Any) -> Case:
    return Case("client_info", {}, {"profile": profile, **spec})


def triggered(outcome: Outcome) -> list[str]:
    """The ids of what somebody triggered on the endpoint, in order."""
    events = outcome.endpoint["events"][len(outcome.before["events"]) :]
    return [each["detail"].split()[0] for each in events if each["event"] == "schedule.triggered"]


def said(outcome: Outcome, key: str) -> list[Any]:
    return [each[key] for each in outcome.result["schedules"]]


# -- schedules that are triggered --------------------------------------------------------------------------------------

AFTER_EXIT = [f"{{00000000-0000-0000-0000-000000000{number:03d}}}" for number in (21, 22, 3, 1, 111)]
TRIGGERED: dict[str, tuple[Case, list[str]]] = {
    "by name and id": (action(schedules=["software_updates_scan", INVENTORY]), [SCAN, INVENTORY]),
    "one": (action(schedules=["hardware_inventory"]), [INVENTORY]),
    "after an exit": (action(), AFTER_EXIT),
    "with a pause": (action(schedules=POLICY, pause=1), [REQUEST, EVALUATION]),
    "in the mode": (
        action("stuck", schedules=[*POLICY, "application_evaluation"]),
        [REQUEST, EVALUATION, APPLICATIONS],
    ),
    "success as nothing": (
        action(schedules=POLICY, spec={"variants": {"return_value": "absent"}}),
        [REQUEST, EVALUATION],
    ),
    "success as null": (action(schedules=POLICY, spec={"variants": {"return_value": "nil"}}), [REQUEST, EVALUATION]),
    "refused natively": (
        action(schedules=POLICY, spec={"variants": {"sms_client_invoke": "refused"}}),
        [REQUEST, EVALUATION],
    ),
    "one spelling refused": (
        action(schedules=POLICY, spec={"wsman": {"client_wmi_uri": "not_found"}}),
        [REQUEST, EVALUATION],
    ),
    "by command": (action(schedules=POLICY, via="command"), [REQUEST, EVALUATION]),
    "by command, no wmic": (
        action(schedules=POLICY, via="command", spec={"variants": {"wmic": False}}),
        [REQUEST, EVALUATION],
    ),
    "still starting": (
        action(
            schedules=POLICY,
            spec={"faults": [{"match": {**TRIGGER, "nth": "1-2"}, "then": "provider_failure"}]},
        ),
        [REQUEST, EVALUATION],
    ),
}
BY_COMMAND = ("refused natively", "by command", "by command, no wmic")


@pytest.fixture(scope="module")
def outcomes(lab: Lab) -> dict[str, Outcome]:
    """Everything that this module does, in one run."""
    cases = {key: case for key, (case, _) in TRIGGERED.items()}
    cases |= LEFT_ALONE | FAILED | REFUSED_OPTIONS | PROVEN | UNPROVEN | OTHERS
    cases |= {key: case for key, (case, _) in INFO.items()} | LOST
    return lab.play(cases)


@pytest.mark.parametrize("key", TRIGGERED)
def test_schedules_are_triggered_in_order(outcomes: dict[str, Outcome], key: str) -> None:
    outcome, wanted = outcomes[key], TRIGGERED[key][1]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert triggered(outcome) == wanted
    assert said(outcome, "id") == wanted
    assert said(outcome, "triggered") == [True] * len(wanted)
    assert said(outcome, "proof") == [None] * len(wanted)
    assert outcome.result["left_alone"] == ""
    way = "cim" if key == "one spelling refused" else "wmi"
    assert outcome.result["via"] == ("command" if key in BY_COMMAND else way)
    assert outcome.endpoint["shells"] == []
    assert outcome.endpoint["shells_opened"] > 0 or key not in BY_COMMAND


def test_two_schedules_cost_this_many_calls(outcomes: dict[str, Outcome]) -> None:
    """Mode 2, service 1, name 1, operating system 1; what runs 12 and 9, and the two."""
    assert len(outcomes["by name and id"].calls) == 28


def test_what_the_mode_makes_of_them(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["in the mode"]
    request, evaluation, applications = said(outcome, "effect_in_mode")
    assert "does not act on it" in request
    assert "do not appear" in evaluation
    assert "starts installations" in applications
    assert "deployment.started" in outcome.happened
    assert outcome.endpoint["mode"] == "provisioning"
    assert outcome.result["provisioning_mode"] is True
    assert said(outcomes["one"], "effect_in_mode") == [None]


# -- the guard ---------------------------------------------------------------------------------------------------------

INSTALL = ["application_evaluation"]
LEFT_ALONE = {
    "default in the mode": action("stuck"),
    "default, half out": action("half_exited"),
    "live osd": action("live_osd", schedules=INSTALL),
    "live, out of the mode": action("normal", schedules=INSTALL, spec={"processes": ["TSManager.exe"]}),
    "live upgrade": action("live_upgrade", schedules=INSTALL),
    "resume pending": action("upgrade_pending_restart", schedules=INSTALL),
    "processes unreadable": action("broken_wmi", schedules=INSTALL),
    "half out and live": action("half_exited", schedules=INSTALL, spec={"processes": ["SetupHost.exe"]}),
    "mode unknown and live": action("missing_mode_value", schedules=INSTALL, spec={"winpe": True}),
    "live, check": action("live_osd", schedules=INSTALL, check=True),
}


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_a_client_that_would_be_disturbed_is_left_alone(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("ok", False), outcome.msg
    assert outcome.result["left_alone"]
    assert outcome.msg == f"Left alone. {outcome.result['left_alone']}"
    assert outcome.writes == []
    assert triggered(outcome) == []
    assert not any(said(outcome, "triggered"))


# -- what goes wrong ---------------------------------------------------------------------------------------------------

MISSING = [{"match": {**TRIGGER, "value": SCAN}, "then": "fault 0x80041002"}]
FAILED = {
    "no client": action("no_client", schedules=POLICY),
    "stopped": action(schedules=POLICY, spec={"services": {"CcmExec": {"state": "Stopped", "start_mode": "Disabled"}}}),
    "left behind by an upgrade": action("dead_upgrade", schedules=POLICY),
    "wrong machine": action("stale_name", schedules=POLICY),
    "denied": action("access_denied", schedules=POLICY),
    "limited": action("limited_account", schedules=POLICY, via="wmi"),
    "never ready": action(
        schedules=POLICY, wait_timeout=1, spec={"faults": [{"match": TRIGGER, "then": "provider_failure"}]}
    ),
}
OTHERS = {
    "check": action(schedules=POLICY, wait=True, check=True),
    "one of three is missing": action(
        schedules=["machine_policy_request", "software_updates_scan", "hardware_inventory"],
        via="wmi",
        spec={"faults": MISSING},
    ),
}
REFUSED_OPTIONS = {
    "unknown": action(schedules=["machine_policy", "hardware_inventory"]),
    "twice": action(schedules=["hardware_inventory", INVENTORY]),
    "empty": action(schedules=[]),
    "too long": action(schedules=POLICY, pause=290),
    "unknown in trigger": Case(
        "provisioning_mode", {"enabled": False, "trigger": ["hardwareinventory"]}, {"profile": "stuck"}
    ),
}
WORDS = {
    "no client": "no ConfigMgr client",
    "stopped": "Stopped (start mode Disabled)",
    "left behind by an upgrade": "provisioning_mode",
    "wrong machine": "calls itself",
    "denied": "",
    "limited": "denied",
    "never ready": "2 of 2",
    "unknown": "did you mean machine_policy_request",
    "twice": "hardware_inventory more than once",
    "empty": "schedules is empty",
    "too long": "deadline=300",
    "unknown in trigger": "did you mean hardware_inventory",
}


@pytest.mark.parametrize("key", FAILED)
def test_what_cannot_be_triggered_fails(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("failed", False), outcome.msg
    assert WORDS[key] in outcome.msg
    assert triggered(outcome) == []


@pytest.mark.parametrize("key", REFUSED_OPTIONS)
def test_options_are_refused_before_anything_is_sent(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert outcome.status == "failed"
    assert WORDS[key] in outcome.msg
    assert outcome.calls == []
    assert outcome.traffic["login_requests"] == 0


def test_check_mode_triggers_nothing_and_says_what_would_be(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["check"]
    assert (outcome.status, outcome.changed) == ("ok", True)
    assert outcome.msg == f"Would trigger {', '.join(POLICY)}."
    assert said(outcome, "name") == POLICY
    assert said(outcome, "triggered") == [False, False]
    assert outcome.writes == []
    assert triggered(outcome) == []


def test_one_that_is_missing_does_not_keep_the_others_back(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["one of three is missing"]
    assert (outcome.status, outcome.changed) == ("failed", True)
    assert triggered(outcome) == [REQUEST, INVENTORY]
    assert said(outcome, "triggered") == [True, False, True]
    assert "1 of 3" in outcome.msg
    assert "software_updates_scan" in outcome.msg
    assert [bool(problem) for problem in said(outcome, "problem")] == [False, True, False]


# -- proof -------------------------------------------------------------------------------------------------------------


def waits(wait_timeout: int = 60, /, *, zone: int = 0, skew: str = "0s", broken: Any = None, **variants: Any) -> Case:
    spec = {"os": {"time_zone": zone}, "clock_skew": skew, "variants": variants, "broken_classes": broken or {}}
    return action(schedules=POLICY, wait=True, wait_timeout=wait_timeout, spec=spec)


PROVEN = {
    "utc": waits(),
    "utc, east": waits(zone=330),
    "utc, west": waits(zone=-480),
    "local, east": waits(zone=330, scheduler_history_time="local"),
    "local, west": waits(zone=-480, scheduler_history_time="local"),
    "local, a quarter": waits(zone=15, scheduler_history_time="local"),
    "clock ahead": waits(skew="3h", zone=60, scheduler_history_time="local"),
    "proof of a command": waits(sms_client_invoke="refused"),
}
UNPROVEN = {
    "not noted": waits(1, scheduler_history="own_schedule"),
    "history unreadable": waits(broken={"CCM_Scheduler_History": "provider_failure"}),
}


@pytest.mark.parametrize("key", PROVEN)
def test_the_scheduler_proves_what_ran(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert triggered(outcome) == [REQUEST, EVALUATION]
    assert said(outcome, "proof") == ["seen", "seen"]
    assert said(outcome, "proof_reason") == ["", ""]
    assert "warnings" not in outcome.result


@pytest.mark.parametrize(("key", "proof"), [("not noted", "none"), ("history unreadable", "unreadable")])
def test_a_missing_proof_is_a_warning(outcomes: dict[str, Outcome], key: str, proof: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("ok", True)
    assert triggered(outcome) == [REQUEST, EVALUATION]
    assert said(outcome, "proof") == [proof, proof]
    assert all(said(outcome, "proof_reason"))
    assert len(outcome.result["warnings"]) == 2
    assert "may have run" in outcome.result["warnings"][0]


# -- what an endpoint tells of its client ------------------------------------------------------------------------------

REBOOT = {"HKLM\\SOFTWARE\\Microsoft\\SMS\\Mobile Client\\Reboot Management\\RebootData": {"RebootBy": 1}}
INFO: dict[str, tuple[Case, dict[str, Any]]] = {
    "info": (
        info(),
        {
            "installed": True,
            "client_version": "5.00.9128.1007",
            "release": "2403",
            "site": "ABC",
            "management_point": "mp01.corp.example",
            "restart_pending": False,
            "operating_system": "Microsoft Windows 10 Enterprise",
            "operating_system_version": "10.0.19045",
            "domain": "corp.example",
            "uptime_minutes": 3 * 24 * 60,
            "last_policy_request": None,
        },
    ),
    "info, server": (info("server"), {"operating_system": "Microsoft Windows Server 2022 Standard"}),
    "info, workgroup": (info(domain="WORKGROUP"), {"domain": None}),
    "info, old": (info("old_client"), {"release": "1710", "installed": True}),
    "info, 1802": (info("smstsmgr_dependency"), {"release": "1802"}),
    "info, between": (info(client_version="5.00.9130.1000"), {"release": "2403"}),
    "info, newer": (info(client_version="5.00.9999.1000"), {"release": "newer than 2603"}),
    "info, restart": (info(registry=REBOOT), {"restart_pending": True}),
    "info, site by method": (info(registry={CLIENT: {"AssignedSiteCode": ""}}), {"site": "ABC"}),
    "info, other class": (
        info(broken_classes={"SMS_Authority": "provider_failure"}),
        {"management_point": "mp01.corp.example"},
    ),
    "info, no client": (
        info("no_client"),
        {
            "installed": False,
            "client_version": None,
            "release": None,
            "site": None,
            "management_point": None,
            "restart_pending": None,
            "services": {"ccmexec": None, "smstsmgr": None},
        },
    ),
    "info, upgrade died": (info("dead_upgrade"), {"installed": True, "release": "2403"}),
}
LOST = {
    part: info(broken_classes={name: "provider_failure"})
    for part, name in {
        "services": "Win32_Service",
        "client_class": "SMS_Client",
        "names": "Win32_ComputerSystem",
        "operating_system": "Win32_OperatingSystem",
        "last_policy_request": "CCM_Scheduler_History",
        "restart_pending": "CCM_ClientUtilities",
    }.items()
} | {"everything": info("access_denied")}


@pytest.mark.parametrize("key", INFO)
def test_the_client_is_told(outcomes: dict[str, Outcome], key: str) -> None:
    outcome, wanted = outcomes[key], INFO[key][1]
    assert (outcome.status, outcome.changed) == ("ok", False), outcome.msg
    assert {name: outcome.result[name] for name in wanted} == wanted
    assert outcome.result["unreadable"] == {}
    assert outcome.result["computer_name"] == outcome.endpoint["name"].upper()
    assert outcome.writes == []
    assert outcome.endpoint["shells_opened"] == 0


def test_the_services_are_told(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["info"].result["services"] == {
        "ccmexec": {"state": "Running", "start_mode": "Auto", "dependencies": ["winmgmt"]},
        "smstsmgr": {"state": "Stopped", "start_mode": "Manual", "dependencies": ["Winmgmt"]},
    }
    assert outcomes["info, 1802"].result["services"]["smstsmgr"]["dependencies"] == ["Winmgmt", "CcmExec"]
    assert outcomes["info, upgrade died"].result["services"]["ccmexec"]["start_mode"] == "Disabled"


def test_a_client_costs_this_many_calls(outcomes: dict[str, Outcome]) -> None:
    """Services 2, since the second row comes with a Pull, their dependencies 2, and one for each other part."""
    assert len(outcomes["info"].calls) == 11


@pytest.mark.parametrize(
    ("key", "applying"),
    [
        ("info", {"leaves_by_itself"}),
        ("info, old", {"compatibility_scan_enters_mode"}),
        ("info, 1802", {"compatibility_scan_enters_mode", "entry_fails_with_dependency"}),
    ],
)
def test_behaviours_of_the_release_are_told(outcomes: dict[str, Outcome], key: str, applying: set[str]) -> None:
    found = outcomes[key].result["behaviours"]
    assert {each["behaviour"] for each in found if each["applies"]} == applying


@pytest.mark.parametrize("part", [part for part in LOST if part != "everything"])
def test_one_part_that_is_lost_spoils_no_other(outcomes: dict[str, Outcome], part: str) -> None:
    outcome = outcomes[part]
    assert outcome.status == "ok", outcome.msg
    assert list(outcome.result["unreadable"]) == [part]
    assert outcome.result["installed"] is True
    assert outcome.result["client_version"] == "5.00.9128.1007"
    assert outcome.result["site"] == "ABC"


def test_an_account_that_may_read_nothing_is_told_so(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["everything"]
    assert outcome.status == "ok", outcome.msg
    assert outcome.result["installed"] is None
    assert len(outcome.result["unreadable"]) >= 9
