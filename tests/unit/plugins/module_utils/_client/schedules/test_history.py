# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.history import (
    proves,
    read_last_triggers,
)
from tests.unit.states import NOW
from tests.unit.windows import Windows

ZONES = st.sampled_from([0, 15, 60, 120, 330, 345, 840, -60, -210, -480, -720])
SECONDS = st.integers(0, 600).map(lambda seconds: dt.timedelta(seconds=seconds))
MOMENTS = st.integers(-(10**6), 10**6).map(lambda seconds: NOW + dt.timedelta(seconds=seconds))


def stored(moment: dt.datetime, zone: int) -> dt.datetime:
    """As the client stores *moment*, in whole seconds and in local time, taken as UTC."""
    return (moment + dt.timedelta(minutes=zone)).replace(microsecond=0)


@given(ZONES, st.booleans(), SECONDS, SECONDS, st.none() | MOMENTS, st.integers(0, 999_999))
def test_schedule_that_ran_since_has_its_proof(
    zone: int, local: bool, later: dt.timedelta, after: dt.timedelta, before: dt.datetime | None, micro: int
) -> None:
    sent = NOW.replace(microsecond=micro)
    ran = stored(sent + later, zone if local else 0)
    proven = proves(before, ran, sent=sent, now=sent + later + after, minutes_ahead=zone)
    assert proven is (before != ran)


@given(ZONES, st.booleans(), st.integers(1, 10**6), st.none() | MOMENTS, SECONDS)
def test_schedule_that_ran_before_has_none(
    zone: int, local: bool, earlier: int, before: dt.datetime | None, waited: dt.timedelta
) -> None:
    moment = NOW - dt.timedelta(seconds=earlier)
    now = NOW + waited
    other = moment + dt.timedelta(minutes=zone if local else -zone)
    if NOW <= other <= now + dt.timedelta(minutes=1):
        return  # an older time that looks like a new one in the other reading, which no rule can tell
    ran = stored(moment, zone if local else 0)
    assert not proves(before, ran, sent=NOW, now=now, minutes_ahead=zone)


@given(st.none() | MOMENTS, MOMENTS, ZONES)
def test_what_did_not_move_proves_nothing(before: dt.datetime | None, sent: dt.datetime, zone: int) -> None:
    assert not proves(before, before, sent=sent, now=sent + dt.timedelta(days=1), minutes_ahead=zone)
    assert not proves(before, None, sent=sent, now=sent + dt.timedelta(days=1), minutes_ahead=zone)


@pytest.mark.parametrize("minutes", [2, 59, 60 * 24])
def test_time_in_the_future_proves_nothing(minutes: int) -> None:
    assert not proves(None, NOW + dt.timedelta(minutes=minutes), sent=NOW, now=NOW, minutes_ahead=0)


def test_times_by_schedule() -> None:
    windows = Windows()
    windows.rows["CCM_Scheduler_History"] = [
        {"ScheduleID": "{21}", "LastTriggerTime": "2026-11-20T11:00:00Z"},
        {"ScheduleID": "{26}", "LastTriggerTime": "2026-11-20T11:00:00Z"},
        {"ScheduleID": "{26}", "LastTriggerTime": "2026-11-20T11:30:00Z"},
        {"ScheduleID": "{26}", "LastTriggerTime": "2026-11-20T10:00:00Z"},
        {"ScheduleID": "{22}"},
    ]
    found = read_last_triggers(windows.endpoint, ["{21}", "{22}", "{26}"])
    assert found == {"{21}": NOW - dt.timedelta(hours=1), "{26}": NOW - dt.timedelta(minutes=30)}
    assert windows.calls == ["CCM_Scheduler_History"]
