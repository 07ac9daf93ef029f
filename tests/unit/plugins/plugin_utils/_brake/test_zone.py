# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._brake.zone import reason_to_stop

NOW = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.timezone.utc)
times = st.times().map(lambda time: time.replace(second=0, microsecond=0))


@given(times, times, st.times())
def test_a_time_is_in_a_window_or_in_the_one_that_begins_when_it_ends(
    begin: dt.time, end: dt.time, time: dt.time
) -> None:
    now = dt.datetime.combine(dt.date(2026, 11, 2), time, dt.timezone.utc)
    spelled = [f"{one:%H:%M}-{other:%H:%M}" for one, other in ((begin, end), (end, begin))]
    if begin == end:
        with pytest.raises(ValueError, match="begins when it ends"):
            reason_to_stop(spelled[0], "UTC", now)
        return
    inside, outside = (not reason_to_stop(each, "UTC", now) for each in spelled)
    assert inside is not outside
    assert inside is (begin <= time < end if begin < end else not end <= time < begin)


# In Berlin, clocks go from 02:00 to 03:00 on 29 March 2026 and from 03:00 to 02:00 on 25 October 2026.
@pytest.mark.parametrize(
    ("now", "zone", "said"),
    [
        ("2026-11-02T21:00+00:00", "Europe/Berlin", ""),
        ("2026-11-02T20:59+00:00", "Europe/Berlin", "It is 21:59 in Europe/Berlin, outside of window=22:00-04:30."),
        ("2026-07-02T20:00+00:00", "Europe/Berlin", ""),
        ("2026-03-29T02:29+00:00", "Europe/Berlin", ""),
        ("2026-03-29T02:30+00:00", "Europe/Berlin", "It is 04:30 in Europe/Berlin, outside of window=22:00-04:30."),
        ("2026-10-25T03:29+00:00", "Europe/Berlin", ""),
        ("2026-11-02T12:00-12:00", "UTC", ""),
        ("2026-11-02T21:00+00:00", "UTC", "It is 21:00 in UTC, outside of window=22:00-04:30."),
        ("2026-11-02T10:00+00:00", "Pacific/Auckland", ""),
    ],
)
def test_it_is_judged_in_its_zone(now: str, zone: str, said: str) -> None:
    assert reason_to_stop("22:00-04:30", zone, dt.datetime.fromisoformat(now)) == said


@pytest.mark.parametrize(
    "window", ["", "22:00", "22-04", "22:00-24:00", "22:60-04:00", "22:00 - 04:00", "2:00-04:00", "22:00-04:00-05:00"]
)
def test_what_is_no_window_is_said(window: str) -> None:
    with pytest.raises(ValueError, match=f"window='{window}' is no window: give two times of day as HH:MM-HH:MM"):
        reason_to_stop(window, "UTC", NOW)


@pytest.mark.parametrize("zone", ["", "CET+1", "Europe/Berln", "Europe", "../../etc/passwd", "/etc/localtime", "x\0y"])
def test_what_is_no_zone_is_said(zone: str) -> None:
    with pytest.raises(ValueError, match="is not known on the controller: give a name such as Europe/Berlin") as caught:
        reason_to_stop("22:00-04:00", zone, NOW)
    assert str(caught.value).startswith(f"time_zone={zone!r} ")
