# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated fleet, and real Ansible runs against it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from simulator.client import Simulator

FLEET = Path(__file__).with_name("fleet.yml")
ROOT = Path(__file__).parents[2]
SCENE = ROOT / ".build" / "demo"


@dataclass(frozen=True)
class Run:
    """A playbook run that has ended: ``rc`` as Ansible left it, ``hosts`` as its report has them."""

    rc: int
    seconds: float
    hosts: dict[str, dict[str, Any]]
    counts: dict[str, int]


class Scene:
    """The fleet runs while this is open, and ends with it: also when a signal ends the process."""

    def __init__(self) -> None:
        if shutil.which("ansible-playbook") is None:
            sys.exit("ansible-playbook is not on the PATH: start this with make")
        self.simulator = Simulator(FLEET)

    def __enter__(self) -> Scene:
        signal.signal(signal.SIGTERM, _exit)
        shutil.rmtree(SCENE, ignore_errors=True)
        SCENE.mkdir(parents=True)
        self.simulator.start()
        self.inventory = SCENE / "inventory.yml"
        self.inventory.write_text(self.simulator.inventory(), encoding="utf-8")
        self.inventory.chmod(0o600)
        return self

    def __exit__(self, *exception: object) -> None:
        self.simulator.stop()

    def play(self, name: str, role: str, *options: str) -> Run:
        """Runs the playbook of that role in the installed collection; its output goes to ``NAME.log``."""
        report = SCENE / f"{name}.json"
        playbook = ("ansible-playbook", "-i", str(self.inventory), f"configmgr.client.{role}")
        started = time.monotonic()
        log = SCENE / f"{name}.log"
        rc = self.ansible(log, *playbook, "-e", f"{role}_report_path={report}", *options)
        if not report.exists():
            sys.exit(f"{role} made no report: see {log}")
        written = json.loads(report.read_text(encoding="utf-8"))
        return Run(rc, time.monotonic() - started, written["hosts"], written["counts"])

    def ansible(self, log: Path, *command: str) -> int:
        """The return code of a command of Ansible's; what it prints goes to *log*."""
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=self.environment())
            try:
                return process.wait()
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait()

    def environment(self) -> dict[str, str]:
        """How to reach the simulated site: by NTLM, as sites before version 2509 take it."""
        account = self.simulator.endpoints()[0]
        return {
            **os.environ,
            "ANSIBLE_FORKS": "20",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "CONFIGMGR_PROVIDER": self.simulator.site()["source"]["address"],
            "CONFIGMGR_AUTH": "ntlm",
            "CONFIGMGR_USERNAME": account["username"],
            "CONFIGMGR_PASSWORD": account["password"],
            "CONFIGMGR_CA_PATH": self.simulator.ready["ca_file"],
        }

    @property
    def site_port(self) -> int:
        port: int = self.simulator.ready["site_port"]
        return port


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
