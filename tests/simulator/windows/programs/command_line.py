# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows command lines are one text; each program splits it for itself, nearly all of them by the same rules."""

from __future__ import annotations


def split(command_line: str) -> list[str]:
    """As CommandLineToArgvW does (official docs).

    The program's name ends at the next white space, or at the next quote where it starts with one; backslashes mean
    nothing in it. After it, 2n backslashes before a quote are n backslashes and the quote delimits; 2n+1 are n
    backslashes and a literal quote; two quotes inside a quoted part are one.
    """
    if not command_line:
        return []
    program, at = _program(command_line)
    return [program, *arguments(command_line[at:])]


def program_length(command_line: str) -> int:
    """How many characters of the command line name the program."""
    return _program(command_line)[1]


def _program(line: str) -> tuple[str, int]:
    if line.startswith('"'):
        end = line.find('"', 1)
        return (line[1:], len(line)) if end < 0 else (line[1:end], end + 1)
    end = next((at for at, character in enumerate(line) if character in " \t"), len(line))
    return line[:end], end


def arguments(line: str) -> list[str]:
    """Splits what stands behind the program's name."""
    found: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at] in " \t":
            at += 1
        if at >= len(line):
            return found
        argument, at = _argument(line, at)
        found.append(argument)


def _argument(line: str, at: int) -> tuple[str, int]:
    text: list[str] = []
    quoted = False
    while at < len(line) and (quoted or line[at] not in " \t"):
        backslashes = 0
        while at < len(line) and line[at] == "\\":
            backslashes += 1
            at += 1
        if at >= len(line) or line[at] != '"':
            text.append("\\" * backslashes)
            if at < len(line) and (quoted or line[at] not in " \t"):
                text.append(line[at])
                at += 1
            continue
        text.append("\\" * (backslashes // 2))
        if backslashes % 2:
            text.append('"')
        elif quoted and line[at + 1 : at + 2] == '"':
            text.append('"')
            at += 1
        else:
            quoted = not quoted
        at += 1
    return "".join(text), at
