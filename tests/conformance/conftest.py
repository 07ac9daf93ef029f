# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what became of each client and operation, and prints the table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conformance.table import Cell, render
from simulator.client import Simulator


class Table:
    def __init__(self) -> None:
        self.cells: list[Cell] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if "client" in properties and (report.when == "call" or report.failed):
            result = "FAILED" if report.failed else properties.get("result", "")
            self.cells.append(Cell(properties["client"], properties["operation"], result, properties.get("why", "")))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.cells:
            terminalreporter.section("conformance: others as clients of the simulator, by operation")
            terminalreporter.write(render(self.cells))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Table())


@pytest.fixture(scope="session")
def fleet() -> Iterator[Simulator]:
    """Its clock runs ahead where something takes its time."""
    with Simulator({"waits": "skipped", "endpoints": []}) as simulator:
        yield simulator
        assert "Traceback" not in simulator.log()
