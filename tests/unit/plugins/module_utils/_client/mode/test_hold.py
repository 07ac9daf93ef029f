# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.hold import problem, read_option
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import Hold
from ansible_collections.configmgr.client.plugins.module_utils._client.times import iso
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import ABSENT, StoredValue
from tests.unit.states import LEFT, NOW, stuck

STATE = stuck(mode=LEFT, entered=ABSENT)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


def until(minutes: float) -> Hold:
    return Hold("jdoe", "CHG1", NOW + dt.timedelta(minutes=minutes))


@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=ZONES))
def test_time_is_read_in_any_zone(moment: dt.datetime) -> None:
    hold = read_option({"owner": "o", "reason": "r", "expires": moment.isoformat()})
    assert hold.expires == moment.replace(microsecond=0)
    assert read_option({"owner": "o", "reason": "r", "expires": iso(hold.expires)}) == hold


@pytest.mark.parametrize(
    "expires", ["", "soon", "2026-11-20", "2026-11-20T12:00:00", "1800000000", "2026-13-01T00:00:00Z"]
)
def test_what_is_no_time_with_a_zone_is_refused(expires: str) -> None:
    with pytest.raises(ValueError, match=r"hold\.expires"):
        read_option({"owner": "o", "reason": "r", "expires": expires})


@pytest.mark.parametrize("name", ["owner", "reason"])
def test_hold_of_nobody_or_for_nothing_is_refused(name: str) -> None:
    option = {"owner": "o", "reason": "r", "expires": "2026-11-30T18:00:00Z", name: "  "}
    with pytest.raises(ValueError, match=rf"hold\.{name}"):
        read_option(option)


@given(st.integers(60, 2**32 - 1), st.integers(-10_000, 10_000_000))
def test_hold_lasts_no_longer_than_the_client_stays(limit: int, minutes: float) -> None:
    state = dataclasses.replace(STATE, max_minutes=StoredValue(limit, 4))
    wrong = problem(until(minutes), state)
    if minutes <= 0 or minutes > limit:
        assert wrong
    elif minutes < min(limit, 366 * 24 * 60):
        assert wrong is None


@pytest.mark.parametrize("limit", [None, 0])
def test_default_limit(limit: int | None) -> None:
    state = dataclasses.replace(STATE, max_minutes=StoredValue(limit, 4))
    assert problem(until(2879), state) is None
    assert "2880" in str(problem(until(2881), state))
