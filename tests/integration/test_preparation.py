# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after an upgrade wave: clients are prepared, and what that changed is put back, exactly and alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, client_key

SAFEGUARD = "configmgr.client.safeguard"
RUN_ONCE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce"
CCMEXEC = "HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec"
OWN = "HKLM\\SOFTWARE\\configmgr.client"
PREPARED = f"{OWN}\\Prepared"
LIMIT = "ProvisioningMaxMinutes"
DEPENDENT = {"services": {"smstsmgr": {"depend_on": ["Winmgmt", "CcmExec"]}}}
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


def records(endpoint: Mapping[str, Any]) -> set[str]:
    """The settings that the endpoint remembers."""
    return set(endpoint["registry"].get(OWN, {}).get("Prepared", {"key": {}})["key"])


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
    assert records(outcome.endpoint) == changes


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
        assert (outcomes[key].status, outcomes[key].changed) == ("ok", False), outcomes[key].msg
        assert outcomes[key].writes == []
        assert outcomes[key].result["action"] == "none"


@pytest.mark.parametrize("key", WAVES)
def test_undone(wave: Wave, key: str) -> None:
    outcome = wave.undone[key]
    assert (outcome.status, outcome.changed, outcome.result["action"]) == ("ok", True, "restored"), outcome.msg
    start = wave.rehearsed[key].before
    assert state(outcome.endpoint) == state(start)
    assert everything_else(outcome.endpoint) == everything_else(start)
    assert outcome.result["remembered"] == []
    assert records(outcome.endpoint) == set()


@pytest.fixture(scope="module")
def nothing(lab: Lab) -> dict[str, Outcome]:
    return lab.play(NOTHING)


@pytest.mark.parametrize("key", NOTHING)
def test_nothing_to_do(nothing: dict[str, Outcome], key: str) -> None:
    outcome = nothing[key]
    assert (outcome.status, outcome.changed, outcome.result["left_alone"]) == ("ok", False, ""), outcome.msg
    assert outcome.msg.startswith("Nothing to do.")
    assert ("Nothing was prepared here" in outcome.msg) == key.startswith("never prepared")
    assert outcome.writes == []
    assert outcome.endpoint["registry"] == outcome.before["registry"]


# -- runs that are cut short -------------------------------------------------------------------------------------------

ALL = {"max_minutes": 720}
# Which call the endpoint dies of, and whether that call still took effect.
CUTS: dict[str, dict[str, Any]] = {
    f"{name}{' done' if executed else ''}": {"match": match, "then": {"do": "drop", "executed": executed}}
    for name, match in {
        "key": {"method": "CreateKey", "nth": 1},
        "first record": {"method": "SetStringValue", "nth": 1},
        "dependency": {"operation": "Command", "value": "sc.exe", "nth": 1},
        "second record": {"method": "SetStringValue", "nth": 2},
        "limit": {"method": "SetDWORDValue", "nth": 1},
        "third record": {"method": "SetStringValue", "nth": 3},
        "safeguard": {"method": "RegisterByXml", "nth": 1},
    }.items()
    for executed in (False, True)
}


class Interrupted:
    """Prepared with one call lost for good, and put back; half of them prepared once more in between."""

    def __init__(self, lab: Lab) -> None:
        cases = {
            f"{cut}{again}": prepare(ALL, profile="smstsmgr_dependency", faults=_lasting(CUTS[cut]))
            for cut in CUTS
            for again in ("", ", again")
        }
        self.cut = lab.play(cases)
        names = {key: outcome.endpoint["name"] for key, outcome in self.cut.items()}
        for name in names.values():
            lab.simulator.patch(name, faults=[])
        again = {key: replace(case, spec={}) for key, case in cases.items() if key.endswith("again")}
        self.again = lab.again({key: names[key] for key in again}, again)
        self.undone = lab.again(names, {key: replace(case, options=UNDO) for key, case in cases.items()})


def _lasting(fault: dict[str, Any]) -> list[dict[str, Any]]:
    """A call that may be repeated is: the second try is lost as well."""
    nth = fault["match"]["nth"]
    return [{**fault, "match": {**fault["match"], "nth": f"{nth}+"}}]


@pytest.fixture(scope="module")
def interrupted(lab: Lab) -> Interrupted:
    return Interrupted(lab)


CUT_KEYS = [f"{cut}{again}" for cut in CUTS for again in ("", ", again")]


@pytest.mark.parametrize("key", CUT_KEYS)
def test_a_run_that_is_cut_short_can_be_undone(interrupted: Interrupted, key: str) -> None:
    cut, undone = interrupted.cut[key], interrupted.undone[key]
    assert cut.status == "failed"
    assert undone.status == "ok", undone.msg
    assert state(undone.endpoint) == state(cut.before)
    assert undone.result["remembered"] == [] and undone.result["left_alone"] == ""
    assert records(undone.endpoint) == set()


@pytest.mark.parametrize("key", [key for key in CUT_KEYS if key.endswith("again")])
def test_a_run_that_is_cut_short_can_be_run_again(interrupted: Interrupted, key: str) -> None:
    again = interrupted.again[key]
    assert again.status == "ok", again.msg
    assert again.result["remembered"] == ["boot_task", "dependency", "max_minutes"]
    after = state(again.endpoint)
    assert after["limit"] == {"type": "REG_DWORD", "data": 720} and after["dependencies"] == []
    assert f"\\{SAFEGUARD}" in [task["uri"] for task in after["tasks"]]


# -- what others do meanwhile ------------------------------------------------------------------------------------------

# What happens after the preparation; what the message names.
MEANWHILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "a task sequence runs": ("start_process", {"command_line": "TSManager.exe"}, "TSManager.exe"),
    "an upgrade runs": ("start_in_place_upgrade", {}, "Windows Setup runs"),
    "the mode was entered": ("enter_provisioning_mode", {}, "In provisioning mode"),
    "somebody set the limit": ("", {}, "max_minutes was changed by somebody else"),
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
        assert state(undone.endpoint)["dependencies"] == ["Winmgmt", "CcmExec"]
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
    "disabled": (prepare(profile="half_exited_ccmexec_disabled"), "half_exited", "CcmExec is disabled. Release"),
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
    "damaged record": (prepare(UNDO, registry={PREPARED: {"max_minutes": "{}"}}), "record max_minutes is damaged"),
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
    outcome, (_, verdict, word) = others[key], LEFT_ALONE[key]
    assert (outcome.status, outcome.changed, outcome.result["verdict"]) == ("ok", False, verdict), outcome.msg
    assert outcome.result["left_alone"] and word in outcome.msg
    assert outcome.writes == []


@pytest.mark.parametrize("key", FAILED)
def test_failed(others: dict[str, Outcome], key: str) -> None:
    outcome = others[key]
    assert (outcome.status, outcome.changed) == ("failed", False), outcome.msg
    assert FAILED[key][1] in outcome.msg
    assert outcome.endpoint["registry"] == outcome.before["registry"]
    assert state(outcome.endpoint) == state(outcome.before)


@pytest.mark.parametrize("key", BAD)
def test_bad_values_are_refused_before_anything_is_sent(others: dict[str, Outcome], key: str) -> None:
    others[f"bad {key}"].assert_refused(*BAD[key][1])


def test_a_client_that_starts_is_waited_for(others: dict[str, Outcome]) -> None:
    outcome = others["starting"]
    assert (outcome.result["action"], outcome.result["attempts"]) == ("prepared", 3), outcome.msg
