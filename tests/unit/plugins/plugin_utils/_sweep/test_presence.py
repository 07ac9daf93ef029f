# SPDX-License-Identifier: GPL-3.0-or-later
"""What sweeps remember of endpoints that come and go, against a plain account of the same days."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._sweep.presence import Presence, Presences
from ansible_collections.configmgr.client.plugins.plugin_utils._sweep.record import of_answer, of_failure
from ansible_collections.configmgr.client.plugins.plugin_utils._sweep.state_file import StateFile, StateFileError

MONDAY = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.timezone.utc)
THERE, AWAY, NO_NEWS = ("ok", "login", "fault", "timeout"), ("port", "refused", "dns"), ("settings", "worker", "proxy")
SWEEPS = st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from([*THERE, *AWAY, *NO_NEWS])), max_size=12)


def day(number: int) -> dt.datetime:
    return MONDAY + dt.timedelta(days=number)


def text(moment: dt.datetime | None) -> str | None:
    return moment and f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def record(host: str, came: str, now: dt.datetime) -> dict[str, Any]:
    if came == "ok":
        return of_answer(host, {"verdict": "normal"}, now)
    return of_failure(host, "some reason", {"error_layer": came}, now, unreachable=True)


def swept(path: Path, came: Mapping[str, str], now: dt.datetime) -> Presences:
    """One sweep by the state file at *path*, and what it knows when it ends."""
    state = StateFile(str(path))
    presences = Presences(state.read(now))
    for host, each in came.items():
        presences.note(record(host, each, now))
    state.update(presences.noted, now)
    return presences


@given(SWEEPS)
def test_each_absence_is_told_with_its_age(
    tmp_path_factory: pytest.TempPathFactory, sweeps: list[dict[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("state") / "state.jsonl"
    for number, came in enumerate(sweeps):
        found = swept(path, came, day(number)).absent("abc", day(number))
        for host in "abc":
            story = [(when, each[host]) for when, each in enumerate(sweeps[: number + 1]) if host in each]
            news = [(when, each) for when, each in story if each not in NO_NEWS]
            seen = [when for when, each in news if each in THERE]
            missed = [when for when, each in news if each in AWAY and when > max(seen, default=-1)]
            expected = missed and {
                "last_seen": text(day(seen[-1])) if seen else None,
                "off_since": text(day(missed[0])),
                "days": number - missed[0],
                "tries": len(missed),
            }
            assert (found.get(host) or []) == expected


def test_absent_ones_are_asked_first_and_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    swept(path, {"a": "ok", "b": "port", "c": "ok", "d": "ok"}, day(0))
    swept(path, {"d": "refused"}, day(3))
    presences = Presences(StateFile(str(path)).read(day(30)))
    assert presences.absent_first("abcd") == ["b", "d", "a", "c"]
    for days, now, expected in (
        (30, day(30), []),
        (30, day(30) + dt.timedelta(seconds=1), ["b"]),
        (27, day(31), ["b", "d"]),
        (0, day(300), []),
    ):
        assert [*presences.given_up("abcd", days, now)] == expected


def test_sweeps_of_several_slices_share_it(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    state = StateFile(str(path))
    one, other = Presences(state.read(day(0))), Presences(state.read(day(0)))
    one.note(record("a", "port", day(0)))
    other.note(record("b", "port", day(0)))
    state.update(one.noted, day(0))
    StateFile(str(path)).update(other.noted, day(0))
    assert set(state.read(day(0))) == {"a", "b"}
    assert [each.name for each in tmp_path.iterdir()] == ["state.jsonl"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_nobody_asks_any_more_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    swept(path, {"a": "port", "b": "ok"}, day(0))
    swept(path, {"b": "ok"}, day(366))
    assert set(StateFile(str(path)).read(day(366))) == {"b"}


def test_a_file_that_is_gone_on_with_tells_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    swept(path, {"a": "port"}, day(0))
    swept(path, {"a": "port"}, day(1))
    presences = Presences(StateFile(str(path)).read(day(2)))
    presences.note(record("a", "ok", day(1)))
    presences.note(record("a", "port", day(2)))
    assert presences.absent("a", day(2))["a"]["tries"] == 3


@given(st.integers(-400, 400), st.sampled_from(["port", "ok"]))
def test_a_clock_that_was_wrong_is_not_believed_for_ever(
    tmp_path_factory: pytest.TempPathFactory, error: int, came: str
) -> None:
    path = tmp_path_factory.mktemp("state") / "state.jsonl"
    swept(path, {"a": "port"}, day(error))
    swept(path, {"a": came}, day(1) if error < 1 else day(1) + dt.timedelta(minutes=1))
    found = Presences(StateFile(str(path)).read(day(2))).absent("a", day(2))
    assert bool(found) is (came == "port")
    assert all(each["days"] >= 0 for each in found.values())


WHOLE = '{"state_schema":1,"host":"a","at":"2026-11-02T06:00:00Z"}\n'
FOREIGN = [
    "{}\n",
    "not JSON\n",
    WHOLE[:-20],
    WHOLE.replace(":1", ":2"),
    WHOLE.replace("T06:00:00Z", ""),
    json.dumps(record("a", "port", MONDAY)) + "\n",  # of a results file
    "[" * 100_000,
    "\n",
]


@pytest.mark.parametrize("second", FOREIGN, ids=range(len(FOREIGN)))
def test_what_is_no_state_is_said_and_kept(tmp_path: Path, second: str) -> None:
    path = tmp_path / "state.jsonl"
    path.write_text(WHOLE + second)
    with pytest.raises(
        StateFileError, match=rf"^state_path={path}: line 2 is no state of an endpoint.*delete this one"
    ):
        StateFile(str(path)).read(day(1))
    assert path.read_text() == WHOLE + second


def test_where_no_file_can_be_kept_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert StateFile(str(tmp_path / "link")).read(day(1)) == {}
    assert (tmp_path / "link").is_symlink()
    for path in (tmp_path, tmp_path / "no" / "state", Path("/proc/state"), Path("/dev/null")):
        with pytest.raises(StateFileError, match=rf"^state_path={path} "):
            StateFile(str(path)).read(day(1))


def test_a_presence_without_a_word_of_absence() -> None:
    assert Presence.read({"at": text(MONDAY)}, day(1)).as_line() == {"last_seen": None, "off_since": None, "tries": 0}
