# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of the client by its build, and what they do differently about provisioning mode. Pure.

Source: Microsoft's table of the versions of Configuration Manager, up to 2509. A rollup keeps the build and raises the
revision, so a build between two rows belongs to the earlier release.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from . import constants

_RELEASES = (
    (8325, "1511"),
    (8355, "1602"),
    (8412, "1606"),
    (8458, "1610"),
    (8498, "1702"),
    (8540, "1706"),
    (8577, "1710"),
    (8634, "1802"),
    (8692, "1806"),
    (8740, "1810"),
    (8790, "1902"),
    (8853, "1906"),
    (8913, "1910"),
    (8968, "2002"),
    (9012, "2006"),
    (9040, "2010"),
    (9049, "2103"),
    (9058, "2107"),
    (9068, "2111"),
    (9078, "2203"),
    (9088, "2207"),
    (9096, "2211"),
    (9106, "2303"),
    (9122, "2309"),
    (9128, "2403"),
    (9132, "2409"),
    (9135, "2503"),
    (9141, "2509"),
)
_BUILDS = [build for build, _release in _RELEASES]


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
        return f"newer than {_RELEASES[-1][1]}"
    row = bisect.bisect_right(_BUILDS, build)
    return _RELEASES[row - 1][1] if row else f"older than {_RELEASES[0][1]}"


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
