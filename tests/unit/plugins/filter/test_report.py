# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.filter.report import FilterModule
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import Verdict

report: t.Callable[..., dict[str, t.Any]] = FilterModule().filters()["report"]

VERDICTS = [verdict.value for verdict in Verdict]
UNREACHABLE = {"unreachable": True, "msg": "It does not answer.", "error_layer": "port", "changed": False}
FAILED = {"failed": True, "msg": "Access is denied.", "error_layer": "permission", "changed": False}
SKIPPED = {"skipped": True, "changed": False}


def seen(verdict: str, **more: t.Any) -> dict[str, t.Any]:
    return {"verdict": verdict, "summary": f"It is {verdict}.", "changed": False, **more}


def acted(action: str, **more: t.Any) -> dict[str, t.Any]:
    return {**seen("stuck"), "action": action, "msg": "Something was done.", "left_alone": "", **more}


RESULTS = st.one_of(
    st.sampled_from(VERDICTS).map(seen),
    st.sampled_from(["released", "entered"]).map(lambda action: acted(action, changed=True)),
    st.just(acted("none")),
    st.just(acted("none", left_alone="A task sequence runs.")),
    st.just(UNREACHABLE),
    st.just(FAILED),
    st.just(SKIPPED),
    st.none(),
)
FLEETS = st.dictionaries(st.text("abc0123456789-.", min_size=1, max_size=8), RESULTS, max_size=12)


def of(results: dict[str, dict[str, t.Any] | None]) -> dict[str, t.Any]:
    """The report as a playbook asks for it: a host that was not asked has no such variable."""
    hostvars = {host: {} if result is None else {"client": result} for host, result in results.items()}
    return report(list(results), hostvars, "client")


@given(FLEETS)
def test_every_host_counts_exactly_once(results: dict[str, t.Any]) -> None:
    found = of(results)
    assert found["hosts"].keys() == results.keys()
    assert sum(found["counts"].values()) == len(results)
    for status, count in found["counts"].items():
        assert count == sum(row["status"] == status for row in found["hosts"].values()) > 0


@given(FLEETS)
def test_whoever_needs_somebody_is_named_in_the_text(results: dict[str, t.Any]) -> None:
    found = of(results)
    lines = found["text"]
    for host, row in found["hosts"].items():
        named = sum(line.startswith(f"  {host}: ") for line in lines)
        assert named == (0 if row["status"] in {"normal", "as_wanted", "not_asked"} else 1)
    assert all("\n" not in line for line in lines)


@given(FLEETS, st.randoms(use_true_random=False))
def test_order_of_the_hosts_does_not_matter(results: dict[str, t.Any], random: t.Any) -> None:
    shuffled = list(results.items())
    random.shuffle(shuffled)
    assert json.dumps(of(dict(shuffled))) == json.dumps(of(results))


@given(FLEETS)
def test_report_is_plain_json(results: dict[str, t.Any]) -> None:
    assert json.loads(json.dumps(of(results))) == of(results)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdict_is_the_status_of_a_survey(verdict: str) -> None:
    found = of({"pc": seen(verdict)})
    assert found["counts"] == {verdict: 1}
    assert found["hosts"]["pc"]["message"] == f"It is {verdict}."


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (UNREACHABLE, "unreachable"),
        (FAILED, "failed"),
        (None, "not_asked"),
        (acted("released", changed=True), "released"),
        (acted("entered", changed=True), "entered"),
        (acted("none", left_alone="A task sequence runs."), "left_alone"),
        (acted("none"), "as_wanted"),
    ],
)
def test_status(result: dict[str, t.Any] | None, status: str) -> None:
    assert of({"pc": result})["hosts"]["pc"]["status"] == status


def test_host_that_was_not_asked_says_so() -> None:
    assert of({"pc": None})["counts"] == {"not_asked": 1}


def test_what_needs_hands_comes_first() -> None:
    results = {"a": seen("normal"), "b": seen("recent"), "c": seen("stuck"), "d": FAILED, "e": UNREACHABLE}
    order = list(of(results)["counts"])
    assert order == sorted(order, key=["failed", "stuck", "unreachable", "recent", "normal"].index)


def test_wrong_machine_is_said_beside_its_verdict() -> None:
    found = of(
        {"pc-1": seen("stuck", name_matches=False, computer_name="PC-9"), "pc-2": seen("stuck", name_matches=None)}
    )
    assert found["text"] == ["stuck: 2", "  pc-1: It is stuck. It calls itself PC-9!", "  pc-2: It is stuck."]


def test_row_keeps_what_helps_and_drops_what_is_empty() -> None:
    row = of({"pc": seen("stuck", via=None, client_version="5.00.9128.1007", evidence=[1, 2], name_matches=True)})
    assert row["hosts"]["pc"] == {
        "status": "stuck",
        "verdict": "stuck",
        "message": "It is stuck.",
        "changed": False,
        "client_version": "5.00.9128.1007",
        "name_matches": True,
    }


def test_nobody_is_no_error() -> None:
    assert of({}) == {"counts": {}, "hosts": {}, "text": []}
