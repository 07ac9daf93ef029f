# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._windows.commands import Commands, quote
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import System
from ansible_collections.configmgr.client.plugins.module_utils._wsman import shell
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult
from tests.unit import wire
from tests.unit.fakes import Wire

NASTY = st.text(st.sampled_from("\\\" \t'^&|<>%$`abc;\n"), max_size=12)
ARGUMENTS = st.lists(NASTY | st.text(st.characters(exclude_characters="\0"), max_size=12), max_size=4)


def command_line_to_argv(line: str) -> list[str]:
    """The arguments of a command line as Microsoft documents it ("Parsing C command-line arguments", after 2008).

    A walk over the characters: blanks part arguments outside of quotes; n backslashes before a quote are n/2 of them,
    and an odd one makes the quote a character; within quotes, two quotes are one; any other backslash is itself.
    """
    arguments: list[str] = []
    current: list[str] | None = None
    quoted = False
    position = 0
    while position < len(line):
        character = line[position]
        if character in " \t" and not quoted:
            if current is not None:
                arguments.append("".join(current))
                current = None
            position += 1
            continue
        current = current if current is not None else []
        if character == "\\":
            end = position
            while end < len(line) and line[end] == "\\":
                end += 1
            count = end - position
            if end < len(line) and line[end] == '"':
                current += "\\" * (count // 2)
                position = end
                if count % 2:
                    current.append('"')
                    position += 1
            else:
                current += "\\" * count
                position = end
        elif character == '"':
            if quoted and line[position + 1 : position + 2] == '"':
                current.append('"')
                position += 1
            else:
                quoted = not quoted
            position += 1
        else:
            current.append(character)
            position += 1
    return arguments if current is None else [*arguments, "".join(current)]


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        (r'"abc" d e', ["abc", "d", "e"]),
        (r"a\\b d\"e f\"g h", [r"a\\b", 'd"e', 'f"g', "h"]),
        (r"a\\\"b c d", [r"a\"b", "c", "d"]),
        (r'a\\\\"b c" d e', [r"a\\b c", "d", "e"]),
        (r'a"b"" c d', ['ab" c d']),
        ('""', [""]),
    ],
)
def test_the_parser_of_this_test_follows_the_documented_examples(line: str, arguments: list[str]) -> None:
    assert command_line_to_argv(line) == arguments


@given(ARGUMENTS)
@example(["C:\\Program Files\\"])
@example(['a" & calc.exe & "'])
@example(["", "", '\\"', "\\\\ \\"])
def test_arguments_arrive_unchanged_and_none_breaks_out(arguments: list[str]) -> None:
    line = " ".join(quote(argument) for argument in arguments)
    assert command_line_to_argv(f"sc.exe {line}") == ["sc.exe", *arguments]


@given(ARGUMENTS, NASTY)
def test_argument_does_not_change_its_neighbours(arguments: list[str], stranger: str) -> None:
    line = " ".join([*(quote(argument) for argument in arguments), quote(stranger), "config", "smstsmgr"])
    assert command_line_to_argv(line)[-2:] == ["config", "smstsmgr"]


@pytest.mark.parametrize("argument", ["config", "smstsmgr", "depend=", "/", "Winmgmt/CcmExec", "C:\\Windows\\"])
def test_plain_argument_needs_no_quotes(argument: str) -> None:
    """sc.exe reads its own command line: what it needs must arrive bare."""
    assert quote(argument) == argument


def test_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


# Running them


@pytest.mark.parametrize("writes", [True, False])
def test_program_is_found_by_its_full_path(monkeypatch: pytest.MonkeyPatch, writes: bool) -> None:
    """The system directory is asked for once, and only for a program that stands below it."""
    ran: list[tuple[str, list[str], dict[str, t.Any]]] = []

    def run(_session: object, program: str, arguments: list[str], **options: t.Any) -> CommandResult:
        ran.append((program, arguments, options))
        return CommandResult(0, "", "")

    monkeypatch.setattr(shell, "run", run)
    system = wire.projected(
        "<LocalDateTime>2026-11-20T10:00:00Z</LocalDateTime><LastBootUpTime>2026-11-20T08:00:00Z</LastBootUpTime>"
        r"<SystemDirectory>D:\Windows\system32</SystemDirectory>"
    )
    endpoint = Wire([wire.first_page(system, end=True)])
    session = endpoint.session()
    commands = Commands(session, System(session))
    commands.run(r"C:\a b\x.exe", ["c d", "e"], writes=writes)
    assert endpoint.sent == []
    commands.run("sc.exe", [], writes=writes, max_output=5)
    commands.run_line(r"wbem\WMIC.exe", 'a "b c"', writes=writes)
    assert len(endpoint.sent) == 1
    assert ran == [
        (r"C:\a b\x.exe", ['"c d"', "e"], {"writes": writes, "max_output": shell.MAX_OUTPUT}),
        (r"D:\Windows\system32\sc.exe", [], {"writes": writes, "max_output": 5}),
        (r"D:\Windows\system32\wbem\WMIC.exe", ['a "b c"'], {"writes": writes}),
    ]
