# SPDX-License-Identifier: GPL-3.0-or-later
"""find.exe, findstr.exe and sort.exe on what is piped into them.

The first two end with 0: found, 1: not found, 2: a wrong command line.

Official docs. Of findstr.exe only the literal search (/l) is simulated: blanks separate the strings to look for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import command_line
from .result import ProgramResult


def find(tail: str, stdin: str) -> ProgramResult:
    """The text must be quoted: find.exe reads its command line itself."""
    match = re.fullmatch(r'\s*((?:/[ivn]\s+)*)"([^"]*)"\s*', tail, re.IGNORECASE)
    if not match:
        return ProgramResult(2, "", "FIND: Parameter format not correct\r\n")
    switches = match[1].lower().split()
    return _matching(stdin, [match[2]], ignore_case="/i" in switches, inverted="/v" in switches)


def findstr(tail: str, stdin: str) -> ProgramResult:
    words = command_line.arguments(tail)
    switches = [word.lower() for word in words if word.startswith("/")]
    texts = [word for word in words if not word.startswith("/")]
    if len(texts) != 1 or "/l" not in switches or set(switches) - {"/l", "/i", "/v"}:
        return ProgramResult(2, "", "FINDSTR: the simulated program takes /l, /i, /v and one text\r\n")
    return _matching(stdin, texts[0].split(" "), ignore_case="/i" in switches, inverted="/v" in switches)


def sort(tail: str, stdin: str) -> ProgramResult:
    if tail.strip():
        return ProgramResult(1, "", "The simulated sort.exe takes no arguments\r\n")
    return ProgramResult(0, "".join(f"{line}\r\n" for line in sorted(stdin.splitlines(), key=str.lower)))


def _matching(stdin: str, texts: Iterable[str], *, ignore_case: bool, inverted: bool) -> ProgramResult:
    wanted = [text.lower() if ignore_case else text for text in texts]
    lines = [
        line
        for line in stdin.splitlines()
        if any(text in (line.lower() if ignore_case else line) for text in wanted) != inverted
    ]
    return ProgramResult(0 if lines else 1, "".join(f"{line}\r\n" for line in lines))
