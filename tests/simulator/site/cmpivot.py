# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of CMPivot's language that is understood: an entity, where, project."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Fields = Mapping[str, "str | None"]
Comparison = tuple[str, str, str]
"""A name, an operator and a value."""
_ENTITY = re.compile(r"(?P<name>Registry|Service|Process|OS)(?:\('(?P<argument>[^']*)'\))?", re.IGNORECASE)
_COMPARISON = re.compile(r"(?P<name>\w+)\s*(?P<operator>==|!=|startswith|contains)\s*'(?P<value>[^']*)'")
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "==": lambda left, right: left.lower() == right.lower(),
    "!=": lambda left, right: left.lower() != right.lower(),
    "startswith": lambda left, right: left.lower().startswith(right.lower()),
    "contains": lambda left, right: right.lower() in left.lower(),
}


class BadPivot(ValueError):
    """The service answers 400 to it."""


@dataclass(frozen=True)
class Pivot:
    entity: str
    argument: str
    conditions: tuple[tuple[Comparison, ...], ...]
    """Of which one has to hold with all its parts; none: all rows."""
    columns: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Pivot:
        first, *steps = [part.strip() for part in text.split("|")]
        found = _ENTITY.fullmatch(first)
        if found is None:
            raise BadPivot(f"Unknown entity: {first}")
        conditions: tuple[tuple[Comparison, ...], ...] = ()
        columns: tuple[str, ...] = ()
        for step in steps:
            word, _, rest = step.partition(" ")
            if word == "where":
                conditions = tuple(_all_of(part) for part in re.split(r"\s+or\s+", rest.strip()))
            elif word == "project":
                columns = tuple(name.strip() for name in rest.split(","))
            else:
                raise BadPivot(f"Unknown operator: {word}")
        return cls(found["name"], found["argument"] or "", conditions, columns)

    def rows(self, device: str, found: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
        kept = [{"Device": device, **row} for row in found if self._holds(row)]
        return [{name: row.get(name) for name in self.columns or row} for row in kept]

    def _holds(self, row: Fields) -> bool:
        return not self.conditions or any(
            all(_OPERATORS[operator](row.get(name) or "", value) for name, operator, value in parts)
            for parts in self.conditions
        )


def _all_of(text: str) -> tuple[Comparison, ...]:
    bare = text.strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    return tuple(_comparison(part) for part in re.split(r"\s+and\s+", bare))


def _comparison(text: str) -> Comparison:
    found = _COMPARISON.fullmatch(text.strip())
    if found is None:
        raise BadPivot(f"Syntax error: {text}")
    return found["name"], found["operator"], found["value"]
