# SPDX-License-Identifier: GPL-3.0-or-later
"""cmd.exe and the programs that batch lines test things with."""

from __future__ import annotations

import pytest
from simulator.windows.programs import cmd
from simulator.windows.programs.result import ProgramResult

from .conftest import Endpoint


def play(line: str) -> str:
    """The commands that ran: a capital letter succeeds, a small one fails."""
    ran: list[str] = []

    def command(text: str, stdin: str) -> ProgramResult:
        ran.append(f"{text}<{stdin}" if stdin else text)
        return ProgramResult(0 if text.isupper() else 1, text)

    cmd.run(line, command)
    return " ".join(ran)


@pytest.mark.parametrize(
    ("line", "ran"),
    [
        ("A & b & C", "A b C"),
        ("A && B && C", "A B C"),
        ("a && B || C", "a C"),
        ("A || B && C", "A"),
        ("a || B && C", "a B C"),
        ("A && (b || C) && D", "A b C D"),
        ("A && (B || (C && D)) && E", "A B E"),
        ("a && (B || C)", "a"),
        ("A | B", "A B<A"),
        ("a|B && C", "a B<a C"),
        ("A|b && C", "A b<A"),
        ('A "&& (b" && C', 'A "&& (b"'),
        ("A (b) && C", "A (b)"),
    ],
)
def test_operators_bind_as_in_cmd(line: str, ran: str) -> None:
    assert play(line) == ran


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('reg query HKLM\\SYSTEM\\Setup /v SetupType|find "0x0"', 0),
        ('reg query HKLM\\SYSTEM\\Setup /v SetupType|find "0x2"', 1),
        ('reg query HKLM\\SYSTEM\\Setup /v Nope|find "0x0"', 1),
        ("reg query HKLM\\SYSTEM\\Setup /v Nope", 1),
        ("reg query HKLM\\SYSTEM\\Nope", 1),
        ("reg query HKLM\\SYSTEM\\Setup", 0),
        ('reg query HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec /v ProvisioningMode|find "FALSE"', 1),
        ('reg query HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec /v ProvisioningMode|find /i "FALSE"', 0),
        ("hostname|find PC", 2),
        ('hostname|find /v "nothing of it"', 0),
        ('tasklist|findstr /i /l "nope.exe LSASS.EXE"', 0),
        ('tasklist|findstr /l "nope.exe LSASS.EXE"', 1),
        ('sc query smstsmgr|find "STOPPED"', 0),
        ('sc query nope|find "STOPPED"', 1),
        ("cd /d C:\\Windows\\system32&&wbem\\WMIC /?", 44135),
        ("cd /d C:\\Nowhere", 1),
    ],
)
def test_exit_codes(line: str, code: int) -> None:
    assert Endpoint().machine.run_program(None, line).exit_code == code


def test_setup_that_is_armed_is_seen() -> None:
    endpoint = Endpoint("upgrade_pending_restart")
    assert "SetupType    REG_DWORD    0x2" in endpoint.machine.run_program(None, "reg query HKLM\\SYSTEM\\Setup").stdout


CREATE = "schtasks /create /tn Ours /sc onstart /ru SYSTEM /delay 0005:00 /tr"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("schtasks /query /tn Ours", 0),
        ("schtasks /query /tn Theirs", 1),
        ("schtasks /query /tn Ours /xml", 0),
        ("schtasks /change /tn Ours /disable", 0),
        ("schtasks /change /tn Theirs /disable", 1),
        ("schtasks /delete /tn Ours", 1),
        ("schtasks /delete /tn Ours /f", 0),
        ("schtasks /delete /tn Theirs /f", 1),
        (f"{CREATE} notepad.exe", 1),
        (f"{CREATE} notepad.exe /f", 0),
        (f'{CREATE} "{"x" * 261}" /f', 0),
        (f'{CREATE} "{"x" * 262}" /f', 1),
    ],
)
def test_exit_codes_of_schtasks(line: str, code: int) -> None:
    machine = Endpoint().machine
    machine.run_program(None, f"{CREATE} cmd.exe")
    assert machine.run_program(None, line).exit_code == code


def test_tasks_are_listed_and_printed() -> None:
    machine = Endpoint().machine
    machine.run_program(None, f"{CREATE} cmd.exe")
    assert machine.run_program(None, "schtasks /query /fo csv /nh").stdout == '"\\Ours","N/A","Ready"\r\n'
    machine.run_program(None, "schtasks /change /tn Ours /disable")
    printed = machine.run_program(None, "schtasks /query /tn Ours /xml").stdout
    assert printed.startswith('<?xml version="1.0" encoding="UTF-16"?>\r\n<Task')
    assert "<Settings><Enabled>false</Enabled></Settings>" in printed


@pytest.mark.parametrize(("on_battery", "runs"), [(False, True), (True, False)])
def test_a_task_without_settings_waits_for_mains_power(on_battery: bool, runs: bool) -> None:
    endpoint = Endpoint(on_battery=on_battery)
    endpoint.machine.run_program(None, f"{CREATE} cmd.exe")
    endpoint.machine.fire("reboot")
    endpoint.advance(minutes=6)
    assert ("task.ran" in endpoint.events()) == runs


def test_a_disabled_task_does_not_run() -> None:
    endpoint = Endpoint()
    endpoint.machine.run_program(None, f"{CREATE} cmd.exe")
    endpoint.machine.run_program(None, "schtasks /change /tn Ours /disable")
    endpoint.machine.fire("reboot")
    endpoint.advance(minutes=6)
    assert "task.ran" not in endpoint.events()


def test_powershell_registers_tasks() -> None:
    machine = Endpoint().machine
    xml = (
        "<Task xmlns='http://schemas.microsoft.com/windows/2004/02/mit/task'><Triggers><BootTrigger/></Triggers>"
        "<Actions><Exec><Command>cmd.exe</Command></Exec></Actions></Task>"
    ).replace("'", '\\"')
    script = f"Register-ScheduledTask -Force -TaskName 'Ours' -TaskPath '\\' -Xml '{xml}' -ErrorAction Stop"
    assert machine.run_program(None, f'powershell.exe -Command "{script}"').exit_code == 0
    assert [task["uri"] for task in machine.describe()["scheduled_tasks"]] == ["\\Ours"]
    assert machine.run_program(None, f'powershell.exe -Command "{script.replace("<Actions>", "")}"').exit_code == 1
