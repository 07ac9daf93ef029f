# SPDX-License-Identifier: GPL-3.0-or-later
"""What WMI hands out: instances, rows, method results, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Scalar = None | bool | int | str | datetime | timedelta
Value = Scalar | list[Scalar]
Row = Mapping[str, Value]

ErrorKind = Literal[
    "invalid_namespace",
    "invalid_class",
    "not_found",
    "unexpected_keys",
    "insufficient_keys",
    "invalid_query",
    "access_denied",
    "invalid_method",
    "invalid_method_parameters",
    "invalid_parameter",
    "type_mismatch",
    "provider_failure",
    "provider_load_failure",
    "not_supported",
    "shutting_down",
    "failed",
]

# WBEM status codes (official: WMI error constants).
HRESULTS: Mapping[ErrorKind, int] = {
    "failed": 0x80041001,
    "not_found": 0x80041002,
    "unexpected_keys": 0x8004103A,
    "insufficient_keys": 0x8004103A,
    "access_denied": 0x80041003,
    "provider_failure": 0x80041004,
    "type_mismatch": 0x80041005,
    "invalid_parameter": 0x80041008,
    "not_supported": 0x8004100C,
    "invalid_namespace": 0x8004100E,
    "invalid_class": 0x80041010,
    "provider_load_failure": 0x80041013,
    "invalid_query": 0x80041017,
    "invalid_method": 0x8004102E,
    "invalid_method_parameters": 0x8004102F,
    "shutting_down": 0x80041033,
}

TEXTS: Mapping[ErrorKind, str] = {
    "failed": "Generic failure",
    "not_found": "Not found",
    "unexpected_keys": "Invalid object path",
    "insufficient_keys": "Invalid object path",
    "access_denied": "Access denied",
    "provider_failure": "Provider failure",
    "type_mismatch": "Type mismatch",
    "invalid_parameter": "Invalid parameter",
    "not_supported": "Not supported",
    "invalid_namespace": "Invalid namespace",
    "invalid_class": "Invalid class",
    "provider_load_failure": "Provider load failure",
    "invalid_query": "Invalid query",
    "invalid_method": "Invalid method",
    "invalid_method_parameters": "Invalid method Parameter(s)",
    "shutting_down": "Shutting down",
}


class WmiError(Exception):
    """A WMI call that failed, as the caller of WMI sees it.

    `duration` is how long the call takes before it fails, in seconds.
    """

    def __init__(self, kind: ErrorKind, text: str = "", hresult: int | None = None, duration: float = 0.0) -> None:
        self.kind: ErrorKind = kind
        self.text = text or TEXTS[kind]
        self.hresult = HRESULTS[kind] if hresult is None else hresult
        self.duration = duration
        super().__init__(f"{self.text} (0x{self.hresult:08X})")


@dataclass(frozen=True, slots=True)
class Out:
    """One property of an instance, or one output parameter of a method."""

    name: str
    cim_type: str
    value: Value
    is_array: bool = False


@dataclass(frozen=True)
class Instance:
    namespace: str
    class_name: str
    properties: list[Out]

    def __getitem__(self, name: str) -> Value:
        for out in self.properties:
            if out.name.lower() == name.lower():
                return out.value
        raise KeyError(name)


@dataclass(frozen=True)
class Rows:
    """The answer to a query. `projected` names the asked properties, or is None after ``SELECT *``."""

    instances: list[Instance]
    projected: list[str] | None = None
