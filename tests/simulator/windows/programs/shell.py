# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds and starts programs, and plays cmd.exe where a command line has no program of its own."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import command_line, powershell, sc, schtasks, wmic
from .result import ProgramNotFound, ProgramResult

if TYPE_CHECKING:
    from ..world import World

Program = Callable[["World", str], ProgramResult]
"""Takes what stands behind its name on the command line."""
_SYSTEM32 = "c:\\windows\\system32"
_PATH = (_SYSTEM32, "c:\\windows", f"{_SYSTEM32}\\wbem", f"{_SYSTEM32}\\windowspowershell\\v1.0")


def _ccmeval(world: World, arguments: list[str]) -> ProgramResult:
    if world.client:
        world.journal.written("ccmeval")
        world.client.evaluate_health()
    return ProgramResult(0)


def _ccmrestart(world: World, arguments: list[str]) -> ProgramResult:
    if world.client:
        world.journal.written("ccmrestart")
        world.client.restart()
    return ProgramResult(0)


def _hostname(world: World, arguments: list[str]) -> ProgramResult:
    return ProgramResult(0, f"{world.spec.machine_name}\r\n")


def _whoami(world: World, arguments: list[str]) -> ProgramResult:
    return ProgramResult(0, f"{world.spec.domain.partition('.')[0].lower()}\\operator\r\n")


def _cmd(world: World, tail: str) -> ProgramResult:
    match = re.fullmatch(r"\s*(?:/[dsqua]\s+)*/c\s*(.*)", tail, re.IGNORECASE | re.DOTALL)
    return run_in_shell(world, _unwrapped(world, match[1])) if match else ProgramResult(0)


def _splitting(program: Callable[[World, list[str]], ProgramResult]) -> Program:
    """A program that splits its command line by the common rules; cmd.exe has its own."""
    return lambda world, tail: program(world, command_line.arguments(tail))


_PROGRAMS: dict[str, Program] = {
    f"{_SYSTEM32}\\sc.exe": _splitting(sc.run),
    f"{_SYSTEM32}\\cmd.exe": _cmd,
    f"{_SYSTEM32}\\schtasks.exe": _splitting(schtasks.run),
    f"{_SYSTEM32}\\hostname.exe": _splitting(_hostname),
    f"{_SYSTEM32}\\whoami.exe": _splitting(_whoami),
    f"{_SYSTEM32}\\wbem\\wmic.exe": _splitting(wmic.run),
    f"{_SYSTEM32}\\windowspowershell\\v1.0\\powershell.exe": _splitting(powershell.run),
    "c:\\windows\\ccm\\ccmeval.exe": _splitting(_ccmeval),
    "c:\\windows\\ccm\\ccmrestart.exe": _splitting(_ccmrestart),
}


def run_program(world: World, application: str | None, line: str) -> ProgramResult:
    """CreateProcess with an application, or cmd.exe where there is none."""
    if application is None:
        return run_in_shell(world, line)
    path = _expanded(world, application).strip('"').lower()
    program = _installed(world, path) if ntpath.isabs(path) else None
    if program is None:
        raise ProgramNotFound(application)
    words = command_line.split(line)
    named = bool(words) and _stem(words[0]) == _stem(path)
    return program(world, line[command_line.program_length(line) :] if named else line)


def create_process(world: World, line: str) -> ProgramResult:
    """CreateProcess without an application: the first word names it, looked up along PATH."""
    line = _expanded(world, line)
    words = command_line.split(line)
    program = _look_up(world, words[0]) if words else None
    if program is None:
        raise ProgramNotFound(words[0] if words else "")
    return program(world, line[command_line.program_length(line) :])


def run_in_shell(world: World, line: str) -> ProgramResult:
    """A line of cmd.exe, with the separators `&`, `&&` and `||`.

    Inferred: WinRM quotes the command that it hands to cmd.exe, so that the command's own quotes stay.
    """
    result = ProgramResult(0)
    for separator, part in _parts(_expanded(world, line.strip())):
        if (separator == "&&" and result.exit_code) or (separator == "||" and not result.exit_code):
            continue
        after = _run_command(world, part.strip())
        result = ProgramResult(
            after.exit_code,
            result.stdout + after.stdout,
            result.stderr + after.stderr,
            result.duration + after.duration,
        )
    return result


def _run_command(world: World, line: str) -> ProgramResult:
    words = command_line.split(line)
    if not words:
        return ProgramResult(0)
    name, rest = words[0].lower(), line[command_line.program_length(line) :]
    match name:
        case "exit":
            numbers = re.findall(r"-?\d+", rest)
            return ProgramResult(int(numbers[0]) if numbers else 0)
        case "echo":
            return ProgramResult(0, f"{rest.removeprefix(' ')}\r\n")
        case "ver":
            return ProgramResult(0, f"\r\nMicrosoft Windows [Version {world.spec.os.version}.1]\r\n")
        case "type":
            return _type(world, words[1:])
    program = _look_up(world, words[0])
    if program is None:
        text = f"'{words[0]}' is not recognized as an internal or external command,\r\noperable program or batch file."
        return ProgramResult(1, "", f"{text}\r\n")
    return program(world, rest)


def _type(world: World, names: list[str]) -> ProgramResult:
    file = world.files.find(names[0]) if names else None
    if file is None:
        return ProgramResult(1, "", "The system cannot find the file specified.\r\n")
    return ProgramResult(0, file.read(0, file.size).decode(errors="replace"))


def _unwrapped(world: World, line: str) -> str:
    """cmd.exe /c takes the first and the last quote away, unless just the name of a program is quoted (official)."""
    if not line.startswith('"') or line.count('"') < 2:
        return line
    inner, _, after = line[1:].rpartition('"')
    if '"' not in inner and _look_up(world, inner):
        return line
    return inner + after


def _parts(line: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    separator, start, at, quoted = "&", 0, 0, False
    while at < len(line):
        quoted ^= line[at] == '"'
        found = next((each for each in ("&&", "||", "&") if line.startswith(each, at)), "")
        if found and not quoted:
            parts.append((separator, line[start:at]))
            separator, at = found, at + len(found)
            start = at
        else:
            at += 1
    return [*parts, (separator, line[start:])]


def _look_up(world: World, name: str) -> Program | None:
    name = name.lower()
    if "\\" in name:
        return _installed(world, name)
    return next((found for folder in _PATH if (found := _installed(world, f"{folder}\\{name}"))), None)


def _installed(world: World, path: str) -> Program | None:
    path = path if path.endswith(".exe") else f"{path}.exe"
    if path.endswith("\\wmic.exe") and not world.variants.wmic:
        return None
    if path.endswith("\\powershell.exe") and not world.variants.powershell:
        return None
    if path.startswith("c:\\windows\\ccm\\") and world.client is None:
        return None
    return _PROGRAMS.get(path)


def _stem(path: str) -> str:
    return ntpath.basename(path).lower().removesuffix(".exe")


def _expanded(world: World, text: str) -> str:
    environment = {name.lower(): value for name, value in world.environment().items()}
    return re.sub(r"%(\w+)%", lambda match: environment.get(match[1].lower(), match[0]), text)
