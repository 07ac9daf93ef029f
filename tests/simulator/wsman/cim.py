# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM values as XML (recorded: scalars, nil, arrays, dates, intervals, projected rows, method output)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..windows.wmi import Instance, Out
from . import names
from .text import escape, xml_datetime, xml_interval

_TYPES = f'xmlns:xsi="{names.XSI}"'


def instance(found: Instance, uri: str) -> str:
    """A whole instance: properties sorted by name without regard to case."""
    name = found.class_name
    content = "".join(_element(out, "p:", "cim:") for out in _sorted(found.properties))
    return (
        f'<p:{name} {_TYPES} xmlns:p="{escape(uri)}" xmlns:cim="{names.CIM}" xsi:type="p:{name}_Type">'
        f"{content}</p:{name}>"
    )


def reference(found: Instance, uri: str, keys: Iterable[str]) -> str:
    """An endpoint reference: what addresses the instance (specified; that Windows adds the namespace: reported)."""
    values = {out.name: out.value for out in found.properties}
    selectors = {"__cimnamespace": found.namespace, **{key: values[key] for key in keys}}
    content = "".join(f'<w:Selector Name="{key}">{_text(value, "")}</w:Selector>' for key, value in selectors.items())
    return (
        f"<a:EndpointReference><a:Address>{names.ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(uri)}</w:ResourceURI><w:SelectorSet>{content}</w:SelectorSet>"
        "</a:ReferenceParameters></a:EndpointReference>"
    )


def fragment(found: Instance, projected: Iterable[str]) -> str:
    """A row of ``SELECT a, b``: only what was asked for, without namespaces, keys not added."""
    wanted = {name.lower() for name in projected}
    content = "".join(_element(out, "", "") for out in _sorted(found.properties) if out.name.lower() in wanted)
    return f'<w:XmlFragment {_TYPES} xmlns:w="{names.WSMAN}">{content}</w:XmlFragment>'


def output(method: str, outs: Iterable[Out], uri: str) -> str:
    """The answer of a method: output parameters as they come, the return value last, no xsi:type."""
    ordered = sorted(outs, key=lambda out: out.name.lower() == "returnvalue")
    content = "".join(_element(out, "p:", "cim:") for out in ordered)
    name = f"p:{method}_OUTPUT"
    return f'<{name} {_TYPES} xmlns:p="{escape(uri)}" xmlns:cim="{names.CIM}">{content}</{name}>'


def _sorted(properties: Iterable[Out]) -> list[Out]:
    return sorted(properties, key=lambda out: out.name.lower())


def _element(out: Out, prefix: str, cim: str) -> str:
    name = f"{prefix}{out.name}"
    if out.is_array or isinstance(out.value, list):
        # An array without elements, null or empty, is no element at all.
        items = out.value if isinstance(out.value, list) else []
        return "".join(f"<{name}>{_text(item, cim)}</{name}>" for item in items)
    if out.value is None:
        return f'<{name} xsi:nil="true"/>'
    return f"<{name}>{_text(out.value, cim)}</{name}>"


def _text(value: object, cim: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"<{cim}Datetime>{xml_datetime(value)}</{cim}Datetime>"
    if isinstance(value, timedelta):
        return f"<{cim}Interval>{xml_interval(value)}</{cim}Interval>"
    return escape(str(value))
