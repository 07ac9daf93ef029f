# SPDX-License-Identifier: GPL-3.0-or-later
"""All class definitions of a machine, with inheritance resolved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from . import mof
from .mof import Method, Property


@dataclass(frozen=True)
class CimClass:
    """A class with everything that it inherits."""

    namespace: str
    name: str
    ancestors: tuple[str, ...]
    """From the parent up to the top."""
    properties: tuple[Property, ...]
    methods: tuple[Method, ...]
    qualifiers: frozenset[str]

    @property
    def is_singleton(self) -> bool:
        return "singleton" in self.qualifiers

    @property
    def keys(self) -> tuple[Property, ...]:
        return tuple(prop for prop in self.properties if prop.is_key)

    def find_property(self, name: str) -> Property | None:
        return self._properties_by_name.get(name.lower())

    @cached_property
    def _properties_by_name(self) -> dict[str, Property]:
        return {prop.name.lower(): prop for prop in self.properties}

    def find_method(self, name: str) -> Method | None:
        return next((method for method in self.methods if method.name.lower() == name.lower()), None)

    def is_a(self, name: str) -> bool:
        return name.lower() in (each.lower() for each in (self.name, *self.ancestors))


class Repository:
    def __init__(self, declarations: Iterable[mof.ClassDeclaration]) -> None:
        self._classes: dict[tuple[str, str], CimClass] = {}
        for declaration in declarations:
            self._add(declaration)

    def namespaces(self) -> set[str]:
        return {namespace for namespace, _ in self._classes}

    def find(self, namespace: str, name: str) -> CimClass | None:
        return self._classes.get((namespace, name.lower()))

    def family(self, cim_class: CimClass) -> list[CimClass]:
        """The class and all classes derived from it."""
        return [
            each
            for each in self._classes.values()
            if each.namespace == cim_class.namespace and each.is_a(cim_class.name)
        ]

    def _add(self, declaration: mof.ClassDeclaration) -> None:
        properties = {prop.name: prop for prop in declaration.properties}
        methods = {method.name: method for method in declaration.methods}
        ancestors: tuple[str, ...] = ()
        if declaration.parent:
            parent = self.find(declaration.namespace, declaration.parent)
            if parent is None:
                raise mof.MofError(f"{declaration.name} derives from {declaration.parent}, which is not declared yet")
            properties = {prop.name: prop for prop in parent.properties} | properties
            methods = {method.name: method for method in parent.methods} | methods
            ancestors = (parent.name, *parent.ancestors)
        self._classes[declaration.namespace, declaration.name.lower()] = CimClass(
            declaration.namespace,
            declaration.name,
            ancestors,
            tuple(properties.values()),
            tuple(methods.values()),
            declaration.qualifiers,
        )


@cache
def windows() -> Repository:
    """The classes of the schema files beside this module; read once for all machines."""
    files = sorted((Path(__file__).parent / "schema").glob("*.mof"))
    return Repository(declaration for file in files for declaration in mof.parse(file.read_text(encoding="utf-8")))
