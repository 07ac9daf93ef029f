# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ways through a site cost the controller: the inventory of all devices, and one question to all clients."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulator.client import Simulator

from .fleet import OFF_EACH, PASSWORD, STUCK_EACH
from .processes import Use, cpu_seconds, run

_ADDRESS = "127.17.0.1"
_USERNAME = "CORP\\operator"
PAGE = 1000
"""Devices of an answer."""
_LONGEST_READ = 1200
"""Seconds: the simulator makes its machines when they are asked for the first time."""


@dataclass(frozen=True)
class SiteCost:
    way: str
    devices: int
    use: Use
    requests: int
    octets: int
    """Of the answers, without their heads."""
    simulator_cpu_seconds: float


@contextmanager
def site_of(count: int) -> Iterator[Simulator]:
    """A site with so many devices, mixed like the fleet of the other measurements."""
    off, stuck = count // OFF_EACH, count // STUCK_EACH
    entries = [
        {
            "name": f"{name}-{{000001..{number:06}}}",
            "profile": profile,
            "address": f"127.{network}.0.1",
            "http": False,
            "https": False,
            "site": {"online": online},
        }
        for name, network, number, profile, online in (
            ("OK", 32, count - off - stuck, "normal", True),
            ("STUCK", 64, stuck, "stuck", True),
            ("OFF", 96, off, "normal", False),
        )
    ]
    with Simulator({"site": {"address": _ADDRESS, "latency": "0s"}, "endpoints": entries}) as simulator:
        yield simulator


def inventory(simulator: Simulator, directory: Path) -> list[str]:
    path = directory / "fleet.configmgr.yml"
    path.write_text(json.dumps({"plugin": "configmgr.client.site", "port": simulator.ready["site_port"]}))
    return ["ansible-inventory", "-i", str(path), "--graph", "provisioning_suspects"]


def survey(simulator: Simulator, directory: Path) -> list[str]:
    options = {
        "port": simulator.ready["site_port"],
        "wait_timeout": 5,
        "read_timeout": _LONGEST_READ,
        "deadline": 2 * _LONGEST_READ,
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"configmgr.client.site_cmpivot_info": options}]}
    path = directory / "survey.json"
    path.write_text(json.dumps([play]))
    return ["ansible-playbook", "-i", "localhost,", str(path)]


WAYS = {"inventory plugin": inventory, "site_cmpivot_info": survey}


def site_costs(count: int) -> list[SiteCost]:
    """Of each way, once the simulator has made its machines."""
    found = []
    with site_of(count) as simulator, tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        environment = {
            "CONFIGMGR_PROVIDER": _ADDRESS,
            "CONFIGMGR_AUTH": "ntlm",
            "CONFIGMGR_USERNAME": _USERNAME,
            "CONFIGMGR_PASSWORD": PASSWORD,
            "CONFIGMGR_CA_PATH": simulator.ready["ca_file"],
            "ANSIBLE_LOCALHOST_WARNING": "0",
        }
        run([survey(simulator, directory)], environment=environment)
        for way, command in WAYS.items():
            print(f"{way}: {count} devices …", file=sys.stderr, end="", flush=True)
            simulator.reset_site_traffic()
            before = cpu_seconds(simulator.ready["pid"])
            use = run([command(simulator, directory)], environment=environment)
            simulated, told = cpu_seconds(simulator.ready["pid"]) - before, simulator.site()
            requests = len(told["requests"])
            if requests < count // PAGE:
                raise RuntimeError(f"{way}: {requests} requests for {count} devices")
            found.append(SiteCost(way, count, use, requests, told["octets"], simulated))
            print(f" {use.seconds:.1f} s, {use.octets / 1e6:.0f} MB", file=sys.stderr, flush=True)
    return found
