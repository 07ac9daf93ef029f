# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before every write: the right machine, and nothing running that a write would break."""

from __future__ import annotations

from .._windows import system
from .._windows.endpoint import Endpoint
from . import reader
from .identity import mismatch
from .verdict import live_signals


class WrongMachine(Exception):
    """Another machine answers, or nobody can tell which."""


def require_own_name(endpoint: Endpoint, expected: str, check: str) -> None:
    """Raises WrongMachine unless the endpoint calls itself *expected*, compared as *check* says."""
    if check == "off":
        return
    problem = mismatch(expected, system.computer_names(endpoint.session), check)
    if problem:
        raise WrongMachine(problem)


def reason_to_wait(endpoint: Endpoint) -> str:
    """What runs on the endpoint now, or cannot be read; empty where a write disturbs nothing."""
    guard, unreadable = reader.read_guard(endpoint)
    for item in live_signals(guard):
        return f"{item.means} ({item.value})"
    for signal, reason in unreadable.items():
        return f"{signal} could not be read: {reason}"
    if guard.setup is not None and guard.setup.armed:
        return f"Windows Setup resumes at the next restart ({guard.setup.command_line})"
    return ""
