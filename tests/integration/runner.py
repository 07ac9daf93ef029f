# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX has its execution nodes run them: sent to a worker by ansible-runner, and brought back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.integration.harness import ROOT, Lab

RUNNER = str(Path(sys.executable).with_name("ansible-runner"))


@dataclass(frozen=True)
class Job:
    """*codes* are those of transmit, worker and process."""

    codes: list[int]
    directory: Path

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        paths = (self.directory / "job_events").glob("*.json")
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    @property
    def rc(self) -> int:
        """What AWX makes the job green or red by."""
        return int((self.directory / "rc").read_text())

    @property
    def output(self) -> str:
        path = self.directory / "stdout"
        return path.read_text(encoding="utf-8") if path.exists() else str(self.codes)

    @property
    def artifacts(self) -> dict[str, Any]:
        for event in self.events:
            if event["event"] == "playbook_on_stats":
                return dict(event["event_data"]["artifact_data"])
        return {}


class Nodes:
    """Execution nodes for a fleet of the laboratory; the repository's playbooks are the project."""

    def __init__(self, lab: Lab, directory: Path, fleet: Mapping[str, Mapping[str, Any]]) -> None:
        self.lab = lab
        self.directory = directory
        self.names = lab.add(fleet)
        self.hosts = {name: lab.host_vars(name) for name in self.names.values()}

    def of(self, part: int, count: int) -> list[str]:
        """The hosts of a slice, by AWX's rule."""
        return sorted(self.hosts)[part - 1 :: count]

    def run(
        self, number: int, playbook: str, hosts: list[str], variables: Mapping[str, Any], *, cut: int | None = None
    ) -> Job:
        """*number* is the job's; *cut* is after how many octets it is lost on its way."""
        sent, worker, back = (self.directory / f"{name}-{number}" for name in ("sent", "worker", "back"))
        for each in (sent / "inventory", sent / "env", worker, back):
            each.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / "playbooks", sent / "project/playbooks", dirs_exist_ok=True)
        inventory = {"all": {"hosts": {name: self.hosts[name] for name in hosts}}}
        (sent / "inventory/hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
        (sent / "env/extravars").write_text(json.dumps({"awx_job_id": number, **variables}), encoding="utf-8")
        streams: dict[str, Any] = {
            "stderr": subprocess.DEVNULL,
            "env": self.lab.environment(RECORDER_FILE=str(self.directory / "recorded")),
            "check": False,
            "timeout": 120,
        }
        transmitted = subprocess.run(
            [RUNNER, "transmit", str(sent), "-p", playbook, "-i", f"{number}"], stdout=subprocess.PIPE, **streams
        )
        worked = subprocess.run(
            [RUNNER, "worker", "--private-data-dir", str(worker)],
            input=transmitted.stdout[:cut],
            stdout=subprocess.PIPE,
            **streams,
        )
        processed = subprocess.run(
            [RUNNER, "process", str(back), "-i", f"{number}"], input=worked.stdout, stdout=subprocess.DEVNULL, **streams
        )
        codes = [transmitted.returncode, worked.returncode, processed.returncode]
        return Job(codes, back / "artifacts" / f"{number}")

    def asked(self) -> dict[str, int]:
        """How often each was logged in to, as the endpoints themselves have it."""
        return {name: len(self.lab.simulator.traffic(name)["logins"]) for name in self.hosts}
