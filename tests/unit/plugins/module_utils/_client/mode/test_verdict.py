# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState, Hold, Mode, Setup
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import Verdict, assess
from tests.unit.states import (
    GUARD_SIGNALS,
    HALF_OUT,
    IN_MODE,
    LEFT,
    NO_MODE,
    NOW,
    OTHER_SIGNALS,
    READABLE,
    RELEASED,
    StoredValue,
    ago,
    clock,
    darken,
    guard,
    qword,
    services,
    stuck,
)

POST_UPGRADE = r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"
HOLD = Hold("ops", "maintenance", NOW + dt.timedelta(minutes=1))
OLD_CLIENT = "5.00.8692.1003"
SIGNALS = st.sets(st.sampled_from(GUARD_SIGNALS + OTHER_SIGNALS), min_size=1)

# From the table of verdicts in the design; each row is a state that a person would recognise.
TABLE = {
    "brief read": ("normal", ClientState(LEFT)),
    "healthy": ("normal", stuck(mode=LEFT)),
    "healthy, old leftovers of a setup": (
        "normal",
        stuck(mode=LEFT, guard=guard(setup=Setup(type=2, command_line="x"))),
    ),
    "flag false, tasks held back": ("half_exited", stuck(mode=HALF_OUT)),
    "flag false, service disabled": (
        "half_exited",
        stuck(mode=LEFT, guard=guard(services=services("Stopped", "Disabled"))),
    ),
    "task sequence": ("expected", stuck(guard=guard(processes=["TSManager.exe"]))),
    "task sequence's bootstrap": ("expected", stuck(guard=guard(processes=["TSMBootstrap.exe"]))),
    "task sequence's progress": ("expected", stuck(guard=guard(processes=["TsProgressUI.exe"]))),
    "Windows Setup": ("expected", stuck(guard=guard(processes=["SetupHost.exe"]))),
    "Windows Setup prepares": ("expected", stuck(guard=guard(processes=["setupprep.exe"]))),
    "agent runs": ("expected", stuck(guard=guard(services=services(agent="Running")))),
    "agent starts": ("expected", stuck(guard=guard(services=services(agent="Start Pending")))),
    "setup in progress": ("expected", stuck(guard=guard(setup=Setup(in_progress=True)))),
    "out-of-box experience": ("expected", stuck(guard=guard(setup=Setup(oobe_in_progress=True)))),
    "Windows PE": ("expected", stuck(guard=guard(winpe=True))),
    "task sequence for three days": (
        "expected",
        stuck(entered=qword(ago(days=3)), guard=guard(processes=["TSManager.exe"])),
    ),
    "between two restarts": (
        "resume_pending",
        stuck(guard=guard(setup=Setup(type=2, command_line=POST_UPGRADE), services=services("Stopped", "Disabled"))),
    ),
    "armed and held": ("resume_pending", stuck(guard=guard(setup=Setup(type=1, command_line="x")), hold=HOLD)),
    "two hours": ("recent", stuck(entered=qword(ago(hours=2)))),
    "a minute short": ("recent", stuck(entered=qword(ago(minutes=239)))),
    "unknown entry, just started": ("recent", stuck(entered=StoredValue(), system=clock(booted=ago(minutes=9)))),
    "entry in the future, just started": (
        "recent",
        stuck(entered=qword(NOW + dt.timedelta(days=9)), system=clock(booted=ago(minutes=9))),
    ),
    "held": ("held", stuck(hold=HOLD)),
    "held for long": ("held", stuck(hold=HOLD, entered=qword(ago(days=30)))),
    "thirty hours": ("stuck", stuck()),
    "to the minute": ("stuck", stuck(entered=qword(ago(minutes=240)))),
    "hold is over": ("stuck", stuck(hold=dataclasses.replace(HOLD, expires=NOW))),
    "setup's type without a command": ("stuck", stuck(guard=guard(setup=Setup(type=2)))),
    "setup's command without a type": ("stuck", stuck(guard=guard(setup=Setup(command_line=POST_UPGRADE)))),
    "left over request": ("stuck", stuck(requests=["Ready/NotifyExecution/Failure"])),
    "requests unreadable": ("stuck", stuck(requests=None, unreadable={"requests": "Not found."})),
    "no excludes": ("stuck", stuck(mode=Mode(True, "True", ""))),
    "service disabled by a dead upgrade": ("stuck", stuck(guard=guard(services=services("Stopped", "Disabled")))),
    "unknown entry, started long ago": ("stuck", stuck(entered=StoredValue())),
    "old client, for a month": ("stuck", stuck(entered=qword(ago(days=30)), client_version=OLD_CLIENT)),
    "within the last hour to leave": ("stuck", stuck(entered=qword(ago(hours=49)))),
    "a second after that": ("overdue", stuck(entered=qword(ago(hours=49, seconds=1)))),
    "a month": ("overdue", stuck(entered=qword(ago(days=30)))),
    "own limit": ("overdue", stuck(max_minutes=StoredValue(720, 4), entered=qword(ago(hours=13, seconds=1)))),
    "own limit, within the hour": (
        "stuck",
        stuck(max_minutes=StoredValue(720, 4), entered=qword(ago(hours=12, minutes=30))),
    ),
    "no client": ("not_installed", stuck(mode=NO_MODE, class_missing=True, guard=guard(services={}))),
    "no client, leftover values": ("not_installed", stuck(class_missing=True, guard=guard(services={}))),
    "client without its WMI": ("unknown", stuck(class_missing=True)),
    "mode absent": ("unknown", stuck(mode=NO_MODE)),
    "mode is neither": ("unknown", stuck(mode=Mode(None, "maybe", ""))),
    "processes unreadable": ("unknown", darken(stuck(), ["processes"])),
    "services unreadable": ("unknown", darken(stuck(), ["services"])),
    "setup unreadable": ("unknown", darken(stuck(), ["setup"])),
    "clock unreadable": ("unknown", darken(stuck(), ["clock"])),
    "hold unreadable": ("unknown", darken(stuck(), ["hold"])),
    "half out and unreadable": ("unknown", darken(stuck(mode=HALF_OUT), ["processes"])),
    "left, but is the service disabled?": ("unknown", darken(stuck(mode=LEFT), ["services"])),
}


@pytest.mark.parametrize(("verdict", "state"), TABLE.values(), ids=TABLE)
def test_verdict(verdict: str, state: ClientState) -> None:
    assert assess(state).verdict.value == verdict


def test_table_reaches_every_verdict() -> None:
    assert {verdict for verdict, _state in TABLE.values()} == {verdict.value for verdict in Verdict}
    assert len(Verdict) == 10


# Fail closed


@given(READABLE, SIGNALS)
def test_nothing_in_the_dark_is_ever_released(state: ClientState, signals: set[str]) -> None:
    assessment = assess(darken(dataclasses.replace(state, mode=IN_MODE), signals))
    assert assessment.verdict.value not in RELEASED


@given(READABLE, st.sets(st.sampled_from([*GUARD_SIGNALS, "clock"]), min_size=1))
def test_missing_signal_is_dark_whether_or_not_somebody_wrote_down_why(state: ClientState, signals: set[str]) -> None:
    assessment = assess(darken(dataclasses.replace(state, mode=IN_MODE), signals, reason=None))
    assert assessment.verdict.value not in RELEASED


@given(READABLE, SIGNALS)
def test_unknown_says_what_could_not_be_read_and_why(state: ClientState, signals: set[str]) -> None:
    quiet = dataclasses.replace(state, mode=IN_MODE, guard=guard(), class_missing=False)
    assessment = assess(darken(quiet, signals, "the provider failed"))
    assert assessment.verdict.value == "unknown"
    shown = {item.signal: item.means for item in assessment.evidence}
    for signal in signals:
        assert signal in assessment.summary
        assert "the provider failed" in shown[signal]


def test_client_whose_services_are_unreadable_is_not_said_to_have_one() -> None:
    summary = assess(darken(stuck(class_missing=True), ["services"])).summary
    assert "services" in summary
    assert "is there" not in summary


LIVE = st.one_of(
    st.lists(st.sampled_from(["TSManager.exe", "SetupHost.exe"]), min_size=1).map(lambda names: {"processes": names}),
    st.sampled_from(["Running", "Start Pending", "Stop Pending", "Paused", "Unknown"]).map(
        lambda agent: {"services": services(agent=agent)}
    ),
    st.builds(Setup, in_progress=st.just(True), type=st.sampled_from([0, 2])).map(lambda setup: {"setup": setup}),
    st.builds(Setup, oobe_in_progress=st.just(True)).map(lambda setup: {"setup": setup}),
    st.just({"winpe": True}),
)


@given(READABLE, LIVE, st.integers(0, 10_000))
def test_what_is_alive_is_never_released(state: ClientState, live: dict[str, object], minimum_age: int) -> None:
    alive = dataclasses.replace(state, guard=dataclasses.replace(state.guard, **live))
    assert assess(alive, minimum_age).verdict.value not in RELEASED


@given(READABLE, LIVE, SIGNALS)
def test_what_is_alive_is_not_released_in_the_dark_either(
    state: ClientState, live: dict[str, object], signals: set[str]
) -> None:
    alive = dataclasses.replace(state, mode=IN_MODE, guard=dataclasses.replace(state.guard, **live))
    assert assess(darken(alive, signals)).verdict.value not in RELEASED


@given(READABLE)
def test_what_waits_for_a_restart_is_never_released(state: ClientState) -> None:
    armed = dataclasses.replace(state, guard=guard(setup=Setup(type=2, command_line=POST_UPGRADE)))
    assert assess(armed).verdict.value not in RELEASED


def test_agent_in_no_state_at_all_is_not_taken_for_stopped() -> None:
    assert assess(stuck(guard=guard(services=services(agent="")))).verdict.value not in RELEASED


# Age


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_minimum_age_is_the_border_between_recent_and_released(age: int, minimum_age: int) -> None:
    verdict = assess(stuck(entered=qword(ago(minutes=age))), minimum_age).verdict.value
    assert verdict == "recent" if age < minimum_age else verdict in {"stuck", "overdue"}


@given(st.integers(0, 20_000))
def test_time_of_entry_that_cannot_be_true_never_shortens_the_wait(uptime: int) -> None:
    """Only what has run all the time since can then be waited for: the endpoint itself."""
    state = stuck(entered=qword(NOW + dt.timedelta(days=1)), system=clock(booted=ago(minutes=uptime)))
    assert assess(state, 240).verdict.value == ("recent" if uptime < 240 else "stuck")


def test_clock_that_runs_behind_its_boot_is_no_age() -> None:
    state = stuck(entered=StoredValue(), system=clock(booted=NOW + dt.timedelta(days=1)))
    assert assess(state).verdict.value == "recent"


# What a person reads


@given(READABLE, st.sets(st.sampled_from(GUARD_SIGNALS + OTHER_SIGNALS)))
def test_every_assessment_is_a_sentence_with_plain_evidence(state: ClientState, signals: set[str]) -> None:
    assessment = assess(darken(state, signals))
    assert assessment.summary.endswith(".")
    assert "\n" not in assessment.summary
    evidence = [item.as_result() for item in assessment.evidence]
    assert json.loads(json.dumps(evidence)) == evidence
    assert {"mode", "excludes"} <= {item["signal"] for item in evidence}
    assert all(item["means"] for item in evidence)


@given(READABLE)
def test_verdict_depends_on_the_state_alone(state: ClientState) -> None:
    assert assess(state) == assess(dataclasses.replace(state))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (stuck(guard=guard(processes=["TSManager.exe"])), ["task sequence", "TSManager.exe"]),
        (stuck(guard=guard(processes=["SetupHost.exe"])), ["Windows Setup", "SetupHost.exe"]),
        (stuck(guard=guard(setup=Setup(type=2, command_line=POST_UPGRADE))), ["restart", POST_UPGRADE]),
        (stuck(hold=HOLD), ["ops", "maintenance"]),
        (stuck(), ["1 d 6 h"]),
        (stuck(entered=qword(ago(minutes=61))), ["1 h 1 min", "4 h"]),
        (stuck(mode=Mode(None, "maybe", "")), ["maybe"]),
        (stuck(mode=NO_MODE), ["absent"]),
        (stuck(mode=HALF_OUT), ["SystemTaskExcludes"]),
        (stuck(mode=LEFT, guard=guard(services=services("Stopped", "Disabled"))), ["CcmExec", "disabled"]),
    ],
)
def test_summary_names_what_was_seen(state: ClientState, words: list[str]) -> None:
    summary = assess(state).summary
    for word in words:
        assert word in summary


def test_request_that_outlives_its_task_sequence_is_context() -> None:
    (item,) = [item for item in assess(stuck(requests=["Ready/-/Failure"])).evidence if item.signal == "request"]
    assert item.value == "Ready/-/Failure"
