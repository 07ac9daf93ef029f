# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._doctor.checks import (
    ENDPOINT,
    SITE,
    Check,
    Needs,
    conclusion,
    foundations,
    obstacle,
)

ORDER = tuple(ENDPOINT)
STATUSES = st.lists(st.sampled_from(["ok", "warning", "failed", "skipped"]), min_size=len(ORDER), max_size=len(ORDER))


def checks(statuses: list[str]) -> list[Check]:
    return [Check(name, status, f"found {name}", f"do {name}") for name, status in zip(ORDER, statuses, strict=True)]


@pytest.mark.parametrize(("needs", "name"), [(needs, name) for needs in (ENDPOINT, SITE) for name in needs])
def test_a_check_rests_on_earlier_ones(needs: Needs, name: str) -> None:
    order = list(needs)
    assert foundations(needs, name) <= set(order[: order.index(name)])
    if order.index(name) > order.index("login"):  # nothing is asked without one
        assert {"library", "options", "dns", "port", "tls", "login"} <= foundations(needs, name)


@given(STATUSES, st.sampled_from(ORDER))
def test_what_failed_is_an_obstacle_to_all_that_rests_on_it_and_to_nothing_else(statuses: list[str], name: str) -> None:
    done = checks(statuses)
    failed = {check.check for check in done if check.status == "failed"} & foundations(ENDPOINT, name)
    found = obstacle(ENDPOINT, name, done)
    assert (found is None) == (not failed)
    assert found is None or found in failed


@given(STATUSES)
def test_conclusion(statuses: list[str]) -> None:
    done = checks(statuses)
    result = conclusion(done, "Said beside.")
    assert result["usable"] == ("failed" not in statuses)
    assert result["text"][0] == f"{'NOT USABLE' if 'failed' in statuses else 'Usable'}. Said beside."
    assert [check["check"] for check in result["checks"]] == list(ORDER)
    first = next((name for name, status in zip(ORDER, statuses, strict=True) if status == "failed"), ORDER[0])
    assert result["advice"] == f"do {first}"
    for check in done:
        assert sum(line.endswith(check.found) for line in result["text"]) == 1
        assert sum(line.endswith(f"-> {check.advice}") for line in result["text"]) == 1


def test_nothing_to_do_is_no_advice() -> None:
    assert conclusion([Check("dns", "ok", "found")])["advice"] == ""


def test_what_one_failure_has_skipped_is_one_line() -> None:
    skipped = [Check(name, "skipped", "since dns") for name in ORDER[3:]]
    done = [Check("dns", "failed", "no such name", "Correct it."), *skipped]
    text = conclusion(done)["text"]
    assert len(text) == 4
    assert text[-1].split() == ["port", "to", "name", "skipped", "since", "dns"]
