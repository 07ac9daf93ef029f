# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulator.client import Simulator
from simulator_tests.wire import Host

FLEET = {
    "clock": "2026-11-02T08:00:00Z",
    "endpoints": [
        {"name": "PC-0001", "profile": "stuck"},
        {"name": "PC-0002"},
        {"name": "PC-IDLE", "idle_timeout": 0.2},
        {"name": "PC-PLAIN", "allow_unencrypted": True, "auth": ["negotiate", "basic"]},
        {
            "name": "PC-QUOTA",
            "allow_unencrypted": True,
            "auth": ["negotiate", "basic"],
            "faults": [{"match": {}, "then": "shell_quota"}],
        },
        {"name": "PC-WRONG", "profile": "wrong_password"},
        {"name": "PC-OFF", "profile": "switched_off"},
        {"name": "PC-SMALL", "wsman": {"max_envelope_kb": 64, "max_shells": 2}},
    ],
}


@pytest.fixture(scope="session")
def fleet() -> Iterator[Simulator]:
    with Simulator(FLEET) as simulator:
        yield simulator
        assert "Traceback" not in simulator.log()


@pytest.fixture
def pc(fleet: Simulator) -> Host:
    """A client that is stuck."""
    return Host(fleet, "PC-0001")


@pytest.fixture
def fresh(fleet: Simulator, request: pytest.FixtureRequest) -> Iterator[Host]:
    """An endpoint of the test's own, for tests that change it."""
    (entry,) = fleet.add({"name": f"T-{abs(hash(request.node.nodeid)):x}", "profile": "stuck"})
    yield Host(fleet, entry["name"])
    fleet.remove(entry["name"])
