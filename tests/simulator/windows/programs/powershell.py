# SPDX-License-Identifier: GPL-3.0-or-later
"""powershell.exe, for the few command lines that are sent to it. It is no interpreter, and says so to all others.

Known by their shape are calls of a WMI method (article), the registration of a task from XML, and two words with a
pause between them (recorded); known by its text is the script of transcripts/; and known by its input is what Ansible
runs a module of its own with.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from ..cim.model import WmiError
from ..scheduled_tasks import MalformedTask
from . import ansible_module, transcript
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_NOT_KNOWN = 120
"""ERROR_CALL_NOT_IMPLEMENTED: PowerShell itself ends with 1 where a script fails."""
_WORD = r"('(?:[^']|'')*'|[^\s'-][^\s']*)"
_SWITCHES = re.compile("^(?:-no[a-z]+ )*(?:-c(?:ommand)? )?", re.IGNORECASE)
_CALL = re.compile(
    f"(?:Invoke-WmiMethod|iwmi) -Namespace {_WORD} (?:-Class )?{_WORD} (?:-Name )?{_WORD} (?:-ArgumentList )?{_WORD}",
    re.IGNORECASE,
)
_REGISTER = re.compile(
    f"Register-ScheduledTask -Force -TaskName {_WORD} -TaskPath {_WORD} -Xml {_WORD} -ErrorAction Stop", re.IGNORECASE
)
_ENCODED = re.compile(r"-EncodedCommand (\S+)", re.IGNORECASE)
_PAUSE = re.compile(r"Write-Host (\w+); Start-Sleep (\d+); Write-Host ([\w ]+)", re.IGNORECASE)


def reads_input(line: str) -> bool:
    """Whether its script asks for its standard input."""
    found = _ENCODED.search(line)
    return found is not None and "$input" in base64.b64decode(found[1]).decode("utf-16-le")


def run(world: World, arguments: list[str], stdin: str) -> ProgramResult:
    """PowerShell joins its arguments with blanks; the double quotes around them are gone by then."""
    world.takes(world.spec.powershell_start.total_seconds())
    if stdin and (answer := ansible_module.answer(world, stdin)):
        return ProgramResult(0, f"{answer}\r\n")
    script = _SWITCHES.sub("", " ".join(arguments)).strip()
    if found := _CALL.fullmatch(script):
        return _call(world, *map(_value, found.groups()))
    if found := _REGISTER.fullmatch(script):
        return _register(world, *map(_value, found.groups()))
    if found := _PAUSE.fullmatch(script):
        # Lines end with LF (recorded).
        return ProgramResult(0, f"{found[3]}\n", "", float(found[2]), ((0.0, f"{found[1]}\n"),))
    return transcript.run(world, script) or _refusal(
        f"The simulated powershell.exe does not know this script (see programs/powershell.py): {script[:200]}",
        _NOT_KNOWN,
    )


def _value(word: str) -> str:
    if word.startswith("'"):
        return word[1:-1].replace("''", "'")
    return {"$true": "true", "$false": "false"}.get(word.lower(), word)


def _call(world: World, namespace: str, class_name: str, method: str, argument: str) -> ProgramResult:
    try:
        results = world.call_locally(namespace.replace("\\", "/"), class_name, method, [argument])
    except WmiError as error:
        return _refusal(f"Invoke-WmiMethod : {error.text} ", 1, error.duration)
    rows = {**results, "PSComputerName": world.spec.machine_name.upper()}
    body = "".join(f"{name:<16} : {'' if value is None else value}\r\n" for name, value in rows.items())
    return ProgramResult(0, f"\r\n\r\n{body}\r\n\r\n\r\n")


def _register(world: World, name: str, path: str, xml: str) -> ProgramResult:
    """The text is parsed as what it is in memory, whatever its declaration says."""
    world.journal.written("powershell.Register-ScheduledTask", path + name)
    if not world.access.is_administrator:
        return _refusal("Register-ScheduledTask : Access is denied.", 1)
    try:
        task = world.scheduled_tasks.register(path, name, xml)
    except MalformedTask as error:
        return _refusal(f"Register-ScheduledTask : The task XML is malformed. {error}", 1)
    return ProgramResult(0, f"\r\nTaskPath    TaskName    State\r\n{task.path}    {task.name}    Ready\r\n\r\n")


def _refusal(text: str, code: int, duration: float = 0.0) -> ProgramResult:
    return ProgramResult(code, "", f"{text}\r\n", duration)
