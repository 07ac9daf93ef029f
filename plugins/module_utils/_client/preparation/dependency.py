# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the services that smstsmgr depends on. Pure.

A dependency of the task sequence agent on the client's service made SetClientProvisioningMode fail on version 1802
(a reader's report of Microsoft's answer, in the comments of the article; no official page is known).
"""

from __future__ import annotations

import typing as t

from .. import constants


def wanted(current: t.Sequence[str], target: t.Sequence[str] | None) -> list[str]:
    """What the dependencies are to be.

    With a *target*, that. Without one the workaround is only taken where it is needed, and then it is the article's:
    no dependencies at all.
    """
    if target is not None:
        return list(target)
    needed = constants.CLIENT_SERVICE.lower() in {name.lower() for name in current}
    return [] if needed else list(current)


def equal(one: t.Sequence[str], other: t.Sequence[str]) -> bool:
    """Service names have no case, and dependencies no order."""
    return {name.lower() for name in one} == {name.lower() for name in other}
