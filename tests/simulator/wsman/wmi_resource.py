# SPDX-License-Identifier: GPL-3.0-or-later
"""The WMI plug-in: Get, Enumerate, Pull, Release, Delete and method calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element

from ..windows.wmi import Instance, Out, Wmi, WmiError
from . import cim, faults, names
from .calls import NAMESPACE_SELECTOR, Call, is_dmtf, selected_namespace, wmi_class
from .paging import PREFIXES, Paging
from .planting import Effect
from .request import Request
from .response import envelope
from .settings import WsmanSettings
from .wmi_errors import MISSING_CLASS, fault_of

_DEFAULT_NAMESPACE = "root/hardware"
# DSP0226 8.7. Whether Windows takes a mode together with a filter is not known here, so it is refused.
_MODES = ("", "EnumerateEPR", "EnumerateObjectAndEPR")
_UNSUPPORTED_FEATURE = 2150858801
_TRANSFER_PREFIXES = ("s", "a", "x", "w", "p")
_CLIENT = "SMS_Client"
_REFUSALS: Mapping[str, Callable[[Request], faults.Fault]] = {
    "unknown_uri": lambda request: faults.invalid_resource_uri(),
    "unknown_action": lambda request: faults.action_not_supported(request.action),
    "not_found": lambda request: faults.not_found(MISSING_CLASS),
    "bad_parameters": lambda request: faults.schema_validation(),
    "not_dmtf": lambda request: faults.not_a_dmtf_class(),
    "other_version": lambda request: faults.other_dmtf_version(),
    "other_namespace": lambda request: faults.namespace_conflict(),
}


class WmiResource:
    def __init__(self, wmi: Wmi, wmi32: Wmi, paging: Paging, settings: WsmanSettings) -> None:
        self._wmi = wmi
        self._wmi32 = wmi32
        self._paging = paging
        self.settings = settings

    def handle(self, request: Request, call: Call, effect: Effect) -> str:
        """The effect is what is planted for the answer where that is a success all the same."""
        match call.operation:
            case "Get":
                return self._get(request)
            case "Enumerate":
                return self._enumerate(request, call, effect)
            case "Pull":
                return self._respond(request, self._paging.pull(request, no_rows=effect.no_rows), PREFIXES)
            case "Release":
                return self._respond(request, self._paging.release(request), PREFIXES)
            case "Delete":
                return self._delete(request)
            case "Invoke":
                return self._invoke(request, call, effect)
        raise faults.action_mismatch()

    def _respond(self, request: Request, body: str, prefixes: tuple[str, ...]) -> str:
        return envelope(request, f"{request.action}Response", body, prefixes, language=self.settings.language)

    def _target(self, request: Request) -> tuple[str, str, dict[str, str]]:
        """Namespace, class and keys. A DMTF alias names the namespace in a selector (specified)."""
        found = wmi_class(request.resource_uri)
        if found is None or not found[1]:
            raise faults.invalid_resource_uri()
        namespace, class_name = found
        keys = {name: value for name, value in request.selectors.items() if name.lower() != NAMESPACE_SELECTOR}
        selected = selected_namespace(request)
        if not namespace:
            namespace = selected or _DEFAULT_NAMESPACE
            self._check_spelling(request, class_name, self.settings.client_dmtf_uri)
        elif selected and selected.lower() != namespace.lower():
            raise faults.namespace_conflict()
        return namespace, class_name, keys

    def _check_spelling(self, request: Request, class_name: str, setting: str) -> None:
        if class_name.lower() == _CLIENT.lower() and setting != "accepted":
            raise _REFUSALS[setting](request)

    def _get(self, request: Request) -> str:
        namespace, class_name, keys = self._target(request)
        try:
            found = self._wmi.get(namespace, class_name, keys)
        except WmiError as error:
            raise fault_of(error, "get", namespace, "", self.settings) from error
        return self._respond(request, cim.instance(found, request.resource_uri), _TRANSFER_PREFIXES)

    def _delete(self, request: Request) -> str:
        namespace, class_name, keys = self._target(request)
        try:
            self._wmi.delete(namespace, class_name, keys)
        except WmiError as error:
            raise fault_of(error, "get", namespace, "", self.settings) from error
        return self._respond(request, "", ("s", "a", "w", "p"))

    def _invoke(self, request: Request, call: Call, effect: Effect) -> str:
        namespace, class_name, keys = self._target(request)
        if request.action.rpartition("/")[0].lower() != request.resource_uri.partition("?")[0].lower():
            raise faults.action_not_supported(request.action)
        if not is_dmtf(request.resource_uri):
            self._check_spelling(request, class_name, self.settings.client_wmi_uri)
        try:
            outs = self._planted(namespace, class_name, call.method, effect) or self._host(request).invoke(
                namespace, class_name, call.method, keys, _arguments(request, call.method)
            )
        except WmiError as error:
            raise fault_of(error, "invoke", namespace, "", self.settings) from error
        if effect.executed and effect.return_value is not None:
            outs = [replace(out, value=effect.return_value) if out.name == "ReturnValue" else out for out in outs]
        return self._respond(request, cim.output(call.method, outs, request.resource_uri), _TRANSFER_PREFIXES)

    def _planted(self, namespace: str, class_name: str, method: str, effect: Effect) -> list[Out]:
        """The outputs that are planted for a method that is then not called; none where it is called."""
        if effect.executed or not (effect.no_rows or effect.return_value is not None):
            return []
        outs = self._wmi.blank(namespace, class_name, method, effect.return_value or 0)
        return outs if effect.return_value is not None or any(out.is_array for out in outs) else []

    def _host(self, request: Request) -> Wmi:
        """The option that asks for a provider of 32 bits is specified; one author found that nothing comes of it."""
        asked = request.option("__ProviderArchitecture") or request.option("wmi:__ProviderArchitecture")
        return self._wmi32 if asked == "32" and self.settings.provider_architecture == "honoured" else self._wmi

    def _enumerate(self, request: Request, call: Call, effect: Effect) -> str:
        body = request.body
        if body is None or body.tag != f"{{{names.ENUMERATION}}}Enumerate":
            raise faults.invalid_body()
        namespace, class_name, keys = self._target(request)
        filter_ = body.find(f"{{{names.WSMAN}}}Filter")
        mode = (body.findtext(f"{{{names.WSMAN}}}EnumerationMode") or "").strip()
        if mode not in _MODES or (mode and filter_ is not None):
            raise faults.any_code(_UNSUPPORTED_FEATURE)
        if filter_ is None:
            items = self._all(request, namespace, class_name, keys, mode)
        elif filter_.get("Dialect", "").strip() == names.WQL_DIALECT:
            if class_name != "*" or keys:
                raise faults.query_uri()
            items = self._query(request, namespace, filter_.text or "")
        elif filter_.get("Dialect", "").strip() == names.SELECTOR_DIALECT:
            items = self._selected(request, namespace, class_name, filter_)
        else:
            raise faults.filter_dialect()
        if effect.no_rows:
            items = ()
        return self._respond(request, self._paging.first(request, call, items), PREFIXES)

    def _all(
        self, request: Request, namespace: str, class_name: str, keys: dict[str, str], mode: str
    ) -> tuple[str, ...]:
        if keys:
            raise faults.enumerate_with_keys()
        if class_name == "*":
            raise faults.invalid_resource_uri()
        try:
            found = self._wmi.enumerate(namespace, class_name)
        except WmiError as error:
            raise fault_of(error, "enumerate", namespace, "", self.settings) from error
        if not mode:
            return tuple(cim.instance(each, _own_uri(each, request)) for each in found)
        items = []
        for each in found:
            own_keys = [prop.name for prop in self._wmi.describe_class(namespace, each.class_name).keys]
            reference = cim.reference(each, _own_uri(each, request), own_keys)
            whole = cim.instance(each, _own_uri(each, request))
            items.append(reference if mode == _MODES[1] else f"<w:Item>{whole}{reference}</w:Item>")
        return tuple(items)

    def _query(self, request: Request, namespace: str, wql: str) -> tuple[str, ...]:
        try:
            rows = self._wmi.query(namespace, wql)
        except WmiError as error:
            raise fault_of(error, "query", namespace, wql, self.settings) from error
        if rows.projected is None:
            return tuple(cim.instance(each, _own_uri(each, request)) for each in rows.instances)
        if self.settings.projected_row == "fragment":
            return tuple(cim.fragment(each, rows.projected) for each in rows.instances)
        wanted = {name.lower() for name in rows.projected}
        return tuple(
            cim.instance(
                replace(each, properties=[out for out in each.properties if out.name.lower() in wanted]),
                _own_uri(each, request),
            )
            for each in rows.instances
        )

    def _selected(self, request: Request, namespace: str, class_name: str, filter_: Element) -> tuple[str, ...]:
        """The selector filter: the instances whose properties have exactly these values (specified)."""
        wanted = {
            selector.get("Name", "").lower(): (selector.text or "").lower()
            for selector in filter_.iter(f"{{{names.WSMAN}}}Selector")
        }
        try:
            found = self._wmi.enumerate(namespace, class_name)
        except WmiError as error:
            raise fault_of(error, "enumerate", namespace, "", self.settings) from error
        return tuple(
            cim.instance(each, _own_uri(each, request))
            for each in found
            if wanted.items() <= {out.name.lower(): str(out.value).lower() for out in each.properties}.items()
        )


def _own_uri(found: Instance, request: Request) -> str:
    """A row carries the URI of its own class, also where its base class was asked for (recorded).

    It is spelled as the one that was asked for (inferred from the answers of Get and of methods).
    """
    if is_dmtf(request.resource_uri):
        return f"{names.CIM_SCHEMA}{found.class_name}"
    return f"{names.WMI_ROOT}{found.namespace}/{found.class_name}"


def _arguments(request: Request, method: str) -> dict[str, list[str | None]]:
    """The texts of the input elements by name; repeated elements are an array, xsi:nil is NULL."""
    body = request.body
    if body is None:
        raise faults.invalid_body()
    namespace, _, name = body.tag.rpartition("}")
    if name != f"{method}_INPUT" or namespace.lstrip("{").lower() != request.resource_uri.partition("?")[0].lower():
        raise faults.schema_validation()
    found: dict[str, list[str | None]] = {}
    for child in body:
        nil = child.get(f"{{{names.XSI}}}nil", "").strip().lower() in {"true", "1"}
        found.setdefault(child.tag.rpartition("}")[2], []).append(None if nil else "".join(child.itertext()))
    return found
