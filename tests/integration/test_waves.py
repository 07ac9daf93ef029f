# SPDX-License-Identifier: GPL-3.0-or-later
"""The remediation of a fleet in waves: the playbook with its brake, as an operator runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.harness import FQCN, Lab, Run
from tests.integration.test_report import statuses


def remediate(lab: Lab, specs: dict[str, dict[str, Any]], **variables: Any) -> tuple[Run, dict[str, str]]:
    """The run, and the status of each endpoint by its key."""
    names = lab.add(specs)
    inventory = lab.inventory({name: lab.host_vars(name) for name in names.values()})
    report = lab.directory / "waves.json"
    report.unlink(missing_ok=True)
    options = {
        "configmgr_client_hosts": "windows",
        "remediate_report_path": str(report),
        "remediate_wave_pause": 0,
        "remediate_wait_timeout": 3,
        **variables,
    }
    run = lab.ansible("ansible-playbook", "-i", inventory, f"{FQCN}.remediate", "-e", json.dumps(options))
    assert report.exists(), run.output
    found = statuses(json.loads(report.read_text(encoding="utf-8")))
    return run, {key: found[name] for key, name in names.items()}


def stuck(number: int) -> dict[str, dict[str, Any]]:
    return {f"stuck {each}": {"profile": "stuck"} for each in range(number)}


LYING = {f"lying {number}": {"profile": "lying_client"} for number in range(3)}


def sizes(run: Run) -> list[int]:
    """Of the waves, by the tasks that released."""
    found: list[int] = []
    for event in run.at_work("brake", "provisioning_mode"):
        if event.action == f"{FQCN}.brake":
            found.append(0)
        else:
            found[-1] += 1
    return found


def test_a_few_are_one_wave(lab: Lab) -> None:
    run, found = remediate(lab, {**stuck(3), "normal": {}})
    assert run.rc == 0, run.output
    assert sizes(run) == [3]
    assert found == {**dict.fromkeys(stuck(3), "released"), "normal": "as_wanted"}
    assert "3 endpoints are to be changed in waves; limit 100." in run.output
    assert not [event for event in run.events if event.task.endswith("Look how they are")], "none of a wave to follow"


@pytest.mark.parametrize("waves", ["100%", "1,2", "2,1"])
def test_a_failure_is_red_in_whatever_wave_it_is(lab: Lab, waves: str) -> None:
    specs = {"stuck 0": {"profile": "stuck"}, "lying 0": {"profile": "lying_client"}, "stuck 1": {"profile": "stuck"}}
    run, found = remediate(lab, specs, remediate_waves=waves)
    assert run.rc == 2, run.output
    assert found == {key: "failed" if key == "lying 0" else "released" for key in specs}, run.output


def test_many_begin_with_a_canary(lab: Lab) -> None:
    run, found = remediate(lab, stuck(21))
    assert run.rc == 0, run.output
    assert sizes(run) == [1, 10, 5, 5]
    assert set(found.values()) == {"released"}
    health = [event for event in run.events if event.task.endswith("Look how they are") and event.status == "ok"]
    assert len(health) == 16, "of each wave but the last one"


def test_a_canary_that_fails_is_the_last_one(lab: Lab) -> None:
    run, found = remediate(lab, {**LYING, "late": {"profile": "recent"}}, remediate_waves="1,10")
    assert run.rc == 2
    assert sorted(found[key] for key in LYING) == ["failed", "stuck", "stuck"], run.output
    assert sizes(run) == [1]


def test_what_stopped_the_waves_is_told_and_red(lab: Lab) -> None:
    specs = {"stuck 0": {"profile": "stuck"}, **LYING, "stuck 1": {"profile": "stuck"}}
    run, found = remediate(lab, specs, remediate_waves="3,1", remediate_max_consecutive_failures=1)
    assert run.rc == 2
    reason = "2 endpoints in a row failed, more than max_consecutive_failures=1."
    assert f"Stopped before the next wave. {reason}" in run.output
    assert [event.result["msg"] for event in run.events if event.status == "failed"][-1] == reason
    assert found == {**dict.fromkeys(specs, "stuck"), "stuck 0": "released", "lying 0": "failed", "lying 1": "failed"}


@pytest.mark.parametrize("confirmed", [0, 2, 3])
def test_more_than_the_limit_wants_to_be_confirmed(lab: Lab, confirmed: int) -> None:
    specs = {**stuck(3), "busy": {"profile": "live_upgrade"}, "recent": {"profile": "recent"}}
    run, found = remediate(lab, specs, remediate_max_changes=2, remediate_confirm_changes=confirmed)
    released = confirmed == 3
    assert run.rc == (0 if released else 2), run.output
    assert {found[key] for key in stuck(3)} == {"released" if released else "stuck"}
    assert ("give confirm_changes=3 if that is meant" in run.output) is not released
    assert sum(bool(event.result.get("changed")) for event in run.events) == (3 if released else 0)


def test_a_stop_file_stops_before_anything_is_asked_of_a_host_again(lab: Lab) -> None:
    stop = lab.file("stop", "")
    run, found = remediate(lab, stuck(2), remediate_stop_file=str(stop))
    assert run.rc == 2 and set(found.values()) == {"stuck"}
    assert f"The stop file {stop} exists." in run.output


def test_hosts_that_cannot_be_read_stop_nothing(lab: Lab) -> None:
    unreadable = {f"denied {number}": {"profile": "access_denied"} for number in range(4)}
    run, found = remediate(lab, {**unreadable, **stuck(2)}, remediate_waves="1,1,2")
    assert run.rc == 2, "those that cannot be read fail"
    assert "Stopped before" not in run.output
    assert found == {**dict.fromkeys(unreadable, "failed"), **dict.fromkeys(stuck(2), "released")}


def test_hosts_that_are_off_stop_nothing(lab: Lab) -> None:
    specs = {**stuck(4), **{f"off {number}": {"profile": "switched_off"} for number in range(4)}}
    run, found = remediate(lab, specs, remediate_waves="1")
    assert run.rc == 0, run.output
    assert found == {key: "released" if key.startswith("stuck") else "unreachable" for key in specs}


# -- bad input ---------------------------------------------------------------------------------------------------------


BAD: dict[str, tuple[dict[str, str], str]] = {
    "too small": ({"minimum_age": "-5"}, "minimum_age=-5 is too small: give 0 or more"),
    "no number": ({"minimum_age": "some"}, "minimum_age"),
    "less than none": ({"max_changes": "-1"}, "max_changes=-1 is too small"),
    "no percentage": ({"max_failed_share": "101"}, "max_failed_share=101 is no percentage"),
    "no time of day": ({"window": "25:00-26:00"}, "window='25:00-26:00' is no window"),
    "no window": ({"endpoint_window": "x"}, "window='x' is no window"),
    "force without a reason": ({"force": "true"}, "force_reason is empty"),
    "no schedule": ({"trigger": "nothing"}, "is not a schedule of the client: 'nothing'"),
    "too long a wait": ({"wait_timeout": "400"}, "wait_timeout=400 must be shorter than deadline=300"),
    "a wave of all": ({"waves": "0"}, "remediate_waves=0 has no sizes of waves: give "),
    "no sizes": ({"waves": "1,all"}, "remediate_waves=1,all has no sizes of waves: give "),
    "no pause": ({"wave_pause": "-1"}, "remediate_wave_pause=-1 is no whole number of minutes: give "),
    "a stop file nowhere": ({"stop_file": "/none/stop"}, "stop_file=/none/stop: /none is no directory"),
}


def test_what_cannot_be_is_refused(lab: Lab) -> None:
    name = lab.add(stuck(1))["stuck 0"]
    cases = {
        key: {f"remediate_{option}": value for option, value in options.items()}
        for key, (options, _words) in BAD.items()
    }
    run, told = lab.refusals("remediate", cases, lab.inventory({name: lab.host_vars(name)}), "windows")
    assert {key for key, (_options, words) in BAD.items() if words not in told.get(key, "")} == set(), run.output
    assert lab.simulator.traffic(name)["connections"] == 0


@pytest.mark.parametrize(("playbook", "option"), [("remediate", "max_changes=-1"), ("survey", "minimum_age=-1")])
def test_it_is_told_once_and_before_anybody_is_asked(lab: Lab, playbook: str, option: str) -> None:
    names = lab.add(stuck(2))
    run = lab.ansible(
        *("ansible-playbook", "-i", lab.inventory({name: lab.host_vars(name) for name in names.values()})),
        *(f"{FQCN}.{playbook}", "-e", "configmgr_client_hosts=windows", "-e", f"{playbook}_{option}"),
    )
    assert run.rc == 2 and f"{option} is too small" in run.output, run.output
    assert sum(line.startswith("fatal: ") for line in run.output.splitlines()) == 1, run.output
    assert not [name for name in names.values() if lab.simulator.traffic(name)["connections"]]
