# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._brake.outcome import Outcome
from ansible_collections.configmgr.client.plugins.plugin_utils._brake.rules import Limits, reason_to_stop, to_change

CHANGED, FAILED, REJECTED, OFFLINE, UNCHANGED, NOT_ASKED = (
    Outcome.CHANGED,
    Outcome.FAILED,
    Outcome.LOGIN_FAILED,
    Outcome.OFFLINE,
    Outcome.UNCHANGED,
    Outcome.NOT_ASKED,
)
LIMITS = Limits(
    max_changes=100,
    confirm_changes=0,
    max_failed_share=10,
    min_attempts=10,
    max_consecutive_failures=2,
    max_login_rejections=2,
)
NONE = Limits(10**9, 0, 100, 1, 10**9, 10**9)
"""Under which the canary alone stops."""

some = st.integers(0, 6)
limit = some | st.just(10**6)  # which lets the rules behind it speak
limits = st.builds(Limits, limit, limit, st.integers(0, 100), st.integers(1, 6), limit, limit)
fleets = st.lists(st.sampled_from(Outcome), max_size=12)


def put(fleet: list[Outcome], where: int, outcome: Outcome) -> list[Outcome]:
    return [*fleet[:where], outcome, *fleet[where:]]


@given(fleets, some, limits, some, st.sampled_from([OFFLINE, UNCHANGED, NOT_ASKED]))
def test_what_was_not_attempted_changes_nothing(
    fleet: list[Outcome], waiting: int, allowed: Limits, where: int, outcome: Outcome
) -> None:
    said = reason_to_stop(fleet, waiting, allowed)
    assert reason_to_stop(put(fleet, where, outcome), waiting, allowed) == said


@given(fleets, some, limits, some, st.sampled_from([FAILED, REJECTED]))
def test_what_goes_wrong_never_lets_it_go_on(
    fleet: list[Outcome], waiting: int, allowed: Limits, where: int, outcome: Outcome
) -> None:
    if reason_to_stop(fleet, waiting, allowed):
        assert reason_to_stop(put(fleet, where, outcome), waiting, allowed)


@given(fleets, some, limits, st.sampled_from(dataclasses.fields(Limits)))
def test_a_wider_limit_never_stops_it(
    fleet: list[Outcome], waiting: int, allowed: Limits, field: dataclasses.Field[int]
) -> None:
    wider = dataclasses.replace(allowed, **{field.name: getattr(allowed, field.name) + 1})
    if not reason_to_stop(fleet, waiting, allowed):
        assert not reason_to_stop(fleet, waiting, wider)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_as_many_as_are_allowed_or_confirmed(waiting: int, allowed: int, confirmed: int) -> None:
    given_so = dataclasses.replace(LIMITS, max_changes=allowed, confirm_changes=confirmed)
    assert bool(reason_to_stop([], waiting, given_so)) is (waiting > allowed and waiting > confirmed)


@given(fleets, some)
def test_a_run_that_began_is_not_stopped_for_its_size_later(fleet: list[Outcome], waiting: int) -> None:
    """Each host that had its turn was among those that waited."""
    assert to_change(fleet, waiting) <= to_change([], len(fleet) + waiting)


@given(fleets, some)
def test_until_one_was_changed_anything_wrong_stops_it(fleet: list[Outcome], waiting: int) -> None:
    wrong = (FAILED in fleet or REJECTED in fleet) and CHANGED not in fleet
    assert bool(reason_to_stop(fleet, waiting, NONE)) is wrong


@pytest.mark.parametrize(
    ("fleet", "waiting", "next_one", "said"),
    [
        ([*[CHANGED] * 10, FAILED], 89, None, "101 endpoints would be changed, more than max_changes=100"),
        (
            [CHANGED, REJECTED, REJECTED],
            5,
            REJECTED,
            "The login failed at 3 endpoints, more than max_login_rejections=2",
        ),
        (
            [*[CHANGED] * 60, FAILED, OFFLINE, UNCHANGED, REJECTED, FAILED],
            5,
            FAILED,
            "3 endpoints in a row failed, more than max_consecutive_failures=2",
        ),
        ([FAILED, OFFLINE, CHANGED, CHANGED] * 3, 5, CHANGED, "3 of 10 endpoints failed, which is 30 % and more than"),
        ([FAILED, *[CHANGED] * 18], 5, FAILED, ""),
        ([FAILED, *[CHANGED] * 8, FAILED, *[CHANGED] * 10], 5, FAILED, "3 of 21 endpoints failed, which is 14 %"),
    ],
)
def test_each_limit_is_what_is_still_allowed(
    fleet: list[Outcome], waiting: int, next_one: Outcome | None, said: str
) -> None:
    assert reason_to_stop(fleet, waiting, LIMITS) == ""
    longer, left = ([*fleet, next_one], waiting) if next_one else (fleet, waiting + 1)
    then = reason_to_stop(longer, left, LIMITS)
    assert then.startswith(said) and bool(then) is bool(said)
