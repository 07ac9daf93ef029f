# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is prepared, in however many runs, and wherever a run is cut short: undoing leads back to the start."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import NotVerified
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.change import Change, Changes
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.entry import PREPARATION, Entry
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.journal import DEPENDENCY, Journal
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.plan import (
    NotReversible,
    Plan,
    plan_preparation,
    plan_undoing,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import Write
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import RegistryType
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ConnectionLost
from tests.unit.windows import Windows

VALUES = st.one_of(st.none(), st.integers(0, 3), st.dictionaries(st.just("data"), st.integers(0, 2), min_size=1))
NAMES = ("one", "two")
KEY, JOURNAL, PREPARED, AGENT = (
    "SETTINGS",
    *(rf"{constants.OWN_KEY}\{name}" for name in ("Journal", "Prepared", "smstsmgr")),
)


class PowerLoss(Exception):
    pass


class QuietGuard(Guard):
    reason = ""

    def blocker(self, *, armed_is_fine: bool = False) -> str:
        return self.reason


class Machine(Windows):
    """Settings and the registry of a machine that loses its power after a number of writes."""

    def __init__(self, start: t.Mapping[str, t.Any]) -> None:
        super().__init__()
        self.keys |= {KEY, constants.OWN_KEY}
        self.values = start
        self.guard = QuietGuard(self.endpoint, "", "off")
        self.deaf = False

    @property
    def values(self) -> dict[str, t.Any]:
        return {name: json.loads(self.registry.get((KEY, name), (1, "null"))[1]) for name in NAMES}

    @values.setter
    def values(self, values: t.Mapping[str, t.Any]) -> None:
        self.registry |= {(KEY, name): (1, json.dumps(value)) for name, value in values.items()}

    @property
    def noted(self) -> set[str]:
        return {name for key, name in self.registry if key in (JOURNAL, PREPARED)}

    def grow_old(self) -> None:
        """What is noted stands where an earlier build noted it, and as it did."""
        for key, name in [place for place in self.registry if place[0] == JOURNAL]:
            text = json.loads(self.registry.pop((key, name))[1])
            del text["by"]
            self.registry[PREPARED, name] = (1, json.dumps(text))
            self.keys.add(PREPARED)
        self.keys.discard(JOURNAL)

    def journal(self) -> Journal:
        journal = Journal(self.endpoint)
        journal.read()
        return journal

    def prepare(self, wanted: t.Mapping[str, t.Any], writes: int | None = None, **options: t.Any) -> Changes:
        journal = self.journal()
        parts = [(Part(self, name), value) for name, value in wanted.items()]
        return self.make(plan_preparation(parts, journal.entries), journal, writes, **options)

    def undo(self, writes: int | None = None) -> dict[str, str]:
        journal = self.journal()
        plan = plan_undoing([Part(self, name) for name in NAMES], journal.entries)
        self.make(plan, journal, writes)
        return plan.left

    def make(
        self, plan: Plan, journal: Journal, writes: int | None = None, *, check_mode: bool = False, **options: t.Any
    ) -> Changes:
        self.writes, self.guard.wrote = [], False

        def before(what: str) -> None:
            if writes is not None and len(self.writes) > writes:
                raise PowerLoss

        self.before = before
        changes = Changes(self.guard, journal, lambda line: None, **options)
        try:
            changes.make(plan.changes, check_mode=check_mode)
        except PowerLoss:
            pass
        self.before = lambda what: None
        return changes


class Part:
    def __init__(self, machine: Machine, name: str) -> None:
        self.name = name
        self._machine = machine
        self._registry = machine.endpoint.registry

    def read(self) -> t.Any:
        return json.loads(self._registry.get_string(KEY, self.name) or "null")

    def write(self, value: t.Any) -> None:
        name = "elsewhere" if self._machine.deaf else self.name
        if value is None:
            self._registry.delete_value(KEY, name)
        else:
            self._registry.set(KEY, name, RegistryType.SZ, json.dumps(value))

    def equal(self, one: t.Any, other: t.Any) -> bool:
        return bool(one == other)

    def display(self, value: t.Any) -> t.Any:
        return value

    def obstacle(self, value: t.Any) -> str:
        return "edited" if value == "edited" else ""


STARTS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
WANTED = st.dictionaries(st.sampled_from(NAMES), VALUES)
CUT = st.one_of(st.none(), st.integers(0, 8))


@given(STARTS, st.lists(st.tuples(WANTED, CUT, st.booleans()), max_size=4), st.lists(CUT, max_size=3))
@example({"one": 1, "two": 2}, [({"one": 5}, None, False), ({"one": 6}, 1, False)], [])
def test_undoing_leads_back_to_the_start(
    start: dict[str, t.Any], runs: list[tuple[dict[str, t.Any], int | None, bool]], cuts: list[int | None]
) -> None:
    """Also of what an earlier build has begun."""
    machine = Machine(start)
    for wanted, cut, by_earlier_build in runs:
        machine.prepare(wanted, cut)
        if by_earlier_build:
            machine.grow_old()
    for cut in cuts:
        machine.undo(cut)
    assert machine.undo() == {}
    assert machine.values == start
    assert not machine.noted and not {JOURNAL, PREPARED} & machine.keys


@given(STARTS, WANTED)
def test_preparing_again_writes_nothing(start: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    machine = Machine(start)
    would = machine.prepare(wanted, check_mode=True)
    assert (machine.values, machine.noted, machine.writes, machine.guard.wrote) == (start, set(), [], False)
    changes = machine.prepare(wanted)
    assert [change.setting.name for change in changes.done] == [change.setting.name for change in would.done]
    assert machine.guard.wrote == bool(changes.done)
    assert machine.values == {**start, **wanted}
    assert machine.noted == {name for name, value in wanted.items() if value != start[name]}
    machine.prepare(wanted)
    assert not machine.guard.wrote and machine.writes == []


@given(STARTS, WANTED, st.sampled_from(NAMES))
def test_what_somebody_else_sets_afterwards_stays(start: dict[str, t.Any], wanted: dict[str, t.Any], name: str) -> None:
    machine = Machine(start)
    machine.prepare(wanted)
    machine.values = {name: "theirs"}
    left = machine.undo()
    assert machine.values == {**start, name: "theirs"}
    assert set(left) == machine.noted == ({name} if wanted.get(name, start[name]) != start[name] else set())


@given(STARTS, WANTED, WANTED, st.sampled_from(NAMES))
def test_preparing_over_what_somebody_else_set_leads_back_to_that(
    start: dict[str, t.Any], first: dict[str, t.Any], second: dict[str, t.Any], name: str
) -> None:
    machine = Machine(start)
    machine.prepare(first)
    machine.values = {name: "theirs"}
    machine.prepare({**second, name: 7})
    assert machine.undo() == {}
    assert machine.values == {**start, name: "theirs"}


def test_what_could_not_be_put_back_is_not_touched() -> None:
    machine = Machine({"one": 1, "two": "edited"})
    with pytest.raises(NotReversible, match=r"two.*edited"):
        machine.prepare({"one": 2, "two": 2})
    assert machine.values == {"one": 1, "two": "edited"} and not machine.writes


def test_a_machine_that_does_not_keep_what_is_written_is_noticed_and_remembered() -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.deaf = True
    with pytest.raises(NotVerified, match=r"one was written as 5 and reads back as 1"):
        machine.prepare({"one": 5})
    assert machine.noted == {"one"}
    assert machine.undo() == {} and not machine.noted


# Who else is there


@pytest.mark.parametrize("moment", range(3))
@pytest.mark.parametrize("meddled", ["value", "entry", "both"])
def test_what_somebody_else_does_at_the_same_time_is_not_written_over(meddled: str, moment: int) -> None:
    """Until a request is judged; the setting itself is the third that is written here, after its entry and a key."""
    machine = Machine({"one": 1, "two": 2})
    journal = machine.journal()
    plan = plan_preparation([(Part(machine, "one"), 5)], journal.entries)

    def meddle() -> None:
        if meddled != "entry":
            machine.values = {"one": "theirs"}
        if meddled != "value":
            machine.keys.add(JOURNAL)
            machine.registry[JOURNAL, "one"] = (1, Entry(1, (7,)).as_text())

    asked = iter(range(9))
    changes = machine.make(plan, journal, still_planned=lambda: meddle() or "" if next(asked) == moment else "")
    assert "one has just been" in changes.stopped and changes.done == []
    assert machine.values["one"] == (1 if meddled == "entry" else "theirs")
    if meddled != "value":
        assert json.loads(machine.registry[JOURNAL, "one"][1])["written"] == [7]
    assert len(machine.writes) == moment and machine.guard.wrote == (moment > 0)


@pytest.mark.parametrize("moment", [0, 1])
def test_what_another_notes_meanwhile_does_not_go_with_the_last_entry(moment: int) -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.prepare({"one": 5})
    theirs = Entry(0, (2,), "smstsmgr_dependency").as_text()
    journal, asked = machine.journal(), iter(range(9))

    def meddle() -> str:
        if next(asked) == moment:
            machine.registry[JOURNAL, "two"] = (1, theirs)
        return ""

    changes = machine.make(plan_undoing([Part(machine, "one")], journal.entries), journal, still_planned=meddle)
    assert machine.guard.wrote and "two" in machine.noted
    assert bool(changes.stopped) == ("one" in machine.noted) == (moment == 1)
    assert machine.undo() == {} and machine.noted == {"two"} and machine.values == {"one": 1, "two": 2}


@pytest.mark.parametrize("moment", range(6))
def test_another_who_carries_over_at_the_same_time_is_no_defect(moment: int) -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.prepare({"one": 5})
    machine.grow_old()
    asked = iter(range(9))

    def meddle() -> str:
        if next(asked) == moment:
            machine.keys.discard(PREPARED)
            machine.registry.pop((PREPARED, "one"), None)
        return ""

    changes = machine.prepare({"one": 6}, still_planned=meddle)
    assert changes.done or "has just been noted" in changes.stopped


@given(st.integers(0, 12))
def test_nothing_is_written_once_something_runs(moment: int) -> None:
    machine = Machine({"one": 1, "two": 2})

    def starts() -> str:
        if len(machine.writes) == moment:
            machine.guard.reason = "a task sequence runs"
        return ""

    changes = machine.prepare({"one": 5, "two": None}, still_planned=starts)
    assert machine.writes == ["CreateKey", *["SetStringValue"] * 3, "DeleteValue"][:moment]
    assert bool(changes.stopped) == (moment < 5) and machine.guard.wrote == (moment > 0)
    machine.guard.reason = ""
    assert machine.undo() == {} and machine.values == {"one": 1, "two": 2}


def test_check_mode_says_what_keeps_it() -> None:
    machine = Machine({"one": 1, "two": 2})
    assert machine.prepare({"one": 5}, check_mode=True, still_planned=lambda: "no").stopped == "no"
    machine.guard.reason = "a task sequence runs"
    changes = machine.prepare({"one": 5}, check_mode=True)
    assert (changes.stopped, changes.done, machine.writes) == ("a task sequence runs", [], [])


def test_write_without_an_answer_may_have_been_carried_out() -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.fail["CreateKey"] = ConnectionLost("gone")
    journal = machine.journal()
    changes = Changes(machine.guard, journal, lambda line: None)
    with pytest.raises(ConnectionLost):
        changes.make([Change(Part(machine, "one"), 1, 5, None, Entry(1, (5,)))], check_mode=False)
    assert machine.guard.wrote


# The journal


def test_what_another_module_noted_is_not_undone_with_a_preparation() -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.prepare({"one": 5})
    theirs = Entry(0, (2,), "smstsmgr_dependency")
    machine.registry[JOURNAL, "two"] = (1, theirs.as_text())
    assert machine.undo() == {}
    assert machine.values == {"one": 1, "two": 2} and machine.journal().entries == {"two": theirs}


@pytest.mark.parametrize(("stored", "before"), [(["/"], []), (["Winmgmt", "CcmExec"], ["Winmgmt", "CcmExec"])])
@pytest.mark.parametrize("noted", [True, False])
def test_the_memory_of_the_dependency_is_carried_over(stored: list[str], before: list[str], noted: bool) -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.keys.add(AGENT)
    machine.registry[AGENT, "DependOnService"] = (7, stored)
    journal = machine.journal()
    entry = journal.entries[DEPENDENCY]
    assert entry == Entry(before, (), "smstsmgr_dependency") and entry.knows(["anything"], lambda *values: False)
    with machine.guard.writing(Write("test")):
        if noted:
            journal.note(DEPENDENCY, Entry(before, ([],)))
            assert machine.journal().entries == journal.entries == {DEPENDENCY: Entry(before, ([],), PREPARATION)}
        else:
            journal.forget(DEPENDENCY)
            assert machine.journal().entries == journal.entries == {}
    assert AGENT not in machine.keys and (JOURNAL in machine.keys) == noted


def test_dependency_that_was_prepared_is_reversed_by_its_own_module() -> None:
    machine = Machine({"one": ["CcmExec"], "two": 2})
    machine.prepare({"one": []})
    journal, part = machine.journal(), Part(machine, "one")
    entry = journal.entries["one"]
    assert not machine.make(Plan([Change(part, part.read(), entry.before, entry)], {}), journal).stopped
    assert machine.values["one"] == ["CcmExec"] and not machine.noted
    assert machine.undo() == {} and machine.writes == []


@pytest.mark.parametrize("key", [JOURNAL, PREPARED])
@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"before": 1}', '{"before": 1, "written": 2}', '{"before": 1, "written": [], "by": 2}'],
)
def test_a_damaged_entry_stops_everything(key: str, text: str) -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.keys.add(key)
    machine.registry[key, "one"] = (1, text)
    with pytest.raises(WindowsError, match=r"the entry one is damaged"):
        machine.journal()


@given(VALUES, st.lists(VALUES), st.text())
def test_an_entry_survives_its_text(before: t.Any, written: list[t.Any], by: str) -> None:
    entry = Entry(before, tuple(written), by)
    assert Entry.from_text(entry.as_text()) == entry
