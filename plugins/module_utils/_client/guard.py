# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before every write: the right machine, and nothing running that a write would break."""

from __future__ import annotations

from .._windows import system
from .._windows.endpoint import Endpoint
from .errors import WrongMachine
from .identity import mismatch
from .mode import reader, verdict


def require_own_name(endpoint: Endpoint, expected: str, check: str) -> None:
    """Raises WrongMachine unless the endpoint calls itself *expected*, compared as *check* says."""
    if check == "off":
        return
    problem = mismatch(expected, system.computer_names(endpoint.session), check)
    if problem:
        raise WrongMachine(problem)


def reason_to_wait(endpoint: Endpoint) -> str:
    """What runs on the endpoint now, or cannot be read; empty where a write disturbs nothing."""
    return verdict.reason_to_wait(*reader.read_guard(endpoint))
