# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator's day: survey, rehearse, remediate, look again. By the playbooks, over one fleet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import FQCN, INSTALLED, Lab, Run, client_key

# Key: the endpoint, and what the report of a remediation says of it.
SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "stuck": ({"profile": "stuck"}, "released"),
    "overdue": ({"profile": "overdue"}, "released"),
    "half_exited": ({"profile": "half_exited"}, "released"),
    "dead_upgrade": ({"profile": "dead_upgrade"}, "released"),
    "old_client": ({"profile": "old_client"}, "released"),
    "future_timestamp": ({"profile": "future_timestamp"}, "released"),
    "native_refused": ({"profile": "native_refused"}, "released"),
    "without_wmic": ({"profile": "native_refused", "variants": {"wmic": False}}, "released"),
    "normal": ({}, "as_wanted"),
    "no_client": ({"profile": "no_client"}, "as_wanted"),
    "live_osd": ({"profile": "live_osd"}, "left_alone"),
    "live_upgrade": ({"profile": "live_upgrade"}, "left_alone"),
    "resume_pending": ({"profile": "upgrade_pending_restart"}, "left_alone"),
    "recent": ({"profile": "recent"}, "left_alone"),
    "unknown": ({"profile": "broken_wmi"}, "left_alone"),
    "access_denied": ({"profile": "access_denied"}, "failed"),
    "stale_name": ({"profile": "stale_name"}, "failed"),
    "lying_client": ({"profile": "lying_client"}, "failed"),
    "wrong_password": ({"profile": "wrong_password"}, "login_failed"),
    "switched_off": ({"profile": "switched_off"}, "unreachable"),
}
RELEASED = [key for key, (_, status) in SPECS.items() if status == "released"]
SETTLED = ("normal", "no_client", "wrong_password", "switched_off")
"""Where the sweep finds nothing to do: they have no task of their own."""
LEFT_ALONE = [key for key, (_, status) in SPECS.items() if status == "left_alone"]
FOUND_OUT_LATE = {"lying_client"}
"""Rehearsed as a release; only the read-back tells."""
OPTIONS = ("-e", "remediate_wait_timeout=3", "--diff")


class Day:
    """One run after the other; the fleet's state is kept after each."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names = lab.add({key: spec for key, (spec, _) in SPECS.items()})
        self.inventory = lab.inventory({name: lab.host_vars(name) for name in self.names.values()})
        self.reports: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, Run] = {}
        self.states: dict[str, dict[str, dict[str, Any]]] = {"start": self._states()}
        playbooks = INSTALLED / "playbooks"
        self._run("survey", "configmgr.client.survey")
        self._run("rehearsal", str(playbooks / "remediate.yml"), "--check", *OPTIONS)
        self._run("remediation", "configmgr.client.remediate", *OPTIONS)
        self._run("second", "configmgr.client.remediate", *OPTIONS)
        self._run("second survey", str(playbooks / "survey.yml"))

    def _states(self) -> dict[str, dict[str, Any]]:
        return {key: self.lab.simulator.endpoint(name) for key, name in self.names.items()}

    def _run(self, stage: str, playbook: str, *options: str) -> None:
        report = self.lab.directory / f"{stage.replace(' ', '_')}.json"
        role = "remediate" if "remediate" in Path(playbook).name else "survey"
        variables = ("-e", f"{role}_report_path={report}", "-e", "configmgr_client_hosts=windows")
        self.runs[stage] = self.lab.ansible("ansible-playbook", "-i", self.inventory, playbook, *variables, *options)
        self.reports[stage] = json.loads(report.read_text(encoding="utf-8"))
        self.states[stage] = self._states()

    def row(self, stage: str, key: str) -> dict[str, Any]:
        row: dict[str, Any] = self.reports[stage]["hosts"][self.names[key]]
        return row

    def result(self, stage: str, key: str) -> dict[str, Any]:
        return self.runs[stage].module(self.names[key]).result

    def numbers(self, stage: str, what: str) -> dict[str, int]:
        """Of each host, from Ansible's recap, which has only those that had a task."""
        return {key: self.runs[stage].stats.get(name, {}).get(what, 0) for key, name in self.names.items()}

    def writes(self, stage: str, key: str) -> list[str]:
        return [f"{entry['event']} {entry['detail']}" for entry in self.states[stage][key]["writes"]]


@pytest.fixture(scope="module")
def day(lab: Lab) -> Day:
    return Day(lab)


# -- survey and rehearsal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", SPECS)
def test_survey_and_rehearsal_write_nothing_anywhere(day: Day, key: str) -> None:
    for stage in ("survey", "rehearsal"):
        assert day.writes(stage, key) == []
        assert day.states[stage][key]["registry"] == day.states["start"][key]["registry"]
        assert day.states[stage][key]["services"] == day.states["start"][key]["services"]
        assert day.states[stage][key]["shells_opened"] == 0


@pytest.mark.parametrize("stage", ["survey", "second survey"])
def test_a_survey_counts_every_host_once(day: Day, stage: str) -> None:
    report = day.reports[stage]
    assert sorted(report["hosts"]) == sorted(day.names.values())
    assert sum(report["counts"].values()) == len(SPECS)
    for status, number in report["counts"].items():
        assert number == sum(row["status"] == status for row in report["hosts"].values())


def test_the_survey_says_what_there_is(day: Day) -> None:
    verdicts = {key: day.row("survey", key)["status"] for key in SPECS}
    assert verdicts == {
        **dict.fromkeys(["stuck", "dead_upgrade", "old_client", "future_timestamp", "native_refused"], "stuck"),
        **dict.fromkeys(["without_wmic", "stale_name", "lying_client"], "stuck"),
        **dict.fromkeys(["live_osd", "live_upgrade"], "expected"),
        "overdue": "overdue",
        "half_exited": "half_exited",
        "normal": "normal",
        "no_client": "not_installed",
        "resume_pending": "resume_pending",
        "recent": "recent",
        "unknown": "unknown",
        "access_denied": "failed",
        "wrong_password": "login_failed",
        "switched_off": "unreachable",
    }


@pytest.mark.parametrize("stage", ["rehearsal", "remediation"])
def test_only_those_that_need_it_have_a_task_of_their_own(day: Day, stage: str) -> None:
    worked_on = {event.host for event in day.runs[stage].at_work("provisioning_mode")}
    assert worked_on == {name for key, name in day.names.items() if key not in SETTLED}


@pytest.mark.parametrize("key", [key for key in SPECS if key not in SETTLED])
def test_the_rehearsal_is_what_the_remediation_did(day: Day, key: str) -> None:
    if key in FOUND_OUT_LATE:
        assert day.result("rehearsal", key)["changed"] is True
        return
    rehearsed, done = day.result("rehearsal", key), day.result("remediation", key)
    for name in ("changed", "verdict", "action", "steps", "left_alone", "error_layer", "reachable"):
        assert rehearsed.get(name) == done.get(name), name
    assert rehearsed.get("diff") == done.get("diff")
    assert bool(rehearsed.get("diff")) == (SPECS[key][1] == "released")


@pytest.mark.parametrize("key", RELEASED)
def test_the_diff_is_what_became_of_the_endpoint(day: Day, key: str) -> None:
    diff = day.result("rehearsal", key)["diff"]
    for side, stage in (("before", "start"), ("after", "remediation")):
        state = day.states[stage][key]
        values = client_key(state)
        true = {
            "ProvisioningMode": {"true": True, "false": False}[values["ProvisioningMode"]["data"]],
            "SystemTaskExcludes": values["SystemTaskExcludes"]["data"],
            "CcmExec start mode": state["services"]["CcmExec"]["start_mode"].replace("Auto", "Automatic"),
            "CcmExec state": state["services"]["CcmExec"]["state"],
        }
        assert diff[side] == {name: true[name] for name in diff[side]}
    assert f"{day.names[key]}" in day.runs["rehearsal"].output
    assert '"SystemTaskExcludes"' in day.runs["rehearsal"].output


# -- remediation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", SPECS)
def test_the_report_says_what_was_done(day: Day, key: str) -> None:
    row = day.row("remediation", key)
    assert row["status"] == SPECS[key][1]
    assert row["message"].endswith((".", "?"))


@pytest.mark.parametrize("key", RELEASED)
def test_a_released_client_is_really_out(day: Day, key: str) -> None:
    before, after = day.states["start"][key], day.states["remediation"][key]
    values = client_key(after)
    assert after["mode"] == "normal"
    assert after["client"]["loaded_mode"] is False
    assert after["client"]["loaded_excludes"] == []
    assert after["client"]["takes_policy"] is True
    assert (values["ProvisioningMode"]["data"], values["SystemTaskExcludes"]["data"]) == ("false", "")
    service = after["services"]["CcmExec"]
    assert (service["state"], service["start_mode"]) == ("Running", "Auto")
    assert service["process_id"] not in (0, before["services"]["CcmExec"]["process_id"])
    assert after["client"]["policy_received"] > before["clock"]
    assert [step["step"] for step in day.result("remediation", key)["steps"]][-2:] == ["trigger_schedule"] * 2
    assert [write for write in day.writes("remediation", key) if "TriggerSchedule" in write] == [
        "SMS_Client.TriggerSchedule sScheduleID='{00000000-0000-0000-0000-000000000021}'",
        "SMS_Client.TriggerSchedule sScheduleID='{00000000-0000-0000-0000-000000000022}'",
    ]
    assert [entry["detail"].split()[0] for entry in after["events"] if entry["event"] == "schedule.triggered"] == [
        "{00000000-0000-0000-0000-000000000021}",
        "{00000000-0000-0000-0000-000000000022}",
    ]


@pytest.mark.parametrize("key", RELEASED)
def test_the_registry_flag_is_never_written(day: Day, key: str) -> None:
    writes = [write.split()[0] for write in day.writes("second", key)]
    assert set(writes) <= {
        "SMS_Client.SetClientProvisioningMode",
        "SMS_Client.TriggerSchedule",
        "service.ChangeStartMode",
        "service.StartService",
    }
    assert writes.count("SMS_Client.SetClientProvisioningMode") == 1


def test_a_client_that_an_upgrade_left_disabled_runs_again(day: Day) -> None:
    before = day.states["start"]["dead_upgrade"]["services"]["CcmExec"]
    assert (before["state"], before["start_mode"]) == ("Stopped", "Disabled")
    assert day.writes("remediation", "dead_upgrade")[:2] == [
        "service.ChangeStartMode CcmExec StartMode='Automatic'",
        "service.StartService CcmExec",
    ]


def test_the_way_of_the_call_is_said(day: Day) -> None:
    for key, via in {"stuck": "wmi", "native_refused": "command", "without_wmic": "command"}.items():
        assert day.row("remediation", key)["via"] == via
        assert bool(day.row("remediation", key).get("via_reason")) == (via == "command")


@pytest.mark.parametrize("key", [*LEFT_ALONE, "normal", "no_client", "access_denied", "stale_name"])
def test_what_is_not_released_has_no_writes_ever(day: Day, key: str) -> None:
    assert day.writes("second survey", key) == []
    assert day.states["second survey"][key]["shells_opened"] == 0


def test_a_client_that_only_says_so_has_failed(day: Day) -> None:
    assert "ProvisioningMode is still true" in day.row("remediation", "lying_client")["message"]
    assert day.states["second"]["lying_client"]["mode"] == "provisioning"


# -- again -------------------------------------------------------------------------------------------------------------


def test_the_second_remediation_changes_nothing(day: Day) -> None:
    assert day.numbers("second", "changed") == dict.fromkeys(SPECS, 0)
    assert {key: day.row("second", key)["status"] for key in RELEASED} == dict.fromkeys(RELEASED, "as_wanted")
    for key in RELEASED:
        assert day.writes("second", key) == day.writes("remediation", key)


def test_the_recap_counts_the_releases(day: Day) -> None:
    for stage in ("rehearsal", "remediation"):
        changed = {key for key, number in day.numbers(stage, "changed").items() if number}
        assert changed == {*RELEASED, *(FOUND_OUT_LATE if stage == "rehearsal" else ())}
    assert not any(each["changed"] for each in day.runs["survey"].stats.values())


@pytest.mark.parametrize(
    ("stage", "failed"),
    [
        ("survey", {"access_denied"}),
        ("rehearsal", {"access_denied", "stale_name"}),
        ("remediation", {"access_denied", "stale_name", "lying_client"}),
        ("second survey", {"access_denied"}),
    ],
)
def test_hosts_that_failed_fail_after_the_report(day: Day, stage: str, failed: set[str]) -> None:
    assert {key for key, number in day.numbers(stage, "failures").items() if number} == failed
    assert day.runs[stage].rc == 2
    for key in failed:
        message = day.row(stage, key)["message"]
        as_json = json.dumps(message)[1:-1]  # as ansible-core 2.16 prints it
        assert message in day.runs[stage].output or as_json in day.runs[stage].output


def test_the_second_survey_finds_the_released_healthy(day: Day) -> None:
    assert {key: day.row("second survey", key)["status"] for key in RELEASED} == dict.fromkeys(RELEASED, "normal")
    assert day.row("second survey", "lying_client")["status"] == "stuck"


def test_the_summary_is_printed(day: Day) -> None:
    for stage, run in day.runs.items():
        sums = ", ".join(f"{number} {status}" for status, number in day.reports[stage]["counts"].items())
        assert f"{len(SPECS)} hosts: {sums}\n" in run.output


# -- force -------------------------------------------------------------------------------------------------------------


def test_force_and_its_reason_reach_the_client_through_the_role(lab: Lab) -> None:
    names = lab.add({key: SPECS[key][0] for key in ("recent", "resume_pending", "live_upgrade")})
    report = lab.directory / "forced.json"
    forced = {"remediate_force": True, "remediate_force_reason": "CHG0012345, rolled back by hand"}
    run = lab.ansible(
        *("ansible-playbook", "-i", lab.inventory({name: lab.host_vars(name) for name in names.values()})),
        *(f"{FQCN}.remediate", "-e", "configmgr_client_hosts=windows", "-e", f"remediate_report_path={report}"),
        *("-e", json.dumps(forced)),
    )
    assert run.rc == 0, run.output
    hosts = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    for key, name in names.items():
        result, released = run.module(name).result, key != "live_upgrade"
        assert result["force_reason"] == forced["remediate_force_reason"]
        assert hosts[name]["status"] == ("released" if released else "left_alone")
        assert lab.simulator.endpoint(name)["mode"] == ("normal" if released else "provisioning")
    assert lab.simulator.endpoint(names["live_upgrade"])["writes"] == []


# -- hosts that cannot be reached --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "rc"), [("report", 0), ("fail", 2)])
@pytest.mark.parametrize("role", ["survey", "remediate"])
def test_an_unreachable_host_is_a_line_or_a_failure(lab: Lab, role: str, action: str, rc: int) -> None:
    name = lab.add({"off": {"profile": "switched_off"}})["off"]
    run = lab.ansible(
        *("ansible-playbook", "-i", lab.inventory({name: lab.host_vars(name)}), f"configmgr.client.{role}"),
        *("-e", f"{role}_offline_action={action}", "-e", "configmgr_client_hosts=windows"),
    )
    assert run.rc == rc, run.output
    assert "1 host: 1 unreachable\n" in run.output


@pytest.mark.parametrize("playbook", ["survey", "remediate", "prepare", "restore", "finish_osd", "doctor"])
def test_a_name_misspelled_in_the_choice_of_hosts_is_not_all_hosts(lab: Lab, playbook: str) -> None:
    name = lab.add({"one": {"profile": "stuck"}})["one"]
    inventory = lab.inventory({name: lab.host_vars(name)})
    choice = json.dumps({"configmgr_client_hosts": "{{ misspelled | join(',') }}"})
    run = lab.ansible("ansible-playbook", "-i", inventory, f"{FQCN}.{playbook}", "-e", choice)
    assert run.rc not in (0, 2) and "misspelled" in run.output, run.output
    assert lab.simulator.traffic(name)["connections"] == 0
