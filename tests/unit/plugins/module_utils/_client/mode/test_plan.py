# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import copy
import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.plan import (
    Plan,
    difference,
    plan_entry,
    plan_exit,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState, Hold, Mode, Setup
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    assess,
    live_signals,
    unreadable_signals,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.catalog import NAMES
from tests.unit.states import (
    FORCEABLE,
    GUARD_SIGNALS,
    HALF_OUT,
    LEFT,
    NOW,
    OTHER_SIGNALS,
    READABLE,
    RELEASED,
    TASKS,
    ago,
    darken,
    guard,
    qword,
    services,
    stuck,
)

STATES = st.builds(darken, READABLE, st.sets(st.sampled_from(GUARD_SIGNALS + OTHER_SIGNALS), max_size=1))
TRIGGERS = st.lists(st.sampled_from(NAMES), max_size=3)
DISABLED = guard(services=services("Stopped", "Disabled"))


def leave(state: ClientState, *, force: bool = False, triggers: list[str] | None = None) -> Plan:
    return plan_exit(state, assess(state), force=force, triggers=triggers or [])


def enter(state: ClientState) -> Plan:
    return plan_entry(state, assess(state))


def steps(plan: Plan) -> list[tuple[str, str | bool]]:
    return [(step.action, step.argument) for step in plan.steps]


# Leaving


@given(STATES, st.booleans(), TRIGGERS)
def test_only_a_released_or_forced_verdict_is_acted_on(state: ClientState, force: bool, triggers: list[str]) -> None:
    verdict = assess(state).verdict.value
    if leave(state, force=force, triggers=triggers).steps:
        assert verdict in RELEASED or (force and verdict in FORCEABLE)


@given(STATES, st.booleans())
def test_plan_acts_or_says_why_not_or_has_nothing_to_do(state: ClientState, force: bool) -> None:
    plan = leave(state, force=force)
    assert not (plan.steps and plan.left_alone)
    if not plan.steps and not plan.left_alone:
        assert assess(state).verdict.value in {"normal", "not_installed"}


@given(STATES)
def test_force_never_overrules_what_runs_or_is_in_the_dark(state: ClientState) -> None:
    if assess(state).verdict.value in {"expected", "unknown"}:
        assert leave(state, force=True).left_alone


@given(STATES, st.booleans(), TRIGGERS)
def test_schedules_come_last_in_the_order_asked_for_and_only_after_a_change(
    state: ClientState, force: bool, triggers: list[str]
) -> None:
    actions = steps(leave(state, force=force, triggers=triggers))
    if actions:
        assert actions[len(actions) - len(triggers) :] == [("trigger_schedule", name) for name in triggers]
        assert len(actions) > len(triggers)


@given(STATES, st.booleans())
def test_exit_never_enters(state: ClientState, force: bool) -> None:
    assert ("set_mode", True) not in steps(leave(state, force=force))


@pytest.mark.parametrize(
    ("state", "force", "expected"),
    [
        (stuck(), False, [("set_mode", False)]),
        (stuck(mode=HALF_OUT), False, [("set_mode", False)]),
        (
            stuck(guard=DISABLED),
            False,
            [("change_start_mode", "Automatic"), ("start_service", "CcmExec"), ("set_mode", False)],
        ),
        (
            stuck(mode=LEFT, guard=DISABLED),
            False,
            [("change_start_mode", "Automatic"), ("start_service", "CcmExec")],
        ),
        (stuck(mode=LEFT), True, []),
        (stuck(entered=qword(ago(hours=1))), False, []),
        (stuck(entered=qword(ago(hours=1))), True, [("set_mode", False)]),
        (stuck(guard=guard(setup=Setup(type=2, command_line="x"))), True, [("set_mode", False)]),
        (stuck(guard=guard(processes=["TSManager.exe"])), True, []),
        (darken(stuck(), ["processes"]), True, []),
    ],
)
def test_exit_by_example(state: ClientState, force: bool, expected: list[tuple[str, str | bool]]) -> None:
    assert steps(leave(state, force=force)) == expected


# Entering


@given(STATES)
def test_entry_is_planned_only_where_nothing_runs_and_all_is_seen(state: ClientState) -> None:
    plan = enter(state)
    assert steps(plan) in ([], [("set_mode", True)])
    if plan.steps:
        assert state.mode.enabled is False
        assert state.guard.processes == []
        assert state.guard.services["smstsmgr"].state == "Stopped"
        assert state.guard.services["ccmexec"].state == "Running"
        assert not state.guard.winpe
        assert not state.class_missing
        assert not state.unreadable


@pytest.mark.parametrize("signal", [*GUARD_SIGNALS, "clock"])
def test_entry_in_the_dark_is_left_alone(signal: str) -> None:
    plan = enter(darken(stuck(mode=LEFT), [signal]))
    assert not plan.steps
    assert signal in plan.left_alone


def test_entry_while_windows_setup_waits_for_a_restart_is_left_alone() -> None:
    """Its own task sequence enters and leaves the mode."""
    assert not enter(stuck(mode=LEFT, guard=guard(setup=Setup(type=2, command_line="x")))).steps


def test_client_in_the_mode_needs_no_entry() -> None:
    assert enter(stuck()) == Plan()


# Check mode


@given(STATES, st.booleans(), TRIGGERS)
def test_plan_and_difference_are_functions_of_the_state(state: ClientState, force: bool, triggers: list[str]) -> None:
    """A run in check mode and a real one plan the same, and planning leaves no trace."""
    before = copy.deepcopy(state)
    for _ in range(2):
        assert leave(state, force=force, triggers=triggers) == leave(before, force=force, triggers=list(triggers))
        assert enter(state) == enter(before)
        plan = leave(state, force=force, triggers=triggers)
        assert difference(state, plan) == difference(before, plan)
    assert state == before


@given(STATES, st.booleans())
def test_difference_speaks_of_what_it_changes_alone(state: ClientState, force: bool) -> None:
    for plan in (leave(state, force=force), enter(state)):
        before, after = difference(state, plan)
        assert before.keys() == after.keys()
        assert bool(before) == bool(plan.steps)
        if plan.steps:
            assert before != after


def test_difference_of_an_exit() -> None:
    before, after = difference(stuck(guard=DISABLED), leave(stuck(guard=DISABLED)))
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
    running = stuck(guard=guard(services=services("Running", "Disabled")))
    before, _after = difference(running, leave(running))
    assert before.get("CcmExec state", "Running") == "Running"


def test_triggers_are_no_difference() -> None:
    state = stuck()
    assert difference(state, leave(state)) == difference(state, leave(state, triggers=["hardware_inventory"]))


@given(STATES)
def test_steps_are_plain_results(state: ClientState) -> None:
    for step in leave(state, triggers=["hardware_inventory"]).steps:
        assert step.as_result() == {"step": step.action, "argument": step.argument}
        assert dataclasses.is_dataclass(step)


@given(STATES)
def test_a_hold_is_put_over_no_other_reason(state: ClientState) -> None:
    """Whatever keeps a client in the mode by itself is not hidden behind a hold."""
    state = dataclasses.replace(state, mode=Mode(True, "true", TASKS), hold=None)
    hold = Hold("jdoe", "CHG0012345", NOW + dt.timedelta(hours=1))
    plan = plan_entry(state, assess(state, 0), hold)
    armed = state.guard.setup and state.guard.setup.armed
    if live_signals(state.guard) or unreadable_signals(state) or armed or state.class_missing:
        assert not plan.steps and plan.left_alone
    else:
        assert [step.action for step in plan.steps] == ["hold"]
    held = dataclasses.replace(state, hold=hold)
    assert plan_entry(held, assess(held), hold).steps == []
    other = plan_entry(held, assess(held), dataclasses.replace(hold, owner="asmith"))
    assert not other.steps and other.left_alone


def test_a_client_that_entered_lately_is_held_only_by_who_says_that_its_age_does_not_matter() -> None:
    state = dataclasses.replace(stuck(), entered=qword(ago(hours=1)))
    hold = Hold("jdoe", "CHG0012345", NOW + dt.timedelta(hours=1))
    assert plan_entry(state, assess(state), hold).left_alone
    assert [step.action for step in plan_entry(state, assess(state, 0), hold).steps] == ["hold"]


def test_a_hold_explains_the_stay_that_it_was_made_for() -> None:
    state = stuck()
    hold = Hold("jdoe", "CHG0012345", NOW + dt.timedelta(hours=1))
    planned = plan_entry(state, assess(state), hold).hold
    assert planned is not None and planned.entered == state.entered.data
    assert assess(dataclasses.replace(state, hold=planned)).verdict == "held"
    earlier = dataclasses.replace(planned, entered=planned.entered - 3600) if planned.entered else planned
    again = dataclasses.replace(state, hold=earlier)
    assert assess(again).verdict == "stuck"
    assert [step.action for step in plan_entry(again, assess(again), hold).steps] == ["hold"]
    untied = dataclasses.replace(state, hold=hold)
    assert assess(untied).verdict == "held"
    assert plan_entry(untied, assess(untied), hold).steps == []


def test_its_owner_takes_a_hold_from_a_client_that_is_out_of_the_mode() -> None:
    state = dataclasses.replace(stuck(), mode=LEFT, hold=Hold("jdoe", "CHG0012345", NOW + dt.timedelta(hours=1)))
    for owner, actions in (("jdoe", ["remove_hold"]), ("asmith", []), (None, [])):
        plan = plan_exit(state, assess(state), force=False, triggers=["x"], hold_owner=owner)
        assert [step.action for step in plan.steps] == actions
