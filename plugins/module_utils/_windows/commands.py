# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the endpoint: full paths, no shell around them, arguments that stay what they are."""

from __future__ import annotations

import ntpath
import re
import typing as t

from .._wsman import shell
from .._wsman.session import Session
from .._wsman.shell import CommandResult
from .system import System

WMIC = r"wbem\WMIC.exe"
"""Below the system directory. An optional feature of newer Windows."""
POWERSHELL = r"WindowsPowerShell\v1.0\powershell.exe"
# PowerShell takes each of these for the end of a text in single quotes, and two of them for one character of it.
_SINGLE_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


def quote(argument: str) -> str:
    """*argument* so that CommandLineToArgvW, which most programs follow, returns it unchanged."""
    if "\0" in argument:
        raise ValueError("a command line cannot hold a NUL character")
    if argument and not re.search(r'[\s"]', argument):
        return argument
    # Backslashes are literal except before a double quote, the closing one included.
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', argument)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f'"{escaped}"'


def literal(text: str) -> str:
    """*text* as a PowerShell text that nothing is expanded in and that nothing breaks out of."""
    return "'" + _SINGLE_QUOTES.sub(r"\1\1", text) + "'"


def failure_text(result: CommandResult) -> str:
    """What a command said of its failure, in one line of a length for messages."""
    return " ".join((result.stderr or result.stdout).split())[:300]


class Commands:
    """Programs of the endpoint. *writes* says of a command whether it changes anything there."""

    def __init__(self, session: Session, system: System) -> None:
        self._session = session
        self._system = system

    def run(
        self, program: str, arguments: t.Sequence[str], *, writes: bool, max_output: int = shell.MAX_OUTPUT
    ) -> CommandResult:
        """Runs *program* with *arguments*, each quoted as far as it needs it.

        *program* is a full path, or one below the system directory.
        """
        quoted = [quote(argument) for argument in arguments]
        return shell.run(self._session, self._path(program), quoted, writes=writes, max_output=max_output)

    def run_line(self, program: str, line: str, *, writes: bool) -> CommandResult:
        """As run, for programs that read their command line by rules of their own (WMIC, PowerShell)."""
        return shell.run(self._session, self._path(program), [line], writes=writes)

    def _path(self, program: str) -> str:
        return program if ntpath.isabs(program) else ntpath.join(self._system.directory, program)
