# SPDX-License-Identifier: GPL-3.0-or-later
"""The command shell plug-in (WinRS): shells, commands, streams, signals, quotas. Shapes are recorded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from xml.etree.ElementTree import Element

from ..timing import Pacer
from ..windows.machine import Machine, ProgramNotFound
from . import faults, names
from .calls import Call
from .code_pages import codec
from .commands import Command
from .paging import PREFIXES, Paging
from .request import Request
from .response import envelope
from .settings import WsmanSettings
from .text import escape, new_id, seconds_of

_DONE = f"{names.SHELL}/CommandState/Done"
_RUNNING = f"{names.SHELL}/CommandState/Running"
_PREFIXES = ("s", "a", "x", "w", "rsp", "p")
_IDLE_TIMEOUT = 7200.0
_NO_COMMAND = (
    "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "
    "Either the command has completed execution or the client specified an invalid command identifier. "
)
_NO_SHELL = (
    "The request for the Windows Remote Shell with ShellId {shell} failed because the shell was not found on the "
    "server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server. "
    "Provide the correct ShellId or create a new shell and retry the operation. "
)
_AROUND_OUTPUT = 4096
_ENUMERATING = ("Enumerate", "Pull", "Release")


@dataclass
class Shell:
    shell_id: str
    owner: str
    client_ip: str
    idle_timeout: float
    output_streams: str
    input_streams: str
    working_directory: str
    environment: tuple[tuple[str, str], ...]
    codec: str
    used: datetime
    operations: int = 0
    """Commands that were started: each holds an operation until the shell is closed (specified: MS-WSMV)."""
    commands: dict[str, Command] = field(default_factory=dict)


class Shells:
    def __init__(self, machine: Machine, settings: WsmanSettings, pacer: Pacer, paging: Paging) -> None:
        self._machine = machine
        self._paging = paging
        self.settings = settings
        self._pacer = pacer
        self._open: dict[str, Shell] = {}
        self.opened = 0

    def __len__(self) -> int:
        return len(self._open)

    def clear(self) -> None:
        """What a restart of the machine does to its shells."""
        for shell in self._open.values():
            self._interrupt(*shell.commands.values())
        self._open.clear()

    def _interrupt(self, *commands: Command) -> None:
        for command in commands:
            command.interrupt(self._pacer.now())
        self._pacer.look_again()

    def listing(self) -> list[dict[str, object]]:
        return [
            {
                "shell_id": shell.shell_id,
                "owner": shell.owner,
                "commands": [command.text for command in shell.commands.values()],
            }
            for shell in self._open.values()
        ]

    def describe(self, request: Request, call: Call) -> Call:
        """The call under the name of the command that it is about."""
        shell = self._open.get(request.selector("ShellId").upper())
        command = shell.commands.get(_command_id(request.body).upper()) if shell else None
        return command.call.continued(call.operation) if command else call

    async def handle(self, request: Request, call: Call, principal: str, client_ip: str, limit: float) -> str:
        self._expire()
        if request.resource_uri.lower() == names.SHELL_COMMAND.lower() and call.operation not in _ENUMERATING:
            raise faults.action_mismatch()
        match call.operation:
            case "Create":
                return self._create(request, principal, client_ip)
            case "Command":
                return self._command(request, call)
            case "Receive":
                return await self._receive(request, limit)
            case "Send":
                return self._send(request)
            case "Signal":
                return self._signal(request)
            case "Delete":
                return self._delete(request)
            case "Get":
                return self._get(request)
            case "Enumerate":
                return self._enumerate(request, call)
            case "Pull":
                return self._respond(request, self._paging.pull(request), PREFIXES)
            case "Release":
                return self._respond(request, self._paging.release(request), PREFIXES)
        raise faults.action_mismatch()

    def _respond(self, request: Request, body: str, prefixes: tuple[str, ...] = _PREFIXES) -> str:
        return envelope(
            request,
            f"{request.action}Response",
            body,
            prefixes,
            language=self.settings.language,
            activity_id=self.settings.activity_id,
        )

    def _create(self, request: Request, principal: str, client_ip: str) -> str:
        if len(self._open) >= self.settings.max_shells:
            raise faults.too_many_shells(self.settings.max_shells)
        body = _body(request, "Shell")
        shell = Shell(
            new_id(),
            principal,
            client_ip,
            _idle_timeout(body),
            body.findtext(_rsp("OutputStreams")) or "stdout stderr",
            body.findtext(_rsp("InputStreams")) or "stdin",
            body.findtext(_rsp("WorkingDirectory")) or "",
            tuple((each.get("Name", ""), each.text or "") for each in body.iterfind(f"{_rsp('Environment')}/*")),
            self._codec(request.option("WINRS_CODEPAGE")),
            self._pacer.now(),
        )
        self._open[shell.shell_id] = shell
        self.opened += 1
        created = (
            f"<x:ResourceCreated><a:Address>{escape(request.address)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{names.SHELL_CMD}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell.shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            "</x:ResourceCreated>"
        )
        described = _described(shell) if self.settings.shell_description else ""
        return self._respond(request, created + described)

    def _codec(self, code_page: str) -> str:
        try:
            return codec(code_page, self.settings.language)
        except LookupError:
            raise faults.code_page_not_supported() from None

    def _command(self, request: Request, call: Call) -> str:
        shell = self._shell(request)
        if sum(each.operations for each in self._open.values()) >= self.settings.max_operations:
            raise faults.too_many_operations(self.settings.max_operations, self.settings.operations_quota)
        now = self._pacer.now()
        if sum(1 for each in shell.commands.values() if each.ends > now) >= self.settings.max_processes:
            raise faults.too_many_commands()
        body = _body(request, "CommandLine")
        program = (body.findtext(_rsp("Command")) or "").strip()
        arguments = " ".join(part.text or "" for part in body.iterfind(_rsp("Arguments")))
        if not program:
            raise faults.shell_parameter()
        skip_shell = request.option("WINRS_SKIP_CMD_SHELL").lower() in {"true", "1"}
        application = program.strip('"') if skip_shell else None
        if application is not None:
            program = f'"{application}"' if " " in application else application
        line = f"{program} {arguments}".strip()
        run = partial(self._machine.run_program, application, line)
        command = Command(call.detail, call, shell.codec, run)
        if not self._machine.reads_input(application, line):
            try:
                command.start(now)
            except ProgramNotFound:
                # Recorded for a bare name without cmd.exe around it: there is no search along PATH then.
                raise faults.program_not_found() from None
        command_id = new_id()
        shell.commands[command_id] = command
        shell.operations += 1
        return self._respond(
            request, f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
        )

    async def _receive(self, request: Request, limit: float) -> str:
        shell = self._shell(request)
        body = _body(request, "Receive")
        if not _command_id(body):
            raise faults.shell_parameter()
        command = self._find(shell, body)
        deadline = self._pacer.now() + timedelta(seconds=limit)
        while not command.has_news(now := min(self._pacer.now(), deadline)):
            if now == deadline:
                raise faults.timed_out()
            await self._pacer.sleep_until(min(command.next_news(), deadline), _changes(command))
        command_id = _command_id(body).upper()
        streams = [_stream(name, command_id, data) for name, data in command.take(now, self._room(request))]
        if command.is_over(now):
            # Recorded: both streams are ended, whatever was printed.
            streams += [_stream(name, command_id, b"", ' End="true"') for name in ("stdout", "stderr")]
            command.sent = True
            state, ending = _DONE, f"<rsp:ExitCode>{command.exit_code}</rsp:ExitCode>"
        else:
            state, ending = _RUNNING, ""
        content = (
            f'<rsp:ReceiveResponse>{"".join(streams)}<rsp:CommandState CommandId="{command_id}" State="{state}">'
            f"{ending}</rsp:CommandState></rsp:ReceiveResponse>"
        )
        return self._respond(request, content, ("s", "a", "w", "rsp", "p"))

    def _room(self, request: Request) -> int:
        """Octets of output that fit into one answer: it is in base64, and the limit counts UTF-16 octets (inferred)."""
        limit = self.settings.max_envelope_kb * 1024
        return (min(request.max_envelope_size or limit, limit) // 2 - _AROUND_OUTPUT) * 3 // 4

    def _send(self, request: Request) -> str:
        shell = self._shell(request)
        stream = _body(request, "Send").find(_rsp("Stream"))
        if stream is None:
            raise faults.invalid_body()
        command = self._find(shell, stream)
        is_last = stream.get("End", "").strip().lower() in {"true", "1"}
        try:
            command.feed(base64.b64decode(stream.text or "", validate=True), self._pacer.now(), is_last=is_last)
        except (binascii.Error, ValueError):
            raise faults.schema_validation() from None
        self._pacer.look_again()
        return self._respond(request, "<rsp:SendResponse/>")

    def _signal(self, request: Request) -> str:
        shell = self._shell(request)
        body = _body(request, "Signal")
        command_id = _command_id(body).upper()
        code = (body.findtext(_rsp("Code")) or "").strip().rpartition("/")[2].lower()
        command = shell.commands.get(command_id)
        if command is None:
            raise faults.invalid_selectors(_NO_COMMAND)
        # Recorded: a command that has ended is signalled without a fault.
        self._interrupt(command)
        if code == "terminate":
            del shell.commands[command_id]
        return self._respond(request, "<rsp:SignalResponse/>")

    def _delete(self, request: Request) -> str:
        shell = self._shell(request)
        self._interrupt(*shell.commands.values())
        del self._open[shell.shell_id]
        return self._respond(request, "", ("s", "a", "w", "p"))

    def _get(self, request: Request) -> str:
        """Recorded for a shell of PowerShell: as at its Create, with more elements behind."""
        return self._respond(request, _described(self._shell(request)), ("s", "a", "x", "w", "p"))

    def _enumerate(self, request: Request, call: Call) -> str:
        """Recorded for shells of PowerShell, and for one command of each: all in the first answer."""
        if request.resource_uri.lower() == names.SHELL_COMMAND.lower():
            items = self._commands(request)
        else:
            items = tuple(_described(shell) for shell in self._open.values())
        return self._respond(request, self._paging.first(request, call, items, at_once=True), PREFIXES)

    def _commands(self, request: Request) -> tuple[str, ...]:
        """Those of the shell that the selector filter names; that there must be one is inferred."""
        body = request.body
        filter_ = None if body is None else body.find(f"{{{names.WSMAN}}}Filter")
        if filter_ is None or filter_.get("Dialect", "").strip() != names.SELECTOR_DIALECT:
            raise faults.filter_dialect()
        shell_id = next((each.text or "" for each in filter_.iter(f"{{{names.WSMAN}}}Selector")), "")
        shell = self._open.get(shell_id.upper())
        if shell is None:
            raise faults.invalid_selectors(_NO_SHELL.format(shell=shell_id))
        now = self._pacer.now()
        return tuple(
            f'<rsp:Command xmlns:rsp="{names.SHELL}"><rsp:CommandId>{command_id}</rsp:CommandId>'
            f"<rsp:CommandLine>{escape(command.text)}</rsp:CommandLine>"
            f"<rsp:CommandState>{'Done' if command.ends <= now else 'Running'}</rsp:CommandState></rsp:Command>"
            for command_id, command in shell.commands.items()
            if not command.sent
        )

    def _shell(self, request: Request) -> Shell:
        shell_id = request.selector("ShellId")
        shell = self._open.get(shell_id.upper())
        if shell is None:
            raise faults.invalid_selectors(_NO_SHELL.format(shell=shell_id))
        shell.used = self._pacer.now()
        return shell

    def _expire(self) -> None:
        """A shell that nobody uses for its idle time-out is closed: so leaked shells go, two hours later."""
        now = self._pacer.now()
        for shell in list(self._open.values()):
            if now - shell.used > timedelta(seconds=shell.idle_timeout):
                del self._open[shell.shell_id]

    def _find(self, shell: Shell, element: Element) -> Command:
        command = shell.commands.get(_command_id(element).upper())
        if command is None or command.sent:
            raise faults.invalid_selectors(_NO_COMMAND)
        return command


def _rsp(name: str) -> str:
    return f"{{{names.SHELL}}}{name}"


def _body(request: Request, name: str) -> Element:
    if request.body is None or request.body.tag != _rsp(name):
        raise faults.invalid_body()
    return request.body


def _command_id(body: Element | None) -> str:
    """The command that a request is about: on its own element, or on the stream inside it.

    Recorded for a Receive on Windows 7 and 2012: the attribute may stand in the namespace of the shell.
    """
    if body is None:
        return ""
    found = (each.get("CommandId") or each.get(_rsp("CommandId")) for each in (body, *body))
    return next(filter(None, found), "")


def _idle_timeout(body: Element) -> float:
    text = body.findtext(_rsp("IdleTimeOut"))
    if not text:
        return _IDLE_TIMEOUT
    try:
        return seconds_of(text)
    except ValueError:
        raise faults.schema_validation() from None


def _described(shell: Shell) -> str:
    variables = "".join(
        f'<rsp:Variable Name="{escape(name)}">{escape(value)}</rsp:Variable>' for name, value in shell.environment
    )
    environment = f"<rsp:Environment>{variables}</rsp:Environment>" if variables else ""
    directory = (
        f"<rsp:WorkingDirectory>{escape(shell.working_directory)}</rsp:WorkingDirectory>"
        if shell.working_directory
        else ""
    )
    return (
        f'<rsp:Shell xmlns:rsp="{names.SHELL}"><rsp:ShellId>{shell.shell_id}</rsp:ShellId>'
        f"<rsp:ResourceUri>{names.SHELL_CMD}</rsp:ResourceUri><rsp:Owner>{escape(shell.owner)}</rsp:Owner>"
        f"<rsp:ClientIP>{shell.client_ip}</rsp:ClientIP>{environment}{directory}"
        f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut>"
        f"<rsp:InputStreams>{escape(shell.input_streams)}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{escape(shell.output_streams)}</rsp:OutputStreams>"
        "<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity>"
        "</rsp:Shell>"
    )


def _stream(name: str, command_id: str, data: bytes, attributes: str = "") -> str:
    text = base64.b64encode(data).decode()
    return f'<rsp:Stream Name="{name}" CommandId="{command_id}"{attributes}>{text}</rsp:Stream>'


def _changes(command: Command) -> Callable[[], bool]:
    seen = command.changes
    return lambda: command.changes != seen
