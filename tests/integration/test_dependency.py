# SPDX-License-Identifier: GPL-3.0-or-later
"""The workaround for smstsmgr: applied, remembered, reversed, and the ways in which sc.exe fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, Thrice, journal, own_keys

BUG = ["Winmgmt", "CcmExec"]
OWN = "HKLM\\SOFTWARE\\configmgr.client\\smstsmgr"
SC = r"C:\Windows\system32\sc.exe config smstsmgr depend="


def depend(on: list[str] | None = None, /, *, spec: dict[str, Any] | None = None, **options: Any) -> Case:
    """An endpoint whose smstsmgr depends on the services given; the default is what release 1802 had."""
    services = {"services": {"smstsmgr": {"depend_on": BUG if on is None else on}}}
    return Case("smstsmgr_dependency", options, {**services, **(spec or {})})


def instead(names: list[str]) -> Case:
    """As by default, but right after sc.exe has ended well, something makes these of it."""
    line = f"sc config smstsmgr depend= {'/'.join(names)}"
    after = {"after": {"operation": "Command", "nth": 1}, "do": {"event": "run_command", "line": line}}
    return depend(spec={"triggers": [after]})


def remembered(names: list[str]) -> dict[str, Any]:
    """By an earlier build."""
    return {"registry": {OWN: {"DependOnService": names}}}


# Key: the case; before; after; the command line's end; what is noted afterwards as it was before.
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
    "explicit, from none": (depend([], depends_on=["Winmgmt"]), [], ["Winmgmt"], "Winmgmt", []),
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
APPLIED = {key: memory for key, (*_, memory) in CHANGED.items() if memory is not None}
NOT_KEPT = {"another": ["RPCSS"], "as it was": BUG}
UNCHANGED: dict[str, tuple[Case, list[str]]] = {
    "not needed": (depend(["Winmgmt"]), ["Winmgmt"]),
    "none": (depend([]), []),
    "explicit already": (depend(["Winmgmt", "RPCSS"], depends_on=["rpcss", "WINMGMT"]), ["Winmgmt", "RPCSS"]),
    "nothing remembered": (depend(state="absent"), BUG),
}
LEFT_ALONE: dict[str, tuple[Case, str]] = {
    "task sequence": (depend(spec={"processes": ["TSManager.exe"]}), "TSManager.exe"),
    "setup": (depend(spec={"processes": ["SetupHost.exe"]}), "SetupHost.exe"),
    "armed": (depend(spec={"setup": {"SetupType": 2, "CmdLine": r"C:\x\SetupComplete.cmd"}}), "at the next restart"),
    "in the dark": (depend(spec={"broken_classes": {"Win32_Process": "provider_failure"}}), "processes could not"),
    "reversal, task sequence": (
        depend([], state="absent", spec={"processes": ["TSManager.exe"], **remembered(BUG)}),
        "TSManager.exe",
    ),
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


@pytest.fixture(scope="module")
def thrice(lab: Lab) -> Thrice:
    others = {key: case for key, (case, _) in [*UNCHANGED.items(), *LEFT_ALONE.items(), *FAILED.items()]}
    others |= {f"bad {key}": depend(**options) for key, (options, _) in BAD.items()}
    others |= {f"not kept, {key}": instead(depend_on) for key, depend_on in NOT_KEPT.items()}
    return Thrice(lab, {key: case for key, (case, *_) in CHANGED.items()}, others)


@pytest.fixture(scope="module")
def reversed_(lab: Lab, thrice: Thrice) -> dict[str, Outcome]:
    """Back again, where the workaround was applied."""
    names = {key: outcome.endpoint["name"] for key, outcome in thrice.done.items() if key in APPLIED or "kept" in key}
    return lab.again(names, dict.fromkeys(names, depend(state="absent")))


def depends_on(endpoint: dict[str, Any]) -> list[str]:
    """What the service control manager goes by."""
    return list(endpoint["services"]["smstsmgr"]["depend_on"])


def in_registry(endpoint: dict[str, Any]) -> list[str]:
    value = endpoint["registry"]["HKLM\\SYSTEM\\CurrentControlSet\\Services\\smstsmgr"].get("DependOnService")
    return value["data"] if value else []


@pytest.mark.parametrize("key", CHANGED)
def test_changed(thrice: Thrice, key: str) -> None:
    _, before, after, line, memory = CHANGED[key]
    outcome = thrice.done[key]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert depends_on(outcome.before) == before
    assert depends_on(outcome.endpoint) == in_registry(outcome.endpoint) == outcome.result["depends_on"] == after
    assert outcome.result["diff"] == {"before": {"depends_on": before}, "after": {"depends_on": after}}
    assert outcome.commands() == [f"{SC} {line}"]
    assert outcome.endpoint["shells"] == []
    other = {name: value for name, value in outcome.endpoint["services"]["smstsmgr"].items() if name != "depend_on"}
    assert other.items() <= outcome.before["services"]["smstsmgr"].items()
    thrice.assert_rehearsed(key, "depends_on")
    assert thrice.rehearsed[key].endpoint["shells_opened"] == 0
    # Noted first, and forgotten last.
    events = [write["event"] for write in outcome.writes]
    if memory is None:
        assert events == ["sc.config", "registry.delete_key"] and own_keys(outcome.endpoint) == {}
    else:
        assert events[:2] == ["registry.create_key", "registry.set"] and events[-1] == "sc.config"
        noted = {"before": memory, "written": [after], "by": "smstsmgr_dependency"}
        assert journal(outcome.endpoint) == {"dependency": noted} and set(own_keys(outcome.endpoint)) == {"Journal"}


@pytest.mark.parametrize("key", [*APPLIED, *(f"not kept, {key}" for key in NOT_KEPT)])
def test_reversed(reversed_: dict[str, Outcome], key: str) -> None:
    was = APPLIED.get(key, BUG)
    outcome = reversed_[key]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert depends_on(outcome.endpoint) == in_registry(outcome.endpoint) == outcome.result["depends_on"] == was
    assert outcome.writes[-1]["event"] == "registry.delete_key" and own_keys(outcome.endpoint) == {}


@pytest.mark.parametrize("key", UNCHANGED)
def test_unchanged(thrice: Thrice, key: str) -> None:
    outcome = thrice.done[key]
    outcome.assert_nothing_to_do()
    assert outcome.result["depends_on"] == UNCHANGED[key][1]
    assert outcome.endpoint["shells_opened"] == 0


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_left_alone(thrice: Thrice, key: str) -> None:
    outcome = thrice.done[key]
    outcome.assert_left_alone(LEFT_ALONE[key][1])
    assert outcome.endpoint["services"] == outcome.before["services"]


@pytest.mark.parametrize("key", FAILED)
def test_failed(thrice: Thrice, key: str) -> None:
    outcome = thrice.done[key]
    outcome.assert_failed(*FAILED[key][1])
    assert outcome.endpoint["services"] == outcome.before["services"]
    assert outcome.endpoint["shells"] == []


@pytest.mark.parametrize("key", NOT_KEPT)
def test_what_windows_does_not_keep_is_not_accepted(thrice: Thrice, key: str) -> None:
    """sc.exe ended with 0; what was there before stays noted, and can be put back."""
    outcome = thrice.done[f"not kept, {key}"]
    outcome.assert_failed(f"dependency was written as [] and reads back as {NOT_KEPT[key]!r}")
    assert outcome.commands() == [f"{SC} /"]
    assert journal(outcome.endpoint)["dependency"]["before"] == BUG


@pytest.mark.parametrize("key", BAD)
def test_bad_values_are_refused_before_anything_is_sent(thrice: Thrice, key: str) -> None:
    thrice.done[f"bad {key}"].assert_refused(*BAD[key][1])
