# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads plain data (YAML, JSON) into typed fields, and says exactly where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class SpecError(ValueError):
    """A key or value of a fleet file that is not allowed; the text names it and what is allowed."""


_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")


def duration(value: Any, where: str) -> timedelta:
    """`3d`, `2h30m`, `90s`, or a number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return timedelta(seconds=value)
    if isinstance(value, str) and _DURATION.fullmatch(value):
        parts = re.findall(r"([\d.]+)([dhms])", value)
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    raise SpecError(f"{where}: {value!r} is not a duration … allowed: 3d, 30h, 2h30m, 90s or a number of seconds")


class Reader:
    """A mapping of the fleet file, with the path at which it stands there."""

    def __init__(self, data: Any, where: str, allowed: Collection[str]) -> None:
        if data is None:
            data = {}
        if not isinstance(data, Mapping):
            raise SpecError(f"{where}: {data!r} … allowed: a mapping with the keys {', '.join(sorted(allowed))}")
        for key in data:
            if key not in allowed:
                raise SpecError(f"{where}.{key}: unknown key … allowed: {', '.join(sorted(allowed))}")
        self._data = data
        self._where = where

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def raw(self, key: str, default: Any = None) -> Any:
        return self._data.get(key, default)

    def where(self, key: str) -> str:
        return f"{self._where}.{key}"

    def wrong(self, key: str, allowed: str) -> SpecError:
        return SpecError(f"{self.where(key)}: {self._data[key]!r} … allowed: {allowed}")

    def text(self, key: str, default: str) -> str:
        value = self.raw(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def number(self, key: str, default: int, minimum: int | None = None) -> int:
        value = self.raw(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or (minimum is not None and value < minimum):
            raise self.wrong(key, "a whole number" + ("" if minimum is None else f", {minimum} or more"))
        return value

    def boolean(self, key: str, default: bool) -> bool:
        value = self.raw(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true, false")
        return value

    def one_of(self, key: str, allowed: Collection[Any], default: Any) -> Any:
        value = self.raw(key, default)
        if not any(value == each and type(value) is type(each) for each in allowed):
            raise self.wrong(
                key, ", ".join(str(each).lower() if isinstance(each, bool) else str(each) for each in allowed)
            )
        return value

    def duration(self, key: str, default: timedelta) -> timedelta:
        return duration(self._data[key], self.where(key)) if key in self else default

    def texts(self, key: str, default: Collection[str] = ()) -> tuple[str, ...]:
        value = self.raw(key, list(default))
        if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def mapping(self, key: str) -> Mapping[str, Any]:
        value = self.raw(key) or {}
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a mapping")
        return value

    def choices(self, cls: type[T]) -> T:
        """An instance of a dataclass whose fields name what they allow in their metadata."""
        chosen: dict[str, Any] = {}
        for each in fields(cls):  # type: ignore[arg-type]
            if "allowed" in each.metadata:
                chosen[each.name] = self.one_of(each.name, each.metadata["allowed"], each.default)
            else:
                chosen[each.name] = self.number(each.name, each.default, each.metadata["minimum"])  # type: ignore[arg-type]
        return cls(**chosen)
