# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRS: the life of shells and commands."""

from __future__ import annotations

from typing import Any

import pytest
from pypsrp.exceptions import WSManFaultError as PsrpFault
from pypsrp.powershell import RunspacePool
from pypsrp.shell import Process, WinRS
from simulator.client import Simulator
from simulator_tests.wire import ENUMERATION, NS, SHELL, TRANSFER, Host, envelope, local_names
from winrm.exceptions import WSManFaultError


def test_a_bare_name_without_cmd_is_not_found(pc: Host) -> None:
    client = pc.pywinrm()
    shell = client.open_shell()
    with pytest.raises(WSManFaultError) as caught:
        client.run_command(shell, "sc.exe", ["query", "CcmExec"], skip_cmd_shell=True)
    client.close_shell(shell)
    assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (2147942402, "w:InternalError")


def test_create_response(pc: Host) -> None:
    body = f'<rsp:Shell xmlns:rsp="{SHELL}"><rsp:InputStreams>stdin</rsp:InputStreams></rsp:Shell>'
    root = pc.send(envelope(f"{SHELL}/cmd", f"{TRANSFER}/Create", body))
    created, shell = root.find("s:Body", NS) or []
    assert local_names(created) == ["Address", "ReferenceParameters"]
    assert local_names(shell) == [
        *("ShellId", "ResourceUri", "Owner", "ClientIP", "IdleTimeOut", "InputStreams", "OutputStreams"),
        *("ShellRunTime", "ShellInactivity"),
    ]
    assert shell.findtext("rsp:Owner", "", NS) == "CORP\\operator"
    shell_id = shell.findtext("rsp:ShellId", "", NS)
    assert pc.fleet.endpoint(pc.name)["shells"][0]["shell_id"] == shell_id
    deleted = pc.send(envelope(f"{SHELL}/cmd", f"{TRANSFER}/Delete", selectors={"ShellId": shell_id})).find(
        "s:Body", NS
    )
    assert deleted is not None
    assert len(deleted) == 0


@pytest.mark.parametrize("attribute", ["CommandId", "rsp:CommandId"])
def test_the_command_of_a_receive_may_be_named_in_the_namespace_of_shells(pc: Host, attribute: str) -> None:
    client = pc.pywinrm()
    shell = client.open_shell()
    command = client.run_command(shell, "ver")
    stream = f'<rsp:DesiredStream {attribute}="{command}">stdout stderr</rsp:DesiredStream>'
    body = f'<rsp:Receive xmlns:rsp="{SHELL}">{stream}</rsp:Receive>'
    root = pc.send(envelope(f"{SHELL}/cmd", f"{SHELL}/Receive", body, selectors={"ShellId": shell}))
    client.close_shell(shell)
    state = root.find(".//rsp:CommandState", NS)
    assert state is not None
    assert (state.get("CommandId"), state.findtext("rsp:ExitCode", "", NS)) == (command, "0")


def test_another_client_lists_shells_with_their_commands(fresh: Host) -> None:
    """It asks for the shells, then by a selector filter for the commands of each."""
    client = fresh.pywinrm()
    shells = [client.open_shell() for _ in range(2)]
    waiting, over, received = (client.run_command(shells[0], line) for line in ("sort", "ver", "ver"))
    client.get_command_output(shells[0], received)
    with fresh.pypsrp() as connection:
        found = {pool.id: list(pool.pipelines) for pool in RunspacePool.get_runspace_pools(connection)}
    assert found == {shells[0]: [waiting, over], shells[1]: []}
    listed = fresh.send(commands_of(shells[0])).iterfind(".//rsp:Command", NS)
    assert [
        (each.findtext("rsp:CommandLine", "", NS), each.findtext("rsp:CommandState", "", NS)) for each in listed
    ] == [
        ("sort", "Running"),
        ("ver", "Done"),
    ]
    for wrong in (commands_of("11111111-1111-1111-1111-111111111111"), envelope(f"{SHELL}/Command", f"{TRANSFER}/Get")):
        with pytest.raises(WSManFaultError):
            fresh.send(wrong)


def commands_of(shell: str) -> str:
    dialect = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"
    selectors = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
    asked = f'<w:OptimizeEnumeration/><w:Filter Dialect="{dialect}">{selectors}</w:Filter>'
    return envelope(f"{SHELL}/Command", f"{ENUMERATION}/Enumerate", f"<n:Enumerate>{asked}</n:Enumerate>")


def test_get_describes_a_shell_as_its_creation_does(fresh: Host) -> None:
    body = f'<rsp:Shell xmlns:rsp="{SHELL}"><rsp:InputStreams>stdin</rsp:InputStreams></rsp:Shell>'
    created = fresh.send(envelope(f"{SHELL}/cmd", f"{TRANSFER}/Create", body)).find(".//rsp:Shell", NS)
    assert created is not None
    selectors = {"ShellId": created.findtext("rsp:ShellId", "", NS)}
    got = fresh.send(envelope(SHELL, f"{TRANSFER}/Get", selectors=selectors)).find("s:Body/rsp:Shell", NS)
    assert got is not None
    assert [(each.tag, each.text) for each in got] == [(each.tag, each.text) for each in created]
    fresh.send(envelope(SHELL, f"{TRANSFER}/Delete", selectors=selectors))
    with pytest.raises(WSManFaultError) as caught:
        fresh.send(envelope(SHELL, f"{TRANSFER}/Get", selectors=selectors))
    assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (2150858843, "w:InvalidSelectors")


def test_unknown_shell(pc: Host) -> None:
    with pytest.raises(WSManFaultError) as caught:
        pc.pywinrm().run_command("11111111-1111-1111-1111-111111111111", "sc.exe")
    assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (2150858843, "w:InvalidSelectors")


def test_a_command_that_has_ended_is_gone(pc: Host) -> None:
    client = pc.pywinrm()
    shell = client.open_shell()
    command = client.run_command(shell, "sc.exe", ["query", "CcmExec"])
    client.get_command_output(shell, command)
    with pytest.raises(WSManFaultError) as caught:
        client.get_command_output(shell, command)
    client.close_shell(shell)
    assert caught.value.wsman_fault_code == 2150858843


def test_receive_without_a_command(pc: Host) -> None:
    client = pc.pywinrm()
    shell = client.open_shell()
    body = f'<rsp:Receive xmlns:rsp="{SHELL}"><rsp:DesiredStream>stdout</rsp:DesiredStream></rsp:Receive>'
    with pytest.raises(WSManFaultError) as caught:
        client.send_message(envelope(f"{SHELL}/cmd", f"{SHELL}/Receive", body, selectors={"ShellId": shell}))
    client.close_shell(shell)
    assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (87, "w:InvalidParameter")


def test_quota_of_shells(fleet: Simulator) -> None:
    host = Host(fleet, "PC-SMALL")
    client = host.pywinrm()
    shells = [client.open_shell() for _ in range(2)]
    with pytest.raises(WSManFaultError) as caught:
        client.open_shell()
    assert (caught.value.wmierror_code, caught.value.fault_subcode) == (2150859173, "w:QuotaLimit")
    assert "RelatesTo" not in str(caught.value.response)
    with host.pypsrp() as other, pytest.raises(PsrpFault):
        WinRS(other).open()
    for shell in shells:
        client.close_shell(shell)
    client.close_shell(client.open_shell())


def test_a_limited_account_gets_no_shell(fleet: Simulator) -> None:
    (entry,) = fleet.add({"name": "PC-LIMITED", "profile": "limited_account"})
    with pytest.raises(WSManFaultError) as caught:
        Host(fleet, entry["name"]).pywinrm().open_shell()
    fleet.remove("PC-LIMITED")
    assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (5, "w:AccessDenied")


def started(host: Host, line: str) -> tuple[Any, str, str]:
    client = host.pywinrm(operation_timeout_sec=5, read_timeout_sec=10)
    shell = client.open_shell(codepage=65001)
    return client, shell, client.run_command(shell, line)


def test_a_program_waits_for_the_end_of_its_input(fresh: Host) -> None:
    client, shell, command = started(fresh, "findstr /l needle")
    client.send_command_input(shell, command, b"hay\r\nneed")
    client.send_command_input(shell, command, b"le\r\n", end=True)
    assert client.get_command_output(shell, command) == (b"needle\r\n", b"", 0)


@pytest.mark.parametrize(
    ("language", "codepage", "expected"),
    [
        (1033, None, "Gr\u00f6\u00dfe".encode("cp437")),
        (1031, None, "Gr\u00f6\u00dfe".encode("cp850")),
        (1041, None, b"Gr??e"),
        (1041, 65001, "Gr\u00f6\u00dfe".encode()),
    ],
)
def test_code_pages(fresh: Host, language: int, codepage: int | None, expected: bytes) -> None:
    fresh.fleet.patch(fresh.name, os={"language": language})
    with fresh.pypsrp() as client, WinRS(client, codepage=codepage) as shell:
        process = Process(shell, "echo Gr\u00f6\u00dfe")
        process.invoke()
    assert process.stdout == expected + b"\r\n"


def test_a_code_page_that_does_not_exist(pc: Host) -> None:
    with pytest.raises(WSManFaultError) as caught:
        pc.pywinrm().open_shell(codepage=4711)
    assert caught.value.wsman_fault_code == 2150859072


def test_quota_of_commands_in_a_shell(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, wsman={"max_processes": 2})
    client, shell, first = started(fresh, "sort")
    client.run_command(shell, "sort")
    with pytest.raises(WSManFaultError) as caught:
        client.run_command(shell, "sort")
    assert caught.value.wsman_fault_code == 2150859241
    client.send_command_input(shell, first, b"", end=True)
    client.run_command(shell, "sort")


def test_ended_commands_hold_an_operation(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, wsman={"max_operations": 2})
    client, shell, command = started(fresh, "ver")
    client.cleanup_command(shell, command)
    client.cleanup_command(shell, client.run_command(shell, "ver"))
    with pytest.raises(WSManFaultError) as caught:
        client.run_command(shell, "ver")
    assert caught.value.wmierror_code == 2150859174
    client.close_shell(shell, close_session=False)
    client.run_command(client.open_shell(), "ver")
