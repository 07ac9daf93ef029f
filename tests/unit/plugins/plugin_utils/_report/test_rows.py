# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import Verdict
from ansible_collections.configmgr.client.plugins.plugin_utils._report.rows import (
    ORDER,
    UNSEEN,
    USUAL,
    counts,
    problem,
    rows,
    unusual,
)
from ansible_collections.configmgr.client.plugins.plugin_utils._report.text import lines, summary

VERDICTS = [verdict.value for verdict in Verdict]
ACTIONS = ("released", "entered", "prepared", "restored")
OFF = {"unreachable": True, "msg": "It does not answer.", "error_layer": "port", "changed": False}
TOLD_OFF = {"reachable": False, "msg": "It does not answer.", "error_layer": "timeout", "changed": False}
REJECTED = {"reachable": False, "msg": "The login was rejected.", "error_layer": "login", "changed": False}
NO_TICKET = {"unreachable": True, "msg": "There is no ticket.", "error_layer": "kerberos", "changed": False}
FAILED = {"failed": True, "msg": "Access is denied.", "error_layer": "permission", "changed": False}
SKIPPED = {"skipped": True, "changed": False}


def seen(verdict: str, **more: t.Any) -> dict[str, t.Any]:
    return {"verdict": verdict, "summary": f"It is {verdict}.", "changed": False, **more}


def acted(action: str, **more: t.Any) -> dict[str, t.Any]:
    return {**seen("stuck"), "action": action, "msg": "Something was done.", "left_alone": "", **more}


STATUSES: list[tuple[dict[str, t.Any] | None, str]] = [
    *[(seen(verdict), verdict) for verdict in VERDICTS],
    *[(acted(action, changed=True), action) for action in ACTIONS],
    (acted("none"), "as_wanted"),
    (acted("none", left_alone="A task sequence runs."), "left_alone"),
    (OFF, "unreachable"),
    (TOLD_OFF, "unreachable"),
    (REJECTED, "login_failed"),
    (NO_TICKET, "login_failed"),
    (FAILED, "failed"),
    ({**acted("released", changed=True), **FAILED}, "failed"),
    (SKIPPED, "not_asked"),
    (None, "not_asked"),
]
FLEETS = st.dictionaries(
    st.text("abc0123456789-.", min_size=1, max_size=8), st.sampled_from([result for result, _ in STATUSES]), max_size=12
)


@pytest.mark.parametrize(("result", "status"), STATUSES)
def test_status(result: dict[str, t.Any] | None, status: str) -> None:
    found = rows({"pc": result}, ())
    assert found["pc"]["status"] == status
    assert status in ORDER
    assert found["pc"]["message"].endswith(".") and counts(found) == {status: 1}


@given(FLEETS)
def test_every_host_counts_once_and_is_named_once(results: dict[str, t.Any]) -> None:
    found = rows(results, ())
    assert list(found) == sorted(results)
    assert sum(counts(found).values()) == len(results)
    assert sorted(counts(found), key=ORDER.index) == list(counts(found))
    named = [host for hosts in unusual(found).values() for host in hosts]
    assert sorted(named) == [host for host, row in found.items() if row["status"] not in USUAL]
    assert summary(counts(found)).startswith(f"{len(results)} host")
    assert json.loads(json.dumps(found)) == found


@given(FLEETS)
def test_line_of_each_that_needs_somebody(results: dict[str, t.Any]) -> None:
    found = rows(results, ())
    said = lines(found)
    assert all("\n" not in line for line in said)
    for host, row in found.items():
        alone = sum(line == f"{host}: {row['status']}. {row['message']}" for line in said)
        named = sum(host in line.split(": ")[0].replace(" and", ",").split(", ") for line in said)
        assert alone == (row["status"] not in USUAL) or row["status"] in UNSEEN
        assert named <= 1


def test_what_needs_hands_comes_first() -> None:
    found = rows({"a": seen("recent"), "b": seen("stuck"), "c": FAILED, "d": OFF, "e": seen("normal")}, ())
    assert [line[0] for line in lines(found)] == ["c", "b", "d", "a"]


def test_many_that_are_alike_are_one_line() -> None:
    found = rows({f"pc-{number:02}": OFF for number in range(12)} | {"pc-99": TOLD_OFF, "pc-98": REJECTED}, ())
    ten = ", ".join(f"pc-{number:02}" for number in range(10))
    assert lines(found) == [
        "pc-98: login_failed. The login was rejected.",
        f"{ten} and 2 more: unreachable. pc-00: It does not answer.",
        "pc-99: unreachable. It does not answer.",
    ]


def test_wrong_machine_is_said_beside_its_verdict_whatever_that_is() -> None:
    other = {"name_matches": False, "computer_name": "PC-9"}
    found = rows({"pc-1": seen("stuck", **other), "pc-2": seen("normal", **other), "pc-3": seen("normal")}, ())
    assert lines(found) == [
        "pc-1: stuck. It is stuck. It calls itself PC-9!",
        "pc-2: normal. It is normal. It calls itself PC-9!",
    ]


def test_row_keeps_what_helps_and_drops_what_is_empty() -> None:
    result = seen("stuck", via=None, client_version="5.00.9128.1007", evidence=[1, 2], name_matches=True)
    assert rows({"pc": result}, ())["pc"] == {
        "status": "stuck",
        "verdict": "stuck",
        "message": "It is stuck.",
        "changed": False,
        "client_version": "5.00.9128.1007",
        "name_matches": True,
    }


@pytest.mark.parametrize(
    ("results", "word"),
    [
        ({"a": OFF, "b": TOLD_OFF}, ""),
        ({"a": OFF, "b": seen("normal")}, ""),
        ({"a": REJECTED, "b": acted("none")}, ""),
        ({"a": REJECTED, "b": FAILED}, ""),  # that one is red by itself
        ({"a": REJECTED, "b": OFF}, "refused the login"),
        ({"a": NO_TICKET, "b": None}, "refused the login"),
        ({"a": None, "b": SKIPPED}, "none was asked"),
        ({"a": None, "b": OFF}, "none was asked"),
        ({}, "none was asked"),
    ],
)
def test_run_that_saw_nobody_is_a_problem_unless_all_are_off(results: dict[str, t.Any], word: str) -> None:
    wrong = problem(rows(results, ()), ())
    assert (word in wrong) if word else not wrong


def test_run_that_is_not_over_is_no_problem_yet() -> None:
    found = rows({"a": REJECTED, "b": None}, {"b"})
    assert problem(found, {"b"}) == ""
    assert found["b"]["message"] == "Its turn has not come yet."
