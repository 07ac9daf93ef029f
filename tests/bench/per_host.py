# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench: what one endpoint costs in calls, bytes and controller CPU, beside what one would run instead.

The alternatives run in the same minute on the same fleet: Ansible alone (a task that does nothing), the same module as
a process of its own on the controller, and a loop around bare pywinrm that reads the same two values.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simulator.client import Simulator

HOSTS = 40
MODULE = "configmgr.client.provisioning_mode_info"
BARE = "bare pywinrm, one process, no Ansible"
OWN = "this collection's layers, one process, no Ansible"
SCRIPTS = {BARE: "bare_pywinrm.py", OWN: "own_session.py"}


def main() -> None:
    normal = [f"BENCH-{number:03}" for number in range(HOSTS)]
    fleet = [{"name": name, "profile": "normal"} for name in normal]
    fleet += [{"name": "BENCH-STUCK", "profile": "stuck", "restart_seconds": 0}]
    with Simulator({"endpoints": fleet}) as simulator, tempfile.TemporaryDirectory() as directory:
        inventory = Path(directory, "inventory.yml")
        inventory.write_text(simulator.inventory(), encoding="utf-8")
        endpoints = {endpoint["name"]: endpoint for endpoint in simulator.endpoints()}
        show_traffic(simulator, inventory)
        account = [str(simulator.http_port), "CORP\\operator", "Sim-Pass-1!"]
        bastion = (
            "endpoint={{ {'host': ansible_host, 'port': ansible_port, 'scheme': 'http', 'username': ansible_user,"
            " 'password': ansible_password} }}"
        )
        local = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
        limit = [*ansible(inventory), "--limit", "!BENCH-STUCK"]
        cases = {
            **{
                name: [
                    sys.executable,
                    str(Path(__file__).with_name(script)),
                    *account,
                    *(endpoints[name]["address"] for name in normal),
                ]
                for name, script in SCRIPTS.items()
            },
            "Ansible alone (debug)": [*limit, "-m", "ansible.builtin.debug", "-e", local],
            MODULE: [*limit, "-m", MODULE],
            "the same as a process on the controller": [
                *limit,
                "-m",
                MODULE,
                "-e",
                local,
                "-a",
                bastion,
            ],
        }
        show_cpu({name: measure(command) for name, command in cases.items()})


def ansible(inventory: Path) -> list[str]:
    return ["ansible", "windows", "-i", str(inventory), "--forks", "10"]


def show_traffic(simulator: Simulator, inventory: Path) -> None:
    runs = {
        "healthy": ("BENCH-000", MODULE, ""),
        "read in full": ("BENCH-STUCK", MODULE, ""),
        "whole verified exit": ("BENCH-STUCK", "configmgr.client.provisioning_mode", "enabled=false"),
    }
    print(f"{'one endpoint, NTLM over HTTP':<42}{'login':>8}{'calls':>8}{'bytes':>10}")
    for title, (host, module, arguments) in runs.items():
        simulator.reset_traffic(host)
        command = [*ansible(inventory), "--limit", host, "-m", module, "-a", arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        traffic = simulator.traffic(host)
        print(f"{title:<42}{traffic['login_requests']:>8}{len(traffic['calls']):>8}{traffic['wire_bytes']:>10}")


def show_cpu(measured: dict[str, tuple[float, float]]) -> None:
    ours = measured[MODULE][0]
    print(f"\n{f'{HOSTS} healthy endpoints':<50}{'CPU ms/host':>12}{'wall s':>8}{'ratio':>8}")
    for name, (cpu, wall) in measured.items():
        print(f"{name:<50}{1000 * cpu / HOSTS:>12.0f}{wall:>8.1f}{cpu / ours:>8.2f}")
    print(f"\nThe collection's layers cost {measured[OWN][0] / measured[BARE][0]:.2f} times the CPU of bare pywinrm.")


def measure(command: list[str]) -> tuple[float, float]:
    """CPU seconds of the command and its children, and wall seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "ANSIBLE_NOCOLOR": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - started


if __name__ == "__main__":
    main()
