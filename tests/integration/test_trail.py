# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit trail of real runs, beside what the endpoints themselves say was asked of them."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.guard.bench import is_write
from tests.integration.harness import FQCN, ROOT, Case, Lab, Outcome, Run, leaks
from tests.integration.test_fleet import descendants

Record = dict[str, Any]
STEPS = ["execution_requests", "maintenance_requests", "orphaned_policy", "paused_software_distribution"]
REFUSED = {"variants": {"sms_client_invoke": "refused"}}
CASES = {
    "exit": Case("provisioning_mode", {"enabled": False, "run_ccmeval": True}, {"profile": "stuck"}),
    "exit by command": Case("provisioning_mode", {"enabled": False}, {"profile": "native_refused"}),
    "exit by force": Case(
        "provisioning_mode", {"enabled": False, "force": True, "force_reason": "CHG0000001"}, {"profile": "recent"}
    ),
    "exit after a dead upgrade": Case("provisioning_mode", {"enabled": False}, {"profile": "dead_upgrade"}),
    "entry": Case("provisioning_mode", {"enabled": True}),
    "time-out": Case("provisioning_timeout", {"max_minutes": 4320}),
    "boot task": Case("provisioning_safeguard", {}),
    "run once": Case("provisioning_safeguard", {"kind": "run_once"}),
    "preparation": Case("client_preparation", {"max_minutes": 720}, {"profile": "smstsmgr_dependency"}),
    "dependency": Case("smstsmgr_dependency", {}, {"profile": "smstsmgr_dependency"}),
    "schedules": Case("client_action", {"schedules": ["hardware_inventory"]}),
    "schedules by command": Case("client_action", {}, {"profile": "normal", **REFUSED}),
    "leftovers": Case("task_sequence_request", {"steps": STEPS}, {"profile": "leftovers"}),
    "nothing to do": Case("provisioning_mode", {"enabled": False}),
    "an upgrade runs": Case("provisioning_mode", {"enabled": False}, {"profile": "live_upgrade"}),
    "other machine": Case("provisioning_timeout", {"max_minutes": 4320}, name="PC-OTHER"),
    "rehearsed": Case("provisioning_mode", {"enabled": False}, {"profile": "stuck"}, check=True),
}
SILENT = ("nothing to do", "an upgrade runs", "other machine", "rehearsed")


def audited(cases: Mapping[str, Case], path: Path) -> dict[str, Case]:
    return {key: replace(case, options={**case.options, "audit_path": str(path)}) for key, case in cases.items()}


def records(path: Path, event: str = "") -> list[Record]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [each for each in found if event in each["event"]]


def asked(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """Requests that write, as the endpoint itself counted them: the method, or the operation."""
    return [
        call["method"] or call["operation"]
        for call in calls
        if is_write(f"{call['operation']} {'class ' if call['method'] else ''}{call['method']} {call['detail']}")
    ]


def told(found: Iterable[Record], host: str) -> list[str]:
    return [each["operation"].split()[0] for each in found if each["host"] == host]


@pytest.fixture(scope="module")
def path(lab: Lab) -> Path:
    return lab.directory / "audit.jsonl"


@pytest.fixture(scope="module")
def played(lab: Lab, path: Path) -> dict[str, Outcome]:
    return lab.play(audited(CASES, path), "-e", '{"awx_job_id": 4711, "awx_user_name": "asmith"}')


@pytest.mark.parametrize("key", CASES)
def test_what_is_told_is_what_was_asked_in_that_order(played: dict[str, Outcome], path: Path, key: str) -> None:
    outcome = played[key]
    writes = asked(outcome.calls)
    assert told(records(path, "begin"), outcome.event.host) == writes
    assert (writes == []) == (key in SILENT), outcome.msg
    assert outcome.changed or key in SILENT, outcome.msg


def test_each_line_says_who_did_what_where(played: dict[str, Outcome], path: Path) -> None:
    hosts = {outcome.event.host: key for key, outcome in played.items()}
    for each in records(path):
        key = hosts[each["host"]]
        assert (each["schema"], each["run"], each["user"]) == (1, "4711", "asmith")
        assert (each["module"], each["computer_name"]) == (CASES[key].module, each["host"])
        assert each["force_reason"] == CASES[key].options.get("force_reason")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"])


def test_each_begin_has_its_end(played: dict[str, Outcome], path: Path) -> None:
    attempts = [each["attempt"] for each in records(path, "begin")]
    assert len(set(attempts)) == len(attempts)
    assert sorted(each["attempt"] for each in records(path, "end")) == sorted(attempts)
    assert {each["result"] for each in records(path, "end")} == {"done", "failed"}


def test_the_guide_names_each_member(played: dict[str, Outcome], path: Path) -> None:
    guide = (ROOT / "docs/docsite/rst/guide_releasing.rst").read_text(encoding="utf-8")
    table = guide.partition("   member | holds\n")[2].partition("\n\n")[0]
    named = re.findall(r"^   ``(\w+)`` \|", table, re.MULTILINE)
    assert {*named} - {"result", "reason"} == {*records(path, "begin")[0]}
    assert {*named} == {*records(path, "end")[0]}


def test_it_is_for_its_owner_and_holds_no_password(played: dict[str, Outcome], path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert leaks(path.read_text(encoding="utf-8")) == []


def test_nobody_is_asked_anything_without_a_trail(lab: Lab) -> None:
    writing = {key: case for key, case in CASES.items() if key not in SILENT}
    for outcome in lab.play(audited(writing, lab.directory)).values():
        outcome.assert_refused(f"audit_path={lab.directory} cannot be opened (Is a directory)", "give a file")


def test_a_check_makes_no_file_and_needs_none(lab: Lab) -> None:
    case = Case("provisioning_mode", {"enabled": False}, {"profile": "stuck"}, check=True)
    outcome = lab.play(audited({"one": case}, lab.directory))["one"]
    assert (outcome.status, outcome.changed, outcome.writes) == ("ok", True, []), outcome.msg


def test_module_that_runs_elsewhere_keeps_it_there(lab: Lab) -> None:
    path = lab.directory / "elsewhere.jsonl"
    name = lab.add({"one": {"profile": "stuck"}})["one"]
    options = {
        "enabled": False,
        "computer_name": name,
        "endpoint": lab.endpoint_option(name),
        "audit_path": str(path),
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    outcome = lab.play({"through": Case("provisioning_mode", options, vars=local)})["through"]
    assert outcome.result["action"] == "released", outcome.msg
    found = records(path, "begin")
    assert told(found, options["endpoint"]["host"]) == asked(lab.simulator.traffic(name)["calls"]) != []
    assert {each["computer_name"] for each in found} == {name} and len({each["run"] for each in found}) == 1


# -- what is killed ----------------------------------------------------------------------------------------------------


def remediation(lab: Lab, hosts: Mapping[str, Any], path: Path) -> list[str]:
    return [
        *("ansible-playbook", "-i", str(lab.inventory(hosts)), f"{FQCN}.remediate"),
        *("-e", "configmgr_client_hosts=windows", "-e", f"remediate_audit_path={path}"),
    ]


def killed(lab: Lab, command: list[str], path: Path, lines: int) -> None:
    """The whole run, by SIGKILL, as soon as its trail has that many lines."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        env=lab.environment(),
        cwd=lab.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.002)
    # The workers have process groups of their own.
    for pid in [process.pid, *chain.from_iterable(descendants(process.pid))]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("lines", [1, 5, 12])
def test_a_run_that_is_killed_leaves_a_begin_of_each_write_and_the_next_one_converges(lab: Lab, lines: int) -> None:
    path = lab.directory / f"killed-{lines}.jsonl"
    names = lab.add({str(number): {"profile": "stuck", "round_trip": 0.01} for number in range(5)}).values()
    hosts = {name: lab.host_vars(name) for name in names}
    killed(lab, remediation(lab, hosts, path), path, lines)
    found = path.read_text(encoding="utf-8")
    whole = [json.loads(line) for line in found.splitlines() if line.endswith("}")]
    writes = {name: asked(lab.simulator.traffic(name)["calls"]) for name in names}
    for name in names:
        begun = told([each for each in whole if each["event"] == "begin"], name)
        assert begun[: len(writes[name])] == writes[name] and len(begun) - len(writes[name]) in (0, 1)

    again: Run = lab.ansible(*remediation(lab, hosts, path))
    assert again.rc == 0, again.output
    assert {lab.simulator.endpoint(name)["mode"] for name in names} == {"normal"}
    text = path.read_text(encoding="utf-8")
    assert text.startswith(found)
    later = [json.loads(line) for line in text[len(found) :].splitlines() if line]
    assert {each["run"] for each in later} & {each["run"] for each in whole} == set()
    for name in names:
        assert asked(lab.simulator.traffic(name)["calls"]) == [
            *writes[name],
            *told([each for each in later if each["event"] == "begin"], name),
        ]
