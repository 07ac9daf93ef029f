# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fault a failed WMI call becomes."""

from __future__ import annotations

from typing import Literal

from ..windows.wmi import WmiError
from . import faults
from .settings import WsmanSettings

MISSING_CLASS = "The specified class does not exist in the given namespace. "
MISSING_NAMESPACE = "The specified namespace does not exist. "
MISSING_OBJECT = (
    "The WS-Management service cannot process the request. The WMI service or provider could not find the object. "
)
_ACCESS_DENIED = {"service": 2150859012, "provider": 2150859013, "connect": 2150859014}
INVALID_QUERY = "The WS-Management service cannot process the request. The WQL query is invalid. "


def fault_of(
    error: WmiError,
    operation: Literal["query", "get", "enumerate", "invoke"],
    namespace: str,
    wql: str,
    settings: WsmanSettings,
) -> faults.Fault:
    """Recorded: class missing in a query, instance missing. Reported: namespace missing. The rest is inferred."""
    kind = error.kind
    if operation == "query":
        if kind == "invalid_class":
            return faults.cannot_process_filter(MISSING_CLASS, namespace, wql)
        if kind == "invalid_query":
            return faults.cannot_process_filter(INVALID_QUERY, namespace, wql)
        if kind == "invalid_namespace":
            if settings.missing_namespace == "wmi_error":
                return faults.filter_without_namespace()
            return faults.cannot_process_filter(MISSING_NAMESPACE, namespace, wql)
    missing = {"invalid_class": MISSING_CLASS, "invalid_namespace": MISSING_NAMESPACE, "not_found": MISSING_OBJECT}
    if kind in missing:
        return faults.not_found(missing[kind])
    if kind == "access_denied":
        code = _ACCESS_DENIED.get(settings.access_denied)
        return faults.wmi_access_denied(code) if code else faults.access_denied()
    if kind == "invalid_method":
        return faults.action_not_supported("")
    if kind == "unexpected_keys":
        return faults.enumerate_with_keys() if operation == "enumerate" else faults.invalid_selectors(error.text + " ")
    if kind == "insufficient_keys":
        return faults.keys_needed()
    if kind in {"invalid_method_parameters", "type_mismatch"}:
        return faults.schema_validation(error.text + " ")
    if kind == "invalid_parameter":
        return faults.invalid_parameter()
    if kind == "not_supported":
        return faults.provider_not_capable()
    return faults.wmi_unknown(error.hresult)
