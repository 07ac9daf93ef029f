# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.activity import blocker, live
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence import clearing
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.clearing import (
    KINDS,
    plan_clearing,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.rules import (
    Instance,
    Request,
    TaskSequenceState,
    age_minutes,
    assess,
    sign_of_life,
)
from tests.unit.states import ACTIVITIES, ARMED, NOW, SIGNALS, YOUNG, activity, ago, clock, dark, running

AGE = 240
TASK = "{3AAF7E53-0000-4000-8000-000000000001}"


def request(**changes: t.Any) -> Request:
    dead = Request("CCM_TSExecutionRequest", "{A}", "Ready", "NotifyExecution", "Failure", 0, ago(days=3), TASK, {})
    return dataclasses.replace(dead, **changes)


def system(offset: int | None = 0, **booted: float) -> t.Any:
    return clock(NOW, ago(**(booted or {"days": 9})), offset)


def task(identifier: str = TASK, owner: str = "execmgr") -> Instance:
    return Instance({"__cimnamespace": "root/ccm", "TaskID": identifier}, owner)


def policy(owner: str = "CcmTaskSequence") -> Instance:
    return Instance({"PolicyID": "1", "PolicySource": owner}, owner)


def left(**changes: t.Any) -> TaskSequenceState:
    """All that a dead task sequence leaves, but for *changes*; those that an activity has are made there."""
    found = activity(
        **{
            "system": system(),
            **{name: changes.pop(name) for name in SIGNALS if name in changes and name != "processes"},
        }
    )
    if found.is_settling:
        found = dataclasses.replace(found, requests=changes.pop("was_there", []))
    state = TaskSequenceState(
        activity=dataclasses.replace(found, processes=running("lsass.exe", *changes.pop("runs", []))),
        requests=[request()],
        processes={},
        maintenance=[task(), task("{other}", "updatesmgr")],
        policies=[policy("CcmDefault"), policy()],
        pause={"PausedCookie": 1, "Paused": 1},
        registry={},
    )
    return dataclasses.replace(state, **changes)


def kinds_of(state: TaskSequenceState, minimum_age: int = AGE) -> list[str]:
    return [step.kind for step in plan_clearing(state, KINDS, minimum_age).steps]


ALL = [
    "maintenance_requests",
    "orphaned_policy",
    "execution_requests",
    "paused_software_distribution",
    "paused_software_distribution",
]


def test_all_that_a_dead_task_sequence_left_goes_in_a_safe_order() -> None:
    assert kinds_of(left()) == ALL
    assert [kept.item for kept in plan_clearing(left(), KINDS, AGE).kept] == ["TaskID={other}"]


@pytest.mark.parametrize(
    "alive",
    [
        {"class_name": "CCM_ExecutionRequestEx"},
        {"request_id": ""},
        {"process_id": 4711},
        {"state": "WaitingContent", "completion_state": ""},
        {"state": "Completed", "completion_state": "Success"},
        {"state": "", "running_state": "", "completion_state": ""},
        {"received": ago(minutes=AGE - 1)},
    ],
    ids=str,
)
def test_request_that_may_live_keeps_everything_but_what_others_left(alive: dict[str, t.Any]) -> None:
    state = left(requests=[request(**alive)], processes={4711: "TSManager.exe"})
    plan = plan_clearing(state, KINDS, AGE)
    assert plan.steps == []
    assert plan.left_alone
    beside_a_dead_one = left(requests=[request(request_id="{B}"), request(task="", **alive)], processes={4711: "x"})
    expected = [] if "process_id" in alive else ["maintenance_requests", "execution_requests"]
    assert kinds_of(beside_a_dead_one) == expected


def test_process_that_cannot_be_looked_for_counts_as_alive() -> None:
    assert sign_of_life(request(process_id=4), None)
    assert not sign_of_life(request(process_id=4), {})


@pytest.mark.parametrize("state", ["Running", "running"])
def test_request_that_claims_to_run_and_does_not_is_dead(state: str) -> None:
    assert not sign_of_life(request(state=state, running_state="", completion_state=""), {})


# Age


@pytest.mark.parametrize(
    ("offset", "received", "age"),
    [
        (0, {"hours": 5}, 300),
        (-300, {"hours": 5}, 0),
        (-300, {"hours": 1}, 60),
        (120, {"hours": 5}, 300),
        (120, {"hours": -1}, 60),
        (120, {"hours": -3}, None),
        (None, {"hours": 5}, None),
    ],
)
def test_age_is_the_least_that_it_can_be(offset: int | None, received: dict[str, float], age: int | None) -> None:
    assert age_minutes(request(received=ago(**received)), system(offset)) == age


@given(offset=st.integers(-720, 840), true_age=st.integers(0, 100_000), local=st.booleans())
def test_no_request_is_taken_for_older_than_it_is(offset: int, true_age: int, local: bool) -> None:
    written = NOW - dt.timedelta(minutes=true_age) + dt.timedelta(minutes=offset if local else 0)
    age = age_minutes(request(received=written), system(offset))
    assert age is not None
    assert age <= true_age


@pytest.mark.parametrize(("minutes", "expected"), [(AGE - 1, []), (AGE, ALL)])
def test_unknown_age_is_as_young_as_the_boot(minutes: int, expected: list[str]) -> None:
    assert kinds_of(left(requests=[request(received=None)], system=system(minutes=minutes))) == expected
    without = left(requests=[], maintenance=[], system=system(minutes=minutes))
    assert kinds_of(without) == [kind for kind in expected if kind in (ALL[1], ALL[3])]


# What forbids everything

OBSTACLES = {
    "process": left(runs=["TSManager.exe"]),
    "armed": left(setup=ARMED),
    "unreadable": left(winpe=None),
    "clock": left(system=None),
    "request before a start": left(system=YOUNG, was_there=["Running/-/-"]),
    "requests": left(requests=None, unreadable={"execution_requests": "denied"}),
    "one kind": left(policies=None, unreadable={"orphaned_policy": "denied"}),
}


@pytest.mark.parametrize("key", OBSTACLES)
def test_obstacle_leaves_everything_alone(key: str) -> None:
    plan = plan_clearing(OBSTACLES[key], KINDS, AGE)
    assert (plan.steps, bool(plan.left_alone)) == ([], True)


def test_kind_that_nobody_asked_for_may_be_unreadable() -> None:
    plan = plan_clearing(OBSTACLES["one kind"], ["execution_requests"], AGE)
    assert [step.kind for step in plan.steps] == ["execution_requests"]


def test_nothing_to_do_is_not_left_alone() -> None:
    plan = plan_clearing(left(requests=[], maintenance=[], policies=[policy("CcmDefault")], pause={}), KINDS, AGE)
    assert (plan.steps, plan.left_alone) == ([], "")


def test_lock_that_loses_its_request_is_told() -> None:
    steps = plan_clearing(left(), ["execution_requests"], AGE).steps
    assert clearing.orphaned_by(left(), steps) == [f"TaskID={TASK}"]
    assert clearing.orphaned_by(left(), plan_clearing(left(), KINDS, AGE).steps) == []


# Properties

REQUESTS = st.builds(
    Request,
    class_name=st.sampled_from(["CCM_TSExecutionRequest", "CCM_ExecutionRequestEx"]),
    request_id=st.uuids().map(str),
    state=st.sampled_from(["Ready", "Running", "Completed", "WaitingContent", ""]),
    running_state=st.sampled_from(["NotifyExecution", "Running", ""]),
    completion_state=st.sampled_from(["", "Failure", "Success"]),
    process_id=st.sampled_from([0, 4, 4711]),
    received=st.none() | st.integers(-600, 6000).map(lambda minutes: ago(minutes=minutes)),
    task=st.sampled_from(["", TASK, "{other}"]),
)
STATES = st.builds(
    TaskSequenceState,
    activity=st.builds(
        dark,
        st.builds(
            lambda found, system: dataclasses.replace(found, system=system),
            ACTIVITIES,
            st.builds(system, st.sampled_from([None, 0, -300, 120]), minutes=st.sampled_from([10, 5000])),
        ),
        st.just([]) | st.lists(st.sampled_from(SIGNALS), max_size=1),
    ),
    requests=st.lists(REQUESTS, max_size=4),
    processes=st.sampled_from([None, {}, {4711: "TSManager.exe"}]),
    maintenance=st.lists(st.sampled_from([task(), task("{other}")]), max_size=2, unique_by=lambda item: item.label),
    policies=st.sampled_from([[], [policy()], [policy("CcmDefault")]]),
    pause=st.sampled_from([{}, {"Paused": 0}, {"Paused": 1}, {"PausedCookie": 3, "Paused": 1}]),
    unreadable=st.sampled_from([{}, {}, {"orphaned_policy": "denied"}]),
)
SOME_KINDS = st.lists(st.sampled_from(KINDS), min_size=1, unique=True)


@given(STATES, SOME_KINDS)
def test_nothing_is_cleared_where_a_write_is_not_safe(state: TaskSequenceState, kinds: list[str]) -> None:
    if blocker(state.activity) or assess(state).situation.value in ("running", "resume_pending"):
        assert plan_clearing(state, kinds, AGE).steps == []
    if live(state.activity):
        assert assess(state).situation.value == "running"


@given(STATES, SOME_KINDS)
def test_only_dead_requests_of_task_sequences_are_cleared(state: TaskSequenceState, kinds: list[str]) -> None:
    plan = plan_clearing(state, kinds, AGE)
    by_id = {request.request_id: request for request in state.requests or []}
    for step in plan.steps:
        assert step.kind in kinds
        if step.kind == "execution_requests":
            cleared = by_id[step.item]
            assert cleared.class_name == "CCM_TSExecutionRequest"
            assert cleared.process_id == 0 or (
                state.processes is not None and cleared.process_id not in state.processes
            )
            age = age_minutes(cleared, state.system) if state.system else None
            assert age is None or age >= AGE
    order = [KINDS.index(step.kind) for step in plan.steps]
    assert order == sorted(order)


@given(STATES, SOME_KINDS)
def test_what_is_cleared_is_not_cleared_again(state: TaskSequenceState, kinds: list[str]) -> None:
    steps = plan_clearing(state, kinds, AGE).steps
    before, after = clearing.difference(state, steps)
    assert bool(steps) == (before != after)
    assert before.keys() == after.keys() == {step.kind for step in steps}
    gone = {(step.kind, step.item) for step in steps}
    rest = dataclasses.replace(
        state,
        requests=[each for each in state.requests or [] if ("execution_requests", each.request_id) not in gone],
        maintenance=[each for each in state.maintenance or [] if ("maintenance_requests", each.label) not in gone],
        policies=[each for each in state.policies or [] if ("orphaned_policy", each.label) not in gone],
        pause={
            name: 0 if ("paused_software_distribution", name) in gone else value
            for name, value in (state.pause or {}).items()
        },
    )
    again = plan_clearing(rest, kinds, AGE).steps
    assert not gone & {(step.kind, step.item) for step in again}


# Situations


@pytest.mark.parametrize(
    ("state", "situation"),
    [
        (left(), "left_over"),
        (OBSTACLES["process"], "running"),
        (left(requests=[request(process_id=4711)], processes={4711: "x.exe"}), "running"),
        (OBSTACLES["armed"], "resume_pending"),
        (OBSTACLES["request before a start"], "resume_pending"),
        (OBSTACLES["unreadable"], "unknown"),
        (left(requests=[], policies=[], pause={}), "none"),
        (left(requests=[request(state="WaitingContent", completion_state="")], policies=[], pause={}), "none"),
        (left(requests=None, policies=[], pause={}, unreadable={"execution_requests": "denied"}), "unknown"),
        (left(services={}, requests=None), "none"),
        (
            left(setup=ARMED, winpe=None),
            "unknown",
        ),
    ],
)
def test_situation(state: TaskSequenceState, situation: str) -> None:
    found = assess(state)
    assert found.situation.value == situation
    assert found.summary.endswith(".")
