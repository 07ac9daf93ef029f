# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.activity import blocker, resuming
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.plan import (
    Action,
    Entry,
    Exit,
    Plan,
    difference,
    plan_entry,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState, Hold, Mode
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    Verdict,
    assess,
    unreadable_signals,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.catalog import NAMES
from ansible_collections.configmgr.client.plugins.module_utils._client.window import Window
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import ABSENT
from tests.unit.states import (
    ANY_SIGNALS,
    ARMED,
    FORCEABLE,
    HALF_OUT,
    IN_MODE,
    LEFT,
    NOW,
    READABLE,
    RELEASED,
    SIGNALS,
    TASKS,
    YOUNG,
    ago,
    darken,
    qword,
    running,
    services,
    shown,
    stuck,
)

STATES = st.builds(darken, READABLE, st.just(set()) | ANY_SIGNALS)
TRIGGERS = st.lists(st.sampled_from(NAMES), max_size=3)
DISABLED = services("Stopped", "Disabled")
AGE = 240
HOLD = Hold("jdoe", "CHG0012345", NOW + dt.timedelta(hours=1))


HELD = "jdoe: CHG0012345, until 2026-11-20T13:00:00Z"


def leave(state: ClientState, *, force: bool = False, triggers: t.Sequence[str] = (), owner: str = "") -> Plan:
    return Exit(AGE, force, triggers, hold_owner=owner).plan(state)


def enter(state: ClientState, hold: Hold | None = None) -> Plan:
    return Entry(hold).plan(state)


def steps(plan: Plan) -> list[tuple[str, str | bool]]:
    return [(step.action.value, step.argument) for step in plan.steps]


# Leaving


@given(STATES, st.booleans(), TRIGGERS)
def test_only_a_released_or_forced_verdict_is_acted_on(state: ClientState, force: bool, triggers: list[str]) -> None:
    plan, verdict = leave(state, force=force, triggers=triggers), assess(state, AGE).verdict.value
    acts = verdict in RELEASED or (force and verdict in FORCEABLE and not resuming(state.activity))
    assert (bool(plan.steps), bool(plan.left_alone)) == (acts, not acts and verdict not in ("normal", "not_installed"))
    assert not acts or not blocker(state.activity, armed_is_fine=force)
    assert ("set_mode", True) not in steps(plan)


@given(STATES, st.booleans(), st.none() | st.integers(-720, 840), st.times(), st.times())
def test_a_window_is_of_the_endpoints_own_clock(
    state: ClientState, force: bool, offset: int | None, begin: dt.time, end: dt.time
) -> None:
    system = state.system and dataclasses.replace(state.system, offset_minutes=offset)
    state = dataclasses.replace(state, activity=dataclasses.replace(state.activity, system=system))
    whenever = Exit(AGE, force).plan(state)
    plan = Exit(AGE, force, window=Window(begin, end)).plan(state)
    if not whenever.steps:
        assert plan == whenever
        return
    there = system and offset is not None and (system.now + dt.timedelta(minutes=offset)).time()
    within = there and (begin <= there < end if begin < end else not end <= there < begin)
    assert plan.steps == (whenever.steps if within else [])
    assert plan.another_time is not bool(within)
    assert bool(plan.left_alone) is not bool(within)


@given(STATES, st.booleans(), TRIGGERS)
def test_schedules_come_last_in_the_order_asked_for_and_only_after_a_change(
    state: ClientState, force: bool, triggers: list[str]
) -> None:
    actions = steps(leave(state, force=force, triggers=triggers))
    if actions:
        assert actions[len(actions) - len(triggers) :] == [("trigger_schedule", name) for name in triggers]
        assert len(actions) > len(triggers)


@pytest.mark.parametrize(
    ("state", "force", "expected"),
    [
        (stuck(), False, [("set_mode", False)]),
        (stuck(mode=HALF_OUT), False, [("set_mode", False)]),
        (
            stuck(services=DISABLED),
            False,
            [("change_start_mode", "Automatic"), ("start_service", "CcmExec"), ("set_mode", False)],
        ),
        (
            stuck(mode=LEFT, services=DISABLED),
            False,
            [("change_start_mode", "Automatic"), ("start_service", "CcmExec")],
        ),
        (stuck(mode=LEFT), True, []),
        (stuck(entered=qword(ago(hours=1))), False, []),
        (stuck(entered=qword(ago(hours=1))), True, [("set_mode", False)]),
        (stuck(setup=ARMED), True, [("set_mode", False)]),
        (stuck(processes=running("TSManager.exe")), True, []),
        (stuck(system=YOUNG, requests=["Running/-/-"]), True, []),
        (stuck(system=YOUNG), True, [("set_mode", False)]),
        (stuck(hold=HOLD), False, []),
        (stuck(hold=HOLD), True, [("set_mode", False), ("remove_hold", HELD)]),
        (darken(stuck(), ["processes"]), True, []),
    ],
)
def test_exit_by_example(state: ClientState, force: bool, expected: list[tuple[str, str | bool]]) -> None:
    assert steps(leave(state, force=force)) == expected


# Entering


@given(STATES, st.none() | st.just(HOLD))
def test_entry_is_planned_only_where_nothing_runs_and_all_is_seen(state: ClientState, hold: Hold | None) -> None:
    plan = enter(state, hold)
    if ("set_mode", True) in steps(plan):
        assert state.mode.enabled is False and not state.class_missing
        assert not blocker(state.activity) and not unreadable_signals(state)
        assert state.client_service is not None and state.client_service.running
        assert [step.action for step in plan.steps[:-1]] in ([], [Action.HOLD])
    elif hold is None:
        assert not plan.steps and bool(plan.left_alone) != bool(state.mode.enabled)


@pytest.mark.parametrize("signal", SIGNALS)
def test_entry_in_the_dark_is_left_alone(signal: str) -> None:
    plan = enter(darken(stuck(mode=LEFT), [signal]))
    assert not plan.steps
    assert shown(signal) in plan.left_alone


def test_entry_while_windows_setup_waits_for_a_restart_is_left_alone() -> None:
    """Its own task sequence enters and leaves the mode."""
    assert not enter(stuck(mode=LEFT, setup=ARMED)).steps


def test_client_in_the_mode_needs_no_entry() -> None:
    assert enter(stuck()) == Plan()


# Check mode


@given(STATES, st.booleans(), TRIGGERS)
def test_planning_leaves_no_trace(state: ClientState, force: bool, triggers: list[str]) -> None:
    """A run in check mode and a real one plan the same."""
    before = copy.deepcopy(state)
    for wanted in (Exit(AGE, force, triggers), Entry(HOLD)):
        assert wanted.plan(state) == wanted.plan(before)
    assert state == before


@given(STATES, st.booleans())
def test_difference_speaks_of_what_it_changes_alone(state: ClientState, force: bool) -> None:
    for plan in (leave(state, force=force), enter(state), enter(state, HOLD)):
        before, after = difference(state, plan)
        assert before.keys() == after.keys()
        assert bool(before) == bool(plan.steps)
        if plan.steps:
            assert before != after


def test_difference_of_an_exit() -> None:
    before, after = difference(stuck(services=DISABLED), leave(stuck(services=DISABLED)))
    assert before == {
        "ProvisioningMode": True,
        "SystemTaskExcludes": TASKS,
        "CcmExec start mode": "Disabled",
        "CcmExec state": "Stopped",
    }
    assert after == {
        "ProvisioningMode": False,
        "SystemTaskExcludes": "",
        "CcmExec start mode": "Automatic",
        "CcmExec state": "Running",
    }


def test_difference_tells_what_was_there() -> None:
    """A service may be disabled and still run."""
    running = stuck(services=services("Running", "Disabled"))
    before, _after = difference(running, leave(running))
    assert before.get("CcmExec state", "Running") == "Running"


def test_triggers_are_no_difference() -> None:
    state = stuck()
    assert difference(state, leave(state)) == difference(state, leave(state, triggers=["hardware_inventory"]))


# Holds


@given(STATES)
def test_a_hold_is_put_over_no_other_reason(state: ClientState) -> None:
    """Whatever keeps a client in the mode by itself is not hidden behind a hold."""
    state = dataclasses.replace(state, mode=IN_MODE, hold=None, entered=qword(ago(hours=30)))
    plan = enter(state, HOLD)
    assert bool(plan.left_alone) == (assess(state).verdict not in (Verdict.STUCK, Verdict.OVERDUE))
    assert [step.action for step in plan.steps] == ([] if plan.left_alone else [Action.HOLD])
    held = dataclasses.replace(state, hold=HOLD)
    assert enter(held, HOLD).steps == []
    other = enter(held, dataclasses.replace(HOLD, owner="asmith"))
    assert not other.steps and other.left_alone


@pytest.mark.parametrize("entered", [ABSENT, qword(ago(hours=30))])
def test_a_hold_is_of_the_stay_before_until_the_entry(entered: t.Any) -> None:
    """So that, if another task sequence enters instead, it explains nothing of that stay."""
    state = stuck(mode=LEFT, entered=entered)
    plan = enter(state, HOLD)
    assert plan.hold == dataclasses.replace(HOLD, entered=entered.data or 0)
    assert steps(plan) == [("hold", HELD), ("set_mode", True)]
    assert enter(dataclasses.replace(state, hold=plan.hold), HOLD).steps == plan.steps[1:]
    theirs = dataclasses.replace(state, mode=IN_MODE, entered=qword(ago(hours=5)), hold=plan.hold)
    assert assess(theirs).verdict is Verdict.STUCK


def test_a_hold_explains_the_stay_that_it_was_made_for() -> None:
    state = stuck()
    planned = enter(state, HOLD).hold
    assert planned is not None and planned.entered == state.entered.data
    assert assess(dataclasses.replace(state, hold=planned)).verdict is Verdict.HELD
    again = dataclasses.replace(state, hold=dataclasses.replace(planned, entered=0))
    assert assess(again).verdict is Verdict.STUCK
    assert [step.action for step in enter(again, HOLD).steps] == [Action.HOLD]
    untied = dataclasses.replace(state, hold=HOLD)
    assert assess(untied).verdict is Verdict.HELD
    assert enter(untied, HOLD).steps == []


def test_a_client_that_entered_lately_is_held_only_by_who_says_that_its_age_does_not_matter() -> None:
    state = stuck(entered=qword(ago(hours=1)))
    assert enter(state, HOLD).left_alone
    assert [step.action for step in plan_entry(state, assess(state, 0), HOLD).steps] == [Action.HOLD]


@pytest.mark.parametrize(
    ("state", "owner", "actions"),
    [
        (stuck(mode=LEFT, hold=HOLD), "jdoe", ["remove_hold"]),
        (stuck(mode=LEFT, hold=HOLD), "asmith", []),
        (stuck(mode=LEFT, hold=HOLD), "", []),
        (stuck(hold=HOLD, entered=qword(ago(minutes=1))), "jdoe", ["set_mode", "remove_hold", "trigger_schedule"]),
        (stuck(hold=HOLD, entered=qword(ago(minutes=1))), "asmith", []),
        (stuck(hold=HOLD, processes=running("TSManager.exe")), "jdoe", []),
    ],
)
def test_its_owner_has_no_use_of_a_hold_any_more(state: ClientState, owner: str, actions: list[str]) -> None:
    plan = leave(state, triggers=["hardware_inventory"], owner=owner)
    assert [step.action.value for step in plan.steps] == actions


def test_entry_waits_for_what_runs() -> None:
    """Said by the plan, which is all that a rehearsal has: no guard is asked in check mode."""
    state = dataclasses.replace(stuck(processes=running("lsass.exe", "TSManager.exe")), mode=Mode(False, "false", ""))
    plan = Entry().plan(state)
    assert not plan.steps and "which enters and leaves the mode itself" in plan.left_alone
