# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a role: made once, of all hosts, whatever the play, the inventory or the hosts are like."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import FQCN, Lab, Run, without_package

# Key: the endpoint, and the status that a survey gives it.
FLEET: dict[str, tuple[dict[str, Any], str]] = {
    "off": ({"profile": "switched_off"}, "unreachable"),
    "denied": ({"profile": "access_denied"}, "failed"),
    "stuck": ({"profile": "stuck"}, "stuck"),
    "rejected": ({"profile": "wrong_password"}, "login_failed"),
    "normal": ({}, "normal"),
}
SURVEY = {"roles": [f"{FQCN}.survey"]}
BROKEN = "{{ nothing_of_this_name }}"


class Fleet:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names = lab.add({key: spec for key, (spec, _) in FLEET.items()})
        self.hosts = {name: lab.host_vars(name) for name in self.names.values()}
        self.runs = 0

    def status(self, *keys: str) -> dict[str, str]:
        return {self.names[key]: FLEET[key][1] for key in keys or FLEET}

    def play(
        self,
        play: Mapping[str, Any],
        *options: str,
        env: Mapping[str, str] | None = None,
        inventory: Mapping[str, Any] | None = None,
    ) -> tuple[Run, dict[str, Any] | None]:
        """The run of a play, and its report; None where there is none."""
        self.runs += 1
        name = f"report-{self.runs}.json"  # in the directory that Ansible is called in
        playbook = self.lab.file("play.yml", [{"hosts": "windows", "gather_facts": False, **SURVEY, **play}])
        hosts = self.lab.inventory(self.hosts if inventory is None else inventory)
        run = self.lab.ansible(
            *("ansible-playbook", "-i", hosts, playbook, "-e", f"survey_report_path={name}", *options), env=env
        )
        path = self.lab.directory / name
        if not path.exists():
            return run, None
        assert f"Report: {path}\n" in run.output
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return run, json.loads(path.read_text(encoding="utf-8"))

    def asked(self) -> dict[str, int]:
        return {name: self.lab.simulator.traffic(name)["connections"] for name in self.hosts}


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Fleet:
    return Fleet(lab)


def statuses(report: dict[str, Any] | None) -> dict[str, str]:
    assert report is not None
    assert sum(report["counts"].values()) == len(report["hosts"])
    assert report["counts"] == Counter(row["status"] for row in report["hosts"].values())
    return {host: row["status"] for host, row in report["hosts"].items()}


# -- settings that a play, ansible.cfg, the environment or the command line hands to a role ----------------------------

HARMLESS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[str, ...]]] = {
    "nothing": ({}, {}, ()),
    "any_errors_fatal": ({"any_errors_fatal": True}, {}, ()),
    "any_errors_fatal of the environment": ({}, {"ANSIBLE_ANY_ERRORS_FATAL": "true"}, ()),
    "max_fail_percentage": ({"max_fail_percentage": 0}, {}, ()),
    "ignore_errors": ({"ignore_errors": True}, {}, ()),
    "ignore_unreachable": ({"ignore_unreachable": True}, {}, ()),
    "serial": ({"serial": [1, 2]}, {}, ()),
    "throttle": ({"throttle": 1}, {}, ()),
    "run_once": ({"roles": [{"role": f"{FQCN}.survey", "run_once": True}]}, {}, ()),
    "become": ({"become": True, "become_user": "nobody"}, {}, ()),
    "connection": ({"connection": "ssh"}, {}, ()),
    "connection on the command line": ({}, {}, ("-e", "ansible_connection=winrm", "-e", "ansible_become=true")),
    "force_handlers": ({"force_handlers": True}, {}, ()),
    "tags": ({"roles": [{"role": f"{FQCN}.survey", "tags": ["look"]}]}, {}, ("--tags", "look")),
    "include_role": ({"roles": [], "tasks": [{"ansible.builtin.include_role": {"name": f"{FQCN}.survey"}}]}, {}, ()),
    "check mode": ({}, {}, ("--check", "--diff")),
    "no_log": ({"no_log": True}, {}, ()),
}


@pytest.mark.parametrize("setting", HARMLESS)
def test_no_setting_keeps_the_report_from_being_made_and_true(fleet: Fleet, setting: str) -> None:
    play, env, options = HARMLESS[setting]
    run, report = fleet.play(play, *options, env=env)
    assert statuses(report) == fleet.status(), run.output
    assert run.rc == 2
    failed = {name for name, numbers in run.stats.items() if numbers["failures"]}
    assert failed == {fleet.names["denied"]}
    assert not any(numbers["unreachable"] for numbers in run.stats.values())


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_strategy_that_cannot_work_is_refused_before_anything_is_asked(fleet: Fleet, strategy: str) -> None:
    before = fleet.asked()
    for play, env in (({"strategy": strategy}, {}), ({}, {"ANSIBLE_STRATEGY": strategy})):
        run, report = fleet.play(play, env=env)
        assert (run.rc != 0, report) == (True, None), run.output
        assert f"'{FQCN}.report' module bypasses the host loop" in run.output
    assert fleet.asked() == before


def test_later_tasks_run_where_the_work_was_done(fleet: Fleet) -> None:
    after = [{"name": "After", "ansible.builtin.debug": {}}]
    run, _ = fleet.play({"post_tasks": after, "any_errors_fatal": True})
    came = {event.host for event in run.events if event.task == "After"}
    assert came == {fleet.names[key] for key in FLEET if key != "denied"}


def test_batch_that_stops_the_play_leaves_a_report_that_says_who_had_no_turn(fleet: Fleet) -> None:
    first = sorted(fleet.hosts, key=lambda name: name != fleet.names["denied"])
    run, report = fleet.play({"serial": 1}, inventory={name: fleet.hosts[name] for name in first})
    late = dict.fromkeys(first[1:], "not_asked")
    assert statuses(report) == {fleet.names["denied"]: "failed", **late}, run.output
    assert report is not None
    assert {report["hosts"][name]["message"] for name in late} == {"Its turn has not come yet."}


# -- hosts and inventories ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FLEET)
def test_host_whose_variables_cannot_be_read_is_a_failure_of_that_host(fleet: Fleet, key: str) -> None:
    """Also where it is the first, in whose name what runs once runs."""
    name = fleet.names[key]
    broken = {**fleet.hosts[name], "ansible_password": BROKEN, "ansible_port": BROKEN}
    hosts = {name: broken, **{other: fleet.hosts[other] for other in fleet.hosts if other != name}}
    run, report = fleet.play({}, inventory=hosts)
    assert statuses(report) == {**fleet.status(), name: "not_asked"}, run.output
    assert run.rc == 2


def test_localhost_among_windows_hosts_decides_nothing(fleet: Fleet) -> None:
    windows = {"hosts": {"localhost": {}, **fleet.hosts}, "vars": {"ansible_connection": "winrm"}}
    inventory = fleet.lab.file("inventory.yml", {"windows": windows})
    path = fleet.lab.directory / "beside-localhost.json"
    playbook = fleet.lab.file("play.yml", [{"hosts": "windows:!localhost", "gather_facts": False, **SURVEY}])
    fleet.lab.ansible("ansible-playbook", "-i", inventory, playbook, "-e", f"survey_report_path={path}")
    assert statuses(json.loads(path.read_text(encoding="utf-8"))) == fleet.status()


# -- when a run is no success ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "rc"),
    [
        (["off"], 0),
        (["off", "normal"], 0),
        (["rejected", "normal"], 0),
        (["rejected"], 2),
        (["rejected", "off"], 2),
        (["normal"], 0),
        (["normal", "denied"], 2),
    ],
)
def test_run_that_saw_nobody_is_red_unless_all_are_off(fleet: Fleet, keys: list[str], rc: int) -> None:
    hosts = {fleet.names[key]: fleet.hosts[fleet.names[key]] for key in keys}
    run, report = fleet.play({}, inventory=hosts)
    assert statuses(report) == fleet.status(*keys)
    assert run.rc == rc, run.output


def test_run_that_asked_nobody_is_red(fleet: Fleet) -> None:
    never = {"name": "Look", f"{FQCN}.provisioning_mode_info": {}, "register": "mine", "when": False}
    tasks = [never, {"name": "Report", f"{FQCN}.report": {"variable": "mine"}}]
    run, _ = fleet.play({"roles": [], "tasks": tasks})
    assert run.rc == 2
    assert "No host was seen: none was asked." in run.output
    assert fleet.lab.ansible(*("ansible-playbook", "-i", "localhost,", f"{FQCN}.survey", "--list-hosts")).rc == 0


# -- the file ----------------------------------------------------------------------------------------------------------


def test_run_is_described(fleet: Fleet) -> None:
    options = {"awx_job_id": 4711, "awx_user_name": "jdoe", "survey_minimum_age": 30, "survey_full": True}
    limit = ":".join([fleet.names["normal"], fleet.names["stuck"]])
    _, report = fleet.play({"name": "Monday"}, "--check", "--limit", limit, "-e", json.dumps(options))
    assert report is not None and report["schema_version"] == 1
    run = report["run"]
    assert (run["user"], run["job"], run["play"], run["limit"]) == ("jdoe", "4711", "Monday", limit)
    assert run["check_mode"] is True and run["playbook"].endswith("play.yml")
    assert run["options"]["minimum_age"] == 30 and run["options"]["full"] is True
    assert run["collection_version"] and run["ansible_version"] and run["controller"]
    assert sorted(report["hosts"]) == sorted(limit.split(":"))


def test_directory_takes_a_file_of_each_run(fleet: Fleet) -> None:
    folder = fleet.lab.directory / "reports"
    folder.mkdir()
    for number in (1, 2):
        fleet.play({}, "-e", f"survey_report_path={folder}", "-e", f"awx_job_id={number}")
    assert sorted(path.name.partition("-")[2] for path in folder.iterdir()) == ["1.json", "2.json"]


def test_report_is_replaced_wholly(fleet: Fleet) -> None:
    path = fleet.lab.directory / "old.json"
    path.write_text("what was there before is longer" * 10_000)
    path.chmod(0o644)
    link = fleet.lab.directory / "link.json"
    link.symlink_to(path)
    fleet.play({}, "-e", f"survey_report_path={link}")
    assert statuses(json.loads(path.read_text(encoding="utf-8"))) == fleet.status()
    assert link.is_symlink() and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir() if "old.json" in each.name] == ["old.json"]


@pytest.mark.parametrize("bad", ["no/such/folder/x.json", "/dev/null", "/proc/survey.json"])
def test_path_that_cannot_be_written_is_said_before_anything_is_asked(fleet: Fleet, bad: str) -> None:
    before = fleet.asked()
    run, _ = fleet.play({"ignore_errors": True}, "-e", f"survey_report_path={bad}")
    assert run.rc == 2
    assert f"path={bad}: " in run.output and "name another path" in run.output
    assert fleet.asked() == before


# -- further forms -----------------------------------------------------------------------------------------------------


def test_further_forms_stand_beside_the_report(fleet: Fleet) -> None:
    run, report = fleet.play({}, "-e", "survey_report_formats=html,csv,prometheus,junit")
    assert report is not None and run.rc == 2
    path = fleet.lab.directory / f"report-{fleet.runs}.json"
    files = {suffix: path.with_suffix(suffix) for suffix in (".html", ".csv", ".prom", ".xml")}
    for each in files.values():
        assert f"Report: {each}\n" in run.output and stat.S_IMODE(each.stat().st_mode) == 0o600
    page = files[".html"].read_text(encoding="utf-8")
    assert all(f'<th scope="row">{name}</th>' in page for name in fleet.hosts) and "<svg" in page
    lines = files[".csv"].read_text(encoding="utf-8").splitlines()
    assert {line.split(",")[0]: line.split(",")[1] for line in lines[1:]} == fleet.status()
    assert 'configmgr_client_hosts{status="login_failed"} 1.0' in files[".prom"].read_text()
    assert 'tests="5"' in files[".xml"].read_text()


@pytest.mark.parametrize(
    ("options", "package", "words"),
    [
        (("-e", "survey_report_formats=html", "-e", "survey_report_path="), "", "give path as well"),
        (("-e", "survey_report_formats=html", "-e", "survey_report_path=x.html"), "", "name it .json"),
        (
            ("-e", "survey_report_formats=csv", "-e", "survey_report_path=taken.json"),
            "",
            "taken.csv is no regular file",
        ),
        (
            (
                "-e",
                "survey_report_formats=prometheus",
            ),
            "prometheus_client",
            "pip install prometheus_client",
        ),
        (
            (
                "-e",
                "survey_report_formats=pdf",
            ),
            "",
            "html, csv, prometheus, junit",
        ),
    ],
)
def test_forms_that_cannot_be_had_are_said_before_anything_is_asked(
    fleet: Fleet, tmp_path: Path, options: tuple[str, ...], package: str, words: str
) -> None:
    (fleet.lab.directory / "taken.csv").mkdir(exist_ok=True)
    before = fleet.asked()
    run, report = fleet.play({}, *options, env=without_package(tmp_path, package) if package else None)
    assert run.rc == 2 and report is None and words in run.output, run.output
    assert fleet.asked() == before


def test_without_charts_the_page_has_tables(fleet: Fleet, tmp_path: Path) -> None:
    fleet.play({}, "-e", "survey_report_formats=html", env=without_package(tmp_path, "pygal"))
    page = (fleet.lab.directory / f"report-{fleet.runs}.html").read_text(encoding="utf-8")
    assert (
        "<svg" not in page and "pip install" in page and '<th scope="row">stuck</th><td class="number">1</td>' in page
    )


def test_slices_make_one_report(fleet: Fleet) -> None:
    folder = fleet.lab.directory / "slices"
    folder.mkdir()
    hosts = fleet.lab.inventory(fleet.hosts)
    for part in (1, 2, 3):
        fleet.lab.ansible(
            *("ansible-playbook", "-i", hosts, f"{FQCN}.survey", "-e", "configmgr_client_hosts=windows"),
            *("-e", f"survey_report_path={folder / str(part)}.json", "-e", f"survey_fleet_slice={part}/3"),
        )
    whole = folder / "fleet.json"
    command = ("ansible-playbook", f"{FQCN}.aggregate", "-e", f"aggregate_reports={folder}")
    rehearsed = fleet.lab.ansible(*command, "-e", f"aggregate_path={whole}", "--check")
    assert rehearsed.rc == 0 and not whole.exists(), rehearsed.output
    for changed in (True, False):
        done = fleet.lab.ansible(*command, "-e", f"aggregate_path={whole}", "-e", "aggregate_formats=html,csv")
        assert done.rc == 0 and "3 reports. 5 hosts: " in done.output, done.output
        assert bool(done.stats["localhost"]["changed"]) is changed
    assert statuses(json.loads(whole.read_text(encoding="utf-8"))) == fleet.status()
    assert whole.with_suffix(".html").exists() and whole.with_suffix(".csv").exists()
    (folder / "2.json").unlink()
    partial = fleet.lab.ansible(*command, "-e", f"aggregate_path={whole}")
    assert "No report is of the slice 2/3: its hosts are missing." in " ".join(partial.output.split())
    broken = fleet.lab.ansible(*command, "-e", f"aggregate_earlier={folder / 'none.json'}")
    assert broken.rc == 2 and "earlier: " in broken.output and "cannot be read" in broken.output


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "red"),
    [
        (("-e", "survey_max_failed=1"), ""),
        (("-e", "survey_max_failed=20%"), ""),
        (("-e", "survey_max_failed=19%"), "1 of 5 hosts that were asked are failed, more than max_failed=19%."),
        (("-e", "survey_max_failed=1", "-e", "survey_max_login_failed=0"), "are login_failed, more than"),
        (("-e", "survey_max_failed=1", "-e", "survey_max_unreachable=0"), "are unreachable, more than"),
        (("-e", "survey_max_failed=some"), "max_failed=some is no limit"),
    ],
)
def test_so_many_may_fail(fleet: Fleet, options: tuple[str, ...], red: str) -> None:
    hosts = fleet.lab.inventory(fleet.hosts)
    before = fleet.asked()
    run = fleet.lab.ansible(
        *("ansible-playbook", "-i", hosts, f"{FQCN}.survey", "-e", "configmgr_client_hosts=windows"), *options
    )
    assert run.rc == (2 if red else 0), run.output
    assert red in run.output
    assert (fleet.asked() == before) == ("is no limit" in red)
    assert not run.stats.get(fleet.names["denied"], {}).get("failures")


# -- what is printed ---------------------------------------------------------------------------------------------------


def test_every_host_that_needs_somebody_is_told_of_once(fleet: Fleet) -> None:
    run, report = fleet.play({})
    assert report is not None
    told = [line for line in run.output.splitlines() if line.startswith(tuple(f"{name}: " for name in fleet.hosts))]
    assert {line.split(": ")[0] for line in told} == {fleet.names[key] for key in ("off", "stuck", "rejected")}
    assert len(told) == 3
    assert "5 hosts: 1 failed, 1 stuck, 1 login_failed, 1 unreachable, 1 normal\n" in run.output
    for line in told:
        name, text = line.split(": ", 1)
        assert text == f"{report['hosts'][name]['status']}. {report['hosts'][name]['message']}"


def test_fleet_that_is_off_is_a_few_lines(lab: Lab) -> None:
    names = lab.add({str(number): {"profile": "switched_off"} for number in range(15)})
    hosts = {name: lab.host_vars(name) for name in names.values()}
    run = lab.ansible(
        *("ansible-playbook", "-i", lab.inventory(hosts), f"{FQCN}.survey", "-e", "configmgr_client_hosts=windows")
    )
    assert run.rc == 0, run.output
    (line,) = [line for line in run.output.splitlines() if ": unreachable. " in line]
    assert line.startswith(", ".join(sorted(hosts)[:10]) + " and 5 more: unreachable. ")
    lines = [line for line in run.output.splitlines() if line]
    assert len(lines) <= 2 * len(hosts) + 9, run.output  # one of its task, one of the recap


def test_counts_are_an_artifact_of_the_job(fleet: Fleet) -> None:
    run, _ = fleet.play({}, "-e", "awx_job_id=12", env={"ANSIBLE_SHOW_CUSTOM_STATS": "true"})
    assert '"configmgr_client_12"' in run.output and '"hosts_by_status"' in run.output


def test_nothing_is_left_in_the_working_directory(fleet: Fleet) -> None:
    assert not [path for path in Path(fleet.lab.directory).iterdir() if path.name.startswith(".report")]
    assert os.access(fleet.lab.directory, os.W_OK)


WRONG_SOURCES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to merge": ({}, "one of the following is required: reports, artifacts"),
    "two sources": ({"reports": ["x"], "artifacts": []}, "mutually exclusive: reports|artifacts"),
    "no artifact": ({"artifacts": []}, "artifacts=[] has none"),
    "artifacts to a file": ({"artifacts": [{}], "path": "x"}, "mutually exclusive: artifacts|path"),
    "artifacts beside others": ({"artifacts": [{}], "earlier": ["x"]}, "earlier=x goes with reports"),
    "an artifact of somebody else": ({"artifacts": [{"counts": {}}]}, "number 1 of 1 is none of a report"),
    "no report": ({"reports": ["/none"]}, "/none cannot be read"),
}


def test_what_cannot_be_merged_is_told(lab: Lab) -> None:
    tasks = [
        {"name": key, f"{FQCN}.aggregate": options, "ignore_errors": True}
        for key, (options, _words) in WRONG_SOURCES.items()
    ]
    play = lab.file("wrong.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    said = {event.task: event for event in lab.ansible("ansible-playbook", play).events}
    for key, (_options, words) in WRONG_SOURCES.items():
        assert said[key].status == "failed" and words in said[key].result["msg"], said[key]
