# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client import constants, programs
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import safeguard
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import USUAL_SYSTEM_DIRECTORY, Process


@given(st.integers())
def test_delay_is_refused_outside_its_range_and_nowhere_else(delay: int) -> None:
    problem = safeguard.delay_problem(delay)
    assert (problem is None) == (1 <= delay <= 9999)
    assert problem is None or f"delay={delay}" in problem


@given(st.text(max_size=40))
def test_nothing_that_a_shell_reads_gets_into_a_line(directory: str) -> None:
    if set(directory) & set("&|<>()^%!\"'`;, \t\r\n"):
        assert safeguard.line_problem(safeguard.RUN_ONCE, directory, "line")


@pytest.mark.parametrize("directory", [USUAL_SYSTEM_DIRECTORY, r"D:\WINNT\System32", r"C:\Windows\System32"])
def test_usual_directories_will_do(directory: str) -> None:
    for wmic in (True, False):
        line = safeguard.run_once_line(directory, wmic=wmic)
        assert safeguard.line_problem(safeguard.RUN_ONCE, directory, line) is None
    line = safeguard.boot_task(directory, 5).arguments
    assert safeguard.line_problem(safeguard.BOOT_TASK, directory, line) is None


@given(st.integers(0, 40), st.sampled_from([(safeguard.RUN_ONCE, 260), (safeguard.BOOT_TASK, 8191)]))
def test_line_that_windows_would_cut_off_is_refused(extra: int, kind_and_limit: tuple[str, int]) -> None:
    kind, limit = kind_and_limit
    line = "x" * (limit - 20 + extra)
    problem = safeguard.line_problem(kind, USUAL_SYSTEM_DIRECTORY, line)
    assert (problem is None) == (extra <= 20)
    if problem:
        assert f"of a {kind} has" in problem and str(len(line)) in problem
        assert ("give boot_task" in problem) == (kind == safeguard.RUN_ONCE)


def test_every_test_stands_before_the_call() -> None:
    line = safeguard.boot_task(USUAL_SYSTEM_DIRECTORY, 5).arguments
    call = line.index("SetClientProvisioningMode")
    tests = ["ProvisioningMode|", *constants.SETUP_REQUIRED, "smstsmgr", "lsass.exe", "TSManager"]
    places = [line.index(text) for text in tests]
    assert places == sorted(places)
    assert places[-1] < call < line.index("schtasks.exe")


def test_programs_that_keep_the_safeguard_from_its_call_are_those_that_the_guard_knows() -> None:
    """As findstr.exe looks for them in what tasklist.exe prints: 511 characters, and 25 of a name."""
    names = safeguard._BUSY.split()
    assert len(safeguard._BUSY) <= 511
    assert all(programs.means(Process(f"{name}.exe", 7)) and len(name) <= 25 for name in names)
    assert "lsass" not in safeguard._BUSY


@given(st.integers(1, 9999))
def test_task_starts_as_system_after_the_delay_whatever_the_power(delay: int) -> None:
    task = safeguard.boot_task(USUAL_SYSTEM_DIRECTORY, delay)
    assert task.delay == dt.timedelta(minutes=delay)
    assert (task.user, task.enabled, task.conditions, task.others) == ("S-1-5-18", True, (), ())
