# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that the client keeps in the WMI repository and that nothing but their keys is known of here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .cim.model import Value


class StoredInstances:
    def __init__(self, *keys: str) -> None:
        self._keys = keys
        self._rows: dict[tuple[str, ...], Mapping[str, Value]] = {}

    def __iter__(self) -> Iterator[Mapping[str, Value]]:
        return iter(list(self._rows.values()))

    def add(self, row: Mapping[str, Value]) -> None:
        """In place of one with the same keys."""
        self._rows[self._key(row)] = row

    def delete(self, keys: Mapping[str, Value]) -> None:
        self._rows.pop(self._key(keys), None)

    def delete_where(self, **values: Value) -> None:
        for row in self:
            if values.items() <= row.items():
                self.delete(row)

    def clear(self) -> None:
        self._rows.clear()

    def _key(self, row: Mapping[str, Value]) -> tuple[str, ...]:
        return tuple(str(row.get(name)).lower() for name in self._keys)
