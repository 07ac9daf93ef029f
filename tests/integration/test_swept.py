# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks over a sweep: who gets a task of its own, and one report of all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import FQCN, Lab, Run
from tests.integration.test_report import BROKEN, FLEET, HARMLESS, Fleet, statuses

FROM_OUTSIDE = {name: (env, options) for name, (play, env, options) in HARMLESS.items() if not play}
REMEDIATED = {"stuck": "released", "normal": "as_wanted"}


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Fleet:
    return Fleet(lab)


def run(
    lab: Lab, playbook: str, hosts: Mapping[str, Any], *options: str, env: Mapping[str, str] | None = None
) -> tuple[Run, dict[str, Any] | None]:
    report = lab.directory / f"{playbook}.json"
    report.unlink(missing_ok=True)
    done = lab.ansible(
        *("ansible-playbook", "-i", lab.inventory(hosts), f"{FQCN}.{playbook}", "-e", "configmgr_client_hosts=windows"),
        *("-e", f"{playbook}_report_path={report}", *options),
        env=env,
    )
    return done, json.loads(report.read_text(encoding="utf-8")) if report.exists() else None


def worked_on(done: Run) -> set[str]:
    """The hosts that had a task of their own."""
    return {event.host for event in done.at_work("provisioning_mode", "provisioning_mode_info")}


@pytest.mark.parametrize("setting", FROM_OUTSIDE)
def test_the_report_of_the_playbook_is_that_of_the_role(fleet: Fleet, setting: str) -> None:
    env, options = FROM_OUTSIDE[setting]
    done, report = run(fleet.lab, "survey", fleet.hosts, *options, env=env)
    assert statuses(report) == fleet.status(), done.output
    assert done.rc == 2
    assert {name for name, numbers in done.stats.items() if numbers["failures"]} == {fleet.names["denied"]}
    assert worked_on(done) == {fleet.names["denied"]}
    assert not any(numbers["changed"] for numbers in done.stats.values())


@pytest.mark.parametrize("playbook", ["survey", "remediate"])
@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_strategy_that_cannot_work_is_refused_before_anything_is_asked(
    fleet: Fleet, playbook: str, strategy: str
) -> None:
    before = fleet.asked()
    done, report = run(fleet.lab, playbook, fleet.hosts, env={"ANSIBLE_STRATEGY": strategy})
    assert (done.rc != 0, report) == (True, None), done.output
    assert "bypasses the host loop" in done.output
    assert fleet.asked() == before


@pytest.mark.parametrize("key", FLEET)
@pytest.mark.parametrize("playbook", ["survey", "remediate"])
def test_host_whose_variables_cannot_be_read_costs_the_others_nothing(lab: Lab, playbook: str, key: str) -> None:
    fleet = Fleet(lab)
    name = fleet.names[key]
    broken = {**fleet.hosts[name], "ansible_password": BROKEN, "ansible_port": BROKEN}
    hosts = {name: broken, **{other: fleet.hosts[other] for other in fleet.hosts if other != name}}
    done, report = run(lab, playbook, hosts)
    assert report, done.output
    expected = {**FLEET_STATUS[playbook], key: "failed"}
    assert statuses(report) == {fleet.names[each]: status for each, status in expected.items()}, done.output
    assert done.rc == 2
    assert report is not None and "nothing_of_this_name" in report["hosts"][name]["message"]


FLEET_STATUS = {
    "survey": {key: status for key, (_, status) in FLEET.items()},
    "remediate": {key: REMEDIATED.get(key, status) for key, (_, status) in FLEET.items()},
}


@pytest.mark.parametrize("playbook", ["survey", "remediate"])
def test_unreachable_hosts_fail_in_the_eyes_of_ansible_where_that_is_wanted(lab: Lab, playbook: str) -> None:
    fleet = Fleet(lab)
    done, report = run(lab, playbook, fleet.hosts, "-e", f"{playbook}_offline_action=fail")
    unseen = {fleet.names[key] for key in ("off", "rejected")}
    assert {name for name, numbers in done.stats.items() if numbers["failures"]} == {*unseen, fleet.names["denied"]}
    assert unseen <= worked_on(done)
    found = {fleet.names[key]: status for key, status in FLEET_STATUS[playbook].items()}
    assert statuses(report) == found


@pytest.mark.parametrize("playbook", ["survey", "remediate"])
def test_what_is_printed_does_not_grow_with_the_healthy(lab: Lab, playbook: str) -> None:
    counts = []
    for number in (1, 20):
        names = lab.add({"stuck": {"profile": "stuck"}, **{str(each): {} for each in range(number)}})
        done, report = run(lab, playbook, {name: lab.host_vars(name) for name in names.values()})
        assert done.rc == 0 and report is not None and len(report["hosts"]) == number + 1
        counts.append(len(done.output.splitlines()))
    assert counts[0] == counts[1] < 65


@pytest.mark.parametrize("playbook", ["survey", "remediate"])
def test_a_healthy_fleet_is_one_play_without_a_warning(lab: Lab, playbook: str) -> None:
    names = lab.add({str(number): {} for number in range(3)})
    done, report = run(lab, playbook, {name: lab.host_vars(name) for name in names.values()})
    assert done.rc == 0 and len(statuses(report)) == 3
    assert "WARNING" not in done.output and worked_on(done) == set()


def test_a_slice_and_then_the_rest_by_one_file(lab: Lab) -> None:
    names = lab.add({**{str(number): {} for number in range(4)}, "stuck": {"profile": "stuck"}})
    hosts = {name: lab.host_vars(name) for name in names.values()}
    file = lab.directory / "fleet.jsonl"
    options = ("-e", f"survey_results_path={file}")
    _, report = run(lab, "survey", hosts, *options, "-e", "survey_fleet_slice=2/2")
    half = sorted(hosts)[1::2]
    assert sorted(statuses(report)) == half
    for name in hosts:
        lab.simulator.reset_traffic(name)
    _, report = run(lab, "survey", hosts, *options, "-e", "survey_resume=true")
    assert sorted(statuses(report)) == sorted(hosts)
    assert sorted(name for name in hosts if not lab.simulator.traffic(name)["connections"]) == half
    assert len(Path(file).read_text(encoding="utf-8").splitlines()) == len(hosts)


def test_laptops_come_and_go(lab: Lab) -> None:
    """Five endpoints over three runs, the second a week and the third forty days after the one before."""
    names = lab.add({each: {"profile": "stuck"} if each == "back" else {} for each in ("a", "b", "gone", "back", "c")})
    there = {name: lab.host_vars(name) for name in names.values()}
    off = {names[key]: {**there[names[key]], "ansible_port": 9} for key in ("gone", "back")}
    results, state = lab.directory / "days.jsonl", lab.directory / "state.jsonl"
    given = {
        "remediate_results_path": str(results),
        "remediate_state_path": str(state),
        "remediate_minimum_age": 0,
        "remediate_wait_timeout": 5,
    }

    def once(hosts: Mapping[str, Any]) -> tuple[dict[str, Any], str, set[str]]:
        """The report's rows, what was printed, and the hosts that were asked."""
        done, report = run(lab, "remediate", hosts, "-e", json.dumps(given))
        assert done.rc == 0 and report is not None, done.output
        asked = {json.loads(line)["host"] for line in results.read_text(encoding="utf-8").splitlines()}
        return report["hosts"], done.output, asked

    rows, output, asked = once({**there, **off})
    assert asked == set(there)
    gone, back = rows[names["gone"]], rows[names["back"]]
    assert (gone["status"], gone["tries"], gone["days"], "last_seen" in gone) == ("unreachable", 1, 0, False)
    assert "sweeps since" not in output

    later(state, days=7)
    rows, output, _asked = once({**there, names["gone"]: off[names["gone"]]})
    assert rows[names["back"]]["status"] == "released" and back["status"] == "unreachable"
    gone = rows[names["gone"]]
    assert (gone["tries"], gone["days"]) == (2, 7)
    assert f"It was off in 2 sweeps since {gone['off_since'][:10]}, and never seen." in output

    later(state, days=40)
    lab.simulator.reset_traffic(names["gone"])
    rows, output, asked = once(there)
    assert asked == set(there) - {names["gone"]}
    gone = rows[names["gone"]]
    assert (gone["status"], gone["tries"], gone["days"]) == ("unreachable", 2, 47)
    assert gone["message"].startswith("It is not asked any more. It was off in 2 sweeps since ")
    assert not lab.simulator.traffic(names["gone"])["connections"]
    assert gone["message"] in output

    given["remediate_give_up_after"] = 0
    rows, output, asked = once(there)
    assert asked == set(there) and rows[names["gone"]]["status"] == "as_wanted"


def later(state: Path, *, days: int) -> None:
    """As if *days* had passed since *state* was written."""
    lines = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        for name in ("at", "last_seen", "off_since"):
            if name in line:
                moment = datetime.fromisoformat(line[name]) - timedelta(days=days)
                line[name] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    state.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
