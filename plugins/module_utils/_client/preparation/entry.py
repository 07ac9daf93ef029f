# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be remembered of a change so that exactly it can be undone. Pure.

An entry is written before the change that it is about. So a run that is cut short leaves either an entry without its
change, which undoing recognizes and drops, or both.
"""

from __future__ import annotations

import enum
import json
import typing as t
from dataclasses import dataclass

Value = t.Any
"""A setting's state in plain JSON types; None where it is absent."""
Equal = t.Callable[[Value, Value], bool]

PREPARATION = "client_preparation"


@dataclass(frozen=True)
class Entry:
    """``before`` is what was there before the first change, ``written`` each value that was written over it since.

    ``by`` is the module that wrote last. An empty ``written`` is of an earlier build, which did not note the values.
    """

    before: Value
    written: tuple[Value, ...]
    by: str = PREPARATION

    def as_text(self) -> str:
        return json.dumps({"before": self.before, "written": list(self.written), "by": self.by}, sort_keys=True)

    @staticmethod
    def from_text(text: str) -> Entry:
        """Raises ValueError where *text* is not one of ours."""
        found = json.loads(text)
        if not isinstance(found, dict) or {*found} - {"by"} != {"before", "written"}:
            raise ValueError("it is not an entry of this journal")
        if not isinstance(found["written"], list) or not isinstance(found.get("by", ""), str):
            raise ValueError("it is not an entry of this journal")
        return Entry(found["before"], tuple(found["written"]), found.get("by", PREPARATION))

    def knows(self, value: Value, equal: Equal) -> bool:
        """Whether *value* is of this journal's making."""
        return not self.written or any(equal(value, each) for each in self.written)


class Undo(enum.Enum):
    """What undoing does with an entry."""

    PUT_BACK = "put back"
    FORGET = "forget"  # it already is as it was
    LEAVE = "leave"  # another administrator or process has changed it since


def extended(entry: Entry | None, current: Value, wanted: Value, equal: Equal, by: str) -> Entry:
    """The entry to keep before *wanted* is written over *current*.

    A *current* value that is not of our making is somebody else's, and what undoing leads back to.
    """
    if entry is not None and entry.knows(current, equal):
        return Entry(entry.before, (*entry.written, wanted), by)
    return Entry(current, (wanted,), by)


def undo(entry: Entry, current: Value, equal: Equal) -> Undo:
    if equal(current, entry.before):
        return Undo.FORGET
    return Undo.PUT_BACK if entry.knows(current, equal) else Undo.LEAVE
