# SPDX-License-Identifier: GPL-3.0-or-later
"""wmic.exe: method calls in the form that the article uses.

``/namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode "False" /NOINTERACTIVE``. Output as the
community shows it, with the carriage return too many that WMIC writes into pipes. A failed call's exit code is the
HRESULT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..cim.model import Value, WmiError
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_NEWLINE = "\r\r\n"
_INVALID_ALIAS, _INVALID_VERB = 44135, 44125


def run(world: World, arguments: list[str]) -> ProgramResult:
    switches = [argument for argument in arguments if argument.startswith("/")]
    words = [argument for argument in arguments if not argument.startswith("/")]
    namespace = "root/cimv2"
    for switch in switches:
        if switch.lower().startswith("/namespace:"):
            namespace = switch[len("/namespace:") :].replace("\\", "/").strip("/")
    if len(words) < 2 or words[0].lower() not in ("path", "class"):
        return _refusal(_INVALID_ALIAS, f"{words[0] if words else ''} - Alias not found.")
    if len(words) < 4 or words[2].lower() != "call":
        return _refusal(_INVALID_VERB, f"{words[2] if len(words) > 2 else ''} - Invalid verb.")
    class_name, method = words[1].removesuffix("=@"), words[3]
    values = [part for word in words[4:] for part in word.split(",") if part] if len(words) > 4 else []
    try:
        results = world.call_locally(namespace, class_name, method, values)
    except WmiError as error:
        text = f"ERROR:{_NEWLINE}Description = {error.text}{_NEWLINE}"
        return ProgramResult(_signed(error.hresult), "", text, error.duration)
    head = f"Executing ({class_name})->{method}(){_NEWLINE}Method execution successful.{_NEWLINE}"
    return ProgramResult(0, f"{head}Out Parameters:{_NEWLINE}{_instance(results)}{_NEWLINE}")


def _instance(results: Mapping[str, Value]) -> str:
    rows = [f"\t{name} = {_literal(value)};" for name, value in results.items() if value is not None]
    return _NEWLINE.join(["instance of __PARAMETERS", "{", *rows, "};", ""])


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _refusal(code: int, text: str) -> ProgramResult:
    return ProgramResult(code, "", f"{text}{_NEWLINE}")


def _signed(hresult: int) -> int:
    """Exit codes travel as signed 32-bit numbers."""
    return hresult - (1 << 32) if hresult >= 1 << 31 else hresult
