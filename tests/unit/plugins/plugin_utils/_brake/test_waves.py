# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import Verdict
from ansible_collections.configmgr.client.plugins.plugin_utils._brake.outcome import Outcome
from ansible_collections.configmgr.client.plugins.plugin_utils._brake.waves import lines, so_far

Result = dict[str, t.Any]

CHANGED: Result = {"changed": True, "verdict": "stuck"}
OFF = {"changed": False, "reachable": False, "error_layer": "timeout", "msg": "It does not answer."}
REJECTED = {**OFF, "error_layer": "login", "msg": "It rejected the login."}
FAILED = {"changed": True, "failed": True, "msg": "Still in the mode."}
SKIPPED = {"changed": False, "skipped": True}

OUTCOMES: list[tuple[Result | None, Outcome]] = [
    (CHANGED, Outcome.CHANGED),
    ({"changed": False, "verdict": "normal"}, Outcome.UNCHANGED),
    (FAILED, Outcome.FAILED),
    (OFF, Outcome.OFFLINE),
    ({"changed": False, "unreachable": True, "msg": "As Ansible's own modules say it."}, Outcome.OFFLINE),
    ({**OFF, "failed": True}, Outcome.OFFLINE),
    (REJECTED, Outcome.LOGIN_FAILED),
    ({**OFF, "unreachable": True, "error_layer": "kerberos"}, Outcome.LOGIN_FAILED),
    ({**REJECTED, "failed": True}, Outcome.LOGIN_FAILED),
    (SKIPPED, Outcome.NOT_ASKED),
    (None, Outcome.NOT_ASKED),
]


@pytest.mark.parametrize(("result", "outcome"), OUTCOMES)
def test_outcome(result: Result | None, outcome: Outcome) -> None:
    assert so_far({"pc": result}).outcomes == {"pc": outcome}


UNREADABLE = {"changed": False, "failed": True, "msg": "It may not be read."}


@pytest.mark.parametrize(
    ("result", "candidates", "expected"),
    [
        (UNREADABLE, None, Outcome.FAILED),
        (UNREADABLE, ["pc"], Outcome.FAILED),
        (UNREADABLE, ["another"], Outcome.NOT_READ),
        (FAILED, ["another"], Outcome.FAILED),
        (REJECTED, ["another"], Outcome.LOGIN_FAILED),
        (CHANGED, ["another"], Outcome.CHANGED),
    ],
)
def test_a_failure_before_any_change_counts_where_a_change_was_meant(
    result: Result, candidates: list[str] | None, expected: Outcome
) -> None:
    assert so_far({"pc": result}, candidates=candidates).outcomes == {"pc": expected}


def well(**more: t.Any) -> Result:
    service = {"signal": "service", "value": "CcmExec Running Auto", "means": "the client's service"}
    return {"changed": False, "verdict": "normal", "summary": "", "full": True, "evidence": [service], **more}


def service(value: str) -> Result:
    return well(evidence=[{"signal": "service", "value": value, "means": "the client's service"}])


# What the look after a release returned, what the host counts as, and what is said of it.
LOOKS: list[tuple[Result | None, Outcome, str]] = [
    (well(), Outcome.CHANGED, ""),
    *[
        (well(verdict=each.value, summary=f"It is {each.value}."), Outcome.FAILED, f"It is {each.value}.")
        for each in Verdict
        if each is not Verdict.NORMAL
    ],
    (service("CcmExec Stopped Auto"), Outcome.FAILED, "(CcmExec Stopped Auto)"),
    (service("CcmExec Start Pending Auto"), Outcome.FAILED, "(CcmExec Start Pending Auto)"),
    (well(evidence=[]), Outcome.FAILED, "its service does not run (CcmExec)"),
    (well(full=False, evidence=[]), Outcome.FAILED, "full=true"),
    (FAILED, Outcome.FAILED, "Still in the mode."),
    ({"changed": False}, Outcome.FAILED, "there is no verdict on it"),
    (SKIPPED, Outcome.FAILED, "it was not looked at"),
    (None, Outcome.FAILED, "it was not looked at"),
    (REJECTED, Outcome.LOGIN_FAILED, "It rejected the login."),
]


@pytest.mark.parametrize(("look", "outcome", "said"), LOOKS)
def test_what_is_seen_after_a_release_counts(look: Result | None, outcome: Outcome, said: str) -> None:
    waves = so_far({"pc": CHANGED}, {"pc": look})
    assert waves.outcomes == {"pc": outcome}
    assert said in waves.unwell.get("pc", "") and bool(waves.unwell) is bool(said)
    assert waves.restarting == []


@pytest.mark.parametrize("look", [OFF, {"changed": False, "unreachable": True, "msg": ""}])
def test_one_that_is_offline_after_its_release_is_told_and_no_failure(look: Result) -> None:
    waves = so_far({"pc": CHANGED}, {"pc": look})
    assert (waves.outcomes, waves.unwell, waves.restarting) == ({"pc": Outcome.CHANGED}, {}, ["pc"])
    assert lines(waves, 1, 0, 100)[0] == "Released, and offline since: pc."


@pytest.mark.parametrize(("result", "outcome"), [each for each in OUTCOMES if each[1] is not Outcome.CHANGED])
def test_who_was_not_released_is_not_looked_at(result: Result | None, outcome: Outcome) -> None:
    waves = so_far({"pc": result}, {"pc": well(verdict="stuck")})
    assert (waves.outcomes, waves.unwell) == ({"pc": outcome}, {})


def test_lines() -> None:
    assert lines(so_far({}), 12, 12, 100) == ["12 endpoints are to be changed in waves; limit 100."]
    assert lines(so_far({}), 1, 1, 100) == ["1 endpoint is to be changed in waves; limit 100."]
    waves = so_far({"a": CHANGED, "b": CHANGED, "c": OFF}, {"a": well(), "b": well(verdict="stuck", summary="Stuck.")})
    assert lines(waves, 4, 2, 100) == [
        "b: not well since its release. Stuck.",
        "3 endpoints had a turn: 1 changed, 1 failed, 1 offline. 2 endpoints to go.",
    ]
