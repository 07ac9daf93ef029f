# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of CMPivot: what is not there is absent only where the client is known to have answered."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from simulator.site.cmpivot import Pivot
from simulator.windows.clock import Clock
from simulator.windows.machine import Machine
from simulator.windows.spec import MachineSpec

from ansible_collections.configmgr.client.plugins.module_utils._client import programs
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import pivot
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.pivot import Rows, state_of
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import RELEASED, Verdict, assess

STUCK: dict[str, Any] = {"provisioning": {"mode": True, "entered": "30h ago"}}


def asked(query: str, **keys: Any) -> list[dict[str, str | None]]:
    machine = Machine(MachineSpec.from_mapping(keys, "machine"), Clock())
    question = Pivot.read(query)
    rows = question.rows("PC-1", machine.channel.entity(question.entity, question.argument))
    return [{name.lower(): value for name, value in row.items()} for row in rows]


def rows(**keys: Any) -> Rows:
    evidence = {signal: asked(query, **keys) for signal, query in pivot.EVIDENCE.items()}
    return Rows(asked(pivot.MODE, **keys), evidence, list(evidence))


def verdict(found: Rows) -> Verdict | None:
    state = state_of(found, dt.datetime.now(dt.timezone.utc), "5.00.9128.1007", "PC-1")
    return assess(state).verdict if state else None


def test_a_client_that_answered_all_questions_has_its_verdict() -> None:
    assert verdict(rows()) is Verdict.NORMAL
    assert verdict(rows(**STUCK)) is Verdict.STUCK


@pytest.mark.parametrize("signal", pivot.EVIDENCE)
def test_a_question_without_an_answer_is_a_signal_in_the_dark(signal: str) -> None:
    found = rows(**STUCK)
    evidence = {name: each for name, each in found.evidence.items() if name != signal}
    for one in (Rows(found.mode, evidence, found.asked), Rows(found.mode, evidence, list(evidence))):
        assert verdict(one) is Verdict.UNKNOWN


@pytest.mark.parametrize("signal", ["clock", "setup", "services", "processes"])
def test_no_rows_where_every_windows_has_some_prove_nothing(signal: str) -> None:
    found = rows(**STUCK)
    assert verdict(Rows(found.mode, {**found.evidence, signal: []}, found.asked)) is Verdict.UNKNOWN


def test_who_says_nothing_of_the_mode_is_not_taken_for_one_outside_of_it() -> None:
    found = rows(**STUCK)
    assert verdict(Rows([], found.evidence, found.asked)) is None
    two = [{"property": "ProvisioningMode", "value": "false"}, {"property": "ProvisioningMode", "value": "true"}]
    assert verdict(Rows(two)) is None
    assert verdict(Rows([{"property": "ProvisioningMode", "value": None}])) not in (Verdict.NORMAL, *RELEASED)


def test_the_same_row_twice_says_nothing_new() -> None:
    found = rows()
    assert verdict(Rows(found.mode * 2, found.evidence, found.asked)) is Verdict.NORMAL


@pytest.mark.parametrize("name", programs.NAMES)
def test_every_program_that_is_weighed_by_its_name_is_asked_for(name: str) -> None:
    condition = Pivot.read(pivot.EVIDENCE["processes"])
    assert condition.rows("PC-1", [{"Name": name, "ProcessId": "1", "ExecutablePath": ""}])


@pytest.mark.parametrize(
    ("keys", "excludes"),
    [({}, None), (STUCK, "*"), ({"provisioning": {"mode": False, "excludes": "*"}}, "*")],
)
def test_of_many_only_those_tell_that_are_not_simply_out_of_the_mode(
    keys: dict[str, Any], excludes: str | None
) -> None:
    found = asked(pivot.UNUSUAL, **keys)
    assert bool(found) == bool(excludes)
    state = state_of(
        Rows(pivot.with_usual(found), unusual=True), dt.datetime.now(dt.timezone.utc), "5.00.9128.1007", "PC-1"
    )
    assert state is not None
    if excludes is None:
        assert assess(state).verdict is Verdict.NORMAL
    else:
        assert state.mode.enabled is keys["provisioning"]["mode"]
        assert "entered_at" in state.unreadable and assess(state).verdict is Verdict.UNKNOWN
