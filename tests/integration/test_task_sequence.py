# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task sequence left: what is told of it, what is cleared, and what stops that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome

KINDS = ["maintenance_requests", "orphaned_policy", "execution_requests", "paused_software_distribution"]
ALL = {"steps": KINDS}
STATE_KEY = "HKLM\\SOFTWARE\\Microsoft\\SMS\\Mobile Client"
DELETE = {"operation": "Delete"}
DEAD = {"State": "Ready", "RunningState": "NotifyExecution", "CompletionState": "Failure", "received": "3d ago"}
TASK = "{3AAF7E53-0E4B-4C6F-8A6D-00000000A001}"
EXPLORER = 4116


def clear(profile: str = "leftovers", /, *, options: dict[str, Any] = ALL, check: bool = False, **spec: Any) -> Case:
    return Case("task_sequence_request", options, {"profile": profile, **spec}, check=check)


def fault(match: dict[str, Any], then: Any) -> list[dict[str, Any]]:
    return [{"match": match, "then": then}]


def starts_after(match: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"after": match, "do": "start_task_sequence"}]


def pause(endpoint: dict[str, Any]) -> dict[str, int]:
    key = endpoint["registry"][STATE_KEY]["Software Distribution"]["key"]["State"]["key"]
    return {name: value["data"] for name, value in key.items()}


def left(endpoint: dict[str, Any]) -> list[str]:
    """What a dead task sequence left, by the simulator's own knowledge."""
    found = ["execution_requests"] * len(endpoint["task_sequence"]["requests"])
    found += [KINDS[0] for each in endpoint["maintenance_requests"] if each["ClientID"] == "execmgr"]
    found += [KINDS[1] for each in endpoint["policies"] if each["PolicySource"] == "CcmTaskSequence"]
    return found + [KINDS[3]] * sum(1 for value in pause(endpoint).values() if value)


def done(outcome: Outcome) -> list[str]:
    return [step["step"] for step in outcome.result["steps"]]


EVERYTHING = [*KINDS, KINDS[3]]

# -- what is cleared ---------------------------------------------------------------------------------------------------

CLEARED = {
    "all": (clear(), EVERYTHING),
    "default": (clear(options={}), [KINDS[2]]),
    "policy alone": (clear(options={"steps": [KINDS[1]]}), [KINDS[1]]),
    "pause alone": (clear(options={"steps": [KINDS[3]]}), [KINDS[3]] * 2),
    "locks alone": (clear(options={"steps": [KINDS[0]]}), [KINDS[0]]),
    "claims to run": (clear(options={}, ts_requests=[{**DEAD, "State": "Running", "ProcessID": 99999}]), [KINDS[2]]),
    "long up, unknown age": (clear(options={}, ts_requests=[{**DEAD, "received": "absent"}]), [KINDS[2]]),
    "in the mode": (clear("stuck", options={}), [KINDS[2]]),
    "dead upgrade": (clear("dead_upgrade", options={}), [KINDS[2]]),
    "lost and carried out": (clear(options={}, faults=fault(DELETE, "drop_after")), [KINDS[2]]),
    "lost and not carried out": (clear(options={}, faults=fault({**DELETE, "nth": 1}, "drop")), [KINDS[2]]),
    "gone already": (clear(options={}, faults=fault(DELETE, {"do": "not_found", "executed": True})), [KINDS[2]]),
    "local times": (
        clear(options={}, os={"time_zone": -480}, variants={"request_time": "local"}),
        [KINDS[2]],
    ),
}


@pytest.fixture(scope="module")
def names(lab: Lab) -> dict[str, str]:
    return lab.add({key: case.spec for key, (case, _) in CLEARED.items()})


@pytest.fixture(scope="module")
def rehearsed(lab: Lab, names: dict[str, str]) -> dict[str, Outcome]:
    return lab.again(names, {key: case for key, (case, _) in CLEARED.items()}, "--check")


@pytest.fixture(scope="module")
def cleared(lab: Lab, names: dict[str, str], rehearsed: dict[str, Outcome]) -> dict[str, Outcome]:
    return lab.again(names, {key: case for key, (case, _) in CLEARED.items()})


@pytest.fixture(scope="module")
def repeated(lab: Lab, names: dict[str, str], cleared: dict[str, Outcome]) -> dict[str, Outcome]:
    return lab.again(names, {key: case for key, (case, _) in CLEARED.items()})


@pytest.mark.parametrize("key", CLEARED)
def test_what_was_asked_for_is_cleared_and_nothing_else(cleared: dict[str, Outcome], key: str) -> None:
    outcome = cleared[key]
    assert (outcome.status, outcome.changed, outcome.result["left_alone"]) == ("ok", True, ""), outcome.msg
    assert done(outcome) == CLEARED[key][1]
    expected = left(outcome.before)
    for kind in CLEARED[key][1]:
        expected.remove(kind)
    assert left(outcome.endpoint) == expected
    assert outcome.result["not_done"] == []


@pytest.mark.parametrize("key", CLEARED)
def test_what_others_own_stays(cleared: dict[str, Outcome], key: str) -> None:
    before, after = cleared[key].before, cleared[key].endpoint
    assert before["programs"] == after["programs"]
    assert [each for each in before["maintenance_requests"] if each["ClientID"] != "execmgr"] == [
        each for each in after["maintenance_requests"] if each["ClientID"] != "execmgr"
    ]
    assert [each["PolicySource"] for each in after["policies"]].count("CcmDefault") == 1
    assert before["processes"] == after["processes"]
    assert before["services"] == after["services"]
    assert before["mode"] == after["mode"]
    assert after["shells_opened"] == 0


@pytest.mark.parametrize("key", CLEARED)
def test_check_mode_says_what_a_real_run_does(
    rehearsed: dict[str, Outcome], cleared: dict[str, Outcome], key: str
) -> None:
    assert rehearsed[key].writes == []
    assert left(rehearsed[key].before) == left(rehearsed[key].endpoint)
    for name in ("changed", "diff", "steps", "not_done", "kept", "before", "after", "left_alone"):
        assert rehearsed[key].result[name] == cleared[key].result[name], name
    assert cleared[key].result["diff"] == {
        "before": cleared[key].result["before"],
        "after": cleared[key].result["after"],
    }


@pytest.mark.parametrize("key", CLEARED)
def test_again_changes_nothing(repeated: dict[str, Outcome], key: str) -> None:
    outcome = repeated[key]
    assert (outcome.status, outcome.changed, outcome.writes) == ("ok", False, []), outcome.msg


def test_the_diff_names_the_items(cleared: dict[str, Outcome]) -> None:
    result = cleared["all"].result
    assert list(result["before"]) == KINDS
    assert len(result["before"]["execution_requests"]) == 1
    assert result["after"]["execution_requests"] == []
    assert result["before"][KINDS[3]] == {"Paused": 1, "PausedCookie": 1}
    assert result["after"][KINDS[3]] == {"Paused": 0, "PausedCookie": 0}
    assert len(result["after"][KINDS[0]]) == 1


def test_a_lock_that_loses_its_request_is_told(cleared: dict[str, Outcome]) -> None:
    assert TASK in cleared["default"].result["warnings"][0]
    assert not cleared["all"].result.get("warnings")


def test_the_order_is_safe(cleared: dict[str, Outcome]) -> None:
    writes = [entry["detail"] for entry in cleared["all"].writes]
    assert len(writes) == 5
    parts = (TASK, "CcmTaskSequence", "{6D7C9B1E", "State\\PausedCookie", "State\\Paused")
    for detail, part in zip(writes, parts, strict=True):
        assert part in detail


# -- what is left alone ------------------------------------------------------------------------------------------------

ALIVE = {
    "live osd": clear("live_osd"),
    "live upgrade": clear("live_upgrade"),
    "live beside leftovers": clear(processes=["TSManager.exe"]),
    "agent alone": clear(services={"smstsmgr": {"state": "Running"}}),
    "setup alone": clear(processes=["SetupHost.exe"]),
    "resume pending": clear("upgrade_pending_restart"),
    "resume pending beside leftovers": clear(
        setup={"SetupType": 2, "CmdLine": r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"}
    ),
    "its process runs": clear(ts_requests=[{**DEAD, "ProcessID": EXPLORER}]),
    "another's process runs": clear(ts_requests=[DEAD, {**DEAD, "ProcessID": EXPLORER, "State": "Running"}]),
    "waits for content": clear(
        ts_requests=[{**DEAD, "State": "WaitingContent", "RunningState": "", "CompletionState": ""}],
    ),
    "young": clear(ts_requests=[{**DEAD, "received": "3h"}]),
    "young by option": clear(options={**ALL, "minimum_age": 10000}),
    "young, local time in the west": clear(
        ts_requests=[{**DEAD, "received": "1h"}], os={"time_zone": -480}, variants={"request_time": "local"}
    ),
    "young by its boot": clear(ts_requests=[{**DEAD, "received": "absent"}], uptime="10m"),
    "pause, young by its boot": clear(options={"steps": [KINDS[3]]}, ts_requests=[], uptime="10m"),
    "starts after the reading": clear(triggers=starts_after({"class": "Win32_ComputerSystem"})),
    **{
        f"unreadable {key}": clear(faults=fault(match, "provider_failure"))
        for key, match in {
            "processes": {"class": "Win32_Process"},
            "services": {"class": "Win32_Service"},
            "setup": {"value": "SYSTEM\\Setup"},
            "winpe": {"value": "MiniNT"},
            "clock": {"class": "Win32_OperatingSystem"},
            "execution_requests": {"class": "CCM_TSExecutionRequest"},
            "maintenance_requests": {"class": "SMS_MaintenanceTaskRequests"},
            "orphaned_policy": {"class": "CCM_ClientAgentConfig"},
            "paused_software_distribution": {"value": "Software Distribution\\State"},
        }.items()
    },
}


@pytest.fixture(scope="module")
def alive(lab: Lab) -> dict[str, Outcome]:
    return lab.play(ALIVE)


@pytest.mark.parametrize("key", ALIVE)
def test_what_may_live_is_left_alone(alive: dict[str, Outcome], key: str) -> None:
    outcome = alive[key]
    assert (outcome.status, outcome.changed) == ("ok", False), outcome.msg
    assert outcome.result["left_alone"], outcome.msg
    assert outcome.writes == []
    assert outcome.result["steps"] == []
    assert outcome.result["diff"] == {"before": {}, "after": {}}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("live osd", "TSManager.exe"),
        ("resume pending", "SetupComplete.cmd"),
        ("its process runs", "explorer.exe"),
        ("waits for content", "WaitingContent"),
        ("young", "3 h ago, less than the 4 h"),
        ("young by its boot", "started 10 min ago"),
        ("unreadable winpe", "winpe"),
        ("unreadable orphaned_policy", "orphaned_policy"),
        ("starts after the reading", "runs (TSManager.exe)"),
    ],
)
def test_the_reason_is_said(alive: dict[str, Outcome], key: str, text: str) -> None:
    assert text in alive[key].result["left_alone"]
    assert text in alive[key].msg


# -- what comes up in between, and what fails --------------------------------------------------------------------------

STOPPED = {f"after {number}": clear(triggers=starts_after({**DELETE, "nth": number})) for number in (1, 2, 3)}
FAILED = {
    "limited account": clear(options={}, account="limited"),
    "second refused": clear(faults=fault({**DELETE, "nth": 2}, "wmi_access_denied")),
    "lost for good": clear(options={}, faults=fault(DELETE, "drop")),
    "accepted and not done": clear(options={}, faults=fault(DELETE, "not_found")),
    "stale name": clear(machine_name="PC-OTHER"),
}
OTHERS = {
    "no client": clear("no_client"),
    "normal": clear("normal"),
    "no steps": clear(options={"steps": []}),
    "no such step": clear(options={"steps": ["everything"]}),
}


@pytest.fixture(scope="module")
def trouble(lab: Lab) -> dict[str, Outcome]:
    return lab.play({**STOPPED, **FAILED, **OTHERS})


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_task_sequence_that_starts_stops_it(trouble: dict[str, Outcome], number: int) -> None:
    outcome = trouble[f"after {number}"]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert done(outcome) == EVERYTHING[:number]
    assert [step["step"] for step in outcome.result["not_done"]] == EVERYTHING[number:]
    assert len(outcome.writes) == number
    assert "runs (TSManager.exe)" in outcome.result["left_alone"]
    assert outcome.msg.startswith("Stopped")
    assert list(outcome.result["after"]) == KINDS[:number]
    # The simulator notes whatever is taken away under a task sequence that lives.
    assert "task_sequence.broken" not in outcome.happened
    assert outcome.endpoint["task_sequence"]["alive"]


def test_a_refusal_in_the_middle_says_how_far_it_came(trouble: dict[str, Outcome]) -> None:
    outcome = trouble["second refused"]
    assert (outcome.status, outcome.changed) == ("failed", True)
    assert done(outcome) == KINDS[:1]
    assert [step["step"] for step in outcome.result["not_done"]] == EVERYTHING[1:]
    assert left(outcome.endpoint) == left(outcome.before)[:1] + left(outcome.before)[2:]
    assert outcome.result["error_layer"] == "permission"


@pytest.mark.parametrize("key", ["limited account", "lost for good", "accepted and not done", "stale name"])
def test_what_fails_changes_nothing_and_says_so(trouble: dict[str, Outcome], key: str) -> None:
    outcome = trouble[key]
    assert (outcome.status, outcome.changed) == ("failed", key == "lost for good"), outcome.msg
    assert left(outcome.endpoint) == left(outcome.before)
    assert outcome.msg


def test_where_there_is_nothing_there_is_nothing_to_do(trouble: dict[str, Outcome]) -> None:
    for key in ("no client", "normal"):
        outcome = trouble[key]
        assert (outcome.status, outcome.changed, outcome.result["left_alone"]) == ("ok", False, ""), outcome.msg
        assert outcome.writes == []


def test_bad_options_are_named_before_anything_is_sent(trouble: dict[str, Outcome]) -> None:
    for key in ("no steps", "no such step"):
        assert (trouble[key].status, trouble[key].calls) == ("failed", [])
        assert "steps" in trouble[key].msg and "execution_requests" in trouble[key].msg


# -- what is told ------------------------------------------------------------------------------------------------------

INFO = {
    "leftovers": "left_over",
    "live_osd": "running",
    "live_upgrade": "running",
    "upgrade_pending_restart": "resume_pending",
    "stuck": "left_over",
    "normal": "none",
    "no_client": "none",
    "broken_wmi": "unknown",
    "broken_client_wmi": "unknown",
}


@pytest.fixture(scope="module")
def told(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: Case("task_sequence_info", {}, {"profile": key}) for key in INFO})


@pytest.mark.parametrize("key", INFO)
def test_state(told: dict[str, Outcome], key: str) -> None:
    outcome = told[key]
    assert (outcome.status, outcome.changed, outcome.result["state"]) == ("ok", False, INFO[key]), outcome.result
    assert outcome.writes == []
    assert outcome.endpoint["shells_opened"] == 0


def test_everything_that_was_left_is_told(told: dict[str, Outcome]) -> None:
    result = told["leftovers"].result
    (request,) = result["execution_requests"]
    assert (request["state"], request["package_name"]) == ("Ready", "Upgrade to Windows 11")
    assert (request["maintenance_task"], request["process"]) == (TASK, None)
    assert request["age_minutes"] in range(4320, 4325)
    assert [each["client"] for each in result["maintenance_requests"]] == ["execmgr", "updatesmgr"]
    assert len(result["orphaned_policy"]) == 1
    assert result["software_distribution"] == {"Paused": 1, "PausedCookie": 1}
    assert result["registry"] == {"Package": "ABC00042", "Program": "*"}
    assert {"request", "maintenance_request", "policy", "software_distribution"} <= set(told["leftovers"].signals)


def test_a_reading_costs_this_many_calls(told: dict[str, Outcome]) -> None:
    """What runs 11, registry 1 and one for each of its values; with a client 6, and one for each full list."""
    assert {key: len(told[key].calls) for key in ("leftovers", "normal", "no_client")} == {
        "leftovers": 22,
        "normal": 18,
        "no_client": 12,
    }


def test_a_clearing_costs_this_many_calls(cleared: dict[str, Outcome]) -> None:
    """A reading 22, the name 1; then for each item requests 1, the guard 9, the deletion 1 and reading back 1."""
    assert len(cleared["default"].calls) == 22 + 1 + 12
