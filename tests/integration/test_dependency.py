# SPDX-License-Identifier: GPL-3.0-or-later
"""The workaround for smstsmgr: applied, remembered, reversed, and the ways in which sc.exe fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome

BUG = ["Winmgmt", "CcmExec"]
OWN = "HKLM\\SOFTWARE\\configmgr.client\\smstsmgr"
SC = r"C:\Windows\system32\sc.exe config smstsmgr depend="


def depend(
    on: list[str] | None = None, /, *, check: bool = False, spec: dict[str, Any] | None = None, **options: Any
) -> Case:
    """An endpoint whose smstsmgr depends on the services given; the default is what release 1802 had."""
    services = {"services": {"smstsmgr": {"depend_on": BUG if on is None else on}}}
    return Case("smstsmgr_dependency", options, {**services, **(spec or {})}, check=check)


def remembered(names: list[str]) -> dict[str, Any]:
    return {"registry": {OWN: {"DependOnService": names}}}


# Key: the case; before; after; the command line's end; what is remembered afterwards.
CHANGED: dict[str, tuple[Case, list[str], list[str], str, list[str] | None]] = {
    "needed": (depend(), BUG, [], "/", BUG),
    "needed, another case": (depend(["ccmexec"]), ["ccmexec"], [], "/", ["ccmexec"]),
    "explicit": (depend(depends_on=["Winmgmt"]), BUG, ["Winmgmt"], "Winmgmt", BUG),
    "explicit, several": (
        depend(["Winmgmt"], depends_on=["Winmgmt", "RPCSS"]),
        ["Winmgmt"],
        ["Winmgmt", "RPCSS"],
        "Winmgmt/RPCSS",
        ["Winmgmt"],
    ),
    "explicit, none": (depend(["Winmgmt"], depends_on=[]), ["Winmgmt"], [], "/", ["Winmgmt"]),
    "explicit, from none": (depend([], depends_on=["Winmgmt"]), [], ["Winmgmt"], "Winmgmt", ["/"]),
    "reversed": (depend([], state="absent", spec=remembered(BUG)), [], BUG, "Winmgmt/CcmExec", None),
    "reversed to none": (depend(["Winmgmt"], state="absent", spec=remembered(["/"])), ["Winmgmt"], [], "/", None),
    "reversed to a list": (
        depend([], state="absent", depends_on=["Winmgmt"], spec=remembered(BUG)),
        [],
        ["Winmgmt"],
        "Winmgmt",
        None,
    ),
    "applied twice keeps the first memory": (
        depend(["Winmgmt", "CcmExec"], spec=remembered(["RPCSS"])),
        BUG,
        [],
        "/",
        ["RPCSS"],
    ),
    "emptied, not deleted": (depend(spec={"variants": {"cleared_dependency": "empty"}}), BUG, [], "/", BUG),
    "in the mode, nothing runs": (depend(spec={"profile": "stuck"}), BUG, [], "/", BUG),
}
UNCHANGED: dict[str, tuple[Case, list[str]]] = {
    "not needed": (depend(["Winmgmt"]), ["Winmgmt"]),
    "none": (depend([]), []),
    "explicit already": (depend(["Winmgmt", "RPCSS"], depends_on=["rpcss", "WINMGMT"]), ["Winmgmt", "RPCSS"]),
    "nothing remembered": (depend(state="absent"), BUG),
}
LEFT_ALONE = {
    "task sequence": depend(spec={"processes": ["TSManager.exe"]}),
    "setup": depend(spec={"processes": ["SetupHost.exe"]}),
    "armed": depend(spec={"setup": {"SetupType": 2, "CmdLine": r"C:\x\SetupComplete.cmd"}}),
    "in the dark": depend(spec={"broken_classes": {"Win32_Process": "provider_failure"}}),
    "reversal, task sequence": depend([], state="absent", spec={"processes": ["TSManager.exe"], **remembered(BUG)}),
}
FAILED: dict[str, tuple[Case, list[str]]] = {
    "service missing": (depend(spec={"services": {"smstsmgr": "absent"}}), ["no service smstsmgr"]),
    "marked for deletion": (
        depend(spec={"services": {"smstsmgr": {"depend_on": BUG, "marked_for_deletion": True}}}),
        ["sc.exe", "1072"],
    ),
    "limited account": (depend(spec={"account": "limited"}), ["no access to registry"]),
    "stale name": (depend(spec={"machine_name": "PC-RENAMED"}), ["PC-RENAMED"]),
    "circular": (depend(["Winmgmt"], depends_on=["smstsmgr"]), ["sc.exe", "1059"]),
    "shells used up": (
        depend(spec={"faults": [{"match": {"operation": "Create"}, "then": "shell_quota"}]}),
        ["limits"],
    ),
    "command dropped": (depend(spec={"faults": [{"match": {"operation": "Command"}, "then": "drop"}]}), ["not known"]),
}
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "slash": ({"depends_on": ["Winmgmt/CcmExec"]}, ["depends_on", "Winmgmt/CcmExec"]),
    "quote": ({"depends_on": ['Winmgmt" start= disabled "']}, ["depends_on", "start= disabled"]),
    "ampersand": ({"depends_on": ["Winmgmt & calc"]}, ["depends_on", "& calc"]),
    "newline": ({"depends_on": ["Winmgmt\ncalc"]}, ["depends_on"]),
    "last newline": ({"depends_on": ["Winmgmt\n"]}, ["depends_on"]),
    "empty": ({"depends_on": [""]}, ["depends_on", "''"]),
    "too long": ({"depends_on": ["x" * 257]}, ["depends_on"]),
    "non-ASCII": ({"depends_on": ["Wïnmgmt"]}, ["depends_on", "Wïnmgmt"]),
    "option for sc.exe": ({"depends_on": ["Winmgmt", "start="]}, ["depends_on", "start="]),
    "blank": ({"depends_on": [" "]}, ["depends_on", "' '"]),
    "blank at the end": ({"depends_on": ["Winmgmt "]}, ["depends_on", "'Winmgmt '"]),
    "state": ({"state": "reversed"}, ["state", "reversed"]),
}


def checked(case: Case) -> Case:
    return Case(case.module, case.options, case.spec, check=True)


@pytest.fixture(scope="module")
def rehearsed(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: checked(case) for key, (case, *_) in CHANGED.items()})


@pytest.fixture(scope="module")
def outcomes(lab: Lab, rehearsed: dict[str, Outcome]) -> dict[str, Outcome]:
    names = {key: outcome.endpoint["name"] for key, outcome in rehearsed.items()}
    others = {
        **{key: case for key, (case, _) in UNCHANGED.items()},
        **LEFT_ALONE,
        **{key: case for key, (case, _) in FAILED.items()},
        **{f"bad {key}": depend(**options) for key, (options, _) in BAD.items()},
    }
    names |= lab.add({key: case.spec for key, case in others.items()})
    return lab.again(names, {**{key: case for key, (case, *_) in CHANGED.items()}, **others})


@pytest.fixture(scope="module")
def again(lab: Lab, outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    names = {key: outcomes[key].endpoint["name"] for key in CHANGED}
    return lab.again(names, {key: case for key, (case, *_) in CHANGED.items()})


@pytest.fixture(scope="module")
def reversed_(lab: Lab, again: dict[str, Outcome]) -> dict[str, Outcome]:
    """Back again, where the workaround was applied."""
    applied = [key for key, (*_, memory) in CHANGED.items() if memory is not None]
    names = {key: again[key].endpoint["name"] for key in applied}
    return lab.again(names, {key: depend(state="absent") for key in applied})


def depends_on(endpoint: dict[str, Any]) -> list[str]:
    """What the service control manager goes by."""
    return list(endpoint["services"]["smstsmgr"]["depend_on"])


def in_registry(endpoint: dict[str, Any]) -> list[str]:
    value = endpoint["registry"]["HKLM\\SYSTEM\\CurrentControlSet\\Services\\smstsmgr"].get("DependOnService")
    return value["data"] if value else []


def memory_writes(outcome: Outcome) -> list[str]:
    return [f"{write['event']} {write['detail']}" for write in outcome.writes if "configmgr.client" in write["detail"]]


@pytest.mark.parametrize("key", CHANGED)
def test_changed(outcomes: dict[str, Outcome], key: str) -> None:
    _, before, after, line, _ = CHANGED[key]
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert depends_on(outcome.before) == before
    assert depends_on(outcome.endpoint) == in_registry(outcome.endpoint) == outcome.result["depends_on"] == after
    assert outcome.result["diff"] == {"before": {"depends_on": before}, "after": {"depends_on": after}}
    assert outcome.commands() == [f"{SC} {line}"]
    assert outcome.endpoint["shells"] == []
    other = {name: value for name, value in outcome.endpoint["services"]["smstsmgr"].items() if name != "depend_on"}
    assert other.items() <= outcome.before["services"]["smstsmgr"].items()


@pytest.mark.parametrize("key", CHANGED)
def test_remembers_first_and_forgets_last(outcomes: dict[str, Outcome], key: str) -> None:
    *_, memory = CHANGED[key]
    events = [write["event"] for write in outcomes[key].writes]
    if memory is None:
        assert events[0] == "sc.config" and events[1:] == ["registry.delete_key"]
    elif key == "applied twice keeps the first memory":
        assert events == ["sc.config"]
    else:
        assert events == ["registry.create_key", "registry.set", "sc.config"]
        assert repr(memory[0]) in memory_writes(outcomes[key])[-1]


@pytest.mark.parametrize("key", CHANGED)
def test_rehearsed(rehearsed: dict[str, Outcome], outcomes: dict[str, Outcome], key: str) -> None:
    assert rehearsed[key].writes == []
    assert rehearsed[key].endpoint["shells_opened"] == 0
    assert rehearsed[key].endpoint["services"] == rehearsed[key].before["services"]
    for name in ("changed", "diff", "depends_on"):
        assert rehearsed[key].result[name] == outcomes[key].result[name]


@pytest.mark.parametrize("key", CHANGED)
def test_again(again: dict[str, Outcome], key: str) -> None:
    assert (again[key].status, again[key].changed) == ("ok", False)
    assert again[key].writes == []
    assert again[key].commands() == []


@pytest.mark.parametrize("key", [key for key, (*_, memory) in CHANGED.items() if memory is not None])
def test_reversed(reversed_: dict[str, Outcome], key: str) -> None:
    memory = CHANGED[key][4]
    was = [] if memory == ["/"] else memory
    outcome = reversed_[key]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert depends_on(outcome.endpoint) == in_registry(outcome.endpoint) == outcome.result["depends_on"] == was
    assert outcome.writes[-1]["event"] == "registry.delete_key"


@pytest.mark.parametrize("key", UNCHANGED)
def test_unchanged(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed, outcome.result["depends_on"]) == ("ok", False, UNCHANGED[key][1])
    assert outcome.msg.startswith("Nothing to do.")
    assert outcome.writes == []
    assert outcome.endpoint["shells_opened"] == 0


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_left_alone(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("ok", False)
    assert outcome.result["left_alone"]
    assert outcome.msg.startswith("Left alone")
    assert outcome.writes == []
    assert outcome.endpoint["services"] == outcome.before["services"]


@pytest.mark.parametrize("key", FAILED)
def test_failed(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed) == ("failed", False), outcome.msg
    for word in FAILED[key][1]:
        assert word in outcome.msg
    assert outcome.endpoint["services"] == outcome.before["services"]
    assert outcome.endpoint["shells"] == []


@pytest.mark.parametrize("key", BAD)
def test_bad_values_are_refused_before_anything_is_sent(outcomes: dict[str, Outcome], key: str) -> None:
    outcomes[f"bad {key}"].assert_refused(*BAD[key][1])
