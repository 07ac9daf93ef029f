# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.backoff import Backoff
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import DeadlineExceeded
from tests.unit.fakes import Clock

SECONDS = st.floats(0.01, 600)


def backoff(clock: Clock, seconds: float, deadline: float) -> Backoff:
    return Backoff(seconds, Deadline(deadline, clock), clock.sleep, clock)


@given(SECONDS, SECONDS, st.floats(0, 5))
def test_nobody_sleeps_past_the_end(seconds: float, deadline: float, work: float) -> None:
    clock = Clock()
    end = clock() + min(seconds, deadline)
    turns = 0
    for _ in backoff(clock, seconds, deadline):
        assert turns == 0 or clock() <= end
        turns += 1
        clock.now += work
    assert turns == len(clock.naps) + 1
    assert clock() <= end + work


@given(SECONDS, SECONDS)
def test_pauses_grow_and_stay_bearable(seconds: float, deadline: float) -> None:
    clock = Clock()
    for _ in backoff(clock, seconds, deadline):
        pass
    assert all(0 < shorter <= longer <= 5 for shorter, longer in itertools.pairwise(clock.naps))


@given(SECONDS)
def test_waits_as_long_as_it_may_but_for_one_pause(seconds: float) -> None:
    clock = Clock()
    for _ in backoff(clock, seconds, 1000):
        pass
    assert seconds - sum(clock.naps) <= 5


def test_first_look_is_at_once() -> None:
    clock = Clock()
    next(iter(backoff(clock, 0.001, 1000)))
    assert clock.naps == []


def test_session_that_is_over_has_no_patience() -> None:
    clock = Clock()
    deadline = Deadline(1, clock)
    clock.sleep(1)
    with pytest.raises(DeadlineExceeded):
        Backoff(60, deadline, clock.sleep, clock)
