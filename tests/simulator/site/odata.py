# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of OData that the service understands: $filter, $select, $top, $skip, and how it spells values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

Properties = Mapping[str, Any]
Condition = Callable[[Properties], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_@][\w.@]*)|(?P<sign>[(),/:]))"
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left is not None and left > right,
    "ge": lambda left, right: left is not None and left >= right,
    "lt": lambda left, right: left is not None and left < right,
    "le": lambda left, right: left is not None and left <= right,
}
_FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda whole, part: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
}


class BadQuery(ValueError):
    """The service answers 400 to it."""


@dataclass(frozen=True)
class Query:
    condition: Condition
    select: tuple[str, ...] = ()
    top: int | None = None
    skip: int = 0
    where: str = ""

    @classmethod
    def read(cls, text: str) -> Query:
        given = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            if name not in ("$filter", "$select", "$top", "$skip"):
                raise BadQuery(f"The query option {name} is not supported.")
            given[name] = value
        try:
            top = int(given["$top"]) if "$top" in given else None
            skip = int(given.get("$skip", 0))
        except ValueError:
            raise BadQuery("A number is expected.") from None
        where = given.get("$filter", "")
        condition = _Parser(where).whole() if where else lambda _row: True
        select = tuple(name.strip() for name in given.get("$select", "").split(",") if name.strip())
        return cls(condition, select, top, skip, where)

    def selected(self, rows: Iterable[Properties]) -> list[dict[str, Any]]:
        """Names are found without case, and answered as the class spells them (recorded: ResourceID, ResourceId)."""
        wanted = {name.lower() for name in self.select}
        return [{name: value for name, value in row.items() if not wanted or name.lower() in wanted} for row in rows]


@dataclass(frozen=True)
class Rows:
    """Objects of which a row is *made* when it is asked for: of a hundred thousand, few are.

    ``exact``: they are already those of which the query's condition holds.
    """

    items: Sequence[Any]
    made: Callable[[Any], dict[str, Any]]
    exact: bool = False

    def page(self, query: Query, largest: int = 0) -> list[dict[str, Any]]:
        """What a query answers; as many as the service gives at a time, where it has such a limit."""
        end = min(query.top or _ALL, largest or _ALL)
        if self.items and query.select:
            _check_names(self.made(self.items[0]), query.select)
        found: Iterable[dict[str, Any]]
        if self.exact:
            found = map(self.made, self.items[query.skip : query.skip + end])
        else:
            found = islice(filter(query.condition, map(self.made, self.items)), query.skip, query.skip + end)
        return query.selected(found)


_ALL = 10**9


def _check_names(row: Properties, select: tuple[str, ...]) -> None:
    names = {name.lower() for name in row}
    for name in select:
        if name.lower() not in names:
            raise BadQuery(f"Could not find a property named '{name}'.")


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise BadQuery(f"Syntax error at position {at} in '{text}'.")
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
            at = found.end()
        self._at = 0

    def whole(self) -> Condition:
        condition = self._either()
        if self._at < len(self._tokens):
            raise BadQuery("The filter does not end where it should.")
        return condition

    def _either(self) -> Condition:
        sides = [self._both()]
        while self._takes("or"):
            sides.append(self._both())
        return sides[0] if len(sides) == 1 else lambda row: any(side(row) for side in sides)

    def _both(self) -> Condition:
        sides = [self._one()]
        while self._takes("and"):
            sides.append(self._one())
        return sides[0] if len(sides) == 1 else lambda row: all(side(row) for side in sides)

    def _one(self) -> Condition:
        if self._takes("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._takes("("):
            condition = self._either()
            self._must(")")
            return condition
        kind, name = self._next()
        if kind != "word":
            raise BadQuery(f"'{name}' is not expected.")
        if name in _FUNCTIONS:
            return self._function(_FUNCTIONS[name])
        if self._takes("/"):
            return self._any(name)
        return self._comparison(name)

    def _function(self, function: Callable[[str, str], bool]) -> Condition:
        self._must("(")
        name = self._next()[1]
        self._must(",")
        part = str(self._literal()).lower()
        self._must(")")
        return lambda row: function(str(_value(row, name) or "").lower(), part)

    def _any(self, name: str) -> Condition:
        for expected in ("any", "("):
            self._must(expected)
        variable = self._next()[1]
        self._must(":")
        self._must(variable)
        self._must("eq")
        wanted = _folded(self._literal())
        self._must(")")
        return lambda row: wanted in [_folded(each) for each in _value(row, name) or ()]

    def _comparison(self, name: str) -> Condition:
        operator = self._next()[1]
        if operator not in _OPERATORS:
            raise BadQuery(f"'{operator}' is no operator.")
        compare, wanted = _OPERATORS[operator], _folded(self._literal())
        return lambda row: compare(_folded(_value(row, name)), wanted)

    def _literal(self) -> Any:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if text in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text]
        raise BadQuery(f"'{text}' is no value.")

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise BadQuery("The filter ends too early.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1] == text and self._tokens[self._at][0] != "text":
            self._at += 1
            return True
        return False

    def _must(self, text: str) -> None:
        if not self._takes(text):
            raise BadQuery(f"'{text}' is expected.")


def _value(row: Properties, name: str) -> Any:
    for known, value in row.items():
        if known.lower() == name.lower():
            return value
    raise BadQuery(f"Could not find a property named '{name}'.")


def _folded(value: Any) -> Any:
    """Texts are compared as the site's database does it: without case."""
    return value.lower() if isinstance(value, str) else value


def moment(value: datetime | None) -> str | None:
    """With none to three decimals, never a trailing zero (recorded)."""
    if value is None:
        return None
    value = value.astimezone(timezone.utc)
    fraction = f"{value.microsecond // 1000:03}".rstrip("0")
    return f"{value:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "") + "Z"
