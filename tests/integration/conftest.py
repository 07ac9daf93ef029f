# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.harness import INSTALLED, PASSWORD, USERNAME, Lab
from tests.integration.site import PROVIDER, PROVIDER_ADDRESS, SiteLab
from tests.simulator.client import Simulator


@pytest.fixture(scope="session")
def installed() -> Path:
    if not (INSTALLED / "MANIFEST.json").exists():
        pytest.fail(f"the collection is not installed in {INSTALLED}: run make install", pytrace=False)
    return INSTALLED


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> int:
    found = re.search(r"\d+", getattr(request.config, "workerinput", {}).get("workerid", ""))
    return int(found[0]) if found else 0


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator({"credentials": {"username": USERNAME, "password": PASSWORD}, "endpoints": []}) as simulator:
        yield simulator
        assert "Traceback" not in simulator.log()


@pytest.fixture(scope="module")
def lab(installed: Path, simulator: Simulator, worker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Endpoints of one test module, removed when it is done."""
    lab = Lab(simulator, tmp_path_factory.mktemp("controller"), 100 + worker % 100)
    yield lab
    for entry in simulator.endpoints():
        simulator.remove(entry["name"])
    assert not lab.complaints, "\n\n".join(lab.complaints)


@pytest.fixture(scope="module")
def fast_lab(installed: Path, worker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a fleet of its own, whose minutes pass at once: nothing else goes by that clock."""
    fleet = {"waits": "skipped", "credentials": {"username": USERNAME, "password": PASSWORD}, "endpoints": []}
    with Simulator(fleet) as simulator:
        lab = Lab(simulator, tmp_path_factory.mktemp("controller"), 200 + worker % 50)
        yield lab
        assert "Traceback" not in simulator.log()
    assert not lab.complaints, "\n\n".join(lab.complaints)


@pytest.fixture(scope="module")
def site(installed: Path, worker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteLab]:
    """A site with a fleet of its own, whose minutes pass at once."""
    address = PROVIDER_ADDRESS.format(network=worker % 200)
    fleet = {
        "waits": "skipped",
        "credentials": {"username": USERNAME, "password": PASSWORD},
        "site": {"address": address, "provider": PROVIDER},
        "endpoints": [],
    }
    with Simulator(fleet) as simulator:
        lab = SiteLab(simulator, tmp_path_factory.mktemp("controller"), 50 + worker % 50, address)
        yield lab
        assert "Traceback" not in simulator.log(), simulator.log()
    assert not lab.complaints, "\n\n".join(lab.complaints)
