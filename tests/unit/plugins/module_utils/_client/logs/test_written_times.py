# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.logs import written_times

AT = dt.datetime(2026, 11, 22, 20, 15, 30, 120_000, dt.timezone.utc)


@given(
    st.datetimes(dt.datetime(1999, 1, 2), dt.datetime(2099, 12, 30)),
    st.sampled_from(["%m-%d-%Y", "%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d"]),
    st.sampled_from([" ", "T", "  "]),
    st.sampled_from(["%H:%M:%S", "%H.%M.%S"]),
    st.sampled_from([".", ","]),
    st.integers(-12 * 60, 14 * 60),
    st.booleans(),
)
def test_every_spelling_of_a_certain_moment_is_read(
    local: dt.datetime, date: str, between: str, clock: str, point: str, offset: int, tells: bool
) -> None:
    bias = f"{-offset:+04d}" if tells else ""
    text = f"{local:{date}}{between}{local:{clock}}{point}{local.microsecond:06d}{bias}"
    moment = local.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset)))
    assert written_times.read(text, 0 if tells else offset) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T20:15:30.12Z",
        "2026-11-22T21:15:30.12+01:00",
        "2026-11-22T14:45:30.12-05:30",
        "22.11.2026 20.15.30,12+000",
        "11/22/2026 8:15:30.12 PM+0",
        "11-22-2026 21:15:30.12-60",
    ],
)
def test_an_offset_with_a_colon_is_the_opposite_of_a_bias(text: str) -> None:
    assert written_times.read(text, 300) == AT


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from("./"))
def test_a_date_that_may_be_two_days_is_none(one: int, other: int, mark: str) -> None:
    found = written_times.read(f"{one:02d}{mark}{other:02d}{mark}2026 08:00:00", 0)
    assert (found is None) == (one != other)


@given(st.text() | st.text("0123456789:.-/+TZ APM", max_size=30), st.integers(-840, 840))
def test_nothing_makes_it_raise(text: str, offset: int) -> None:
    found = written_times.read(text, offset)
    assert found is None or found.utcoffset() == dt.timedelta(0)
