# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of a benchmark: simulated ones, served by processes of their own, and silent ones besides."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kdc
from simulator.client import Simulator

from .processes import cpu_seconds

CORES = len(os.sched_getaffinity(0))
PASSWORD = "Sim-Pass-1!"
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


@dataclass(frozen=True)
class Login:
    """How the inventory has its hosts logged in to, and what the environment of a run is to have for it."""

    transport: str
    username: str
    realm: kdc.Kdc | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def variables(self, name: str) -> dict[str, str]:
        """Of the host *name* alone."""
        return {"ansible_winrm_kerberos_hostname_override": _full_name(name)} if self.realm else {}

    def joined(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The *entries* of a fleet file, with what the endpoints have to know of this login."""
        if not self.realm:
            return entries
        account = {"username": self.username, "password": PASSWORD}
        keytabs = self.realm.add_machines(_full_name(entry["name"]) for entry in entries)
        return [{**entry, "credentials": account, "keytab": keytabs[_full_name(entry["name"])]} for entry in entries]


NTLM = Login("ntlm", "CORP\\operator")


@contextmanager
def kerberos() -> Iterator[Login]:
    """With a domain, and a KDC for it; see kdc.missing."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        realm = kdc.Kdc(Path(directory))
        principal = realm.add_user("operator", PASSWORD)
        with realm.running() as environment:
            yield Login("kerberos", principal, realm, environment)


def _full_name(name: str) -> str:
    return f"{name.lower()}.corp.test"


class Fleet:
    """*endpoints* in the order of the inventory; so many of them are *answering* connection requests."""

    def __init__(self, simulators: list[Simulator], endpoints: list[Endpoint], answering: int, login: Login) -> None:
        self._simulators = simulators
        self.endpoints = endpoints
        self.answering = answering
        self.login = login

    def write_inventory(self, path: Path) -> None:
        hosts = {
            each.name: {
                "ansible_host": each.address,
                "ansible_port": each.port,
                **self.login.variables(each.name),
            }
            for each in self.endpoints
        }
        variables = {
            "ansible_connection": "winrm",
            "ansible_winrm_transport": self.login.transport,
            "ansible_winrm_scheme": "http",
            "ansible_user": self.login.username,
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
def serving(profiles: Mapping[str, int], *, login: Login = NTLM, **keys: Any) -> Iterator[Fleet]:
    """So many endpoints of each profile, with the further *keys* of a fleet file; one simulator for each core."""
    served = {profile: count for profile, count in profiles.items() if profile != SILENT}
    with ExitStack() as stack:
        simulators: list[Simulator] = []
        groups: list[list[Endpoint]] = []
        for number in range(CORES):
            entries = _entries(served, number, {"https": False, "round_trip": ROUND_TRIP_SECONDS, **keys})
            simulator = stack.enter_context(Simulator({"endpoints": login.joined(entries)}))
            simulators.append(simulator)
            found: dict[str, list[Endpoint]] = {}
            for each in simulator.endpoints():
                endpoint = Endpoint(each["name"], each["address"], simulator.http_port)
                found.setdefault(each["profile"], []).append(endpoint)
            groups += found.values()
        silent = _silent(profiles.get(SILENT, 0), stack.enter_context(_never_accepting()))
        yield Fleet(simulators, _spread([*groups, silent]), sum(served.values()), login)


def _entries(profiles: Mapping[str, int], number: int, keys: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The share of the simulator *number*; each profile has a network of its own."""
    return [
        {
            "name": f"{profile.upper()}-{number}-{place + 1:05}",
            "profile": profile,
            "address": _address(_FIRST_NETWORK + len(profiles) * number + block, place),
            **keys,
        }
        for block, (profile, count) in enumerate(profiles.items())
        for place in range(len(range(number, count, CORES)))
    ]


def _silent(count: int, port: int) -> list[Endpoint]:
    return [Endpoint(f"OFF-{place + 1:05}", _address(_SILENT_NETWORK, place), port) for place in range(count)]


def _address(network: int, place: int) -> str:
    return f"127.{network}.{place // 250}.{place % 250 + 1}"


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
