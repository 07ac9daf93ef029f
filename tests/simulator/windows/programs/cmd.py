# SPDX-License-Identifier: GPL-3.0-or-later
"""How cmd.exe reads a line: `&`, `||`, `&&` and `|`, in this order from loose to tight, quotes, and parentheses.

Official docs for the operators. That a parenthesis opens a group only where a command may start, and closes one only
inside a group, is how batch authors describe it. Carets and redirections are not read.
"""

from __future__ import annotations

from collections.abc import Callable

from .result import ProgramResult

Command = Callable[[str, str], ProgramResult]
"""Runs one command; the second text is what it reads from its standard input."""
_OPERATORS = ("&&", "||", "&", "|")
_SYNTAX_ERROR = ProgramResult(1, "", "The syntax of the command is incorrect.\r\n")


def run(line: str, command: Command, stdin: str = "") -> ProgramResult:
    """The result of the line: everything that was printed, and the last exit code."""
    return _sequence(line, command, stdin)


def _sequence(line: str, command: Command, stdin: str) -> ProgramResult:
    return _chain(line, "&", lambda result: True, lambda part: _alternatives(part, command, stdin))


def _alternatives(line: str, command: Command, stdin: str) -> ProgramResult:
    return _chain(line, "||", lambda result: result.exit_code != 0, lambda part: _conjunction(part, command, stdin))


def _conjunction(line: str, command: Command, stdin: str) -> ProgramResult:
    return _chain(line, "&&", lambda result: result.exit_code == 0, lambda part: _pipe(part, command, stdin))


def _chain(
    line: str, operator: str, goes_on: Callable[[ProgramResult], bool], run_part: Callable[[str], ProgramResult]
) -> ProgramResult:
    first, *others = _split(line, operator)
    result = run_part(first)
    for part in others:
        if not goes_on(result):
            break
        result = _followed(result, run_part(part))
    return result


def _followed(first: ProgramResult, second: ProgramResult) -> ProgramResult:
    """What the first printed at its end comes before the second one takes its time."""
    earlier, stdout = first.earlier, first.stdout
    if second.duration:
        earlier = (*earlier, (first.duration, stdout), *_later(second.earlier, first.duration))
        stdout = ""
    return ProgramResult(
        second.exit_code,
        stdout + second.stdout,
        first.stderr + second.stderr,
        first.duration + second.duration,
        earlier,
    )


def _later(printed: tuple[tuple[float, str], ...], by: float) -> tuple[tuple[float, str], ...]:
    return tuple((moment + by, text) for moment, text in printed)


def _pipe(line: str, command: Command, stdin: str) -> ProgramResult:
    """Only the last program's exit code is seen, whatever became of those before it."""
    errors, duration, result = "", 0.0, ProgramResult(0, stdin)
    for part in _split(line, "|"):
        result = _single(part, command, result.printed)
        errors += result.stderr
        duration += result.duration
    earlier = _later(result.earlier, duration - result.duration)
    return ProgramResult(result.exit_code, result.stdout, errors, duration, earlier)


def _single(line: str, command: Command, stdin: str) -> ProgramResult:
    line = line.strip()
    if line.startswith("("):
        return _sequence(line[1:-1], command, stdin) if line.endswith(")") else _SYNTAX_ERROR
    return command(line, stdin)


def _split(line: str, operator: str) -> list[str]:
    """At the operator where it stands outside of quotes and groups."""
    if operator not in line:  # as in the long lines that encoded scripts are
        return [line]
    parts: list[str] = []
    start = at = depth = 0
    quoted, may_start = False, True
    while at < len(line):
        character = line[at]
        if character == '"':
            quoted = not quoted
        found = "" if quoted else next((each for each in _OPERATORS if line.startswith(each, at)), "")
        if found:
            if found == operator and not depth:
                parts.append(line[start:at])
                start = at + len(found)
            at += len(found)
            may_start = True
            continue
        if not quoted and character == "(" and may_start:
            depth += 1
        elif not quoted and character == ")" and depth:
            depth -= 1
        elif not character.isspace():
            may_start = False
        at += 1
    return [*parts, line[start:]]
