# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preparation has to remember so that exactly it can be undone. Pure.

A record is written before the change that it is about. So a run that is cut short leaves either a record without its
change, which undoing recognizes and drops, or both.
"""

from __future__ import annotations

import enum
import json
import typing as t
from dataclasses import dataclass

Value = t.Any
"""A setting's state in plain JSON types; None where it is absent."""
Same = t.Callable[[Value, Value], bool]


@dataclass(frozen=True)
class Record:
    """``before`` is what was there before the first change, ``written`` each value that was written over it since."""

    before: Value
    written: tuple[Value, ...]

    def as_text(self) -> str:
        return json.dumps({"before": self.before, "written": list(self.written)}, sort_keys=True)

    @staticmethod
    def from_text(text: str) -> Record:
        """Raises ValueError where *text* is none of ours."""
        found = json.loads(text)
        if not isinstance(found, dict) or set(found) != {"before", "written"} or not isinstance(found["written"], list):
            raise ValueError("it is no record of a preparation")
        return Record(found["before"], tuple(found["written"]))


class Undo(enum.Enum):
    """What undoing does with a record."""

    PUT_BACK = "put back"
    FORGET = "forget"  # it already is as it was
    LEAVE = "leave"  # somebody else has changed it since


def extended(record: Record | None, current: Value, wanted: Value, same: Same) -> Record:
    """The record to keep before *wanted* is written over *current*.

    A *current* value that the preparation did not write is somebody else's, and what undoing leads back to.
    """
    if record is not None and _among(record.written, current, same):
        return Record(record.before, (*record.written, wanted))
    return Record(current, (wanted,))


def undo(record: Record, current: Value, same: Same) -> Undo:
    if same(current, record.before):
        return Undo.FORGET
    return Undo.PUT_BACK if _among(record.written, current, same) else Undo.LEAVE


def _among(values: t.Iterable[Value], value: Value, same: Same) -> bool:
    return any(same(value, each) for each in values)
