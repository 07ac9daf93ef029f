# SPDX-License-Identifier: GPL-3.0-or-later
"""One call as people name it: for traffic records, planted faults and triggers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import names
from .request import Request

NAMESPACE_SELECTOR = "__cimnamespace"
_FROM = re.compile(r"\bfrom\s+([A-Za-z_]\w*)", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    operation: str
    resource: str = ""
    namespace: str = ""
    class_name: str = ""
    method: str = ""
    detail: str = ""
    values: tuple[str, ...] = ()

    def continued(self, operation: str) -> Call:
        """What a Pull or a Receive continues, under the name of that operation."""
        return Call(operation, self.resource, self.namespace, self.class_name, self.method, self.detail, self.values)


def describe(request: Request) -> Call:
    """Names a request. What it continues is known to who keeps enumerations and shells, not here."""
    operation = names.OPERATIONS.get(request.action, "Invoke")
    namespace, class_name = wmi_class(request.resource_uri) or ("", "")
    namespace = namespace or selected_namespace(request)
    values = tuple(request.selectors.values())
    detail = ", ".join(f"{name}={value}" for name, value in request.selectors.items())
    method = ""
    body = request.body
    if operation == "Invoke":
        method = request.action.rpartition("/")[2]
        arguments = [("".join(child.itertext()), child.tag.rpartition("}")[2]) for child in body or ()]
        values += tuple(text for text, _ in arguments)
        detail = ", ".join(filter(None, [detail, *(f"{name}={text}" for text, name in arguments)]))
    elif operation == "Enumerate" and body is not None:
        wql = (body.findtext(f"{{{names.WSMAN}}}Filter") or "").strip()
        found = _FROM.search(wql)
        if found:
            class_name, detail = found[1], wql
    elif operation == "Command" and body is not None:
        detail = " ".join("".join(part.itertext()) for part in body)
        values = (detail,)
    return Call(operation, request.resource_uri, namespace, class_name, method, detail, values)


def selected_namespace(request: Request) -> str:
    """What the selector says that a DMTF URI needs; empty where there is none."""
    return request.selector(NAMESPACE_SELECTOR).replace("\\", "/").strip("/")


def is_dmtf(uri: str) -> bool:
    return uri.lower().startswith(names.CIM_SCHEMA)


def wmi_class(uri: str) -> tuple[str, str] | None:
    """The namespace and class of a WMI resource URI; URIs are compared without regard to case (specified).

    A DMTF URI has no namespace: a selector names it.
    """
    uri = uri.partition("?")[0]
    if is_dmtf(uri):
        return "", uri[len(names.CIM_SCHEMA) :]
    if not uri.lower().startswith(names.WMI_ROOT):
        return None
    namespace, _, class_name = uri[len(names.WMI_ROOT) :].rpartition("/")
    return namespace, class_name
