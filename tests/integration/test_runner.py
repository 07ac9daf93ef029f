# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in slices, each sent to a worker and back by ansible-runner, as AWX does it with its execution nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import FQCN, Lab

SLICES = 3
RUNNER = str(Path(sys.executable).with_name("ansible-runner"))
FLEET: dict[str, dict[str, Any]] = {
    **{f"normal {number}": {} for number in range(5)},
    **{f"stuck {number}": {"profile": "stuck"} for number in range(3)},
    "upgrading": {"profile": "live_upgrade"},
    "off": {"profile": "switched_off"},
}


class Nodes:
    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.directory = directory
        self.names = lab.add(FLEET)
        self.hosts = {name: lab.host_vars(name) for name in self.names.values()}

    def of(self, part: int) -> list[str]:
        """The hosts of a slice, by AWX's rule."""
        return sorted(self.hosts)[part - 1 :: SLICES]

    def run(self, part: int, playbook: str, *, cut: int | None = None) -> tuple[list[int], Path]:
        """Transmit, worker and process, each with its return code, and what came back; *cut*: after so many octets."""
        sent, worker, back = (self.directory / f"{name}-{part}" for name in ("sent", "worker", "back"))
        for each in (sent / "inventory", sent / "project", sent / "env", worker, back):
            each.mkdir(parents=True, exist_ok=True)
        hosts = {name: self.hosts[name] for name in self.of(part)}
        (sent / "inventory/hosts.json").write_text(json.dumps({"windows": {"hosts": hosts}}), encoding="utf-8")
        extra = {"configmgr_client_hosts": "windows", "awx_job_id": f"{part}", "remediate_wait_timeout": 5}
        (sent / "env/extravars").write_text(json.dumps(extra), encoding="utf-8")
        play = [{"ansible.builtin.import_playbook": f"{FQCN}.{playbook}"}]
        (sent / "project/site.yml").write_text(json.dumps(play), encoding="utf-8")
        environment = self.lab.environment(RECORDER_FILE=str(self.directory / "recorded"))
        streams = {"stderr": subprocess.DEVNULL, "env": environment, "check": False, "timeout": 120}
        transmitted = subprocess.run(
            [RUNNER, "transmit", str(sent), "-p", "site.yml", "-i", f"{part}"], stdout=subprocess.PIPE, **streams
        )
        worked = subprocess.run(
            [RUNNER, "worker", "--private-data-dir", str(worker)],
            input=transmitted.stdout[:cut],
            stdout=subprocess.PIPE,
            **streams,
        )
        processed = subprocess.run(
            [RUNNER, "process", str(back), "-i", f"{part}"], input=worked.stdout, stdout=subprocess.DEVNULL, **streams
        )
        return [transmitted.returncode, worked.returncode, processed.returncode], back / "artifacts" / f"{part}"

    def asked(self) -> dict[str, int]:
        """How often each was logged in to, as the endpoints themselves have it."""
        return {name: len(self.lab.simulator.traffic(name)["logins"]) for name in self.hosts}


def artifact(directory: Path, part: int) -> dict[str, Any]:
    """What the run leaves in AWX: an artifact of its job."""
    for path in (directory / "job_events").glob("*.json"):
        event = json.loads(path.read_text(encoding="utf-8"))
        if event["event"] == "playbook_on_stats":
            found: dict[str, Any] = event["event_data"]["artifact_data"][f"configmgr_client_{part}"]
            return found
    return {}


@pytest.fixture
def nodes(lab: Lab, tmp_path: Path) -> Nodes:
    return Nodes(lab, tmp_path)


def test_each_endpoint_is_asked_once_by_one_slice(nodes: Nodes) -> None:
    counts: dict[str, int] = {}
    named: list[str] = []
    for part in range(1, SLICES + 1):
        codes, came = nodes.run(part, "survey")
        assert codes == [0, 0, 0], (came / "stdout").read_text() if (came / "stdout").exists() else codes
        told = artifact(came, part)
        for status, number in told["counts"].items():
            counts[status] = counts.get(status, 0) + number
        named += [host for hosts in told["hosts_by_status"].values() for host in hosts]
        assert set(named) <= {host for each in range(1, part + 1) for host in nodes.of(each)}
    assert counts == {"stuck": 3, "unreachable": 1, "expected": 1, "normal": 5}
    assert len(named) == len(set(named)) == 5
    assert nodes.asked() == {name: int(key != "off") for key, name in nodes.names.items()}


def test_a_slice_that_was_lost_on_its_way_is_run_again_alone(nodes: Nodes) -> None:
    done, _came = nodes.run(1, "remediate")
    assert done == [0, 0, 0]
    _lost, nothing = nodes.run(2, "remediate", cut=200)
    assert artifact(nothing, 2) == {} and not any(nodes.asked()[name] for name in nodes.of(2))
    before = nodes.asked()
    again, came = nodes.run(2, "remediate")
    assert again == [0, 0, 0]
    stuck = {name for key, name in nodes.names.items() if key.startswith("stuck")}
    assert artifact(came, 2)["counts"].get("released", 0) == len(stuck & set(nodes.of(2)))
    assert {name: nodes.asked()[name] for name in nodes.of(1) + nodes.of(3)} == {
        name: before[name] for name in nodes.of(1) + nodes.of(3)
    }
    for name in stuck:
        released = name in nodes.of(1) + nodes.of(2)
        assert (nodes.lab.simulator.endpoint(name)["mode"] == "normal") is released
