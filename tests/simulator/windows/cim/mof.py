# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads class definitions in the Managed Object Format (DMTF DSP0004), as far as the schema files here use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .types import CIM_TYPES

_TOKEN = re.compile(r"\s+|//[^\n]*|(?P<token>#pragma|\"[^\"]*\"|\w+|\[\]|[\[\]{}():;,])")


@dataclass(frozen=True)
class Parameter:
    name: str
    cim_type: str
    is_array: bool
    qualifiers: frozenset[str]


@dataclass(frozen=True)
class Property(Parameter):
    @property
    def is_key(self) -> bool:
        return "key" in self.qualifiers


@dataclass(frozen=True)
class Method:
    name: str
    return_type: str
    parameters: tuple[Parameter, ...]
    qualifiers: frozenset[str]

    @property
    def is_static(self) -> bool:
        return "static" in self.qualifiers

    @property
    def inputs(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if "out" not in parameter.qualifiers)

    @property
    def outputs(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if "out" in parameter.qualifiers)


@dataclass(frozen=True)
class ClassDeclaration:
    """A class as written, without what it inherits."""

    namespace: str
    name: str
    parent: str | None
    properties: tuple[Property, ...]
    methods: tuple[Method, ...]
    qualifiers: frozenset[str]


class MofError(ValueError):
    pass


def parse(text: str) -> Iterator[ClassDeclaration]:
    return _Parser(text).classes()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._namespace = ""

    def classes(self) -> Iterator[ClassDeclaration]:
        while self._at < len(self._tokens):
            if self._take_if("#pragma"):
                self._pragma()
            else:
                yield self._class()

    def _pragma(self) -> None:
        self._expect("namespace")
        self._expect("(")
        steps = re.split(r"[\\/]+", self._take().strip('"'))
        self._namespace = "/".join(step.lower() for step in steps if step not in ("", "."))
        self._expect(")")

    def _class(self) -> ClassDeclaration:
        qualifiers = self._qualifiers()
        self._expect("class")
        name = self._take()
        parent = self._take() if self._take_if(":") else None
        self._expect("{")
        properties: list[Property] = []
        methods: list[Method] = []
        while not self._take_if("}"):
            feature = self._feature()
            if isinstance(feature, Method):
                methods.append(feature)
            else:
                properties.append(feature)
        self._expect(";")
        return ClassDeclaration(self._namespace, name, parent, tuple(properties), tuple(methods), qualifiers)

    def _feature(self) -> Property | Method:
        qualifiers, cim_type, name = self._qualifiers(), self._type(), self._take()
        if self._take_if("("):
            parameters = []
            while not self._take_if(")"):
                parameters.append(self._parameter())
                self._take_if(",")
            self._expect(";")
            return Method(name, cim_type, tuple(parameters), qualifiers)
        is_array = self._take_if("[]")
        self._expect(";")
        return Property(name, cim_type, is_array, qualifiers)

    def _parameter(self) -> Parameter:
        qualifiers, cim_type, name = self._qualifiers(), self._type(), self._take()
        return Parameter(name, cim_type, self._take_if("[]"), qualifiers)

    def _type(self) -> str:
        word = self._take()
        if word not in CIM_TYPES:
            raise MofError(f"unknown type {word!r}")
        return word

    def _qualifiers(self) -> frozenset[str]:
        words: set[str] = set()
        if self._take_if("["):
            while not self._take_if("]"):
                words.add(self._take().lower())
                self._take_if(",")
        return frozenset(words)

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            raise MofError("the text ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take_if(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        found = self._take()
        if found != token:
            raise MofError(
                f"{token!r} expected, {found!r} found near {' '.join(self._tokens[self._at - 5 : self._at])}"
            )


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise MofError(f"unexpected {text[at]!r} at offset {at}")
        at = match.end()
        if match["token"]:
            yield match["token"]
