# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit trail of every call. What must hold of it in every moment is `untrailed` in `judgement.py`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.guard.bench import NAME, Bench
from tests.guard.calls import CALLS


def trail(bench: Bench) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The begins and the ends."""
    records = [record for _, record in bench.trail]
    return records[::2], records[1::2]


@pytest.mark.parametrize("name", CALLS)
def test_each_request_that_writes_is_told_before_it_and_after_it(name: str) -> None:
    bench = CALLS[name].bench()
    CALLS[name].run(bench)
    begins, ends = trail(bench)
    operations = [bench.requests[number].split() for number in sorted(bench.sent_writes)]
    assert [each["operation"].split()[0] for each in begins] == [
        words[2] if words[0] == "Invoke" else words[0] for words in operations
    ]
    for begin, end in zip(begins, ends, strict=True):
        assert {**begin, **{name: end[name] for name in ("event", "time", "after", "calls", "result", "reason")}} == end
        assert (begin["event"], end["event"]) == ("begin", "end")
        assert begin["calls"] < end["calls"]
        assert begin["computer_name"] == NAME
        assert end["after"] == (begin["after"] if end["result"] == "done" else None)
        assert (end["reason"] == "") == (end["result"] == "done")
        assert end["result"] in ("done", "failed")


@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_written_any_more_once_a_record_cannot_be_kept(name: str) -> None:
    undisturbed = CALLS[name].bench()
    CALLS[name].run(undisturbed)
    writes = sorted(undisturbed.sent_writes)
    for room in range(len(undisturbed.trail)):
        bench = CALLS[name].bench()
        bench.trail_room = room
        outcome = CALLS[name].run(bench)
        assert outcome.failed and outcome.strange is None, outcome
        assert "audit_path=trail cannot be written" in outcome.message
        assert sorted(bench.sent_writes) == writes[: (room + 1) // 2]
        assert outcome.changed == any(bench.effects.values())


def test_values_before_and_after() -> None:
    bench = CALLS["exit, its own hold"].bench()
    CALLS["exit, its own hold"].run(bench)
    told = [(each["step"], each["argument"], each["before"], each["after"], each["via"]) for each in trail(bench)[0]]
    mode = {"ProvisioningMode": True, "SystemTaskExcludes": told[0][2]["SystemTaskExcludes"]}
    assert told[0] == ("set_mode", False, mode, {"ProvisioningMode": False, "SystemTaskExcludes": ""}, "wmi")
    assert mode["SystemTaskExcludes"]
    assert told[1][0] == "remove_hold" and told[1][2]["hold"].startswith("jdoe: ") and told[1][3] == {"hold": None}
    assert told[2:] == [
        ("trigger_schedule", schedule, None, None, "wmi")
        for schedule in ("machine_policy_request", "machine_policy_evaluation")
    ]


@pytest.mark.parametrize(
    ("name", "ways"),
    {
        "exit by the second spelling": [("wmi", "failed"), ("cim", "done")],
        "exit by command": [("wmi", "failed"), ("cim", "failed"), ("command", "done")],
        "exit by command, no WMIC": [("wmi", "failed"), ("cim", "failed"), ("command", "failed"), ("command", "done")],
    }.items(),
)
def test_each_way_is_an_attempt_of_its_own(name: str, ways: list[tuple[str, str]]) -> None:
    bench = CALLS[name].bench()
    CALLS[name].run(bench)
    assert [(each["via"], each["result"]) for each in trail(bench)[1] if each["step"] == "set_mode"] == ways


def test_what_is_kept_before_a_request_is_kept_before_it_is_judged() -> None:
    """Else a slow disk would lie between the guard's answer and the write."""
    bench = CALLS["exit"].bench()
    CALLS["exit"].run(bench)
    first = min(bench.sent_writes)
    assert bench.trail[0][0] < first - 1
    assert "Win32_Process" in bench.requests[first - 1]
