# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every Windows has, so that an answer of the site's channel without it is not whole. Pure.

Each function gives back what it got, and raises ValueError where that lacks the proof.
"""

from __future__ import annotations

from ..._windows.services import Service
from ..._windows.system import Process
from .. import constants, programs
from ..activity import Setup


def setup(numbers: dict[str, int]) -> Setup:
    for name in constants.SETUP_REQUIRED:
        if name not in numbers:
            raise ValueError(f"HKLM\\{constants.SETUP_KEY} has no {name}, which every Windows has")
    return Setup(numbers)


def services(found: dict[str, Service]) -> dict[str, Service]:
    """By their names in lower case."""
    if constants.PROOF_SERVICE.lower() not in found:
        raise ValueError(f"the list of services lacks {constants.PROOF_SERVICE}")
    return found


def processes(found: list[Process]) -> list[Process]:
    if programs.PROOF not in (process.name.lower() for process in found):
        raise ValueError(f"the list of processes lacks {programs.PROOF}, which every Windows runs")
    return found
