# SPDX-License-Identifier: GPL-3.0-or-later
"""reg.exe query: one key or one value of it (official docs; layout and spelling of numbers from public samples)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry import RegType, RegValue
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_HIVES = {
    "hklm": ("HKLM", "HKEY_LOCAL_MACHINE"),
    "hkey_local_machine": ("HKLM", "HKEY_LOCAL_MACHINE"),
    "hku": ("HKU", "HKEY_USERS"),
    "hkey_users": ("HKU", "HKEY_USERS"),
}


def run(world: World, arguments: list[str]) -> ProgramResult:
    if len(arguments) < 2 or arguments[0].lower() != "query":
        return _error("Invalid syntax.")
    path, options = arguments[1], arguments[2:]
    if options and (len(options) != 2 or options[0].lower() != "/v"):
        return _error("The simulated reg.exe knows no switch but /v.")
    hive, _, rest = path.partition("\\")
    if hive.lower() not in _HIVES:
        return _error("Invalid key name.")
    short, full = _HIVES[hive.lower()]
    key = world.registry.key(f"{short}\\{rest}")
    values = [] if key is None else [(name, value) for name, value in key.values() if _asked_for(name, options)]
    if key is None or (options and not values):
        return _error("The system was unable to find the specified registry key or value.")
    lines = "".join(f"    {name}    REG_{value.type.name}    {_shown(value)}\r\n" for name, value in values)
    return ProgramResult(0, f"\r\n{full}\\{rest}\r\n{lines}\r\n")


def _asked_for(name: str, options: list[str]) -> bool:
    return not options or name.lower() == options[1].lower()


def _shown(value: RegValue) -> str:
    data = value.data
    if value.type in (RegType.DWORD, RegType.QWORD) and isinstance(data, int):
        return f"{data:#x}"
    if isinstance(data, bytes):
        return data.hex().upper()
    return "\\0".join(data) if isinstance(data, tuple) else str(data)


def _error(text: str) -> ProgramResult:
    return ProgramResult(1, "", f"ERROR: {text}\r\n")
