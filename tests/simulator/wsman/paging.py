# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers to Enumerate, Pull and Release, whatever the items are (recorded for instances of classes)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from . import faults, names
from .calls import Call
from .enumerations import Enumerations, page
from .request import Request
from .settings import WsmanSettings

PREFIXES = ("s", "a", "n", "w")
# What the envelope around the items takes (measured on the recorded pages: about 700 characters).
_AROUND_ITEMS = 900
_MOST_ITEMS = 32000


class Paging:
    def __init__(self, enumerations: Enumerations, settings: WsmanSettings) -> None:
        self._enumerations = enumerations
        self.settings = settings

    def first(self, request: Request, call: Call, items: tuple[str, ...], *, at_once: bool = False) -> str:
        """*at_once*: whoever asks for an optimised answer gets all items with it, instead of one."""
        optimised = request.body is not None and request.body.find(f"{{{names.WSMAN}}}OptimizeEnumeration") is not None
        if not optimised:
            # Recorded: only a context; also where there is nothing to pull (inferred).
            content = _context(self._enumerations.keep(call, items))
        elif at_once or len(items) <= 1 or self.settings.first_page == "all":
            content = f"{_context('')}{self._items(items)}<w:EndOfSequence/>"
        else:
            # Recorded: one item, however many were asked for.
            context = self._enumerations.keep(call, items[1:])
            content = f"{_context(context)}<w:Items>{items[0]}</w:Items>"
        return f"<n:EnumerateResponse>{content}</n:EnumerateResponse>"

    def pull(self, request: Request, *, no_rows: bool = False) -> str:
        body = request.body
        if body is None or body.tag != f"{{{names.ENUMERATION}}}Pull":
            raise faults.invalid_body()
        asked = (body.findtext(f"{{{names.ENUMERATION}}}MaxElements") or "1").strip()
        if not (asked.isascii() and asked.isdigit() and int(asked[:10]) > 0):
            raise faults.schema_validation()
        pending = self._enumerations.take(_asked_context(body))
        items = () if no_rows else pending.items
        held = page(items, self._room(request), min(int(asked[:10]), _MOST_ITEMS))
        now, later = items[:held], items[held:]
        head = _context(self._enumerations.keep(pending.call, later)) if later else ""
        tail = "" if later else "<n:EndOfSequence/>"
        return f"<n:PullResponse>{head}<n:Items>{''.join(now)}</n:Items>{tail}</n:PullResponse>"

    def release(self, request: Request) -> str:
        if request.body is None:
            raise faults.invalid_body()
        self._enumerations.take(_asked_context(request.body))
        return ""

    def _items(self, items: tuple[str, ...]) -> str:
        if not items and self.settings.empty_items == "absent":
            return ""
        return f"<w:Items>{''.join(items)}</w:Items>"

    def _room(self, request: Request) -> int:
        """How many characters of items fit: the limit counts two octets a character (inferred)."""
        limit = self.settings.max_envelope_kb * 1024
        return min(request.max_envelope_size or limit, limit) // 2 - _AROUND_ITEMS


def _context(identifier: str) -> str:
    return f"<n:EnumerationContext>{identifier}</n:EnumerationContext>"


def _asked_context(body: Element) -> str:
    return (body.findtext(f"{{{names.ENUMERATION}}}EnumerationContext") or "").strip()
