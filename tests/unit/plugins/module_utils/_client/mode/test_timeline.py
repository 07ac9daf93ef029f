# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.timeline import Timeline, timeline
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import ABSENT, StoredValue
from tests.unit.states import DWORD, NOW, QWORD, STORED_LIMITS, STORED_TIMES, SZ, ago, qword

MINUTE = dt.timedelta(minutes=1)
FIRST = dt.datetime(2019, 1, 1, tzinfo=dt.timezone.utc)
PAST = st.datetimes(dt.datetime(2019, 1, 1), NOW.replace(tzinfo=None), timezones=st.just(dt.timezone.utc)).map(
    lambda moment: moment.replace(microsecond=0)
)
LIMITS = st.none() | st.integers(0, 100_000)
LEAVING = st.sampled_from(["5.00.8790.1000", "5.00.8853.1006", "5.00.9141.1011", "5.0.9141.1032"])
OLD = st.sampled_from(["5.00.8325.1000", "5.00.8692.1003", "5.00.8740.1024", "5.00.8789.9999", "4.00.6487.2000"])


def limit(minutes: int | None) -> StoredValue:
    return ABSENT if minutes is None else StoredValue(minutes, DWORD)


def judge(entered: StoredValue, max_minutes: int | None = None, version: str = "5.00.9128.1007") -> Timeline:
    return timeline(entered, limit(max_minutes), version, NOW)


# Age


@given(PAST, LIMITS)
def test_age_is_the_whole_minutes_since_the_entry(entered: dt.datetime, max_minutes: int | None) -> None:
    times = judge(qword(entered), max_minutes)
    assert times.entered_at == entered
    assert times.entered_problem == ""
    assert entered + times.age_minutes * MINUTE <= NOW < entered + (times.age_minutes + 1) * MINUTE


@given(PAST)
def test_type_of_the_stored_time_does_not_matter(entered: dt.datetime) -> None:
    seconds = int(entered.timestamp())
    stored = [StoredValue(seconds, QWORD), StoredValue(seconds, DWORD), StoredValue(str(seconds), SZ)]
    assert judge(stored[0]) == judge(stored[1]) == judge(stored[2])
    assert judge(StoredValue(f" {seconds}\n", SZ)) == judge(stored[0])


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        (ABSENT, "absent"),
        (StoredValue(0, QWORD), "zero"),
        (StoredValue("0", SZ), "zero"),
        (StoredValue(1, QWORD), "before"),
        (StoredValue(-1, QWORD), "before"),
        (StoredValue(int(FIRST.timestamp()) - 1, QWORD), "before"),
        (StoredValue(int(NOW.timestamp()) + 3600, QWORD), "future"),
        (StoredValue(int(NOW.timestamp()) * 1000, QWORD), "calendar"),
        (StoredValue(2**64 - 1, QWORD), "calendar"),
        (StoredValue("9" * 30, SZ), "calendar"),
        (StoredValue("9" * 5000, SZ), ""),
        (StoredValue("", SZ), "not a number"),
        (StoredValue("yesterday", SZ), "not a number"),
        (StoredValue("-5", SZ), "not a number"),
        (StoredValue("\u0661\u0662", SZ), "not a number"),
        (StoredValue(b"\x01\x02", 3), "not a number"),
        (StoredValue(["1700000000"], 7), "not a number"),
    ],
    ids=lambda value: str(getattr(value, "data", value))[:20],
)
def test_time_that_cannot_be_true_gives_no_age_and_says_why(stored: StoredValue, problem: str) -> None:
    times = judge(stored)
    assert (times.age_minutes, times.entered_at) == (None, None)
    assert (times.self_exit_earliest, times.self_exit_latest) == (None, None)
    assert times.entered_problem and problem in times.entered_problem


@given(st.integers(6, 10**7))
def test_future_gives_no_age_however_near(minutes: int) -> None:
    times = judge(qword(NOW + minutes * MINUTE))
    assert times.age_minutes is None
    assert times.entered_problem


@given(st.integers(0, 5 * 60))
def test_clock_that_was_set_back_a_little_is_still_now(seconds: int) -> None:
    assert judge(qword(NOW + dt.timedelta(seconds=seconds))).age_minutes == 0


@given(STORED_TIMES, STORED_LIMITS, LEAVING | OLD | st.none())
def test_age_and_problem_exclude_each_other(
    entered: StoredValue, max_minutes: StoredValue, version: str | None
) -> None:
    times = timeline(entered, max_minutes, version, NOW)
    assert (times.age_minutes is None) == bool(times.entered_problem)
    assert times.age_minutes is None or times.age_minutes >= 0


@given(STORED_TIMES, STORED_LIMITS)
def test_unknown_clock_gives_no_age(entered: StoredValue, max_minutes: StoredValue) -> None:
    assert timeline(entered, max_minutes, "5.00.9128.1007", None).age_minutes is None


@given(PAST, LIMITS, LEAVING)
def test_client_outside_the_mode_has_no_age_and_nothing_to_leave(
    entered: dt.datetime, max_minutes: int | None, version: str
) -> None:
    """It keeps the time of its last entry."""
    times = timeline(qword(entered), limit(max_minutes), version, NOW, in_mode=False)
    assert (times.age_minutes, times.self_exit_earliest, times.self_exit_latest) == (None, None, None)


# Limit


@pytest.mark.parametrize("stored", [ABSENT, limit(0), StoredValue("soon", SZ)], ids=["absent", "0", "no number"])
def test_limit_is_48_hours_by_default_and_says_so(stored: StoredValue) -> None:
    times = timeline(ABSENT, stored, None, NOW)
    assert times.limit_minutes == 48 * 60
    assert "default" in times.limit_source


@given(st.integers(1, 2**32 - 1))
def test_limit_that_is_set_is_told(minutes: int) -> None:
    times = timeline(ABSENT, limit(minutes), None, NOW)
    assert times.limit_minutes == minutes
    assert "default" not in times.limit_source


# Self-exit


@given(PAST, LIMITS, LEAVING)
def test_client_leaves_within_the_hour_after_its_limit(entered: dt.datetime, minutes: int | None, version: str) -> None:
    times = judge(qword(entered), minutes, version)
    assert times.leaves_by_itself is True
    assert times.self_exit_latest - times.self_exit_earliest == 60 * MINUTE
    assert times.self_exit_earliest >= entered + (minutes or 2880) * MINUTE
    assert times.self_exit_earliest >= entered + 60 * MINUTE


@given(PAST, st.integers(60, 100_000))
def test_limit_counts_to_the_minute(entered: dt.datetime, minutes: int) -> None:
    assert judge(qword(entered), minutes).self_exit_earliest == entered + minutes * MINUTE


@given(PAST, st.integers(1, 59))
def test_short_limit_acts_as_an_hour(entered: dt.datetime, minutes: int) -> None:
    assert judge(qword(entered), minutes).self_exit_earliest == judge(qword(entered), 60).self_exit_earliest


@given(PAST, LIMITS, OLD)
def test_old_client_never_leaves(entered: dt.datetime, minutes: int | None, version: str) -> None:
    times = judge(qword(entered), minutes, version)
    assert times.leaves_by_itself is False
    assert (times.self_exit_earliest, times.self_exit_latest) == (None, None)
    assert times.age_minutes is not None


@pytest.mark.parametrize("version", [None, "", "unknown", "5.00", "5.00."])
def test_client_of_unknown_version_promises_nothing(version: str | None) -> None:
    times = timeline(qword(ago(days=30)), ABSENT, version, NOW)
    assert (times.leaves_by_itself, times.self_exit_earliest, times.self_exit_latest) == (None, None, None)


@pytest.mark.parametrize("minutes", [2**31, 2**32 - 1])
def test_limit_of_thousands_of_years_ends_beyond_the_calendar(minutes: int) -> None:
    """The module itself lets a whole DWORD be written."""
    times = judge(qword(ago(days=1)), minutes)
    assert times.limit_minutes == minutes
    assert times.self_exit_latest is None or times.self_exit_latest > NOW + dt.timedelta(days=1_000_000)


def test_limit_of_a_wrong_type_is_beyond_the_calendar_too() -> None:
    times = timeline(qword(ago(days=1)), StoredValue(2**64 - 1, QWORD), "5.00.9128.1007", NOW)
    assert times.age_minutes == 24 * 60


def test_time_at_the_end_of_the_calendar_and_no_clock_to_compare() -> None:
    end = StoredValue(253402300799, QWORD)
    assert timeline(end, ABSENT, "5.00.9128.1007", None).age_minutes is None


# Result


@given(STORED_TIMES, STORED_LIMITS, LEAVING | OLD | st.none())
def test_result_is_plain_and_in_utc(entered: StoredValue, max_minutes: StoredValue, version: str | None) -> None:
    times = timeline(entered, max_minutes, version, NOW)
    result = times.as_result()
    for name in ("entered_at", "self_exit_earliest", "self_exit_latest"):
        moment, text = getattr(times, name), result[name]
        assert (moment is None) == (text is None)
        assert text is None or (text.endswith("Z") and dt.datetime.fromisoformat(text[:-1] + "+00:00") == moment)
    assert {type(value) for value in result.values()} <= {str, int, bool, type(None)}
