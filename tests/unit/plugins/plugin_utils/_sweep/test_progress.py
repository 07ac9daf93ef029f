# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.plugin_utils._sweep.progress import Progress, line


class Screen:
    """What Ansible's Display was asked to show."""

    def __init__(self) -> None:
        self.shown = ""
        self.logged = ""

    def display(self, text: str, newline: bool = True, screen_only: bool = False) -> None:
        self.shown += text + "\n" * newline
        self.logged += "" if screen_only else text + "\n" * newline


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 100, 0, 0, 0.0, 0), "0 of 100 endpoints, 0/s; 0 off, 0 errors"),
        ((50, 100, 7, 1, 10.0, 50), "50 of 100 endpoints, 5/s, about 10 s left; 7 off, 1 errors"),
        ((60, 1060, 0, 0, 10.0, 10), "60 of 1060 endpoints, 1/s, about 17 min left; 0 off, 0 errors"),
        ((100, 40100, 0, 0, 10.0, 10), "100 of 40100 endpoints, 1/s, about 11 h 7 min left; 0 off, 0 errors"),
        ((100, 100, 0, 0, 10.0, 10), "100 of 100 endpoints, 1/s; 0 off, 0 errors"),
    ],
)
def test_a_line_counts_only_what_this_sweep_did_for_its_rate(numbers: tuple[t.Any, ...], said: str) -> None:
    assert line(*numbers) == said


def test_a_log_gets_lines() -> None:
    screen = Screen()
    shown = Progress(screen, terminal=False)
    shown.tell("1 of 4", 0.25)
    shown.end()
    assert screen.shown == screen.logged == "fleet_info: 1 of 4\n"


@pytest.mark.parametrize(("share", "full"), [(0.0, 0), (0.5, 12), (0.999, 23), (1.0, 24)])
def test_a_person_gets_a_bar_that_leaves_nothing_behind(share: float, full: int) -> None:
    screen = Screen()
    shown = Progress(screen, terminal=True)
    shown.tell("so far", share)
    assert screen.shown == f"\r\x1b[K[{'#' * full}{'-' * (24 - full)}] so far"
    shown.end()
    assert screen.shown.endswith("so far\r\x1b[K")
    assert screen.logged == ""
