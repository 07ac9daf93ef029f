# SPDX-License-Identifier: GPL-3.0-or-later
"""powershell.exe, just enough for one-liners that call a WMI method, and for scripts that read files.

``Invoke-WmiMethod -Namespace "root\\ccm" -Class "SMS_Client" -Name "SetClientProvisioningMode" $false`` (article), its
Invoke-CimMethod form, the same for TriggerSchedule, and Register-ScheduledTask with -Xml; anything else goes to the
interpreter in script.py.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..cim.model import Value, WmiError
from ..scheduled_tasks import MalformedTask
from . import script
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_FLAGS = ("noprofile", "noninteractive", "nologo", "mta", "sta", "noexit")
_WITH_VALUE = ("executionpolicy", "windowstyle", "version", "inputformat", "outputformat", "configurationname")
_TOKEN = re.compile(r"""\s+|"(?P<double>(?:[^"`]|`.)*)"|'(?P<single>[^']*)'|(?P<hash>@\{[^}]*\})|(?P<bare>[^\s"']+)""")
_ALIASES = {"iwmi": "invoke-wmimethod", "icim": "invoke-cimmethod"}
_SWITCHES = ("force",)
_COMMON = ("erroraction", "ea", "warningaction", "outvariable", "computername", "verbose", "confirm")
_PARAMETERS = {
    "invoke-wmimethod": {"namespace": "namespace", "class": "class", "name": "method", "argumentlist": "arguments"},
    "invoke-cimmethod": {
        "namespace": "namespace",
        "classname": "class",
        "class": "class",
        "methodname": "method",
        "name": "method",
        "arguments": "arguments",
    },
    "register-scheduledtask": {"taskname": "task", "taskpath": "path", "xml": "xml", "force": "force"},
}


class _ScriptError(Exception):
    pass


def run(world: World, arguments: list[str], stdin: str = "") -> ProgramResult:
    try:
        text = stdin if arguments[-1:] == ["-"] else _script(arguments)
        if text.lstrip("& ").partition(" ")[0].lower() not in {*_PARAMETERS, *_ALIASES}:
            return script.run(world, text)
        cmdlet, parameters = _parse(text)
        return _invoke(world, cmdlet, parameters)
    except _ScriptError as error:
        return ProgramResult(1, "", f"{error}\r\n")


def _script(arguments: list[str]) -> str:
    """The command text. PowerShell joins the arguments that are left with blanks; quotes are gone by then."""
    rest = list(arguments)
    while rest and rest[0][:1] in "-/":
        name = rest.pop(0)[1:].lower()
        if (name and "encodedcommand".startswith(name)) or name in ("ec", "e"):
            return _decoded(rest)
        if name and "command".startswith(name):
            break
        if any(flag.startswith(name) for flag in _FLAGS):
            continue
        if any(flag.startswith(name) for flag in _WITH_VALUE) or name == "ep":
            rest = rest[1:]
            continue
        raise _ScriptError(f"The parameter -{name} is not known to the simulated powershell.exe")
    if not rest:
        raise _ScriptError("The simulated powershell.exe needs a command")
    return " ".join(rest)


def _decoded(rest: list[str]) -> str:
    try:
        return base64.b64decode(rest[0], validate=True).decode("utf-16-le")
    except (IndexError, binascii.Error, UnicodeDecodeError):
        raise _ScriptError("Cannot process the command because the value of -EncodedCommand is not valid") from None


def _parse(script: str) -> tuple[str, dict[str, str]]:
    words = _words(script.strip().removesuffix(";").removeprefix("& "))
    cmdlet = _ALIASES.get(words[0].lower(), words[0].lower()) if words else ""
    if cmdlet not in _PARAMETERS:
        name = words[0] if words else script
        raise _ScriptError(f"{name} : The term '{name}' is not recognized as the name of a cmdlet here.")
    known = _PARAMETERS[cmdlet]
    found: dict[str, str] = {}
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            free = [role for role in ("class", "method", "arguments") if role not in found]
            if not free:
                raise _ScriptError(f"A positional parameter cannot be found that accepts argument '{word}'.")
            found[free[0]] = word
            continue
        name, separator, value = word[1:].lower().partition(":")
        matches = {role for parameter, role in known.items() if parameter.startswith(name)}
        if separator:
            rest.insert(0, value)
        if name in _SWITCHES:
            found[name] = "true"
        elif name in _COMMON:
            rest = rest[1:]
        elif name in known or len(matches) == 1:
            if not rest:
                raise _ScriptError(f"Missing an argument for parameter '{name}'.")
            found[known.get(name) or matches.pop()] = rest.pop(0)
        else:
            raise _ScriptError(f"A parameter cannot be found that matches parameter name '{name}'.")
    return cmdlet, found


def _words(script: str) -> list[str]:
    words, at = [], 0
    while at < len(script):
        match = _TOKEN.match(script, at)
        if not match:
            raise _ScriptError("The string is missing the terminator.")
        at = match.end()
        if match.lastgroup == "double":
            words.append(re.sub(r"`(.)", r"\1", match["double"]))
        elif match.lastgroup:
            words.append(match[match.lastgroup])
    return words


def _register(world: World, parameters: Mapping[str, str]) -> ProgramResult:
    """The text is parsed as what it is in memory, whatever its declaration says."""
    path, name = parameters.get("path", "\\"), parameters.get("task", "")
    world.journal.written("powershell.Register-ScheduledTask", path + name)
    if not world.access.is_administrator:
        raise _ScriptError("Register-ScheduledTask : Access is denied.")
    if world.scheduled_tasks.find(path, name) and "force" not in parameters:
        raise _ScriptError("Register-ScheduledTask : Cannot create a file when that file already exists.")
    try:
        task = world.scheduled_tasks.register(path, name, parameters.get("xml", ""))
    except MalformedTask as error:
        raise _ScriptError(f"Register-ScheduledTask : The task XML is malformed. {error}") from None
    return ProgramResult(0, f"\r\nTaskPath    TaskName    State\r\n{task.path}    {task.name}    Ready\r\n\r\n")


def _invoke(world: World, cmdlet: str, parameters: Mapping[str, str]) -> ProgramResult:
    if cmdlet == "register-scheduledtask":
        return _register(world, parameters)
    if "class" not in parameters or "method" not in parameters:
        raise _ScriptError("Cannot process command because of one or more missing mandatory parameters.")
    namespace = parameters.get("namespace", "root\\cimv2").replace("\\", "/")
    values = _values(parameters.get("arguments", ""), cmdlet)
    try:
        results = world.call_locally(namespace, parameters["class"], parameters["method"], values)
    except WmiError as error:
        name = "Invoke-WmiMethod" if cmdlet == "invoke-wmimethod" else "Invoke-CimMethod"
        return ProgramResult(1, "", f"{name} : {error.text} \r\n", error.duration)
    server = world.spec.netbios_name
    if cmdlet == "invoke-wmimethod":
        return ProgramResult(0, _wmi_object(results, parameters.get("namespace", "root\\cimv2"), server))
    return ProgramResult(0, _cim_object(results))


def _values(text: str, cmdlet: str) -> dict[str, str] | list[str]:
    if text.startswith("@{"):
        pairs = (pair.partition("=") for pair in text[2:-1].split(";") if pair.strip())
        return {name.strip().strip("'\""): _scalar(value) for name, _, value in pairs}
    if cmdlet == "invoke-cimmethod" and text:
        raise _ScriptError("Cannot bind parameter 'Arguments': a dictionary is needed.")
    text = text.removeprefix("@(").removesuffix(")")
    return [_scalar(part) for part in text.split(",")] if text else []


def _scalar(text: str) -> str:
    text = text.strip().strip("'\"")
    return {"$true": "true", "$false": "false", "$null": ""}.get(text.lower(), text)


def _wmi_object(results: Mapping[str, Value], namespace: str, server: str) -> str:
    space = "ROOT" + namespace[4:] if namespace.lower().startswith("root") else namespace
    rows = {
        "__GENUS": "1",
        "__CLASS": "__PARAMETERS",
        "__SUPERCLASS": "",
        "__DYNASTY": "__PARAMETERS",
        "__RELPATH": "__PARAMETERS",
        "__PROPERTY_COUNT": str(len(results) or 1),
        "__DERIVATION": "{}",
        "__SERVER": server,
        "__NAMESPACE": space,
        "__PATH": f"\\\\{server}\\{space}:__PARAMETERS",
        **{name: _shown(value) for name, value in (results or {"ReturnValue": None}).items()},
        "PSComputerName": server,
    }
    width = max(len(name) for name in rows)
    body = "".join(f"{name:<{width}} : {value}\r\n" for name, value in rows.items())
    return f"\r\n\r\n{body}\r\n\r\n\r\n"


def _cim_object(results: Mapping[str, Value]) -> str:
    names = [*results, "PSComputerName"]
    cells = [*(_shown(value) for value in results.values()), ""]
    widths = [max(len(name), len(cell)) for name, cell in zip(names, cells, strict=True)]
    rows = (names, ["-" * len(name) for name in names], cells)
    lines = (" ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n\r\n"


def _shown(value: Value) -> str:
    return "" if value is None else str(value)
