# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's PowerShell modules, as far as its own plugin sends them: what two of them answer about registry values.

No PowerShell runs here. The input of Ansible's wrapper names the module and its arguments (read in ansible-core 2.19);
the answers have the shape that win_reg_stat and win_powershell of ansible.windows 3.3 write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..registry import Key

if TYPE_CHECKING:
    from ..world import World

_BETWEEN_MANIFESTS = "\n\0\0\0\0\n"
_REG_STAT, _POWERSHELL = "ansible.windows.win_reg_stat", "ansible.windows.win_powershell"
_READ = re.compile(r"Get-ItemPropertyValue -LiteralPath '([^']+)' -Name ('[^']+'(?:, '[^']+')*)")


def answer(world: World, stdin: str) -> str | None:
    """One line of JSON; None for anything but these modules with what they are known to be asked."""
    _wrapper, separator, manifest = stdin.partition(_BETWEEN_MANIFESTS)
    if not separator:
        return None
    variables = json.loads(manifest)["actions"][-1]["params"].get("Variables", ())
    arguments = next((each["Value"] for each in variables if each["Name"] == "complex_args"), None)
    if arguments is None:  # a script of a connection plugin, such as one that puts a file
        return None
    name = arguments["_ansible_module_name"]
    if name == _REG_STAT:
        result = _reg_stat(world, arguments["path"], arguments["name"])
    elif name == _POWERSHELL and (read := _READ.fullmatch(arguments["script"].strip())):
        result = _powershell(world, read[1], re.findall("'([^']+)'", read[2]), arguments)
    else:
        return None
    return json.dumps(result, separators=(",", ":"))


def _reg_stat(world: World, path: str, name: str) -> dict[str, Any]:
    key = _key(world, path)
    value = key.value(name) if key else None
    if value is None:
        return {"changed": False, "exists": False}
    shown = {"value": value.data, "raw_value": value.data, "type": f"REG_{value.type.name}"}
    return {"changed": False, "exists": True, **shown}


def _powershell(world: World, path: str, names: list[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    key = _key(world, path)
    values = [key.value(name) for name in names] if key else []
    given = {each: value for each, value in arguments.items() if not each.startswith("_ansible_")}
    return {
        "changed": True,
        "result": {},
        "host_out": "",
        "host_err": "",
        "output": [value.data for value in values if value is not None],
        **{stream: [] for stream in ("error", "warning", "verbose", "debug", "information")},
        "failed": False,
        "invocation": {"module_args": given},
    }


def _key(world: World, path: str) -> Key | None:
    """By the path of PowerShell's registry provider."""
    return world.registry.key(path.replace(":\\", "\\", 1))
