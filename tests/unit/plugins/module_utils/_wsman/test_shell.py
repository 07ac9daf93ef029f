# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors, shell
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult
from tests.unit import wire
from tests.unit.fakes import Clock, Wire, body, header, selectors
from tests.unit.wire import NAMESPACES

SHELL_ID, COMMAND_ID = "4283CBDC-0000-4000-8000-000000000001", "CF84C20A-0000-4000-8000-000000000002"
CREATED = wire.envelope(
    f"<x:ResourceCreated><a:Address>http://pc-0001:5985/wsman</a:Address><a:ReferenceParameters><w:ResourceURI>{wire.RSP}/cmd"
    f'</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{SHELL_ID}</w:Selector></w:SelectorSet>'
    f'</a:ReferenceParameters></x:ResourceCreated><rsp:Shell xmlns:rsp="{wire.RSP}">'
    f"<rsp:ShellId>{SHELL_ID}</rsp:ShellId>"
    "<rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut></rsp:Shell>"
)
STARTED = wire.envelope(
    f'<rsp:CommandResponse xmlns:rsp="{wire.RSP}"><rsp:CommandId>{COMMAND_ID}</rsp:CommandId></rsp:CommandResponse>'
)
SIGNALLED = wire.envelope(f'<rsp:SignalResponse xmlns:rsp="{wire.RSP}"/>')
DELETED = wire.envelope("")
NOTHING_YET = wire.wsman_fault(2150858793, "w:TimedOut")


def stream(name: str, data: bytes | str) -> str:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return f'<rsp:Stream Name="{name}" CommandId="{COMMAND_ID}">{text}</rsp:Stream>'


def state(name: str, exit_code: int | str | None = None) -> str:
    code = "" if exit_code is None else f"<rsp:ExitCode>{exit_code}</rsp:ExitCode>"
    uri = f"{wire.RSP}/CommandState/{name}"
    return f'<rsp:CommandState CommandId="{COMMAND_ID}" State="{uri}">{code}</rsp:CommandState>'


def received(*parts: str) -> bytes:
    return wire.envelope(f'<rsp:ReceiveResponse xmlns:rsp="{wire.RSP}">{"".join(parts)}</rsp:ReceiveResponse>')


END = '<rsp:Stream Name="stdout" End="true"></rsp:Stream><rsp:Stream Name="stderr" End="true"></rsp:Stream>'
DONE = state("Done", 0)


def endpoint(*received_: bytes | Exception) -> Wire:
    """An endpoint that runs one command without a hitch, but for what the test has it receive."""
    return Wire([CREATED, STARTED, *received_, SIGNALLED, DELETED])


def run(endpoint_: Wire, *arguments: str) -> CommandResult:
    return shell.run(endpoint_.session(), r"C:\Windows\system32\sc.exe", arguments, writes=False)


def test_sequence_of_a_command() -> None:
    windows = endpoint(received(stream("stdout", b"hi\r\n"), END, DONE))
    assert run(windows, "query", "smstsmgr") == CommandResult(0, "hi\r\n", "")
    assert windows.actions == ["Create", "Command", "Receive", "Signal", "Delete"]
    assert windows.connections == 1
    create, command, receive, signal, delete = windows.sent
    assert {header(message, "w:ResourceURI") for message in windows.sent} == {f"{wire.RSP}/cmd"}
    assert selectors(create) == {}
    for message in (command, receive, signal, delete):
        assert selectors(message) == {"ShellId": SHELL_ID}
    assert create.findtext(".//rsp:OutputStreams", "", NAMESPACES) == "stdout stderr"
    assert receive.find(".//rsp:DesiredStream", NAMESPACES).get("CommandId") == COMMAND_ID
    assert body(signal)[0].get("CommandId") == COMMAND_ID
    assert signal.findtext(".//rsp:Code", "", NAMESPACES) == f"{wire.RSP}/signal/terminate"
    assert body(delete) == []


def test_no_shell_and_no_profile_but_utf8() -> None:
    windows = endpoint(received(DONE))
    run(windows)
    options = [
        {item.get("Name"): item.text for item in message.iterfind(".//w:Option", NAMESPACES)}
        for message in windows.sent
    ]
    assert options[0] == {"WINRS_NOPROFILE": "TRUE", "WINRS_CODEPAGE": "65001"}
    assert options[1] == {"WINRS_SKIP_CMD_SHELL": "TRUE"}


def test_application_and_arguments_arrive_as_they_are() -> None:
    windows = endpoint(received(DONE))
    arguments = ["config", "depend=", "/", '"a b"', "<&>", "&calc", ""]
    run(windows, *arguments)
    command = windows.sent[1]
    assert command.findtext(".//rsp:Command", "", NAMESPACES) == r"C:\Windows\system32\sc.exe"
    assert [item.text or "" for item in command.iterfind(".//rsp:Arguments", NAMESPACES)] == arguments


def test_streams_are_joined_in_order_and_kept_apart() -> None:
    windows = endpoint(
        received(stream("stdout", b"one "), stream("stderr", b"bad "), stream("stdout", b"two "), state("Running")),
        received(stream("stderr", b"news"), state("Running")),
        received(stream("stdout", b"three"), stream("pr", b"noise"), END, DONE),
    )
    assert run(windows) == CommandResult(0, "one two three", "bad news")


def test_character_that_two_receives_share() -> None:
    euro = "\u20ac".encode()
    windows = endpoint(received(stream("stdout", euro[:1])), received(stream("stdout", euro[1:]), DONE))
    assert run(windows).stdout == "\u20ac"


def test_output_that_is_no_utf8_is_still_output() -> None:
    assert "Zugriff" in run(endpoint(received(stream("stdout", b"Zugriff \x84\xff"), DONE))).stdout


@pytest.mark.parametrize("code", [0, 1, 5, 1060, 2147942402, -1073741510])
def test_exit_code(code: int) -> None:
    assert run(endpoint(received(state("Done", code)))).exit_code == code


def test_silence_is_waited_out() -> None:
    windows = endpoint(NOTHING_YET, NOTHING_YET, received(stream("stdout", b"late"), DONE))
    assert run(windows).stdout == "late"
    assert windows.actions.count("Receive") == 3


def test_command_that_never_ends_is_ended_by_the_deadline() -> None:
    clock = Clock()
    windows = Wire([CREATED, STARTED, *[NOTHING_YET] * 10], before_reply=lambda: clock.sleep(20))
    with pytest.raises(errors.DeadlineExceeded):
        shell.run(windows.session(Deadline(90, clock)), "x.exe", [], writes=False)
    assert windows.actions == ["Create", "Command", "Receive", "Receive", "Receive"]


# Whatever happens, the shell goes


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([wire.wsman_fault(2147942402)], errors.FileMissing),
        ([STARTED, wire.wsman_fault(2150858843, "w:InvalidSelectors")], errors.InvalidRequest),
        ([STARTED, received(stream("stdout", "%%%"))], errors.ProtocolError),
        ([STARTED, errors.ConnectionLost("it stopped answering")], errors.ConnectionLost),
        ([STARTED, b"<html/>"], errors.ProtocolError),
    ],
    ids=["no such program", "fault", "no base64", "lost", "html"],
)
def test_shell_is_deleted_after_a_failure(replies: list[bytes | Exception], error: type[Exception]) -> None:
    windows = Wire([CREATED, *replies, DELETED])
    with pytest.raises(error):
        run(windows)
    assert windows.actions[-1] == "Delete"
    assert selectors(windows.sent[-1]) == {"ShellId": SHELL_ID}


def test_failure_to_delete_does_not_hide_the_result() -> None:
    windows = Wire([CREATED, STARTED, received(state("Done", 3)), SIGNALLED, wire.wsman_fault(2150858843)])
    assert run(windows).exit_code == 3


def test_failure_to_delete_does_not_hide_the_failure() -> None:
    windows = Wire([CREATED, wire.wsman_fault(2147942402), errors.StaleConnection("gone")])
    with pytest.raises(errors.FileMissing):
        run(windows)


def test_failure_to_signal_does_not_hide_the_result() -> None:
    """A command that has ended may be forgotten already: Windows then knows no such CommandId."""
    windows = Wire(
        [CREATED, STARTED, received(state("Done", 3)), wire.wsman_fault(2150858843, "w:InvalidSelectors"), DELETED]
    )
    assert run(windows).exit_code == 3
    assert windows.actions[-1] == "Delete"


@pytest.mark.parametrize(
    ("error", "writes"),
    [
        (errors.StaleConnection("closed"), False),
        (errors.ConnectionLost("gone"), False),
        (errors.ConnectionLost("gone"), True),
    ],
)
def test_command_that_may_have_started_is_not_started_again(error: Exception, writes: bool) -> None:
    windows = Wire([CREATED, error, DELETED])
    with pytest.raises(type(error)):
        shell.run(windows.writable(), "x.exe", [], writes=writes)
    assert windows.actions == ["Create", "Command", "Delete"]


# A command that writes

READING = wire.envelope(wire.row("A", ""))
"""What the judge's one question is answered with."""


def run_judged(windows: Wire, judge: t.Callable[[], None] = lambda: None, *, writes: bool = True) -> CommandResult:
    session = windows.session()

    def reading_judge() -> None:
        session.get("root/cimv2", "A")
        judge()

    with session.judged_by(reading_judge):
        return shell.run(session, "x.exe", [], writes=writes)


def test_only_the_start_of_a_command_that_writes_is_judged() -> None:
    windows = Wire([CREATED, READING, STARTED, NOTHING_YET, received(state("Done", 3)), SIGNALLED, DELETED])
    assert run_judged(windows).exit_code == 3
    assert windows.actions == ["Create", "Get", "Command", "Receive", "Receive", "Signal", "Delete"]
    assert [action for action, single in zip(windows.actions, windows.single, strict=True) if single] == ["Command"]


def test_command_that_only_reads_is_not_judged() -> None:
    windows = endpoint(received(DONE))
    run_judged(windows, writes=False)
    assert windows.actions == ["Create", "Command", "Receive", "Signal", "Delete"]
    assert not any(windows.single)


def test_command_that_was_not_sent_is_judged_anew_and_sent_again() -> None:
    stale = errors.StaleConnection("closed")
    windows = Wire([CREATED, READING, stale, READING, STARTED, received(DONE), SIGNALLED, DELETED])
    run_judged(windows)
    assert windows.actions == ["Create", *["Get", "Command"] * 2, "Receive", "Signal", "Delete"]


def test_command_that_nobody_judges_is_not_started() -> None:
    windows = Wire([CREATED, DELETED])
    with pytest.raises(errors.Unjudged):
        shell.run(windows.session(), "x.exe", [], writes=True)
    assert windows.actions == ["Create", "Delete"]


@pytest.mark.parametrize("answer", [READING, wire.wsman_fault(5)], ids=["forbids", "cannot tell"])
def test_command_that_its_judge_holds_back_leaves_no_shell(answer: bytes) -> None:
    def judge() -> None:
        raise ValueError("a task sequence runs")

    windows = Wire([CREATED, answer, DELETED])
    with pytest.raises(ValueError if answer is READING else errors.NotSent):
        run_judged(windows, judge)
    assert windows.actions == ["Create", "Get", "Delete"]


# Answers that are none


@pytest.mark.parametrize("data", ["%%%", "YQ", "\u20ac\u20ac\u20ac\u20ac", "YW\u00e4j"])
def test_garbage_instead_of_base64(data: str) -> None:
    with pytest.raises(errors.ProtocolError, match="base64"):
        run(endpoint(received(stream("stdout", data), DONE)))


@pytest.mark.parametrize("code", [None, "", "none", "--1", "-", "\u00b2", "1.5"])
def test_end_without_an_exit_code(code: str | None) -> None:
    with pytest.raises(errors.ProtocolError, match="exit code"):
        run(endpoint(received(state("Done", code))))


def test_endless_output_is_ended() -> None:
    flood = received(stream("stdout", b"x" * 100_000))
    windows = Wire([CREATED, STARTED, *[flood] * 100])
    with pytest.raises(errors.ProtocolError, match=str(shell.MAX_OUTPUT)):
        run(windows)
    assert windows.actions.count("Receive") == shell.MAX_OUTPUT // 100_000 + 1


def test_shell_without_an_id() -> None:
    with pytest.raises(errors.ProtocolError, match="ShellId"):
        run(Wire([wire.envelope("<x:ResourceCreated/>")]))


def test_command_without_an_id() -> None:
    windows = Wire(
        [CREATED, wire.envelope(f'<rsp:CommandResponse xmlns:rsp="{wire.RSP}"/>'), received(DONE), SIGNALLED, DELETED]
    )
    with pytest.raises(errors.ProtocolError, match="CommandId"):
        run(windows)
    assert windows.actions == ["Create", "Command", "Delete"]


def test_command_id_is_text_not_markup() -> None:
    odd = 'x" y="1<&>'
    started = STARTED.replace(COMMAND_ID.encode(), b"x&quot; y=&quot;1&lt;&amp;&gt;")
    windows = Wire([CREATED, started, received(DONE), SIGNALLED, DELETED])
    assert run(windows).exit_code == 0
    assert windows.sent[2].find(".//rsp:DesiredStream", NAMESPACES).attrib == {"CommandId": odd}
    assert body(windows.sent[3])[0].attrib == {"CommandId": odd}
