# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what the site does in its own time, within a limit and the deadline of the task."""

from __future__ import annotations

import typing as t

from .._client.backoff import Backoff
from .._wsman.deadline import Deadline

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 15.0
"""Seconds: a script takes some twenty from being asked for to its answer."""

_Found = t.TypeVar("_Found")


def until(seconds: float, deadline: Deadline, look: t.Callable[[], _Found | None]) -> _Found | None:
    """What *look* finds at last; None where that took longer than *seconds*."""
    for _look in Backoff(seconds, deadline, first_pause=_FIRST_PAUSE, longest_pause=_LONGEST_PAUSE):
        found = look()
        if found is not None:
            return found
    return None
