# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the endpoint: full paths, no shell around them, arguments that stay what they are."""

from __future__ import annotations

import re
import typing as t

from .._wsman import shell
from .._wsman.session import Session
from .._wsman.shell import CommandResult

WMIC = r"wbem\WMIC.exe"
"""Below the system directory. An optional feature of newer Windows."""
POWERSHELL = r"WindowsPowerShell\v1.0\powershell.exe"


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


def run(
    session: Session, application: str, arguments: t.Sequence[str], max_output: int = shell.MAX_OUTPUT
) -> CommandResult:
    """Runs *application* (a full path) with *arguments*, each quoted as far as it needs it."""
    return shell.run(session, application, [quote(argument) for argument in arguments], max_output)


def run_line(session: Session, application: str, line: str) -> CommandResult:
    """As run, for programs that read their command line by rules of their own (WMIC, PowerShell)."""
    return shell.run(session, application, [line])
