# SPDX-License-Identifier: GPL-3.0-or-later
"""The safeguard: placed, repaired, removed, and what it does when the computer starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, journal, own_keys

NAME = "configmgr.client.safeguard"
RUN_ONCE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce"
REFUSED = {"broken_classes": {"PS_ScheduledTask": "not_supported"}}
FOREIGN = {RUN_ONCE: {"Somebody else's": "notepad.exe"}}


def safeguard(profile: str = "normal", /, *, options: Any = None, **spec: Any) -> Case:
    return Case("provisioning_safeguard", options or {}, {"profile": profile, **spec})


def run_once(profile: str = "normal", /, **more: Any) -> Case:
    return safeguard(profile, options={"kind": "run_once"}, **more)


def tasks(endpoint: Mapping[str, Any]) -> dict[str, str]:
    return {task["uri"]: task["command"] for task in endpoint["scheduled_tasks"]}


def values(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    return dict(endpoint["registry"][RUN_ONCE])


def is_placed(outcome: Outcome, kind: str) -> bool:
    there = (f"\\{NAME}" in tasks(outcome.endpoint), NAME in values(outcome.endpoint))
    return there == (kind == "boot_task", kind == "run_once")


# -- a life ------------------------------------------------------------------------------------------------------------

LIVES: dict[str, tuple[Case, str]] = {
    "boot task": (safeguard(), "boot_task"),
    "boot task, later": (safeguard(options={"delay": 90}), "boot_task"),
    "boot task, class refused": (safeguard(**REFUSED), "boot_task"),
    "boot task, no wmic": (safeguard(variants={"wmic": False}), "boot_task"),
    "boot task, on battery": (safeguard(on_battery=True), "boot_task"),
    "boot task, others there": (safeguard(registry=FOREIGN), "boot_task"),
    "run once": (run_once(), "run_once"),
    "run once, no wmic": (run_once(variants={"wmic": False}), "run_once"),
    "run once, others there": (run_once(registry=FOREIGN), "run_once"),
}
PRESENT = {key: case for key, (case, _) in LIVES.items()}


class Lives:
    """The same endpoints, step after step."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names = lab.add({key: case.spec for key, case in PRESENT.items()})
        self.check = self.step(check=True)
        self.placed = self.step()
        self.again = self.step()
        self.check_absent = self.step(check=True, state="absent")
        self.absent = self.step(state="absent")
        self.absent_again = self.step(state="absent")

    def step(self, *, check: bool = False, **options: Any) -> dict[str, Outcome]:
        cases = {
            key: Case(case.module, {**case.options, **options}, case.spec, check=check) for key, case in PRESENT.items()
        }
        return self.lab.again(self.names, cases)


@pytest.fixture(scope="module")
def lives(lab: Lab) -> Lives:
    return Lives(lab)


@pytest.mark.parametrize("key", LIVES)
def test_it_is_placed_once(lives: Lives, key: str) -> None:
    kind = LIVES[key][1]
    placed, again = lives.placed[key], lives.again[key]
    assert (placed.status, placed.changed) == ("ok", True), placed.msg
    assert is_placed(placed, kind)
    again.assert_nothing_to_do()
    assert again.result[kind] == placed.result[kind] == placed.result["diff"]["after"][kind]
    assert placed.result["diff"]["before"] == {kind: None}
    noted = {"before": None, "written": [placed.result[kind]], "by": "provisioning_safeguard"}
    assert journal(placed.endpoint) == {kind: noted}


@pytest.mark.parametrize("key", LIVES)
def test_check_mode_shows_what_a_run_does(lives: Lives, key: str) -> None:
    for check, real in ((lives.check[key], lives.placed[key]), (lives.check_absent[key], lives.absent[key])):
        assert check.writes == []
        for name in ("changed", "diff", "boot_task", "run_once"):
            assert check.result.get(name) == real.result.get(name)
        for part in ("scheduled_tasks", "registry"):
            assert check.endpoint[part] == check.before[part]


@pytest.mark.parametrize("key", LIVES)
def test_it_is_removed_with_nothing_else(lives: Lives, key: str) -> None:
    absent, again = lives.absent[key], lives.absent_again[key]
    assert (absent.status, absent.changed) == ("ok", True), absent.msg
    assert tasks(absent.endpoint) == {}
    expected = {"Somebody else's"} if "others" in key else set()
    assert set(values(absent.endpoint)) == expected
    assert own_keys(absent.endpoint) == {}
    again.assert_nothing_to_do()


def test_no_shell_stays_open(lives: Lives) -> None:
    for step in (lives.placed, lives.again, lives.absent):
        assert [outcome.endpoint["shells"] for outcome in step.values()] == [[]] * len(LIVES)


def test_the_class_that_is_refused_is_replaced_by_its_cmdlet(lives: Lives) -> None:
    writes = {key: [write["event"] for write in lives.placed[key].writes] for key in LIVES}
    noting = ["registry.create_key", "registry.set"]
    assert writes["boot task"] == [*noting, "task.RegisterByXml"]
    assert writes["boot task, class refused"] == [*noting, "powershell.Register-ScheduledTask"]


def test_a_line_of_run_once_fits(lives: Lives) -> None:
    for key, (_, kind) in LIVES.items():
        if kind == "run_once":
            assert len(lives.placed[key].result["run_once"]["data"]) <= 260


# -- changed by somebody -----------------------------------------------------------------------------------------------

HANDS = {
    "disabled": f"schtasks /change /tn {NAME} /disable",
    "another program": f"schtasks /create /f /tn {NAME} /tr notepad.exe /sc onstart /ru SYSTEM /delay 0005:00",
    "another user": f"schtasks /create /f /tn {NAME} /tr notepad.exe /sc onstart /ru CORP\\mallory",
    "deleted": f"schtasks /delete /f /tn {NAME}",
}


def test_what_was_changed_by_hand_is_repaired(lab: Lab) -> None:
    cases = {key: safeguard() for key in HANDS} | {"value": run_once(registry={RUN_ONCE: {NAME: 7}})}
    names = lab.add({key: case.spec for key, case in cases.items()})
    first = lab.again(names, cases)
    assert first["value"].result["diff"]["before"] == {"run_once": {"data": 7, "registry_type": 4}}
    wanted = {key: tasks(first[key].endpoint) for key in HANDS}
    for key, line in HANDS.items():
        lab.simulator.event(names[key], "run_command", line=line)
    cases["value"] = safeguard(options={"kind": "run_once"})
    lab.simulator.patch(names["value"], registry={RUN_ONCE: {NAME: "notepad.exe"}})
    repaired = lab.again(names, cases)
    for key, outcome in repaired.items():
        assert (outcome.status, outcome.changed) == ("ok", True), (key, outcome.msg)
    assert {key: tasks(repaired[key].endpoint) for key in HANDS} == wanted
    assert [outcome.changed for outcome in lab.again(names, cases).values()] == [False] * len(cases)


def test_another_delay_is_a_change(lab: Lab) -> None:
    names = lab.add({"one": {}})
    lab.again(names, {"one": safeguard()})
    outcome = lab.again(names, {"one": safeguard(options={"delay": 30})})["one"]
    assert outcome.changed
    assert [outcome.result["diff"][side]["boot_task"]["delay_minutes"] for side in ("before", "after")] == [5, 30]


# -- what it does ------------------------------------------------------------------------------------------------------


# Events of an endpoint in turn, or what it is patched with.
Happening = Sequence[str | dict[str, Any]]
SCAN: Happening = ["start_task_sequence", "reboot"]
BETWEEN_RESTARTS: Happening = ["start_in_place_upgrade", "upgrade_restart"]
GOES_ON: Happening = [*BETWEEN_RESTARTS, "reboot"]


def happen(lab: Lab, name: str, happening: Happening) -> None:
    for each in happening:
        if isinstance(each, str):
            lab.simulator.event(name, each)
        else:
            lab.simulator.patch(name, **each)


FIRES: dict[str, tuple[Case, Happening]] = {
    "interrupted": (safeguard(), SCAN),
    "interrupted, no wmic": (safeguard(variants={"wmic": False}), SCAN),
    "interrupted, on battery": (safeguard(on_battery=True), SCAN),
    "interrupted, class refused": (safeguard(**REFUSED), SCAN),
    "not resumed": (safeguard(variants={"oem_license": True}), GOES_ON),
}
STAYS: dict[str, tuple[Case, Happening]] = {
    "goes on": (safeguard(), GOES_ON),
    "armed": (safeguard(), BETWEEN_RESTARTS),
    "after the boot": (safeguard(), ["reboot", "start_task_sequence"]),
    "in setup": (safeguard(), [*SCAN, {"setup": {"SystemSetupInProgress": 1}}]),
    "in oobe": (safeguard(), [*SCAN, {"setup": {"OOBEInProgress": 1}}]),
    "setup alone": (safeguard(), [*SCAN, {"processes": ["SetupHost.exe"]}]),
    "no agent": (safeguard(), [*SCAN, {"services": {"smstsmgr": "absent"}}]),
    "ignored": (safeguard(), [*SCAN, {"variants": {"set_provisioning_mode": "ignored"}}]),
}


@pytest.fixture(scope="module")
def boots(lab: Lab) -> dict[str, dict[str, Any]]:
    """Endpoints that were protected, and then something happened."""
    both: dict[str, tuple[Case, Happening]] = FIRES | STAYS | {"before": (safeguard(), ["reboot"])}
    names = lab.add({key: case.spec for key, (case, _) in both.items()})
    placed = lab.again(names, {key: case for key, (case, _) in both.items()})
    assert {key for key, outcome in placed.items() if not outcome.changed} == set()
    for key, (_, happening) in both.items():
        happen(lab, names[key], happening)
    lab.simulator.advance("4m")
    early = {key: lab.simulator.endpoint(name)["mode"] for key, name in names.items()}
    assert {early[key] for key in FIRES} == {"provisioning"}
    lab.simulator.advance("2m")
    return {key: lab.simulator.endpoint(name) for key, name in names.items()}


@pytest.mark.parametrize("key", FIRES)
def test_after_an_interruption_it_leaves_the_mode_and_is_gone(boots: dict[str, dict[str, Any]], key: str) -> None:
    assert boots[key]["mode"] == "normal"
    assert tasks(boots[key]) == {}


def test_what_was_noted_of_one_that_has_done_its_work_is_removed(lab: Lab, boots: dict[str, dict[str, Any]]) -> None:
    names = {"one": boots["not resumed"]["name"]}
    lab.simulator.advance("15m")
    outcome = lab.again(names, {"one": safeguard(options={"state": "absent"})})["one"]
    assert (outcome.status, outcome.changed, outcome.result["boot_task"]) == ("ok", True, None), outcome.msg
    assert set(journal(outcome.before)) == {"boot_task"} and own_keys(outcome.endpoint) == {}
    lab.again(names, {"one": safeguard(options={"state": "absent"})})["one"].assert_nothing_to_do()


@pytest.mark.parametrize("key", STAYS)
def test_it_waits_where_something_runs_or_nobody_can_tell(boots: dict[str, dict[str, Any]], key: str) -> None:
    endpoint = boots[key]
    assert endpoint["mode"] == "provisioning"
    assert f"\\{NAME}" in tasks(endpoint)
    happened = [event["event"] for event in endpoint["events"]]
    assert "task.ran" in happened
    assert "client.left_provisioning_mode" not in happened


def test_a_boot_before_the_scan_does_not_use_it_up(lab: Lab, boots: dict[str, dict[str, Any]]) -> None:
    endpoint = boots["before"]
    assert f"\\{NAME}" in tasks(endpoint)
    happen(lab, endpoint["name"], SCAN)
    lab.simulator.advance("6m")
    assert lab.simulator.endpoint(endpoint["name"])["mode"] == "normal"
    assert tasks(lab.simulator.endpoint(endpoint["name"])) == {}


LOGONS: dict[str, tuple[Case, Happening, str]] = {
    "interrupted": (run_once(), SCAN, "normal"),
    "interrupted, no wmic": (run_once(variants={"wmic": False}), SCAN, "normal"),
    "goes on": (run_once(), GOES_ON, "provisioning"),
    "armed": (run_once(), BETWEEN_RESTARTS, "provisioning"),
}


def test_run_once_acts_when_an_administrator_logs_on(lab: Lab) -> None:
    names = lab.add({key: case.spec for key, (case, _, _) in LOGONS.items()})
    lab.again(names, {key: case for key, (case, _, _) in LOGONS.items()})
    for key, (_, happening, _) in LOGONS.items():
        happen(lab, names[key], happening)
    lab.simulator.advance("10m")
    assert {lab.simulator.endpoint(name)["mode"] for name in names.values()} == {"provisioning"}
    for key, (_, _, expected) in LOGONS.items():
        lab.simulator.event(names[key], "administrator_logs_on")
        endpoint = lab.simulator.endpoint(names[key])
        assert (endpoint["mode"], values(endpoint)) == (expected, {}), key


# -- what stands before it ---------------------------------------------------------------------------------------------

RUNS = " runs ("
LEFT_ALONE: dict[str, tuple[Case, str]] = {
    "live osd": (safeguard("live_osd"), RUNS),
    "live upgrade": (safeguard("live_upgrade"), RUNS),
    "pending": (safeguard("upgrade_pending_restart"), "resumes at the next restart"),
    "unreadable": (safeguard("broken_wmi"), "processes could not be read"),
    "run once, live": (run_once("live_upgrade"), RUNS),
}
FAILED = {
    "no client": (safeguard("no_client"), "no ConfigMgr client"),
    "no client, run once": (run_once("no_client"), "no ConfigMgr client"),
    "limited": (safeguard("limited_account"), "administrator"),
    "limited, run once": (run_once("limited_account"), "no access"),
    "denied": (safeguard("access_denied"), "administrator"),
    "stale name": (safeguard("stale_name"), "PC-RENAMED"),
    "too early": (safeguard(options={"delay": 0}), "delay=0 is out of range: give 1 to 9999"),
    "too late": (safeguard(options={"delay": 10000}), "delay=10000 is out of range: give 1 to 9999"),
    "run once, too long": (
        run_once(os={"directory": f"D:\\{'W' * 40}"}),
        "the command line of a run_once has",
    ),
    "too long": (
        safeguard(os={"directory": f"D:\\{'W' * 400}"}),
        "the command line of a boot_task has",
    ),
    "odd directory": (safeguard(os={"directory": "D:\\Win & co"}), "'D:\\\\Win & co\\\\system32' cannot stand"),
    "no way": (safeguard(**REFUSED, variants={"powershell": False}), "powershell.exe is missing"),
}


@pytest.fixture(scope="module")
def refusals(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: case for key, (case, _) in (LEFT_ALONE | FAILED).items()})


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_it_is_not_placed_where_something_runs(refusals: dict[str, Outcome], key: str) -> None:
    refusals[key].assert_left_alone(LEFT_ALONE[key][1])


@pytest.mark.parametrize("key", FAILED)
def test_what_cannot_be_is_one_clear_message(refusals: dict[str, Outcome], key: str) -> None:
    outcome = refusals[key]
    outcome.assert_failed(FAILED[key][1])
    assert tasks(outcome.endpoint) == {}
    assert NAME not in values(outcome.endpoint)
    if key in ("too early", "too late"):
        assert outcome.calls == []


def test_what_is_too_long_says_what_to_give_instead(refusals: dict[str, Outcome]) -> None:
    outcome = refusals["run once, too long"]
    assert outcome.msg.endswith("characters, and Windows takes 260: give boot_task, which takes 8191.")
    assert outcome.writes == refusals["too long"].writes == []


def test_it_is_not_removed_while_something_runs(lab: Lab) -> None:
    names = lab.add({"one": {}})
    lab.again(names, {"one": safeguard()})
    lab.simulator.event(names["one"], "start_in_place_upgrade")
    outcome = lab.again(names, {"one": safeguard(options={"state": "absent"})})["one"]
    outcome.assert_left_alone(RUNS)
    assert f"\\{NAME}" in tasks(outcome.endpoint) and set(journal(outcome.endpoint)) == {"boot_task"}
