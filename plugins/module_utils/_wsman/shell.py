# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands through WinRS, the remote shell of WS-Management (MS-WSMV 3.1.4.5 ff.), without a shell around them."""

from __future__ import annotations

import base64
import re
import typing as t
from contextlib import suppress
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from . import uris
from .cim import text_of
from .errors import OperationTimedOut, ProtocolError, WSManError
from .session import Session

MAX_OUTPUT = 1024 * 1024
"""Bytes of each of its two streams that a command may print unless its caller expects more."""
CLOSING = 5.0
"""Seconds kept for closing the shell of a command that does not end before the deadline."""


@dataclass(frozen=True)
class CommandResult:
    exit_code: int
    stdout: str
    stderr: str


def run(
    session: Session,
    application: str,
    arguments: t.Sequence[str],
    *,
    writes: bool,
    max_output: int = MAX_OUTPUT,
) -> CommandResult:
    """Runs *application*, a full path, and waits for its end; ProtocolError if it prints more than *max_output* bytes.

    *writes* says whether the command changes anything: its start is then the request that is judged.

    WINRS_SKIP_CMD_SHELL starts it with CreateProcess: no cmd.exe reads the line, and PATH is not searched.
    *arguments* go on the command line as they are, blank-separated: quote them before.
    """
    body = (
        f'<rsp:Shell xmlns:rsp="{uris.SHELL}"><rsp:InputStreams>stdin</rsp:InputStreams>'
        "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
    )
    created = session.request(
        uris.CREATE, uris.SHELL_CMD, body, options={"WINRS_NOPROFILE": "TRUE", "WINRS_CODEPAGE": "65001"}
    )
    selectors = {"ShellId": _shell_id(created)}
    try:
        with session.deadline.keeping(CLOSING):
            return _run_in_shell(session, selectors, application, arguments, writes, max_output)
    finally:
        # A shell that stays open counts against the user's quota for two hours; yet a failure to close it
        # must not hide what went before.
        with suppress(WSManError):
            session.request(uris.DELETE, uris.SHELL_CMD, "", selectors=selectors)


def _run_in_shell(
    session: Session,
    selectors: t.Mapping[str, str],
    application: str,
    arguments: t.Sequence[str],
    writes: bool,
    max_output: int,
) -> CommandResult:
    line = f"<rsp:Command>{text_of(application)}</rsp:Command>" + "".join(
        f"<rsp:Arguments>{text_of(argument)}</rsp:Arguments>" for argument in arguments
    )
    started = session.request(
        uris.SHELL_COMMAND,
        uris.SHELL_CMD,
        f'<rsp:CommandLine xmlns:rsp="{uris.SHELL}">{line}</rsp:CommandLine>',
        selectors=selectors,
        options={"WINRS_SKIP_CMD_SHELL": "TRUE"},
        writes=writes,
        subject=application,
    )
    command_id = started.findtext(f".//{{{uris.SHELL}}}CommandId", "")
    if not command_id:
        raise ProtocolError("the started command has no CommandId")
    streams: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    exit_code: int | None = None
    while exit_code is None:
        exit_code = _receive(session, selectors, command_id, streams, max_output)
    with suppress(WSManError):  # the command has ended, and its shell is deleted anyway
        session.request(
            uris.SHELL_SIGNAL,
            uris.SHELL_CMD,
            f'<rsp:Signal xmlns:rsp="{uris.SHELL}" CommandId={quoteattr(command_id)}>'
            f"<rsp:Code>{uris.SHELL_TERMINATE}</rsp:Code></rsp:Signal>",
            selectors=selectors,
        )
    return CommandResult(
        exit_code, streams["stdout"].decode(errors="replace"), streams["stderr"].decode(errors="replace")
    )


def _receive(
    session: Session,
    selectors: t.Mapping[str, str],
    command_id: str,
    streams: dict[str, bytearray],
    max_output: int,
) -> int | None:
    """Adds what arrived to *streams*; the exit code once the command is done, else None."""
    body = (
        f'<rsp:Receive xmlns:rsp="{uris.SHELL}"><rsp:DesiredStream CommandId={quoteattr(command_id)}>stdout stderr'
        "</rsp:DesiredStream></rsp:Receive>"
    )
    try:
        reply = session.request(uris.SHELL_RECEIVE, uris.SHELL_CMD, body, selectors=selectors)
    except OperationTimedOut:
        return None  # nothing to receive yet; the session's deadline ends the waiting
    for stream in reply.iter(f"{{{uris.SHELL}}}Stream"):
        buffer = streams.get(stream.get("Name", ""))
        if buffer is not None and stream.text:
            try:
                buffer += base64.b64decode(stream.text, validate=True)
            except ValueError:
                raise ProtocolError("a command's output is not base64") from None
            if len(buffer) > max_output:
                raise ProtocolError(f"a command printed more than {max_output} bytes")
    state = reply.find(f".//{{{uris.SHELL}}}CommandState")
    if state is None or state.get("State") != uris.SHELL_DONE:
        return None
    code = state.findtext(f"{{{uris.SHELL}}}ExitCode", "")
    if not re.fullmatch(r"-?[0-9]{1,10}", code):
        raise ProtocolError("a command ended without an exit code")
    return int(code)


def _shell_id(created: Element) -> str:
    for selector in created.iter(f"{{{uris.WSMAN}}}Selector"):
        if selector.get("Name") == "ShellId" and selector.text:
            return selector.text
    raise ProtocolError("the new shell has no ShellId")
