# SPDX-License-Identifier: GPL-3.0-or-later
"""tasklist.exe without filters: its usual table (layout from public samples)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_HEAD = (
    "\r\nImage Name                     PID Session Name        Session#    Mem Usage\r\n"
    "========================= ======== ================ =========== ============\r\n"
)


def run(world: World, arguments: list[str]) -> ProgramResult:
    if arguments:
        return ProgramResult(1, "", "ERROR: The simulated tasklist.exe takes no arguments.\r\n")
    rows = "".join(
        f"{process.name[:25]:<25} {process.process_id:>8} {'Console' if process.session else 'Services':<16}"
        f" {process.session:>11} {'8,192 K':>12}\r\n"
        for process in world.processes
    )
    return ProgramResult(0, _HEAD + rows)
