# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds and starts programs, and plays cmd.exe where a command line has no program of its own."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import cmd, command_line, powershell, reg, sc, schtasks, tasklist, text_filters, wmic
from .result import ProgramNotFound, ProgramResult

if TYPE_CHECKING:
    from ..world import World

Program = Callable[["World", str, str], ProgramResult]
"""Takes what stands behind its name on the command line, and what it can read from its standard input."""
_SYSTEM32 = "c:\\windows\\system32"
_PATH = (_SYSTEM32, "c:\\windows", f"{_SYSTEM32}\\wbem", f"{_SYSTEM32}\\windowspowershell\\v1.0")


def _ccmeval(world: World, arguments: list[str]) -> ProgramResult:
    if world.client:
        world.journal.written("ccmeval")
        world.client.evaluate_health()
    return ProgramResult(0)


def _hostname(world: World, arguments: list[str]) -> ProgramResult:
    return ProgramResult(0, f"{world.spec.machine_name}\r\n")


def _cmd(world: World, tail: str, stdin: str) -> ProgramResult:
    match = re.fullmatch(r"\s*(?:/[dsqua]\s+)*/c\s*(.*)", tail, re.IGNORECASE | re.DOTALL)
    return run_in_shell(world, _unwrapped(world, match[1]), stdin) if match else ProgramResult(0)


def _powershell(world: World, tail: str, stdin: str) -> ProgramResult:
    return powershell.run(world, command_line.arguments(tail), stdin)


def _splitting(program: Callable[[World, list[str]], ProgramResult]) -> Program:
    """A program that splits its command line by the common rules; cmd.exe has its own."""
    return lambda world, tail, stdin: program(world, command_line.arguments(tail))


def _filtering(program: Callable[[str, str], ProgramResult]) -> Program:
    return lambda world, tail, stdin: program(tail, stdin)


_READ_INPUT = ("find", "findstr", "sort")
_PROGRAMS: dict[str, Program] = {
    f"{_SYSTEM32}\\sc.exe": _splitting(sc.run),
    f"{_SYSTEM32}\\cmd.exe": _cmd,
    f"{_SYSTEM32}\\schtasks.exe": _splitting(schtasks.run),
    f"{_SYSTEM32}\\reg.exe": _splitting(reg.run),
    f"{_SYSTEM32}\\tasklist.exe": _splitting(tasklist.run),
    f"{_SYSTEM32}\\find.exe": _filtering(text_filters.find),
    f"{_SYSTEM32}\\findstr.exe": _filtering(text_filters.findstr),
    f"{_SYSTEM32}\\sort.exe": _filtering(text_filters.sort),
    f"{_SYSTEM32}\\hostname.exe": _splitting(_hostname),
    f"{_SYSTEM32}\\wbem\\wmic.exe": _splitting(wmic.run),
    f"{_SYSTEM32}\\windowspowershell\\v1.0\\powershell.exe": _powershell,
    "c:\\windows\\ccm\\ccmeval.exe": _splitting(_ccmeval),
}


def reads_input(world: World, application: str | None, line: str) -> bool:
    """Whether the first program of the command line reads its standard input, and so waits until that ends."""
    if application is not None and _find_application(world, application) is None:
        return False
    words = command_line.split(line.lstrip('" ').replace('"', " "))
    name = _stem(words[0]) if words else ""
    return name in _READ_INPUT or (name == "powershell" and powershell.reads_input(line))


def run_program(world: World, application: str | None, line: str, stdin: str = "") -> ProgramResult:
    """CreateProcess with an application, or cmd.exe where there is none."""
    if application is None:
        return run_in_shell(world, line, stdin)
    program = _find_application(world, application)
    if program is None:
        raise ProgramNotFound(application)
    words = command_line.split(line)
    named = bool(words) and _stem(words[0]) == _stem(application.strip('"'))
    return program(world, line[command_line.program_length(line) :] if named else line, stdin)


def _find_application(world: World, application: str) -> Program | None:
    path = _expanded(world, application).strip('"').lower()
    return _installed(world, path) if ntpath.isabs(path) else None


def create_process(world: World, line: str) -> ProgramResult:
    """CreateProcess without an application: the first word names it, looked up along PATH."""
    line = _expanded(world, line)
    words = command_line.split(line)
    program = _look_up(world, words[0]) if words else None
    if program is None:
        raise ProgramNotFound(words[0] if words else "")
    return program(world, line[command_line.program_length(line) :], "")


def run_in_shell(world: World, line: str, stdin: str = "") -> ProgramResult:
    """A line of cmd.exe.

    Inferred: WinRM quotes the command that it hands to cmd.exe, so that the command's own quotes stay.
    """
    return cmd.run(_expanded(world, line.strip()), lambda part, piped: _run_command(world, part, piped), stdin)


def _run_command(world: World, line: str, stdin: str) -> ProgramResult:
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
        case "cd":
            return _change_directory(words[1:])
    program = _look_up(world, words[0])
    if program is None:
        text = f"'{words[0]}' is not recognized as an internal or external command,\r\noperable program or batch file."
        return ProgramResult(1, "", f"{text}\r\n")
    return program(world, rest, stdin)


def _change_directory(words: list[str]) -> ProgramResult:
    """Everything here starts in system32 and can only go there."""
    if words[-1:] and words[-1].lower() == _SYSTEM32 and [word.lower() for word in words[:-1]] in ([], ["/d"]):
        return ProgramResult(0)
    return ProgramResult(1, "", "The system cannot find the path specified.\r\n")


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


def _look_up(world: World, name: str) -> Program | None:
    name = name.lower()
    if "\\" in name:
        return _installed(world, ntpath.join(_SYSTEM32, name))
    return next((found for folder in _PATH if (found := _installed(world, f"{folder}\\{name}"))), None)


def program_files(world: World) -> list[str]:
    """Paths of the programs that are installed."""
    return [path for path in _PROGRAMS if _installed(world, path)]


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
