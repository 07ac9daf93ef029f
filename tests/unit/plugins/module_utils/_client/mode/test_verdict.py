# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.activity import Setup, blocker, live
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState, Hold, Mode
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import Verdict, assess
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import ABSENT, StoredValue
from tests.unit.states import (
    ANY_SIGNALS,
    ARMED,
    HALF_OUT,
    IN_MODE,
    LEFT,
    NO_MODE,
    NOW,
    POST_UPGRADE,
    QUIET,
    READABLE,
    RELEASED,
    YOUNG,
    ago,
    clock,
    darken,
    qword,
    running,
    services,
    shown,
    stuck,
)

HOLD = Hold("ops", "maintenance", NOW + dt.timedelta(minutes=1))
OLD_CLIENT = "5.00.8692.1003"
SOME_SIGNALS = ANY_SIGNALS.filter(bool)

# Each row is a state that a person would recognise; of single signals test_activity.py speaks.
TABLE = {
    "brief read": ("normal", ClientState(LEFT)),
    "healthy": ("normal", stuck(mode=LEFT)),
    "healthy, old leftovers of a setup": (
        "normal",
        stuck(mode=LEFT, setup=ARMED),
    ),
    "flag false, tasks held back": ("half_exited", stuck(mode=HALF_OUT)),
    "flag false, service disabled": (
        "half_exited",
        stuck(mode=LEFT, services=services("Stopped", "Disabled")),
    ),
    "task sequence": ("expected", stuck(processes=running("TSManager.exe"))),
    "Windows Setup": ("expected", stuck(processes=running("SetupHost.exe"))),
    "agent runs": ("expected", stuck(services=services(agent="Running"))),
    "task sequence for three days": (
        "expected",
        stuck(entered=qword(ago(days=3)), processes=running("TSManager.exe")),
    ),
    "between two restarts": (
        "resume_pending",
        stuck(setup=ARMED, services=services("Stopped", "Disabled")),
    ),
    "armed and held": ("resume_pending", stuck(setup=Setup({"SetupType": 1}), hold=HOLD)),
    "two hours": ("recent", stuck(entered=qword(ago(hours=2)))),
    "a minute short": ("recent", stuck(entered=qword(ago(minutes=239)))),
    "unknown entry, just started": ("recent", stuck(entered=ABSENT, system=clock(booted=ago(minutes=16)))),
    "entry in the future, just started": (
        "recent",
        stuck(entered=qword(NOW + dt.timedelta(days=9)), system=clock(booted=ago(minutes=16))),
    ),
    "held": ("held", stuck(hold=HOLD)),
    "held for long": ("held", stuck(hold=HOLD, entered=qword(ago(days=30)))),
    "thirty hours": ("stuck", stuck()),
    "to the minute": ("stuck", stuck(entered=qword(ago(minutes=240)))),
    "hold is over": ("stuck", stuck(hold=dataclasses.replace(HOLD, expires=NOW))),
    "setup's type without a command": ("resume_pending", stuck(setup=Setup({"SetupType": 2}))),
    "request after a start": ("resume_pending", stuck(system=YOUNG, requests=["Running/-/-"])),
    "agent that starts by itself": ("stuck", stuck(services=services(agent_starts="Auto"))),
    "agent that starts by itself, after a start": (
        "resume_pending",
        stuck(system=YOUNG, requests=[], services=services(agent_starts="Auto")),
    ),
    "half out, after a start": (
        "resume_pending",
        stuck(mode=LEFT, system=YOUNG, requests=[], services=services("Stopped", "Disabled")),
    ),
    "held, after a start": ("held", stuck(system=YOUNG, requests=[], hold=HOLD)),
    "setup's command without a type": ("stuck", stuck(setup=Setup({"SetupType": 0}, POST_UPGRADE))),
    "left over request": ("stuck", stuck(requests=["Ready/NotifyExecution/Failure"])),
    "requests unreadable": ("stuck", stuck(requests=None, unreadable={"requests": "Not found."})),
    "no excludes": ("stuck", stuck(mode=Mode(True, "True", ""))),
    "service disabled by a dead upgrade": ("stuck", stuck(services=services("Stopped", "Disabled"))),
    "unknown entry, started long ago": ("stuck", stuck(entered=ABSENT)),
    "old client, for a month": ("stuck", stuck(entered=qword(ago(days=30)), client_version=OLD_CLIENT)),
    "within the last hour to leave": ("stuck", stuck(entered=qword(ago(hours=49)))),
    "a second after that": ("overdue", stuck(entered=qword(ago(hours=49, seconds=1)))),
    "a month": ("overdue", stuck(entered=qword(ago(days=30)))),
    "own limit": ("overdue", stuck(max_minutes=StoredValue(720, 4), entered=qword(ago(hours=13, seconds=1)))),
    "own limit, within the hour": (
        "stuck",
        stuck(max_minutes=StoredValue(720, 4), entered=qword(ago(hours=12, minutes=30))),
    ),
    "no client": ("not_installed", stuck(mode=NO_MODE, class_missing=True, services={})),
    "no client, leftover values": ("not_installed", stuck(class_missing=True, services={})),
    "client without its WMI": ("unknown", stuck(class_missing=True)),
    "mode absent": ("unknown", stuck(mode=NO_MODE)),
    "mode is neither": ("unknown", stuck(mode=Mode(None, "maybe", ""))),
    "processes unreadable": ("unknown", darken(stuck(), ["processes"])),
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


@given(READABLE, ANY_SIGNALS, st.booleans(), st.integers(0, 10_000))
def test_nothing_is_released_where_a_write_is_not_safe(
    state: ClientState, signals: set[str], named: bool, minimum_age: int
) -> None:
    state = darken(state, signals, "denied" if named else None)
    verdict = assess(state, minimum_age).verdict.value
    if blocker(state.activity) or state.unreadable or state.class_missing:
        assert verdict not in RELEASED
    if state.mode.enabled is not None and not state.mode.exited and not state.class_missing:
        assert (verdict == "expected") == bool(live(state.activity)), "what runs is told first"


@given(READABLE, SOME_SIGNALS)
def test_unknown_says_what_could_not_be_read_and_why(state: ClientState, signals: set[str]) -> None:
    quiet = dataclasses.replace(state, mode=IN_MODE, activity=QUIET, class_missing=False)
    assessment = assess(darken(quiet, signals, "the provider failed"))
    assert assessment.verdict.value == "unknown"
    means = {item.signal: item.means for item in assessment.evidence}
    for signal in signals:
        assert shown(signal) in assessment.summary
        assert "the provider failed" in means[shown(signal)]


def test_client_whose_services_are_unreadable_is_not_said_to_have_one() -> None:
    summary = assess(darken(stuck(class_missing=True), ["services"])).summary
    assert "services" in summary
    assert "is there" not in summary


# Age


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_minimum_age_is_the_border_between_recent_and_released(age: int, minimum_age: int) -> None:
    verdict = assess(stuck(entered=qword(ago(minutes=age))), minimum_age).verdict.value
    assert verdict == "recent" if age < minimum_age else verdict in {"stuck", "overdue"}


@given(st.integers(0, 20_000), st.sampled_from([ABSENT, qword(NOW + dt.timedelta(days=1))]))
def test_time_of_entry_that_cannot_be_true_never_shortens_the_wait(uptime: int, entered: StoredValue) -> None:
    """Only what has run all the time since can then be waited for: the endpoint itself."""
    for booted, verdict in ((ago(minutes=uptime), "recent" if uptime < 240 else "stuck"), (NOW, "recent")):
        assert assess(stuck(entered=entered, system=clock(booted=booted)), 240).verdict.value == verdict


# What a person reads


@given(READABLE, ANY_SIGNALS)
def test_every_assessment_is_a_sentence_with_plain_evidence(state: ClientState, signals: set[str]) -> None:
    assessment = assess(darken(state, signals))
    assert assessment.summary.endswith(".")
    assert "\n" not in assessment.summary
    evidence = [item.as_result() for item in assessment.evidence]
    assert json.loads(json.dumps(evidence)) == evidence
    assert {"mode", "excludes"} <= {item["signal"] for item in evidence}
    assert all(item["means"] for item in evidence)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (stuck(processes=running("TSManager.exe")), ["task sequence", "TSManager.exe"]),
        (stuck(processes=running("SetupHost.exe")), ["Windows Setup", "SetupHost.exe"]),
        (stuck(setup=ARMED), ["restart", POST_UPGRADE]),
        (stuck(system=YOUNG, requests=["Running/-/-"]), ["task sequence", "Running/-/-", "5 min", "15 min"]),
        (stuck(hold=HOLD), ["ops", "maintenance"]),
        (stuck(), ["1 d 6 h"]),
        (stuck(entered=qword(ago(minutes=61))), ["1 h 1 min", "4 h"]),
        (stuck(mode=Mode(None, "maybe", "")), ["maybe"]),
        (stuck(mode=NO_MODE), ["absent"]),
        (stuck(mode=HALF_OUT), ["SystemTaskExcludes"]),
        (stuck(mode=LEFT, services=services("Stopped", "Disabled")), ["CcmExec", "disabled"]),
    ],
)
def test_summary_names_what_was_seen(state: ClientState, words: list[str]) -> None:
    summary = assess(state).summary
    for word in words:
        assert word in summary


def test_request_that_outlives_its_task_sequence_is_context() -> None:
    (item,) = [item for item in assess(stuck(requests=["Ready/-/Failure"])).evidence if item.signal == "request"]
    assert item.value == "Ready/-/Failure"
