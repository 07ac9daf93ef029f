# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
"""Whatever is prepared, in however many runs, and wherever a run is cut short: undoing leads back to the start."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.errors import NotVerified
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.journal import Record
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.memory import Memory
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.plan import (
    ChangedMeanwhile,
    NotReversible,
    carry_out,
    plan_preparation,
    plan_undoing,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import KeyAbsent

VALUES = st.one_of(st.none(), st.integers(0, 3), st.dictionaries(st.just("data"), st.integers(0, 2), min_size=1))
NAMES = ("one", "two")


class PowerLoss(Exception):
    pass


class Machine:
    """Settings and the registry of a machine that loses its power after a number of writes."""

    def __init__(self, start: t.Mapping[str, t.Any]) -> None:
        self.values = dict(start)
        self.stored: dict[str, str] | None = None
        self.writes_left: int | None = None
        self.deaf = False
        self.endpoint: t.Any = self
        self.registry = self

    def _written(self) -> None:
        if self.writes_left == 0:
            raise PowerLoss
        if self.writes_left is not None:
            self.writes_left -= 1

    # -- the registry, as Memory uses it

    def types(self, key: str) -> dict[str, int]:
        if self.stored is None:
            raise KeyAbsent(key, 2)
        return dict.fromkeys(self.stored, 1)

    def get_string(self, key: str, name: str) -> str | None:
        assert self.stored is not None
        return self.stored[name]

    def create_key(self, key: str) -> None:
        self._written()
        self.stored = self.stored or {}

    def set(self, key: str, name: str, value_type: object, data: str) -> None:
        self._written()
        assert self.stored is not None
        self.stored[name] = data

    def delete_value(self, key: str, name: str) -> None:
        self._written()
        assert self.stored is not None
        del self.stored[name]

    def delete_key(self, key: str) -> None:
        self._written()
        assert not self.stored
        self.stored = None

    # -- what an operator does

    def memory(self) -> Memory:
        memory = Memory(self.endpoint)
        memory.read()
        return memory

    def settings(self) -> list[Part]:
        return [Part(self, name) for name in NAMES]

    def prepare(self, wanted: t.Mapping[str, t.Any], writes: int | None = None) -> None:
        memory = self.memory()
        plan = plan_preparation([(Part(self, name), value) for name, value in wanted.items()], memory.records)
        self._run(plan.changes, memory, writes)

    def undo(self, writes: int | None = None) -> dict[str, str]:
        memory = self.memory()
        plan = plan_undoing(self.settings(), memory.records)
        self._run(plan.changes, memory, writes)
        return plan.left

    def _run(self, changes: t.Iterable[t.Any], memory: Memory, writes: int | None) -> None:
        self.writes_left = writes
        try:
            for change in changes:
                carry_out(change, memory)
        except PowerLoss:
            pass
        self.writes_left = None


class Part:
    def __init__(self, machine: Machine, name: str) -> None:
        self.name = name
        self._machine = machine

    def read(self) -> t.Any:
        return self._machine.values[self.name]

    def write(self, value: t.Any) -> None:
        self._machine._written()
        if not self._machine.deaf:
            self._machine.values[self.name] = value

    def same(self, one: t.Any, other: t.Any) -> bool:
        return bool(one == other)

    def obstacle(self, value: t.Any) -> str:
        return "edited" if value == "edited" else ""


STARTS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
WANTED = st.dictionaries(st.sampled_from(NAMES), VALUES)
CUT = st.one_of(st.none(), st.integers(0, 8))


@given(STARTS, st.lists(st.tuples(WANTED, CUT), max_size=4), st.lists(CUT, max_size=3))
def test_undoing_leads_back_to_the_start(
    start: dict[str, t.Any], runs: list[tuple[dict[str, t.Any], int | None]], cuts: list[int | None]
) -> None:
    machine = Machine(start)
    for wanted, cut in runs:
        machine.prepare(wanted, cut)
    for cut in cuts:
        machine.undo(cut)
    assert machine.undo() == {}
    assert machine.values == start
    assert not machine.stored


@given(STARTS, WANTED)
def test_preparing_again_writes_nothing(start: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    machine = Machine(start)
    machine.prepare(wanted)
    assert machine.values == {**start, **wanted}
    stored = machine.stored
    machine.prepare(wanted, 0)
    assert machine.values == {**start, **wanted} and machine.stored == stored
    assert set(stored or {}) == {name for name, value in wanted.items() if value != start[name]}


@given(STARTS, WANTED, st.sampled_from(NAMES))
def test_what_somebody_else_sets_afterwards_stays(start: dict[str, t.Any], wanted: dict[str, t.Any], name: str) -> None:
    machine = Machine(start)
    machine.prepare(wanted)
    machine.values[name] = "theirs"
    left = machine.undo()
    assert machine.values == {**start, name: "theirs"}
    assert set(left) == set(machine.stored or {}) == ({name} if wanted.get(name, start[name]) != start[name] else set())


@given(STARTS, WANTED, WANTED, st.sampled_from(NAMES))
def test_preparing_over_what_somebody_else_set_leads_back_to_that(
    start: dict[str, t.Any], first: dict[str, t.Any], second: dict[str, t.Any], name: str
) -> None:
    machine = Machine(start)
    machine.prepare(first)
    machine.values[name] = "theirs"
    machine.prepare({**second, name: 7})
    assert machine.undo() == {}
    assert machine.values == {**start, name: "theirs"}


def test_what_could_not_be_put_back_is_not_touched() -> None:
    machine = Machine({"one": 1, "two": "edited"})
    with pytest.raises(NotReversible, match=r"two.*edited"):
        machine.prepare({"one": 2, "two": 2})
    assert machine.values == {"one": 1, "two": "edited"} and machine.stored is None


def test_a_machine_that_does_not_keep_what_is_written_is_noticed_and_remembered() -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.deaf = True
    with pytest.raises(NotVerified, match="one"):
        machine.prepare({"one": 5})
    assert set(machine.stored or {}) == {"one"}
    assert machine.undo() == {} and not machine.stored


@pytest.mark.parametrize("meddled", ["value", "record"])
def test_what_somebody_else_does_at_the_same_time_is_not_written_over(meddled: str) -> None:
    machine = Machine({"one": 1, "two": 2})
    memory = machine.memory()
    plan = plan_preparation([(Part(machine, "one"), 5)], memory.records)
    if meddled == "value":
        machine.values["one"] = "theirs"
    else:
        machine.prepare({"one": 7})
        machine.values["one"] = 1
    before = dict(machine.values), dict(machine.stored or {})
    with pytest.raises(ChangedMeanwhile, match="one"):
        carry_out(plan.changes[0], memory)
    assert (machine.values, machine.stored or {}) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"before": 1}', '{"before": 1, "written": 2}'])
def test_a_damaged_record_stops_everything(text: str) -> None:
    machine = Machine({"one": 1, "two": 2})
    machine.stored = {"one": text}
    with pytest.raises(WindowsError, match="one"):
        machine.memory()


@given(VALUES, st.lists(VALUES))
def test_a_record_survives_its_text(before: t.Any, written: list[t.Any]) -> None:
    record = Record(before, tuple(written))
    assert Record.from_text(record.as_text()) == record
