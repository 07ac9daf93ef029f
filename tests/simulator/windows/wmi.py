# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows Management Instrumentation: the way in for whoever manages the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from .cim import types, wql
from .cim.model import Instance, Out, Row, Rows, Scalar, Value, WmiError
from .cim.mof import Method, Parameter
from .cim.repository import CimClass, Repository

__all__ = ["Instance", "Out", "Provider", "Rows", "Wmi", "WmiError"]

Arguments = Mapping[str, list[str | None]]


class Provider(Protocol):
    """What stands behind one or more classes."""

    def instances(self, class_name: str) -> list[Row]:
        """The instances of exactly this class. Properties that are left out are NULL."""

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        """Output parameters and ReturnValue by name. A ReturnValue that is left out is not sent at all."""

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None: ...


class Gate(Protocol):
    """Decides whether a class can be reached at all: what is not installed, denied or broken raises WmiError."""

    def namespaces(self) -> set[str]: ...

    def check(self, namespace: str, class_name: str) -> None: ...

    def check_remote_call(self, namespace: str, class_name: str, method: str) -> None: ...


class Wmi:
    def __init__(
        self,
        repository: Repository,
        providers: Mapping[tuple[str, str], Provider],
        gate: Gate,
        catch_up: Callable[[], None],
        any_case_parameters: Callable[[], bool],
    ) -> None:
        self._repository = repository
        self._providers = providers
        self._gate = gate
        self._catch_up = catch_up
        self._any_case_parameters = any_case_parameters

    def with_providers(self, others: Mapping[tuple[str, str], Provider]) -> Wmi:
        """The same WMI with other providers behind some classes."""
        providers = {**self._providers, **others}
        return Wmi(self._repository, providers, self._gate, self._catch_up, self._any_case_parameters)

    def get(self, namespace: str, class_name: str, keys: dict[str, str]) -> Instance:
        cim_class, row = self._find(self._open(namespace, class_name), keys)
        return _instance(namespace, cim_class, row)

    def enumerate(self, namespace: str, class_name: str) -> list[Instance]:
        cim_class = self._open(namespace, class_name)
        return [_instance(namespace, each, row) for each, row in self._objects(cim_class)]

    def query(self, namespace: str, wql_text: str) -> Rows:
        query = wql.parse(wql_text)
        cim_class = self._open(namespace, query.class_name)
        columns = query.projection(cim_class)
        found = query.select(cim_class, self._objects(cim_class))
        return Rows([_instance(namespace, each, row, columns) for each, row in found], columns)

    def invoke(
        self, namespace: str, class_name: str, method: str, keys: dict[str, str], arguments: dict[str, list[str | None]]
    ) -> list[Out]:
        """A method called over the network."""
        cim_class, declared = self._method(namespace, class_name, method)
        values = self._typed_arguments(declared, arguments)
        self._gate.check_remote_call(cim_class.namespace, cim_class.name, declared.name)
        return _outs(declared, self._call(cim_class, declared, keys, values))

    def blank(self, namespace: str, class_name: str, method: str, return_value: int) -> list[Out]:
        """What a method that was not called would answer without output: NULL for each parameter."""
        declared = self._method(namespace, class_name, method)[1]
        row: Row = {**dict.fromkeys(parameter.name for parameter in declared.outputs), "ReturnValue": return_value}
        return _outs(declared, row)

    def call_locally(self, namespace: str, class_name: str, method: str, values: list[str]) -> Row:
        """A static method called by a program on the machine; the values are in the method's own order."""
        cim_class, declared = self._method(namespace, class_name, method)
        if len(values) > len(declared.inputs):
            raise WmiError("invalid_method_parameters")
        given: dict[str, list[str | None]] = {
            parameter.name: [value] for parameter, value in zip(declared.inputs, values, strict=False)
        }
        typed = self._typed_arguments(declared, given)
        return self._call(cim_class, declared, {}, typed)

    def _method(self, namespace: str, class_name: str, method: str) -> tuple[CimClass, Method]:
        cim_class = self._open(namespace, class_name)
        declared = cim_class.find_method(method)
        if declared is None:
            raise WmiError("invalid_method")
        return cim_class, declared

    def _call(self, cim_class: CimClass, method: Method, keys: Mapping[str, str], values: Row) -> Row:
        selected: dict[str, str] = {}
        if not method.is_static:
            cim_class, row = self._find(cim_class, keys)
            selected = {prop.name: str(row[prop.name]) for prop in cim_class.keys}
        provider = self._providers.get((cim_class.namespace, cim_class.name))
        if provider is None:
            raise WmiError("not_supported")
        return provider.call(cim_class.name, method.name, selected, values)

    def delete(self, namespace: str, class_name: str, keys: dict[str, str]) -> None:
        """Deletes one instance; most classes do not support it."""
        cim_class, row = self._find(self._open(namespace, class_name), keys)
        provider = self._providers[cim_class.namespace, cim_class.name]
        provider.delete(cim_class.name, {prop.name: str(row[prop.name]) for prop in cim_class.keys})

    def describe_class(self, namespace: str, class_name: str) -> CimClass:
        """The class definition, for who has to know its keys and types."""
        return self._open(namespace, class_name)

    def _open(self, namespace: str, class_name: str) -> CimClass:
        self._catch_up()
        namespace = namespace.replace("\\", "/").strip("/").lower()
        if namespace not in self._gate.namespaces():
            raise WmiError("invalid_namespace")
        cim_class = self._repository.find(namespace, class_name)
        if cim_class is None:
            self._gate.check(namespace, "")
            raise WmiError("invalid_class")
        self._gate.check(namespace, cim_class.name)
        return cim_class

    def _find(self, cim_class: CimClass, keys: Mapping[str, str]) -> tuple[CimClass, Row]:
        wanted = _checked_keys(cim_class, keys)
        for each, row in self._objects(cim_class):
            if _matches(row, wanted):
                return each, row
        raise WmiError("not_found")

    def _objects(self, cim_class: CimClass) -> Iterator[tuple[CimClass, Row]]:
        """What the class and the classes derived from it have."""
        for each in self._repository.family(cim_class):
            self._gate.check(each.namespace, each.name)
            provider = self._providers.get((each.namespace, each.name))
            for row in provider.instances(each.name) if provider else ():
                yield each, row

    def _typed_arguments(self, method: Method, arguments: Arguments) -> dict[str, Value]:
        declared = {parameter.name: parameter for parameter in method.inputs}
        if self._any_case_parameters():
            spelled = {name.lower(): name for name in declared}
            arguments = {spelled.get(name.lower(), name): texts for name, texts in arguments.items()}
        unknown = [name for name in arguments if name not in declared]
        if unknown:
            raise WmiError("invalid_method_parameters", f"{method.name} has no parameter {unknown[0]!r}")
        return {name: _typed(parameter, arguments.get(name)) for name, parameter in declared.items()}


def _typed(parameter: Parameter, texts: list[str | None] | None) -> Value:
    """An element that is not there, and a nil one, are NULL: also for arrays (MS-WSMV 3.1.4.1.26)."""
    if not texts or texts == [None]:
        return None
    values: list[Scalar] = [types.from_text(parameter.cim_type, text) for text in texts]
    if parameter.is_array:
        return values
    if len(values) > 1:
        raise WmiError("type_mismatch", f"{parameter.name} is not an array")
    return values[0]


def _outs(method: Method, results: Row) -> list[Out]:
    outs = [
        Out(parameter.name, parameter.cim_type, results[parameter.name], parameter.is_array)
        for parameter in method.outputs
        if parameter.name in results
    ]
    if "ReturnValue" in results:
        outs.append(Out("ReturnValue", method.return_type, results["ReturnValue"]))
    return outs


def _instance(namespace: str, cim_class: CimClass, row: Row, columns: list[str] | None = None) -> Instance:
    """The namespace stays as the caller spelled it."""
    if columns is None:
        outs = [Out(prop.name, prop.cim_type, row.get(prop.name), prop.is_array) for prop in cim_class.properties]
    else:
        outs = [_column(cim_class, row, name) for name in columns]
    return Instance(namespace.replace("\\", "/"), cim_class.name, outs)


def _column(cim_class: CimClass, row: Row, name: str) -> Out:
    prop = cim_class.find_property(name)
    if prop is None:
        return Out(name, "string", wql.system_property(cim_class, name))
    return Out(prop.name, prop.cim_type, row.get(prop.name), prop.is_array)


def _checked_keys(cim_class: CimClass, keys: Mapping[str, str]) -> dict[str, str]:
    """The keys under their declared names. Names ignore case (MS-WSMV 3.1.4.1.2); `@` addresses a singleton."""
    if cim_class.is_singleton:
        if keys:
            raise WmiError("unexpected_keys", f"{cim_class.name} is a singleton")
        return {}
    declared = {prop.name.lower(): prop.name for prop in cim_class.keys}
    unexpected = [name for name in keys if name.lower() not in declared]
    if unexpected:
        raise WmiError("unexpected_keys", f"{unexpected[0]!r} is not a key of {cim_class.name}")
    if len(keys) < len(declared) or not declared:
        raise WmiError("insufficient_keys", f"{cim_class.name} is addressed by {', '.join(declared.values())}")
    return {declared[name.lower()]: value for name, value in keys.items()}


def _matches(row: Row, keys: Mapping[str, str]) -> bool:
    return all(str(row.get(name)).lower() == value.lower() for name, value in keys.items())
