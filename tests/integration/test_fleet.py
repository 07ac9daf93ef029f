# SPDX-License-Identifier: GPL-3.0-or-later
"""One task for a whole fleet: every host with its own settings, whatever any of them is like."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import PASSWORD, USERNAME, WRONG_PASSWORD, Event, Lab, Run, spelled

Hosts = Mapping[str, Mapping[str, Any]]
MODULE = "configmgr.client.fleet_info"


def play(lab: Lab, hosts: Hosts, options: Mapping[str, Any], /, *command: str, **keywords: Any) -> Run:
    """The sweep as the only task of a play, which takes *keywords*; *command* goes on the command line."""
    tasks = [{MODULE: dict(options), "run_once": True, "delegate_to": "localhost", "register": "fleet"}]
    content = [{"hosts": "windows", "gather_facts": False, "tasks": tasks, **keywords}]
    return lab.ansible("ansible-playbook", "-i", lab.inventory(hosts), lab.file("play.yml", content), *command)


def sweep(lab: Lab, hosts: Hosts, /, *command: str, play_keywords: Mapping[str, Any] = {}, **options: Any) -> Event:
    run = play(lab, hosts, options, *command, **play_keywords)
    events = [event for event in run.events if event.action == MODULE]
    assert len(events) == 1, run.output
    return events[0]


def normal(lab: Lab, count: int, **variables: Any) -> dict[str, dict[str, Any]]:
    names = lab.add({str(number): {} for number in range(count)})
    return {name: lab.host_vars(name, **variables) for name in names.values()}


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@contextmanager
def mute(lab: Lab, count: int) -> Iterator[dict[str, dict[str, Any]]]:
    """Hosts that accept connections and never say anything."""
    hosts = {}
    with ExitStack() as stack:
        for _number in range(count):
            name, address = lab.address()
            stack.enter_context(socket.create_server((address, lab.simulator.http_port)))
            hosts[name] = {
                **spelled("winrm", scheme="http", auth="ntlm"),
                "ansible_host": address,
                "ansible_port": lab.simulator.http_port,
                "ansible_user": USERNAME,
                "ansible_password": PASSWORD,
            }
        yield hosts


# -- every host with its own settings ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(lab: Lab) -> tuple[dict[str, str], dict[str, dict[str, Any]], Event, Path]:
    """A fleet of all kinds: its names by kind, its variables, the sweep's result and its file."""
    names = lab.add(
        {
            "normal": {},
            "stuck": {"profile": "stuck"},
            "half exited": {"profile": "half_exited"},
            "psrp": {"profile": "stuck"},
            "https": {"profile": "stuck"},
            "wrong password": {"credentials": {"username": "CORP\\rejected", "password": PASSWORD}},
            "role": {},
            "other connection": {},
            "template": {},
            "off": {"http": False, "https": False},
            "dns": {},
            "denied": {"faults": [{"match": {"class": "StdRegProv"}, "then": "access_denied"}]},
        }
    )
    hosts = {names[kind]: lab.host_vars(names[kind]) for kind in names}
    hosts[names["psrp"]] = lab.host_vars(names["psrp"], "psrp")
    hosts[names["https"]] = lab.https_vars(names["https"])
    hosts[names["wrong password"]] |= {"ansible_user": "CORP\\rejected", "ansible_password": WRONG_PASSWORD}
    hosts[names["role"]] |= {"ansible_password": "{{ kept | default('') }}", "kept": "{{ of_play }}"}
    hosts[names["other connection"]] |= {"ansible_connection": "ssh"}
    hosts[names["template"]] |= {"ansible_user": "{{ nobody_defined_this }}"}
    hosts[names["dns"]] |= {"ansible_host": "no-such-host.invalid"}
    for name in names.values():
        lab.simulator.reset_traffic(name)
    path = lab.directory / "mixed.jsonl"
    keywords = {"vars": {"of_play": PASSWORD}}
    return names, hosts, sweep(lab, hosts, play_keywords=keywords, results_path=path.name), path


KINDS = {
    "normal": "normal",
    "stuck": "stuck",
    "half exited": "half_exited",
    "psrp": "stuck",
    "https": "stuck",
    "wrong password": "login",
    "role": "normal",
    "other connection": "settings",
    "template": "settings",
    "off": "refused",
    "dns": "dns",
    "denied": "permission",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_counted_as_what_it_is(mixed: Any, kind: str) -> None:
    names, _hosts, event, _path = mixed
    assert event.status == "ok" and set(KINDS) == set(names)
    found = {**event.result["verdicts"], **event.result["errors"]}
    assert [each for each, hosts in found.items() if names[kind] in hosts] == [KINDS[kind]], event.result["details"]


def test_counts_and_names_agree_and_only_what_is_not_normal_is_told_in_detail(mixed: Any) -> None:
    names, _hosts, event, _path = mixed
    result = event.result
    for kind in ("verdicts", "errors"):
        assert result["counts"][kind] == {each: len(hosts) for each, hosts in result[kind].items()}
    assert result["asked"] == len(names) and result["not_finished"] == []
    silent = {names[kind] for kind, what in KINDS.items() if what in ("normal", "refused")}
    assert set(result["details"]) == set(names.values()) - silent
    assert "nobody_defined_this" in result["details"][names["template"]]["msg"]
    assert "ansible_connection=ssh" in result["details"][names["other connection"]]["msg"]
    assert "ansible_password" in result["details"][names["wrong password"]]["msg"]
    assert result["msg"].startswith(f"{len(names)} endpoints in ")


def test_the_file_has_a_line_of_each_and_is_its_owners(mixed: Any) -> None:
    names, _hosts, event, path = mixed
    assert event.result["results_path"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(record["host"] for record in records(path)) == sorted(names.values())
    assert {record["schema"] for record in records(path)} == {1}
    assert PASSWORD not in path.read_text() and WRONG_PASSWORD not in path.read_text()


def test_a_healthy_endpoint_costs_two_calls(lab: Lab, mixed: Any) -> None:
    names = mixed[0]
    assert len(lab.simulator.traffic(names["normal"])["calls"]) == 2


def test_it_finds_what_the_module_for_one_host_finds(lab: Lab, mixed: Any) -> None:
    names, hosts, _event, path = mixed
    kinds = ("normal", "stuck", "half exited", "psrp", "https")
    chosen = {names[kind]: hosts[names[kind]] for kind in kinds}
    task = {"configmgr.client.provisioning_mode_info": {}}
    content = [{"hosts": "windows", "gather_facts": False, "tasks": [task]}]
    run = lab.ansible("ansible-playbook", "-i", lab.inventory(chosen), lab.file("play.yml", content))
    swept = {record["host"]: record for record in records(path)}
    for name in chosen:
        alone = run.module(name).result
        assert alone.keys() - swept[name].keys() <= {"changed"} | {key for key in alone if key.startswith("_ansible")}
        for key in ("verdict", "evidence", "provisioning_mode", "system_task_excludes", "client_version", "full"):
            assert swept[name][key] == alone[key]


BROKEN = ("connection", "host", "password", "port", "user", "winrm_transport", "winrm_scheme")


@pytest.mark.parametrize("name", BROKEN)
def test_a_first_host_that_cannot_be_resolved_costs_the_others_nothing(lab: Lab, name: str) -> None:
    hosts = normal(lab, 3)
    first = next(iter(hosts))
    hosts[first][f"ansible_{name}"] = "{{ nobody_defined_this }}"
    event = sweep(lab, hosts)
    assert event.result["counts"] == {"verdicts": {"normal": 2}, "errors": {"settings": 1}}, event.result
    assert event.result["errors"]["settings"] == [first]
    assert "nobody_defined_this" in event.result["details"][first]["msg"]


@pytest.mark.parametrize("own", [False, True])
def test_user_and_password_of_the_command_line(lab: Lab, own: bool) -> None:
    hosts = normal(lab, 3)
    for number, variables in enumerate(hosts.values()):
        if not own or number:  # whatever the first host has is no other's
            del variables["ansible_user"], variables["ansible_password"]
    secret = lab.file("password", PASSWORD)
    event = sweep(lab, hosts, "-u", USERNAME, "--connection-password-file", str(secret))
    assert event.result["counts"] == {"verdicts": {"normal": 3}, "errors": {}}, event.result["details"]


def test_one_task_serves_all_hosts_of_the_play(lab: Lab) -> None:
    hosts = normal(lab, 2)
    content = [
        {
            "hosts": "windows",
            "gather_facts": False,
            "tasks": [
                {MODULE: {}, "run_once": True, "register": "fleet"},
                {"ansible.builtin.debug": {"msg": "{{ inventory_hostname in fleet.verdicts.normal }}"}},
            ],
        }
    ]
    run = lab.ansible("ansible-playbook", "-i", lab.inventory(hosts), lab.file("play.yml", content))
    assert [event.result["msg"] for event in run.events if event.action.endswith("debug")] == [True, True]


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_strategies_that_run_it_for_each_host_refuse_it(lab: Lab, strategy: str) -> None:
    hosts = normal(lab, 2)
    run = play(lab, hosts, {}, strategy=strategy)
    assert run.rc != 0 and "bypasses the host loop" in " ".join(run.output.split())
    assert [lab.simulator.traffic(name)["connections"] for name in hosts] == [0, 0]


# -- what is wrong with the task ---------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "concurrency": ({"concurrency": 0}, "concurrency=0 is too small: give 1 or more"),
    "processes": ({"processes": 0}, "processes=0 is too small"),
    "deadline": ({"deadline": 0}, "deadline=0 is too small"),
    "sweep": ({"sweep_deadline": 0}, "sweep_deadline=0 is too small"),
    "slice": ({"fleet_slice": "0/3"}, "fleet_slice='0/3' is no slice"),
    "empty slice": ({"fleet_slice": ""}, "fleet_slice='' is no slice"),
    "resume": ({"resume": True}, "resume=true goes on with a file: set results_path to it"),
    "directory": ({"results_path": "missing/fleet.jsonl"}, "missing/fleet.jsonl cannot be written: No such file"),
    "folder": ({"results_path": "/tmp"}, "results_path=/tmp cannot be written: Is a directory"),
    "state in no directory": ({"state_path": "missing/state"}, "missing/state cannot be kept there: No such file"),
    "state in a folder": ({"state_path": "/tmp"}, "state_path=/tmp cannot be kept there: Is a directory"),
    "state in a device": ({"state_path": "/dev/null"}, "state_path=/dev/null is no regular file"),
    "state in results": ({"state_path": "a", "results_path": "./a"}, "is results_path as well: name a file of its own"),
    "days": ({"give_up_after": -1}, "give_up_after=-1 is negative: give days, or 0 for never"),
}


@pytest.mark.parametrize("key", WRONG)
def test_what_cannot_be_done_is_said_before_anything_is_sent(lab: Lab, key: str) -> None:
    options, said = WRONG[key]
    hosts = normal(lab, 1)
    event = sweep(lab, hosts, **options)
    assert event.status == "failed" and said in event.result["msg"]
    assert len(event.result["msg"].splitlines()) == 1
    assert [lab.simulator.traffic(name)["connections"] for name in hosts] == [0]


def test_a_full_disk_ends_the_sweep_and_is_said(lab: Lab) -> None:
    event = sweep(lab, normal(lab, 2), results_path="/dev/full")
    assert event.status == "failed" and "/dev/full cannot be written any further: No space left" in event.result["msg"]
    assert len(event.result["not_finished"]) == 2


def test_more_at_a_time_than_files_can_be_open(lab: Lab) -> None:
    hosts = normal(lab, 2)
    content = [{"hosts": "windows", "gather_facts": False, "tasks": [{MODULE: {"concurrency": 100000}}]}]
    inventory, playbook = lab.inventory(hosts), lab.file("play.yml", content)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -n 70; exec "$@"', "-", ansible_playbook(), "-i", str(inventory), str(playbook)],
        env=lab.environment(RECORDER_FILE=str(lab.directory / "limited")),
        cwd=lab.directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    entry = json.loads((lab.directory / "limited").read_text().splitlines()[0])
    assert entry["result"]["counts"] == {"verdicts": {"normal": 2}, "errors": {}}, done.stdout + done.stderr


def test_hosts_with_one_address_are_told(lab: Lab) -> None:
    hosts = normal(lab, 1)
    (variables,) = hosts.values()
    event = sweep(lab, {**hosts, "ALIAS": variables})
    assert event.result["counts"]["verdicts"] == {"normal": 2}
    assert f"{variables['ansible_host']} (" in event.result["warnings"][0] and "ALIAS" in event.result["warnings"][0]


# -- slices, and going on ----------------------------------------------------------------------------------------------


def test_slices_are_each_host_once_and_their_files_become_one(lab: Lab) -> None:
    hosts = normal(lab, 5)
    files = []
    for number in (1, 2, 3, 4, 5, 6):
        path = lab.directory / f"slice-{number}.jsonl"
        event = sweep(lab, hosts, fleet_slice=f"{number}/6", results_path=str(path))
        assert event.result["asked"] == len(records(path)) == (1 if number < 6 else 0)
        files.append(path.read_bytes())
    whole = lab.directory / "whole.jsonl"
    whole.write_bytes(b"".join(files + files[:2]))
    for name in hosts:
        lab.simulator.reset_traffic(name)
    event = sweep(lab, hosts, resume=True, results_path=str(whole))
    assert (event.result["asked"], event.result["already_known"]) == (5, 5)
    assert event.result["counts"] == {"verdicts": {"normal": 5}, "errors": {}}
    assert {lab.simulator.traffic(name)["connections"] for name in hosts} == {0}


def test_it_goes_on_where_it_was_cut_off_and_asks_again_what_gave_no_answer(lab: Lab) -> None:
    hosts = normal(lab, 3)
    first, second, third = hosts
    path = lab.directory / "cut.jsonl"
    sweep(lab, hosts, results_path=str(path))
    lines = {record["host"]: json.dumps(record) for record in records(path)}
    off = json.dumps({**json.loads(lines[second]), "status": "unreachable", "error_class": "filtered"})
    path.write_text(f"{lines[first]}\n{off}\n{lines[third][:40]}")
    for name in hosts:
        lab.simulator.reset_traffic(name)
    event = sweep(lab, hosts, resume=True, results_path=str(path))
    assert event.result["already_known"] == 1 and event.result["counts"]["verdicts"] == {"normal": 3}
    assert event.result["counts"]["errors"] == {}
    assert "ended in half a line" in event.result["warnings"][0]
    assert [bool(lab.simulator.traffic(name)["connections"]) for name in hosts] == [False, True, True]
    assert len(records(path)) == 4


def test_what_was_off_is_asked_first_the_next_time(lab: Lab) -> None:
    there = normal(lab, 5)
    away = dict.fromkeys([*there][2:4])
    off = {name: {**variables, "ansible_port": 9} if name in away else variables for name, variables in there.items()}
    state, path = lab.directory / "first.state", lab.directory / "first.jsonl"
    options = {"state_path": str(state), "results_path": str(path), "concurrency": 1, "processes": 1}
    found = sweep(lab, off, **options).result
    assert [record["host"] for record in records(path)] == [*there]
    assert {name: each["tries"] for name, each in found["absent"].items()} == dict.fromkeys(away, 1)
    found = sweep(lab, off, **options).result
    assert [record["host"] for record in records(path)][:2] == [*away]
    assert {name: each["tries"] for name, each in found["absent"].items()} == dict.fromkeys(away, 2)
    found = sweep(lab, there, **options, fleet_slice="1/1").result
    assert [record["host"] for record in records(path)][:2] == [*away]
    assert (found["absent"], found["verdicts"]) == ({}, {"normal": [*there]})
    sweep(lab, there, **options)
    assert [record["host"] for record in records(path)] == [*there]


def test_what_was_found_is_told_where_it_cannot_be_remembered(lab: Lab) -> None:
    state = lab.directory / "gone" / "state"
    state.parent.mkdir()
    # Reading the host's settings takes the directory away, when the sweep is under way.
    user = f"{{{{ lookup('ansible.builtin.pipe', 'rm -rf {state.parent}') }}}}{USERNAME}"
    hosts = {name: {**variables, "ansible_user": user} for name, variables in normal(lab, 1).items()}
    event = sweep(lab, hosts, state_path=str(state))
    assert event.status == "failed" and f"state_path={state} cannot be kept there" in event.result["msg"]
    assert event.result["counts"]["verdicts"] == {"normal": 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"schema": 0, "host": "PC-1"}', "line 1 is of schema 0, and this version of the collection writes 1"),
        ("not a record", "line 1 is no record of a sweep"),
        ('{"schema": 1, "host": 5, "status": "ok"}', "line 1 is no record of a sweep"),
        ('{"schema": 1, "host": "PC-1", "status": "ok", "verdict": "normal"}', "line 1 is no record of a sweep"),
        ('{"state_schema": 1, "host": "PC-1", "at": "2026-11-02T06:00:00Z"}', "line 1 is no record of a sweep"),
    ],
)
def test_it_does_not_go_on_with_what_it_does_not_know(lab: Lab, line: str, said: str) -> None:
    path = lab.file("other.jsonl", f"{line}\n")
    event = sweep(lab, normal(lab, 1), resume=True, results_path=str(path))
    assert event.status == "failed" and said in event.result["msg"]
    assert path.read_text() == f"{line}\n"


# -- endpoints that accept and never answer ----------------------------------------------------------------------------


def test_mute_endpoints_hold_nobodys_turn(lab: Lab) -> None:
    """All of them have one account, of which nothing was accepted yet."""
    answering = normal(lab, 2)
    with mute(lab, 40) as silent:
        event = sweep(lab, {**silent, **answering}, deadline=4)
    assert event.result["counts"] == {"verdicts": {"normal": 2}, "errors": {"timeout": 40}}
    assert event.result["seconds"] < 10


def test_one_deadline_ends_the_sweep(lab: Lab) -> None:
    answering = normal(lab, 1)
    path = lab.directory / "deadline.jsonl"
    with mute(lab, 3) as silent:
        event = sweep(lab, {**answering, **silent}, sweep_deadline=2, results_path=str(path))
    assert event.status == "failed" and "sweep_deadline=2 seconds ended the sweep" in event.result["msg"]
    assert event.result["not_finished"] == list(silent)
    assert [record["host"] for record in records(path)] == list(answering)


@contextmanager
def running(lab: Lab, hosts: Hosts, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A sweep in a process group of its own, that has written down at least one host."""
    content = [{"hosts": "windows", "gather_facts": False, "tasks": [{MODULE: {"results_path": str(path)}}]}]
    process = subprocess.Popen(
        [ansible_playbook(), "-i", str(lab.inventory(hosts)), str(lab.file("play.yml", content))],
        env=lab.environment(RECORDER_FILE=f"{path}.recorded"),
        cwd=lab.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell has what it starts in the background ignore Ctrl-C, and that would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        until = time.monotonic() + 30
        while not (path.exists() and path.stat().st_size):
            assert process.poll() is None and time.monotonic() < until, process.communicate()
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ansible_playbook() -> str:
    return str(Path(sys.executable).with_name("ansible-playbook"))


def descendants(pid: int) -> list[list[int]]:
    """Generation by generation."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            pass
    found, generation = [], [pid]
    while generation := [each for each, parent in parents.items() if parent in generation]:
        found.append(generation)
    return found


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_process_that_dies_takes_its_hosts_along_and_nobody_else(lab: Lab) -> None:
    answering = normal(lab, 1)
    path = lab.directory / "died.jsonl"
    with mute(lab, 4) as silent, running(lab, {**answering, **silent}, path) as process:
        os.kill(descendants(process.pid)[1][0], signal.SIGKILL)
        os.kill(descendants(process.pid)[1][-1], signal.SIGKILL)
        output, _ = process.communicate(timeout=60)
    lost = [record for record in records(path) if record.get("error_class") == "worker"]
    assert 1 <= len(lost) <= 4 and len(records(path)) == 5, output
    assert "ended with signal 9" in lost[0]["msg"] and lost[0]["retryable"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_when_it_is_told_to(lab: Lab, number: signal.Signals) -> None:
    answering = normal(lab, 1)
    path = lab.directory / f"{number.name}.jsonl"
    with mute(lab, 4) as silent, running(lab, {**answering, **silent}, path) as process:
        family = [pid for generation in descendants(process.pid) for pid in generation]
        started = time.monotonic()
        os.killpg(process.pid, number)
        process.communicate(timeout=20)
        until = started + 5
        while not gone(family) and time.monotonic() < until:
            time.sleep(0.05)
        assert gone(family)
    assert [record["host"] for record in records(path)] == list(answering)


def test_what_was_written_survives_the_death_of_everything(lab: Lab) -> None:
    answering = normal(lab, 1)
    path = lab.directory / "killed.jsonl"
    with mute(lab, 2) as silent:
        with running(lab, {**answering, **silent}, path) as process:
            family = [process.pid, *(pid for generation in descendants(process.pid) for pid in generation)]
            os.kill(descendants(process.pid)[0][0], signal.SIGKILL)
            process.communicate(timeout=20)
            until = time.monotonic() + 5
            while not gone(family) and time.monotonic() < until:
                time.sleep(0.05)
            assert gone(family)
        event = sweep(lab, {**answering, **silent}, resume=True, results_path=str(path), deadline=1)
    assert event.result["already_known"] == 1
    assert event.result["counts"] == {"verdicts": {"normal": 1}, "errors": {"timeout": 2}}
