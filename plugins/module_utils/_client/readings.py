# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings of which one may fail and the others still count."""

from __future__ import annotations

import typing as t

from .._windows.errors import WindowsError
from .._wsman.errors import Fault, ProtocolError

_Read = t.TypeVar("_Read")


class Readings:
    """Reads signals one by one; one that fails is noted, and the others are still read."""

    def __init__(self) -> None:
        self.unreadable: dict[str, str] = {}

    def read(self, signal: str, reader: t.Callable[[], _Read]) -> _Read | None:
        try:
            return reader()
        except (Fault, WindowsError, ProtocolError) as error:
            self.unreadable[signal] = str(error)
            return None
