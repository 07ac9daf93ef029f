# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of the client by its build, and what they do differently about provisioning mode. Pure.

A rollup keeps the build and raises the revision, so a build between two rows belongs to the earlier release. One past
the last row belongs to a release that is not known here, and behaves as the last one does.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from . import constants
from .release_table import RELEASES

_BUILDS = [build for build, _release in RELEASES]


@dataclass(frozen=True)
class Behaviour:
    """``applies`` is None where the client's version is not known."""

    name: str
    applies: bool | None
    means: str

    def as_result(self) -> dict[str, str | bool | None]:
        return {"behaviour": self.name, "applies": self.applies, "means": self.means}


def release(version: str | None) -> str | None:
    """The release of a version ``5.00.<build>.<revision>``; None where the version cannot be read."""
    build = constants.client_build(version)
    if build is None:
        return None
    if build > _BUILDS[-1]:
        return f"newer than {RELEASES[-1][1]}"
    row = bisect.bisect_right(_BUILDS, build)
    return RELEASES[row - 1][1] if row else f"older than {RELEASES[0][1]}"


def entry_fails_with_dependency(version: str | None) -> bool | None:
    """Whether a client of that *version* may fail to enter the mode while smstsmgr depends on it."""
    build = constants.client_build(version)
    return None if build is None else constants.DEPENDENCY_FAULT_BUILD <= build < constants.FIRST_BUILD_WITH_QUIET_SCAN


def behaviours(version: str | None) -> list[Behaviour]:
    """What the releases 1802, 1806 and 1902 changed, and whether a client of that *version* has it."""
    build = constants.client_build(version)
    known = build is not None
    number = build or 0
    quiet = constants.FIRST_BUILD_WITH_QUIET_SCAN
    return [
        Behaviour(
            "entry_fails_with_dependency",
            entry_fails_with_dependency(version),
            "Entering the mode may fail with 0x80004005 while smstsmgr depends on CcmExec (1802; one report).",
        ),
        Behaviour(
            "compatibility_scan_enters_mode",
            number < quiet if known else None,
            "A task sequence that only runs the compatibility scan of an upgrade enters the mode too (until 1802).",
        ),
        Behaviour(
            "leaves_by_itself",
            number >= constants.FIRST_BUILD_THAT_LEAVES if known else None,
            "Notes when it entered the mode, looks once an hour, and leaves after 48 hours (since 1902).",
        ),
    ]
