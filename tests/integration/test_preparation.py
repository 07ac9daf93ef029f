# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after an upgrade wave: clients are prepared, and what that changed is put back, exactly and alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, client_key, journal, own_keys

SAFEGUARD = "configmgr.client.safeguard"
RUN_ONCE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce"
CCMEXEC = "HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec"
OWN = "HKLM\\SOFTWARE\\configmgr.client"
JOURNAL, PREPARED = f"{OWN}\\Journal", f"{OWN}\\Prepared"
LIMIT = "ProvisioningMaxMinutes"
BUG = ["Winmgmt", "CcmExec"]
DEPENDENT: dict[str, Any] = {"services": {"smstsmgr": {"depend_on": BUG}}}
UNDO = {"state": "absent"}


def prepare(options: Mapping[str, Any] | None = None, /, profile: str = "normal", **spec: Any) -> Case:
    return Case("client_preparation", options or {}, {"profile": profile, **spec})


def with_limit(value: Any) -> dict[str, Any]:
    return {"registry": {CCMEXEC: {LIMIT: value}}}


def state(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """All that a preparation can change, as the endpoint has it."""
    return {
        "limit": client_key(endpoint).get(LIMIT),
        "dependencies": endpoint["services"]["smstsmgr"]["depend_on"],
        "tasks": endpoint["scheduled_tasks"],
        "run_once": endpoint["registry"].get(RUN_ONCE),
    }


def everything_else(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The registry without what a preparation changes, and without the collection's own key."""
    kept = {key: value for key, value in endpoint["registry"].items() if key not in (RUN_ONCE, OWN)}
    return {**kept, "client": {name: value for name, value in client_key(endpoint).items() if name != LIMIT}}


# -- a wave ------------------------------------------------------------------------------------------------------------

# Key: the case; what it changes; options of a second preparation.
WAVES: dict[str, tuple[Case, set[str], dict[str, Any]]] = {
    "defaults": (prepare(), {"boot_task"}, {}),
    "limit": (prepare({"max_minutes": 720}), {"boot_task", "max_minutes"}, {"max_minutes": 1440}),
    "limit that was there": (
        prepare({"max_minutes": 720}, **with_limit(4320)),
        {"boot_task", "max_minutes"},
        {"max_minutes": 4320},
    ),
    "limit of another type": (
        prepare({"max_minutes": 720, "safeguard": "none"}, **with_limit({"type": "qword", "data": 720})),
        {"max_minutes"},
        {"safeguard": "run_once"},
    ),
    "limit that is text": (prepare({"max_minutes": 0, "safeguard": "none"}, **with_limit("soon")), {"max_minutes"}, {}),
    "limit as wanted": (prepare({"max_minutes": 720}, **with_limit(720)), {"boot_task"}, {}),
    "version 1802": (prepare(profile="smstsmgr_dependency"), {"dependency", "boot_task"}, {"dependency": "never"}),
    "dependency, asked for": (
        prepare({"dependency": "always", "safeguard": "none"}, **DEPENDENT),
        {"dependency"},
        {"max_minutes": 60},
    ),
    "run once": (
        prepare({"safeguard": "run_once"}, registry={RUN_ONCE: {"Somebody else's": "notepad.exe"}}),
        {"run_once"},
        {"safeguard": "boot_task"},
    ),
    "run once, no wmic": (prepare({"safeguard": "run_once"}, variants={"wmic": False}), {"run_once"}, {}),
    "later safeguard": (prepare({"safeguard_delay": 90}), {"boot_task"}, {"safeguard_delay": 10}),
    "all": (
        prepare({"max_minutes": 720, "safeguard": "run_once"}, profile="smstsmgr_dependency"),
        {"dependency", "max_minutes", "run_once"},
        {"max_minutes": 61},
    ),
}
NOTHING = {
    "nothing asked for": prepare({"safeguard": "none"}),
    "never": prepare({"safeguard": "none", "dependency": "never"}, profile="smstsmgr_dependency"),
    "a later version": prepare({"safeguard": "none"}, **DEPENDENT),
    "never prepared": prepare(UNDO),
    "never prepared, no client": prepare(UNDO, profile="no_client"),
    "never prepared, stuck": prepare(UNDO, profile="stuck"),
}


class Wave:
    """The same endpoints, step after step."""

    def __init__(self, lab: Lab) -> None:
        cases = {key: case for key, (case, *_) in WAVES.items()}
        undo = {key: replace(case, options=UNDO) for key, case in cases.items()}
        self.rehearsed = lab.play({key: replace(case, check=True) for key, case in cases.items()})
        self.names = {key: outcome.endpoint["name"] for key, outcome in self.rehearsed.items()}
        self.prepared = lab.again(self.names, cases)
        self.again = lab.again(self.names, cases)
        second = {key: replace(case, options={**case.options, **WAVES[key][2]}) for key, case in cases.items()}
        self.second = lab.again(self.names, second)
        self.undo_rehearsed = lab.again(self.names, {key: replace(case, check=True) for key, case in undo.items()})
        self.undone = lab.again(self.names, undo)
        self.undone_again = lab.again(self.names, undo)


@pytest.fixture(scope="module")
def wave(lab: Lab) -> Wave:
    return Wave(lab)


@pytest.mark.parametrize("key", WAVES)
def test_prepared(wave: Wave, key: str) -> None:
    outcome, changes = wave.prepared[key], WAVES[key][1]
    assert (outcome.status, outcome.changed, outcome.result["action"]) == ("ok", True, "prepared"), outcome.msg
    assert outcome.result["remembered"] == sorted(changes)
    assert set(outcome.result["diff"]["before"]) == {*changes, "remembered"}
    by = {name: entry["by"] for name, entry in journal(outcome.endpoint).items()}
    assert by == dict.fromkeys(changes, "client_preparation")


@pytest.mark.parametrize("key", WAVES)
def test_what_is_prepared_is_there(wave: Wave, key: str) -> None:
    before, after, changes = state(wave.prepared[key].before), state(wave.prepared[key].endpoint), WAVES[key][1]
    options = WAVES[key][0].options
    for part, name in (("limit", "max_minutes"), ("dependencies", "dependency"), ("run_once", "run_once")):
        assert (before[part] != after[part]) == (name in changes), part
    if "max_minutes" in options:
        assert after["limit"] == {"type": "REG_DWORD", "data": options["max_minutes"]}
    if "dependency" in changes:
        assert after["dependencies"] == []
    uris = [task["uri"] for task in after["tasks"]]
    assert (f"\\{SAFEGUARD}" in uris) == ("boot_task" in changes)
    assert (SAFEGUARD in (after["run_once"] or {})) == ("run_once" in changes)


@pytest.mark.parametrize("key", WAVES)
def test_rehearsed(wave: Wave, key: str) -> None:
    for rehearsed, done in ((wave.rehearsed, wave.prepared), (wave.undo_rehearsed, wave.undone)):
        assert rehearsed[key].writes == []
        assert rehearsed[key].endpoint["registry"] == rehearsed[key].before["registry"]
        assert state(rehearsed[key].endpoint) == state(rehearsed[key].before)
        for name in ("changed", "diff", "action", "remembered", "left_alone"):
            assert rehearsed[key].result[name] == done[key].result[name], name


@pytest.mark.parametrize("key", WAVES)
def test_again(wave: Wave, key: str) -> None:
    for outcomes in (wave.again, wave.undone_again):
        outcomes[key].assert_nothing_to_do()
        assert outcomes[key].result["action"] == "none"


@pytest.mark.parametrize("key", WAVES)
def test_undone(wave: Wave, key: str) -> None:
    outcome = wave.undone[key]
    assert (outcome.status, outcome.changed, outcome.result["action"]) == ("ok", True, "restored"), outcome.msg
    start = wave.rehearsed[key].before
    assert state(outcome.endpoint) == state(start)
    assert everything_else(outcome.endpoint) == everything_else(start)
    assert outcome.result["remembered"] == []
    assert own_keys(outcome.endpoint) == {}


@pytest.fixture(scope="module")
def nothing(lab: Lab) -> dict[str, Outcome]:
    return lab.play(NOTHING)


@pytest.mark.parametrize("key", NOTHING)
def test_nothing_to_do(nothing: dict[str, Outcome], key: str) -> None:
    outcome = nothing[key]
    outcome.assert_nothing_to_do()
    assert ("Nothing was prepared here" in outcome.msg) == key.startswith("never prepared")
    assert outcome.endpoint["registry"] == outcome.before["registry"]


# -- what else is noted ------------------------------------------------------------------------------------------------

FREE, PUT_BACK = (Case("smstsmgr_dependency", options) for options in ({}, UNDO))
DEPENDENCY_ONLY = prepare({"safeguard": "none", "dependency": "always"})
LIMIT_TOO = prepare({"safeguard": "none", "dependency": "always", "max_minutes": 1440})
UNPREPARE = prepare(UNDO)
FREED: dict[str, Any] = {"services": {"smstsmgr": {"depend_on": []}}}
_ENTRIES = {
    "dependency": {"before": BUG, "written": [[]]},
    "max_minutes": {"before": None, "written": [{"type": 4, "data": 720}]},
}
PREPARED_BEFORE = {
    "registry": {PREPARED: {key: json.dumps(value) for key, value in _ENTRIES.items()}, CCMEXEC: {LIMIT: 720}},
    **FREED,
}
FREED_BEFORE = {"registry": {f"{OWN}\\smstsmgr": {"DependOnService": BUG}}}
BOTH, DEPENDENCY, MAX_MINUTES = ["dependency", "max_minutes"], ["dependency"], ["max_minutes"]
AGENT = {"smstsmgr": ["DependOnService"]}
# Key: the endpoint; tasks in turn, and after each what stands where below the collection's key, and what a preparation
# says that it remembers. All of them end with the limit and the dependencies as before the first change.
NOTED: dict[str, tuple[dict[str, Any], list[tuple[Case, dict[str, list[str]], list[str]]]]] = {
    "prepared before, undone": (PREPARED_BEFORE, [(UNPREPARE, {}, [])]),
    "prepared before, again": (
        PREPARED_BEFORE,
        [(LIMIT_TOO, {"Prepared": DEPENDENCY, "Journal": MAX_MINUTES}, BOTH), (UNPREPARE, {}, [])],
    ),
    "prepared before, one put back": (
        PREPARED_BEFORE,
        [(PUT_BACK, {"Prepared": MAX_MINUTES}, []), (UNPREPARE, {}, [])],
    ),
    "freed before, prepared": (
        {**FREED_BEFORE, **FREED},
        [(LIMIT_TOO, {**AGENT, "Journal": MAX_MINUTES}, MAX_MINUTES), (UNPREPARE, AGENT, []), (PUT_BACK, {}, [])],
    ),
    "freed before, and not any more": (
        {**FREED_BEFORE, "services": {"smstsmgr": {"depend_on": ["CcmExec"]}}},
        [(DEPENDENCY_ONLY, {"Journal": DEPENDENCY}, DEPENDENCY), (UNPREPARE, {}, [])],
    ),
    "prepared, one put back": (
        DEPENDENT,
        [(LIMIT_TOO, {"Journal": BOTH}, BOTH), (PUT_BACK, {"Journal": MAX_MINUTES}, []), (UNPREPARE, {}, [])],
    ),
    "freed, prepared": (
        DEPENDENT,
        [
            (FREE, {"Journal": DEPENDENCY}, []),
            (LIMIT_TOO, {"Journal": BOTH}, MAX_MINUTES),
            (UNPREPARE, {"Journal": DEPENDENCY}, []),
            (PUT_BACK, {}, []),
        ],
    ),
}


@pytest.fixture(scope="module")
def noted(lab: Lab) -> dict[str, list[Outcome]]:
    names = lab.add({key: spec for key, (spec, _) in NOTED.items()})
    found: dict[str, list[Outcome]] = {key: [] for key in NOTED}
    for number in range(max(len(steps) for _, steps in NOTED.values())):
        cases = {key: steps[number][0] for key, (_, steps) in NOTED.items() if number < len(steps)}
        for key, outcome in lab.again(names, cases).items():
            found[key].append(outcome)
    return found


@pytest.mark.parametrize("key", NOTED)
def test_what_modules_and_earlier_builds_noted_is_one_memory(noted: dict[str, list[Outcome]], key: str) -> None:
    for outcome, (case, kept, remembered) in zip(noted[key], NOTED[key][1], strict=True):
        assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
        assert {where: sorted(values) for where, values in own_keys(outcome.endpoint).items()} == kept
        assert outcome.result.get("remembered", []) == remembered
        if case is PUT_BACK:
            assert outcome.result["depends_on"] == BUG
    last = state(noted[key][-1].endpoint)
    assert (last["limit"], last["dependencies"]) == (None, BUG)


# -- runs that are cut short -------------------------------------------------------------------------------------------

ALL = {"max_minutes": 720}
CUTS: dict[str, dict[str, Any]] = {
    "key": {"method": "CreateKey", "nth": "1+"},
    "first entry": {"method": "SetStringValue", "nth": "1+"},
    "dependency": {"operation": "Command", "value": "sc.exe", "nth": "1+"},
    "second entry": {"method": "SetStringValue", "nth": "2+"},
    "limit": {"method": "SetDWORDValue", "nth": "1+"},
    "third entry": {"method": "SetStringValue", "nth": "3+"},
    "safeguard": {"method": "RegisterByXml", "nth": "1+"},
}
"""From which call on the endpoint gives no answer."""


def cut(match: Mapping[str, Any], *, executed: bool) -> Case:
    fault = {"match": match, "then": {"do": "drop", "executed": executed}}
    return prepare(ALL, profile="smstsmgr_dependency", faults=[fault])


class Interrupted:
    """Prepared with one call lost for good, and put back; half of them prepared once more in between."""

    def __init__(self, lab: Lab) -> None:
        lost = {f"{key}{again}": cut(CUTS[key], executed=False) for key in CUTS for again in ("", ", again")}
        done = {f"{key}, done": cut(CUTS[key], executed=True) for key in CUTS}
        self.cut = lab.play({**lost, **done})
        names = {key: outcome.endpoint["name"] for key, outcome in self.cut.items()}
        for name in names.values():
            lab.simulator.patch(name, faults=[])
        self.again = lab.again(names, {key: prepare(ALL) for key in lost if key.endswith("again")})
        self.undone = lab.again(names, dict.fromkeys(names, UNPREPARE))


@pytest.fixture(scope="module")
def interrupted(lab: Lab) -> Interrupted:
    return Interrupted(lab)


@pytest.mark.parametrize("key", [f"{key}{how}" for key in CUTS for how in ("", ", again", ", done")])
def test_a_run_that_is_cut_short_can_be_undone(interrupted: Interrupted, key: str) -> None:
    """What was carried out without an answer is found when it is read back, and the run goes on."""
    cut, undone = interrupted.cut[key], interrupted.undone[key]
    assert (cut.status, cut.changed) == ("ok" if "done" in key else "failed", True), cut.msg
    assert len([write for write in cut.writes if write["event"] == "sc.config"]) <= 1
    assert undone.status == "ok", undone.msg
    assert state(undone.endpoint) == state(cut.before)
    assert undone.result["remembered"] == [] and undone.result["left_alone"] == ""
    assert not any(own_keys(undone.endpoint).values())  # a run that was cut right after CreateKey leaves an empty key


@pytest.mark.parametrize("key", CUTS)
@pytest.mark.parametrize("how", ["again", "done"])
def test_a_run_that_is_cut_short_can_be_run_again(interrupted: Interrupted, key: str, how: str) -> None:
    outcome = (interrupted.again if how == "again" else interrupted.cut)[f"{key}, {how}"]
    assert outcome.status == "ok", outcome.msg
    assert outcome.result["remembered"] == ["boot_task", "dependency", "max_minutes"]
    after = state(outcome.endpoint)
    assert after["limit"] == {"type": "REG_DWORD", "data": 720} and after["dependencies"] == []
    assert f"\\{SAFEGUARD}" in [task["uri"] for task in after["tasks"]]


# -- what others do meanwhile ------------------------------------------------------------------------------------------

# What happens after the preparation; what the message names.
MEANWHILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "a task sequence runs": ("start_process", {"command_line": "TSManager.exe"}, "TSManager.exe"),
    "an upgrade runs": ("start_in_place_upgrade", {}, "In provisioning mode while "),
    "the mode was entered": ("enter_provisioning_mode", {}, "In provisioning mode"),
    "somebody set the limit": ("", {}, "max_minutes was changed by another administrator or process"),
}


@pytest.fixture(scope="module")
def meanwhile(lab: Lab) -> dict[str, tuple[Outcome, Outcome]]:
    cases = {key: prepare(ALL, profile="smstsmgr_dependency") for key in MEANWHILE}
    first = lab.play(cases)
    names = {key: outcome.endpoint["name"] for key, outcome in first.items()}
    for key, (event, detail, _) in MEANWHILE.items():
        if event:
            lab.simulator.event(names[key], event, **detail)
        else:
            lab.simulator.patch(names[key], **with_limit(99))
    undone = lab.again(names, {key: replace(case, options=UNDO) for key, case in cases.items()})
    return {key: (first[key], undone[key]) for key in cases}


@pytest.mark.parametrize("key", MEANWHILE)
def test_what_others_do_meanwhile_is_left_alone(meanwhile: dict[str, tuple[Outcome, Outcome]], key: str) -> None:
    first, undone = meanwhile[key]
    assert first.result["action"] == "prepared", first.msg
    assert undone.status == "ok", undone.msg
    assert MEANWHILE[key][2] in undone.result["left_alone"]
    if "somebody" in key:
        assert client_key(undone.endpoint)[LIMIT] == {"type": "REG_DWORD", "data": 99}
        assert undone.result["remembered"] == ["max_minutes"]
        assert state(undone.endpoint)["tasks"] == state(first.before)["tasks"]
        assert state(undone.endpoint)["dependencies"] == BUG
        return
    assert undone.changed is False and undone.writes == []
    assert undone.result["remembered"] == ["boot_task", "dependency", "max_minutes"]


def test_an_upgrade_that_starts_meanwhile_stops_the_preparation(lab: Lab) -> None:
    starts = [{"after": {"operation": "Command", "value": "sc.exe"}, "do": "start_in_place_upgrade"}]
    outcome = lab.play({"one": prepare(ALL, profile="smstsmgr_dependency", triggers=starts)})["one"]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert outcome.result["remembered"] == ["dependency"]
    assert "mode" in outcome.result["left_alone"] and outcome.msg.startswith("Prepared: dependency. Left alone:")
    assert set(outcome.result["diff"]["after"]) == {"dependency", "remembered"}
    assert state(outcome.endpoint)["limit"] is None


# -- clients that are not ready, and failures --------------------------------------------------------------------------

STARTING = [{"match": {"class": "SMS_Client", "operation": "Get", "nth": "1-2"}, "then": "provider_failure"}]
NOT_READY = [{"match": {"class": "SMS_Client", "operation": "Get"}, "then": "provider_failure"}]
LEFT_ALONE: dict[str, tuple[Case, str, str]] = {
    "stuck": (prepare(profile="stuck"), "stuck", "Release it first."),
    "half exited": (prepare(profile="half_exited"), "half_exited", "Release it first."),
    "live osd": (prepare(profile="live_osd"), "expected", "a task sequence runs"),
    "live upgrade": (prepare(profile="live_upgrade"), "expected", "runs"),
    "armed": (prepare(profile="upgrade_pending_restart"), "resume_pending", "restart"),
    "out of the mode, something runs": (prepare(processes=["SetupHost.exe"]), "normal", "SetupHost.exe"),
    "processes in the dark": (prepare(broken_classes={"Win32_Process": "provider_failure"}), "normal", "processes"),
    "no client": (prepare(profile="no_client"), "not_installed", "no ConfigMgr client"),
    "disabled": (prepare(profile="half_exited_ccmexec_disabled"), "half_exited", "CcmExec is disabled"),
    "stopped": (
        prepare({"wait_timeout": 1}, services={"CcmExec": {"state": "Stopped"}}),
        "normal",
        "CcmExec is Stopped",
    ),
    "never ready": (prepare({"wait_timeout": 1}, faults=NOT_READY), "normal", "does not answer"),
}
FAILED: dict[str, tuple[Case, str]] = {
    "stale name": (prepare(profile="normal", machine_name="PC-RENAMED"), "PC-RENAMED"),
    "denied": (prepare(account="denied"), "local administrator"),
    "limited": (prepare(account="limited"), "denied"),
    "damaged entry": (prepare(UNDO, registry={JOURNAL: {"max_minutes": "{}"}}), "the entry max_minutes is damaged"),
    "damaged before": (prepare(ALL, registry={PREPARED: {"max_minutes": "["}}), "the entry max_minutes is damaged"),
    "edited limit": (
        prepare({"max_minutes": 720}, **with_limit(["720"])),
        "max_minutes could not be put back later",
    ),
}
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "short": ({"max_minutes": 59}, ["max_minutes=59", "60"]),
    "too large": ({"max_minutes": 2**32}, ["max_minutes=4294967296"]),
    "no delay": ({"safeguard_delay": 0}, ["safeguard_delay=0", "1 to 9999"]),
    "kind": ({"safeguard": "service"}, ["safeguard", "service"]),
    "dependency": ({"dependency": "sometimes"}, ["dependency", "sometimes"]),
    "wait_timeout": ({"wait_timeout": 300}, ["wait_timeout=300", "deadline=300"]),
    "no wait": ({"wait_timeout": 0}, ["wait_timeout=0"]),
}


@pytest.fixture(scope="module")
def others(lab: Lab) -> dict[str, Outcome]:
    return lab.play(
        {
            **{key: case for key, (case, *_) in LEFT_ALONE.items()},
            **{key: case for key, (case, _) in FAILED.items()},
            **{f"bad {key}": Case("client_preparation", options) for key, (options, _) in BAD.items()},
            "starting": prepare(faults=STARTING),
        }
    )


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_left_alone(others: dict[str, Outcome], key: str) -> None:
    _, verdict, word = LEFT_ALONE[key]
    others[key].assert_left_alone()
    assert word in others[key].msg
    assert others[key].result["verdict"] == verdict


@pytest.mark.parametrize("key", FAILED)
def test_failed(others: dict[str, Outcome], key: str) -> None:
    outcome = others[key]
    outcome.assert_failed(FAILED[key][1])
    assert outcome.endpoint["registry"] == outcome.before["registry"]
    assert state(outcome.endpoint) == state(outcome.before)


@pytest.mark.parametrize("key", BAD)
def test_bad_values_are_refused_before_anything_is_sent(others: dict[str, Outcome], key: str) -> None:
    others[f"bad {key}"].assert_refused(*BAD[key][1])


def test_a_client_that_starts_is_waited_for(others: dict[str, Outcome]) -> None:
    outcome = others["starting"]
    assert (outcome.result["action"], outcome.result["attempts"]) == ("prepared", 3), outcome.msg
