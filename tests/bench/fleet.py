# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of a benchmark: simulated ones, served by processes of their own, and silent ones besides."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.client import Simulator

from .processes import cpu_seconds

CORES = len(os.sched_getaffinity(0))
USERNAME, PASSWORD = "CORP\\operator", "Sim-Pass-1!"
ROUND_TRIP_SECONDS = 0.02
OFF_EACH, STUCK_EACH = 5, 50
"""Of so many endpoints, one is switched off or stuck."""
SILENT = "silent"
"""In the place of a profile: endpoints that are switched off, and whose network says nothing of it."""
_FIRST_NETWORK, _SILENT_NETWORK = 20, 19
"""Of 127.0.0.0/8."""


@dataclass(frozen=True)
class Endpoint:
    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Traffic:
    """Of all endpoints; ``octets`` are those of HTTP in both directions, the login's legs included."""

    logins: int
    calls: int
    octets: int


class Fleet:
    """*endpoints* in the order of the inventory; so many of them are *answering* connection requests."""

    def __init__(self, simulators: list[Simulator], endpoints: list[Endpoint], answering: int) -> None:
        self._simulators = simulators
        self.endpoints = endpoints
        self.answering = answering

    def write_inventory(self, path: Path) -> None:
        hosts = {each.name: {"ansible_host": each.address, "ansible_port": each.port} for each in self.endpoints}
        variables = {
            "ansible_connection": "winrm",
            "ansible_winrm_transport": "ntlm",
            "ansible_winrm_scheme": "http",
            "ansible_user": USERNAME,
            "ansible_password": "{{ operator_password }}",
            "operator_password": PASSWORD,
        }
        path.write_text(json.dumps({"windows": {"vars": variables, "hosts": hosts}}), encoding="utf-8")

    def take_traffic(self) -> Traffic:
        """Since it was last taken."""
        found = [simulator.total_traffic() for simulator in self._simulators]
        for simulator in self._simulators:
            simulator.reset_total_traffic()
        return Traffic(
            sum(each["logins"] for each in found),
            sum(each["calls"] for each in found),
            sum(each["wire_bytes"] + each["login_bytes"] for each in found),
        )

    def cpu_seconds(self) -> float:
        """That the simulator has used so far."""
        return sum(cpu_seconds(simulator.ready["pid"]) for simulator in self._simulators)


def mixture(count: int) -> dict[str, int]:
    """The profiles of *count* endpoints as the benchmark takes a fleet to be."""
    off, stuck = count // OFF_EACH, count // STUCK_EACH
    return {"normal": count - off - stuck, "stuck": stuck, SILENT: off}


@contextmanager
def serving(profiles: Mapping[str, int], **keys: Any) -> Iterator[Fleet]:
    """So many endpoints of each profile, with the further *keys* of a fleet file; one simulator for each core."""
    served = {profile: count for profile, count in profiles.items() if profile != SILENT}
    with ExitStack() as stack:
        simulators: list[Simulator] = []
        groups: list[list[Endpoint]] = []
        for number in range(CORES):
            entries = _entries(served, number, {"https": False, "round_trip": ROUND_TRIP_SECONDS, **keys})
            simulator = stack.enter_context(Simulator({"endpoints": entries}))
            simulators.append(simulator)
            found: dict[str, list[Endpoint]] = {}
            for each in simulator.endpoints():
                endpoint = Endpoint(each["name"], each["address"], simulator.http_port)
                found.setdefault(each["profile"], []).append(endpoint)
            groups += found.values()
        silent = _silent(profiles.get(SILENT, 0), stack.enter_context(_never_accepting()))
        yield Fleet(simulators, _spread([*groups, silent]), sum(served.values()))


def _entries(profiles: Mapping[str, int], number: int, keys: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The share of the simulator *number*; each profile has a network of its own."""
    entries = []
    for block, (profile, count) in enumerate(profiles.items()):
        share = len(range(number, count, CORES))
        if share:
            name = f"{profile.upper()}-{number}-{{00001..{share:05}}}"
            address = f"127.{_FIRST_NETWORK + len(profiles) * number + block}.0.1"
            entries.append({"name": name, "profile": profile, "address": address, **keys})
    return entries


def _silent(count: int, port: int) -> list[Endpoint]:
    addresses = (f"127.{_SILENT_NETWORK}.{number // 250}.{number % 250 + 1}" for number in range(count))
    return [Endpoint(f"OFF-{number:05}", address, port) for number, address in enumerate(addresses, 1)]


@contextmanager
def _never_accepting() -> Iterator[int]:
    """A port that drops every connection request, on any loopback address: its queue is full, and stays so."""
    with socket.socket() as listening, socket.socket() as waiting:
        listening.bind(("", 0))
        listening.listen(0)
        port = int(listening.getsockname()[1])
        waiting.connect(("127.0.0.1", port))
        yield port


def _spread(groups: list[list[Endpoint]]) -> list[Endpoint]:
    """All of them, each group evenly over the whole."""
    placed = [((place + 0.5) / len(group), each) for group in groups for place, each in enumerate(group)]
    return [each for _place, each in sorted(placed, key=lambda pair: (pair[0], pair[1].name))]
