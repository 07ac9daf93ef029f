# SPDX-License-Identifier: GPL-3.0-or-later
"""What one way costs on one fleet."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .fleet import Fleet, Traffic
from .processes import Use, run
from .ways import Way


@dataclass(frozen=True)
class Cost:
    way: str
    endpoints: int
    answering: int
    use: Use
    traffic: Traffic
    simulator_cpu_seconds: float

    @property
    def cpu_ms(self) -> float:
        """Of the controller, for each endpoint."""
        return 1000 * self.use.cpu_seconds / self.endpoints

    @property
    def simulator_cpu_ms(self) -> float:
        return 1000 * self.simulator_cpu_seconds / self.endpoints

    @property
    def rate(self) -> float:
        """Endpoints a second."""
        return self.endpoints / self.use.seconds

    @property
    def calls(self) -> float:
        """Of each endpoint that answers."""
        return self.traffic.calls / self.answering

    @property
    def octets(self) -> float:
        """Of each endpoint that answers."""
        return self.traffic.octets / self.answering


def measure(way: Way, fleet: Fleet) -> Cost:
    """Raises RuntimeError where the way did not do what it is measured for."""
    print(
        f"{way.name}, {fleet.login.transport}: {len(fleet.endpoints)} endpoints …", file=sys.stderr, end="", flush=True
    )
    fleet.take_traffic()
    before = fleet.cpu_seconds()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        use = run(way.commands(fleet, Path(directory)), codes=way.codes, environment=fleet.login.environment)
    cost = Cost(
        way.name, len(fleet.endpoints), fleet.answering, use, fleet.take_traffic(), fleet.cpu_seconds() - before
    )
    print(f" {use.seconds:.1f} s, {cost.cpu_ms:.1f} ms CPU each", file=sys.stderr, flush=True)
    if way.logs_in and cost.traffic.logins < fleet.answering:
        raise RuntimeError(f"{way.name}: {cost.traffic.logins} logins on {fleet.answering} endpoints")
    return cost
