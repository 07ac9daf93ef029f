# SPDX-License-Identifier: GPL-3.0-or-later
"""The WMI query language: data queries of the form ``SELECT … FROM class [WHERE …]``.

Official docs: "WQL (SQL for WMI)". Comparisons of strings ignore case; NULL answers only to IS NULL and IS NOT NULL
(and to ``= NULL`` and ``<> NULL``, which WMI takes for the same).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from . import types
from .model import Row, Scalar, Value, WmiError
from .mof import Property
from .repository import CimClass

_TOKEN = re.compile(
    r"""\s+
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<symbol><=|>=|<>|!=|[=<>(),*])""",
    re.VERBOSE | re.DOTALL,
)

Found = tuple[CimClass, Row]
"""One object that a class or a class derived from it has."""
Test = Callable[[Found], bool]
Condition = Callable[[CimClass], Test]
SYSTEM_PROPERTIES = ("__CLASS", "__NAMESPACE", "__SUPERCLASS")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.upper() == word


@dataclass(frozen=True)
class Query:
    class_name: str
    columns: tuple[str, ...] | None
    """None stands for ``*``."""
    condition: Condition | None

    def select(self, cim_class: CimClass, objects: Iterable[Found]) -> list[Found]:
        if self.condition is None:
            return list(objects)
        test = self.condition(cim_class)
        return [each for each in objects if test(each)]

    def projection(self, cim_class: CimClass) -> list[str] | None:
        """The columns under their declared names, each once; None stands for all of them."""
        if self.columns is None:
            return None
        return list(dict.fromkeys(_column(cim_class, name) for name in self.columns))


def parse(text: str) -> Query:
    return _Parser(text).query()


class _Parser:
    """Recursive descent; NOT binds tighter than AND, AND tighter than OR."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def query(self) -> Query:
        self._expect_word("SELECT")
        columns = self._columns()
        self._expect_word("FROM")
        class_name = self._name()
        condition = self._or() if self._take_word("WHERE") else None
        if self._at != len(self._tokens):
            raise _invalid(f"unexpected {self._tokens[self._at].text!r}")
        return Query(class_name, columns, condition)

    def _columns(self) -> tuple[str, ...] | None:
        if self._take_symbol("*"):
            return None
        columns = [self._name()]
        while self._take_symbol(","):
            columns.append(self._name())
        return tuple(columns)

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._take_word("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else _combined(parts, any)

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._take_word("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else _combined(parts, all)

    def _not(self) -> Condition:
        if self._take_word("NOT"):
            return _negated(self._not())
        if self._take_symbol("("):
            inner = self._or()
            if not self._take_symbol(")"):
                raise _invalid("a closing parenthesis is missing")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        first = self._take()
        if first.kind in ("string", "number"):
            operator = _MIRRORED.get(self._take().text)
            if operator is None:
                raise _invalid("an operator is missing")
            return _compared(self._name(), operator, first)
        if first.kind != "word" or first.text.upper() in _KEYWORDS:
            raise _invalid(f"unexpected {first.text!r}")
        operator_token = self._take()
        if operator_token.is_word("IS"):
            wanted = not self._take_word("NOT")
            self._expect_word("NULL")
            return _is_null(first.text, wanted)
        if operator_token.is_word("NOT"):
            self._expect_word("LIKE")
            return _negated(_like(first.text, self._string()))
        if operator_token.is_word("LIKE"):
            return _like(first.text, self._string())
        if operator_token.is_word("ISA"):
            return _isa(first.text, self._string())
        if operator_token.kind != "symbol" or operator_token.text not in _MIRRORED:
            raise _invalid(f"{operator_token.text!r} is not an operator")
        constant = self._take()
        if constant.is_word("NULL") and operator_token.text in ("=", "!=", "<>"):
            return _is_null(first.text, operator_token.text == "=")
        return _compared(first.text, operator_token.text, constant)

    def _string(self) -> str:
        token = self._take()
        if token.kind != "string":
            raise _invalid(f"a string was expected, not {token.text!r}")
        return _unquoted(token.text)

    def _name(self) -> str:
        token = self._take()
        if token.kind != "word" or token.text.upper() in _KEYWORDS:
            raise _invalid(f"a name was expected, not {token.text!r}")
        return token.text

    def _take(self) -> _Token:
        if self._at >= len(self._tokens):
            raise _invalid("the query ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take_word(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at].is_word(word)
        self._at += found
        return found

    def _take_symbol(self, symbol: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == _Token("symbol", symbol)
        self._at += found
        return found

    def _expect_word(self, word: str) -> None:
        if not self._take_word(word):
            raise _invalid(f"{word} is missing")


_KEYWORDS = frozenset({"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "LIKE", "IS", "NULL", "ISA", "TRUE", "FALSE"})
_MIRRORED = {"=": "=", "!=": "!=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise _invalid(f"unexpected {text[at]!r}")
        at = match.end()
        if match.lastgroup:
            found.append(_Token(match.lastgroup, match.group()))
    return found


def _invalid(text: str) -> WmiError:
    return WmiError("invalid_query", f"Invalid query: {text}")


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _combined(parts: list[Condition], rule: Callable[[list[bool]], bool]) -> Condition:
    def bind(cim_class: CimClass) -> Test:
        tests = [part(cim_class) for part in parts]
        return lambda found: rule([test(found) for test in tests])

    return bind


def _negated(part: Condition) -> Condition:
    def bind(cim_class: CimClass) -> Test:
        test = part(cim_class)
        return lambda found: not test(found)

    return bind


def _is_null(name: str, wanted: bool) -> Condition:
    def bind(cim_class: CimClass) -> Test:
        read = _reader(cim_class, name)[1]
        return lambda found: (read(found) is None) is wanted

    return bind


def _isa(name: str, ancestor: str) -> Condition:
    def bind(cim_class: CimClass) -> Test:
        if name.upper() != "__THIS":
            raise _invalid("ISA is only known after __this")
        raise _invalid("queries for classes are not supported")

    return bind


def _like(name: str, pattern: str) -> Condition:
    expression = re.compile(_like_to_regex(pattern), re.IGNORECASE | re.DOTALL)

    def bind(cim_class: CimClass) -> Test:
        cim_type, read = _reader(cim_class, name)
        if cim_type != "string":
            raise _invalid(f"LIKE needs a string, and {name} is a {cim_type}")

        def test(found: Found) -> bool:
            value = read(found)
            return isinstance(value, str) and expression.fullmatch(value) is not None

        return test

    return bind


def _like_to_regex(pattern: str) -> str:
    """`%` any text, `_` one character, `[a-f]` and `[^a-f]` a set of characters."""
    parts, at = [], 0
    while at < len(pattern):
        end = pattern.find("]", at) if pattern[at] == "[" else -1
        if end > at + 1:
            inner = pattern[at + 1 : end]
            negate = inner.startswith("^")
            inside = re.escape(inner.removeprefix("^")).replace("\\-", "-")
            parts.append(f"[{'^' if negate else ''}{inside}]")
            at = end + 1
            continue
        parts.append({"%": ".*", "_": "."}.get(pattern[at], re.escape(pattern[at])))
        at += 1
    return "".join(parts)


def _compared(name: str, operator: str, constant: _Token) -> Condition:
    def bind(cim_class: CimClass) -> Test:
        cim_type, read = _reader(cim_class, name)
        wanted = _constant(cim_type, constant)

        def test(found: Found) -> bool:
            return _compare(read(found), operator, wanted)

        return test

    return bind


def _constant(cim_type: str, token: _Token) -> Scalar:
    """A constant of the property's own type. One that cannot be it makes the query invalid (inferred)."""
    text = _unquoted(token.text) if token.kind == "string" else token.text
    if token.kind == "word" and token.text.upper() not in ("TRUE", "FALSE"):
        raise _invalid(f"unexpected {token.text!r}")
    if cim_type == "string" and token.kind == "word":
        raise _invalid(f"a string cannot be {token.text}")
    try:
        return types.from_text(cim_type, text)
    except WmiError:
        raise _invalid(f"{token.text} is not a {cim_type}") from None


def _compare(value: Value, operator: str, wanted: Scalar) -> bool:
    if value is None or wanted is None or isinstance(value, list):
        return False
    if isinstance(value, str) and isinstance(wanted, str):
        return _ordered(value.lower(), operator, wanted.lower())
    if isinstance(value, datetime) and isinstance(wanted, datetime):
        return _ordered(value.timestamp(), operator, wanted.timestamp())
    if isinstance(value, int) and isinstance(wanted, int):
        return _ordered(int(value), operator, int(wanted))
    return False


def _ordered(left: float | str, operator: str, right: float | str) -> bool:
    # Both sides are of one type: the caller has seen to it.
    order = (left > right) - (left < right)  # type: ignore[operator]
    return {
        "=": order == 0,
        "!=": order != 0,
        "<>": order != 0,
        "<": order < 0,
        ">": order > 0,
        "<=": order <= 0,
        ">=": order >= 0,
    }[operator]


def _column(cim_class: CimClass, name: str) -> str:
    """The name as the class declares it; one that it does not have makes the query invalid."""
    if name.upper() in SYSTEM_PROPERTIES:
        return name.upper()
    return _declared(cim_class, name).name


def _declared(cim_class: CimClass, name: str) -> Property:
    found = cim_class.find_property(name)
    if found is None:
        raise _invalid(f"{cim_class.name} has no property {name!r}")
    return found


def _reader(cim_class: CimClass, name: str) -> tuple[str, Callable[[Found], Value]]:
    if name.upper() in SYSTEM_PROPERTIES:
        return "string", lambda found: system_property(found[0], name.upper())
    declared = _declared(cim_class, name)
    return declared.cim_type, lambda found: found[1].get(declared.name)


def system_property(cim_class: CimClass, name: str) -> str | None:
    values = {"__CLASS": cim_class.name, "__NAMESPACE": cim_class.namespace.replace("/", "\\")}
    if name == "__SUPERCLASS":
        return cim_class.ancestors[0] if cim_class.ancestors else None
    return values.get(name)
