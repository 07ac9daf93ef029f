# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.logs import query
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.cmtrace import Record
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.query import Entry, Period
from ansible_collections.configmgr.client.plugins.module_utils._client.logs.search import TookTooLong, search

NOW = dt.datetime(2026, 11, 2, 8, 0, tzinfo=dt.timezone.utc)
MOMENTS = st.none() | st.integers(0, 300).map(lambda minutes: NOW - dt.timedelta(minutes=minutes))
RECORDS = st.builds(
    Record,
    message=st.text(max_size=3),
    time=MOMENTS,
    component=st.sampled_from(["", "A", "b"]),
    severity=st.sampled_from(["info", "warning", "error"]),
) | st.builds(Record, message=st.text(max_size=3), unread_time=st.just("yesterday"))
ENTRIES = st.lists(st.builds(Entry, st.sampled_from(["a.log", "b.log"]), RECORDS), max_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", dt.timedelta(minutes=90)),
        ("0", dt.timedelta()),
        ("2026-11-02T08:00:00Z", NOW),
        ("2026-11-02 08:00", NOW),
        ("2026-11-02T09:00:00+01:00", NOW),
    ],
)
def test_moments(text: str, expected: query.Moment) -> None:
    assert query.moment(text) == expected
    assert query.moment_problem("since", text) is None


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-5", "1.5", "2026-13-01T00:00:00Z", "9" * 30, "0001-01-01T00:00:00+14:00"]
)
def test_no_moment_is_named(text: str) -> None:
    assert str(query.moment_problem("until", text)).startswith(f"until={text!r}")


@given(st.text(max_size=25))
def test_any_text_is_a_moment_or_named(text: str) -> None:
    if query.moment_problem("since", text) is None:
        assert query.period(text, None, NOW).since is not None


@pytest.mark.parametrize(("since", "until"), [("5", "10"), ("2026-11-02", "2026-11-01")])
def test_order(since: str, until: str) -> None:
    assert "exchange" in str(query.order_problem(since, until))
    assert query.order_problem(until, since) is None
    assert query.order_problem(since, since) is None
    assert query.order_problem(None, until) is None


@given(ENTRIES, MOMENTS, MOMENTS)
def test_period_keeps_what_lies_in_it_in_the_order_of_time(
    entries: list[Entry], since: dt.datetime | None, until: dt.datetime | None
) -> None:
    found = query.in_period(entries, Period(since, until))
    times = [entry.record.time for entry in found if entry.record.time]
    assert times == sorted(times)
    dated = [entry for entry in entries if entry.record.time]
    inside = [
        each
        for each in dated
        if (since is None or each.record.time >= since) and (until is None or each.record.time <= until)
    ]
    assert sorted(times) == sorted(each.record.time for each in inside)
    if since is None and until is None:
        assert len(found) == len(entries)
    nowhere = query.logs_without_times(entries)
    assert [each for each in entries if each.log in nowhere] == [each for each in found if each.log in nowhere]
    unreadable = [each for each in entries if each.record.unread_time]
    assert len([each for each in found if each.record.unread_time]) == len(unreadable)


@given(
    ENTRIES,
    st.sampled_from([None, "a", "B"]),
    st.sampled_from(["info", "warning", "error"]),
    st.sampled_from([None, "x|y"]),
)
def test_filters_only_take_away(
    entries: list[Entry], component: str | None, severity: str, pattern: str | None
) -> None:
    found = query.matching(entries, component=component, severity=severity, pattern=pattern)
    order = ["info", "warning", "error"]
    for entry in entries:
        wanted = (
            (component is None or entry.record.component.lower() == component.lower())
            and order.index(entry.record.severity) >= order.index(severity)
            and (pattern is None or "x" in entry.record.message or "y" in entry.record.message)
        )
        assert (entry in found) == wanted


@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?P<a>x)(?P<a>y)", "x{2,1}", "a" * 1001])
def test_pattern_that_is_none_is_named(pattern: str) -> None:
    assert "pattern" in str(query.pattern_problem(pattern))


def test_pattern_that_backtracks_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "SEARCH_SECONDS", 0.05)
    entries = [Entry("a.log", Record("a" * 60))]
    with pytest.raises(TookTooLong):
        query.matching(entries, component=None, severity="info", pattern="(a+)+b")


def test_searches_of_threads_are_ended_each() -> None:
    """While one backtracks, the others go on."""

    def ended(seconds: float) -> float:
        started = time.monotonic()
        with pytest.raises(TookTooLong):
            search("(a+)+b", ["a" * 60], seconds)
        return time.monotonic() - started

    with ThreadPoolExecutor(3) as pool:
        long = [pool.submit(ended, 2.0) for _ in range(2)]
        assert pool.submit(search, "b$", ["ab", "ba"], 60).result() == [True, False]
        assert pool.submit(ended, 0.1).result() < 1.5
        assert all(1.9 < each.result() < 10 for each in long)


@pytest.mark.parametrize("character", ["\ud800", "\0", "\u2028", "\U0001f600", '"', "\u00e4"])
def test_any_text_is_searched_as_it_is(character: str) -> None:
    assert search(f"^{character}$", [character, "x"], 60) == [True, False]
