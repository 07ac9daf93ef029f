# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote, and the collection, against the simulator: the rows and columns of the table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from simulator.client import Simulator
from simulator_tests.wire import Host

from .clients.ansible import Plugin, Psrp, Winrm
from .clients.base import Client, Login
from .clients.collection import Collection, CollectionOverPsrp, CollectionOverPyspnego
from .clients.pypsrp import Pypsrp
from .clients.pywinrm import Pywinrm
from .operations import OPERATIONS, Open, Operation

CLIENTS: list[type[Client]] = [Pywinrm, Pypsrp, Winrm, Psrp, Collection, CollectionOverPsrp, CollectionOverPyspnego]
_numbers = count(1)


@pytest.fixture
def add_host(fleet: Simulator) -> Iterator[Callable[..., Host]]:
    added: list[str] = []

    def add(**entry: object) -> Host:
        name = f"PC-{next(_numbers):04d}"
        fleet.add({"name": name, **entry})
        added.append(name)
        return Host(fleet, name)

    yield add
    for name in added:
        fleet.remove(name)


@contextlib.contextmanager
def opening(kind: type[Client], host: Host) -> Iterator[Open]:
    opened: list[Client] = []

    def open_client(login: Login) -> Client:
        opened.append(kind(host, login))
        return opened[-1]

    try:
        yield open_client
    finally:
        for client in opened:
            client.close()


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation(
    operation: Operation,
    kind: type[Client],
    add_host: Callable[..., Host],
    record_property: Callable[[str, object], None],
) -> None:
    """What a client cannot do is a cell with its reason: no test is skipped for it."""
    record_property("client", kind.name)
    record_property("operation", operation.name)
    lacking = [kind.lacks[need] for need in operation.needs if need in kind.lacks]
    if lacking:
        record_property("why", lacking[0])
        return
    host = add_host(**operation.endpoint)
    with opening(kind, host) as open_client:
        record_property("result", operation.run(open_client, host) or "ok")


def test_an_operation_has_one_row() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.name)
def test_what_a_client_lacks_is_asked_of_it(kind: type[Client]) -> None:
    """Or a reason would stay in the table's source when it is not true any more."""
    assert set(kind.lacks) <= {need for operation in OPERATIONS for need in operation.needs}


def say(plugin: Plugin, directory: Path) -> None:
    plugin.connection.exec_command("Get-Date")


def put(plugin: Plugin, directory: Path) -> None:
    (directory / "file").write_text("x", encoding="utf-8")
    plugin.connection.put_file(str(directory / "file"), r"C:\file")


def fetch(plugin: Plugin, directory: Path) -> None:
    plugin.connection.fetch_file(r"C:\file", str(directory / "file"))


@pytest.mark.parametrize("what", [say, put, fetch])
@pytest.mark.parametrize("kind", [Winrm, Psrp], ids=lambda kind: kind.name)
def test_what_is_said_to_be_powershell_is(
    kind: type[Plugin], what: Callable[[Plugin, Path], None], add_host: Callable[..., Host], tmp_path: Path
) -> None:
    """The reason of most skips, seen: this is what the plug-in asks the endpoint for."""
    host = add_host()
    plugin = kind(host, Login())
    with contextlib.suppress(Exception):  # it fails in several ways for want of a PowerShell
        what(plugin, tmp_path)
    plugin.close()
    asked = [f"{call['resource']} {call['detail']}".lower() for call in host.fleet.traffic(host.name)["calls"]]
    assert any("powershell" in each for each in asked), asked
