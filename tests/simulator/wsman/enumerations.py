# SPDX-License-Identifier: GPL-3.0-or-later
"""Enumeration contexts: what is still to be pulled, cut into pages.

Recorded: a page holds as many items as keep the envelope under half of MaxEnvelopeSize in characters (the limit counts
UTF-16 octets: inferred from six pages), every page carries a new context, the last one none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import faults
from .calls import Call
from .text import new_id


@dataclass(frozen=True)
class Pending:
    call: Call
    items: tuple[str, ...]
    expires: datetime


class Enumerations:
    def __init__(self, now: Callable[[], datetime], idle: timedelta = timedelta(minutes=4)) -> None:
        self._now = now
        self._idle = idle
        self._pending: dict[str, Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def keep(self, call: Call, items: tuple[str, ...]) -> str:
        self._expire()
        context = f"uuid:{new_id()}"
        self._pending[context] = Pending(call, items, self._now() + self._idle)
        return context

    def find(self, context: str) -> Pending | None:
        self._expire()
        return self._pending.get(context.strip())

    def take(self, context: str) -> Pending:
        """A context is good for one Pull or Release: the next page has its own."""
        pending = self.find(context)
        if pending is None:
            raise faults.invalid_context()
        return self._pending.pop(context.strip())

    def clear(self) -> None:
        self._pending.clear()

    def _expire(self) -> None:
        now = self._now()
        for context in [context for context, pending in self._pending.items() if pending.expires < now]:
            del self._pending[context]


def page(items: tuple[str, ...], characters: int, count: int) -> int:
    """How many items the next page holds."""
    size = 0
    for number, item in enumerate(items[:count]):
        size += len(item)
        if size > characters:
            if number == 0:
                raise faults.response_too_large()
            return number
    return min(len(items), count)
