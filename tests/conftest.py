# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every suite: reproducible examples of Hypothesis, and no test that quietly does not run.

Where CONFIGMGR_CLIENT_NO_SKIPS is set, a test that does not run is a failure, and is named. A machine that is meant to
have everything (.ci/run) would otherwise stay green while a suite quietly stops running. Only what no package brings
may be missing: the recordings, which are not part of the project (`needs_shared`), and IPv6 (`needs_ipv6`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# The same examples each time, however busy the machine is.
settings.register_profile("tests", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("tests")

ALLOWED = ("needs_shared", "needs_ipv6")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CONFIGMGR_CLIENT_NO_SKIPS"):
        config.pluginmanager.register(NoSkips(config))


class NoSkips:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        allowed = any(marker in report.keywords for marker in ALLOWED)
        if report.skipped and not hasattr(report, "wasxfail") and not allowed:
            self.skipped.append(f"{report.nodeid}: {_reason(report)}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(f"{report.nodeid}: {_reason(report)}")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        # A module that skips while it is collected is known to xdist's workers only: they hand it up.
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["skipped"] = self.skipped
        elif self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.skipped += getattr(node, "workeroutput", {}).get("skipped", [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.skipped:
            terminalreporter.section("skipped, and nothing may be skipped here", red=True)
            for line in sorted(set(self.skipped)):
                terminalreporter.write_line(line)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
