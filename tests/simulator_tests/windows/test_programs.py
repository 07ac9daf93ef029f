# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines and the programs they start."""

from __future__ import annotations

import base64
from subprocess import list2cmdline
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.windows.programs import command_line
from simulator.windows.programs.result import ProgramNotFound

from .conftest import Endpoint

SYSTEM32 = "C:\\Windows\\System32"
ARTICLE = 'Invoke-WmiMethod -Namespace "root\\ccm" -Class "SMS_Client" -Name "SetClientProvisioningMode" $false'

CIM = (
    "Invoke-CimMethod -Namespace root/ccm -ClassName SMS_Client "
    "-MethodName SetClientProvisioningMode -Arguments @{bEnable=$false}"
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ('"C:\\Program Files\\a.exe" b', ["C:\\Program Files\\a.exe", "b"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ('a b"c d"e', ["a", "bc de"]),
        ('a "b""c" d', ["a", 'b"c', "d"]),
        ('a \\\\\\"b c', ["a", '\\"b', "c"]),
        ('a "b\\\\" c', ["a", "b\\", "c"]),
        ("a \\\\server\\share", ["a", "\\\\server\\share"]),
        ('sc config "smstsmgr" depend= ""', ["sc", "config", "smstsmgr", "depend=", ""]),
    ],
)
def test_splitting(line: str, words: list[str]) -> None:
    assert command_line.split(line) == words


@given(st.lists(st.text(st.sampled_from('ab \t"\\'), max_size=8), max_size=5))
def test_splitting_reverses_quoting(words: list[str]) -> None:
    assert command_line.split(list2cmdline(["program", *words])) == ["program", *words]


@pytest.mark.parametrize(
    "line",
    [
        f"powershell.exe {ARTICLE}",
        f"powershell.exe -NoProfile -ExecutionPolicy Bypass -Command {ARTICLE}",
        "powershell -EncodedCommand " + base64.b64encode(ARTICLE.encode("utf-16-le")).decode(),
        f'powershell.exe -NonInteractive -Command "{CIM}"',
        'WMIC /namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode "False" /NOINTERACTIVE',
        'cmd.exe /c "wmic /namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode 0"',
    ],
)
def test_command_lines_that_leave_the_mode(line: str) -> None:
    endpoint = Endpoint("stuck")
    result = endpoint.machine.run_program(None, line)
    assert (result.exit_code, result.stderr) == (0, "")
    assert endpoint.mode == "normal"


def test_a_schedule_by_powershell_and_wmic() -> None:
    endpoint = Endpoint()
    schedule = "{00000000-0000-0000-0000-000000000022}"
    lines = (
        f'wmic /namespace:\\\\root\\ccm path sms_client CALL TriggerSchedule "{schedule}" /NOINTERACTIVE',
        f"powershell.exe Invoke-WmiMethod -Namespace root\\ccm -Class SMS_Client -Name TriggerSchedule '{schedule}'",
    )
    for line in lines:
        assert endpoint.machine.run_program(None, line).exit_code == 0
    assert endpoint.events().count("schedule.triggered") == 2


def test_wmic_tells_errors_by_exit_code() -> None:
    line = "wmic /namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode False"
    result = Endpoint("no_client").machine.run_program(None, line)
    assert result.exit_code == 0x8004100E - (1 << 32)
    assert "Invalid namespace" in result.stderr


def test_wmic_may_be_missing() -> None:
    endpoint = Endpoint(variants={"wmic": False})
    with pytest.raises(ProgramNotFound):
        endpoint.machine.run_program(f"{SYSTEM32}\\wbem\\wmic.exe", "wmic os")
    result = endpoint.machine.run_program(None, "wmic os")
    assert result.exit_code == 1
    assert "not recognized" in result.stderr


def test_powershell_says_what_it_cannot_do() -> None:
    result = Endpoint().machine.run_program(None, "powershell.exe -Command Get-Process")
    assert result.exit_code == 1
    assert "Get-Process" in result.stderr


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sc.exe query CcmExec", 0),
        ("sc.exe query nope", 1060),
        ("sc.exe config nope depend= /", 1060),
        ("sc.exe config smstsmgr depend=/", 1639),
        ("sc.exe config smstsmgr start= maybe", 1639),
        ("sc.exe start CcmExec", 1056),
        ("sc.exe start RemoteRegistry", 1058),
        ("sc.exe stop smstsmgr", 1062),
        ("sc.exe stop Winmgmt", 1051),
        ("sc.exe config Winmgmt depend= RPCSS/CcmExec", 1059),
    ],
)
def test_exit_codes_of_sc(line: str, code: int) -> None:
    assert Endpoint().machine.run_program(None, line).exit_code == code


def test_sc_without_rights() -> None:
    result = Endpoint("limited_account").machine.run_program(None, "sc.exe config smstsmgr depend= /")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (5, "[SC] OpenService FAILED 5:")


def test_an_application_takes_its_arguments_with_or_without_its_name() -> None:
    machine = Endpoint().machine
    application = f"{SYSTEM32}\\sc.exe"
    assert machine.run_program(application, f'"{application}" query CcmExec').exit_code == 0
    assert machine.run_program(application, "query CcmExec").exit_code == 0
    with pytest.raises(ProgramNotFound):
        machine.run_program("sc.exe", "query CcmExec")


def test_cmd_keeps_the_quotes_of_what_it_runs() -> None:
    machine = Endpoint().machine
    line = '/d /c "sc.exe config "smstsmgr" depend= "Winmgmt/CcmExec""'
    assert machine.run_program(f"{SYSTEM32}\\cmd.exe", line).exit_code == 0
    assert machine.describe()["services"]["smstsmgr"]["depend_on"] == ["Winmgmt", "CcmExec"]


def test_cmd_runs_one_command_after_another() -> None:
    machine = Endpoint().machine
    assert machine.run_program(None, "hostname & exit /b 3").exit_code == 3
    assert machine.run_program(None, "sc query nope || echo missing").stdout.endswith("missing\r\n")
    assert "second" not in machine.run_program(None, "sc query nope && echo second").stdout
    assert machine.run_program(None, "%windir%\\System32\\sc.exe query CcmExec").exit_code == 0


def test_a_created_process_does_its_work() -> None:
    endpoint = Endpoint("stuck")
    wmic = "wmic.exe /namespace:\\\\root\\ccm path sms_client CALL SetClientProvisioningMode False"
    outs = endpoint.call("root/cimv2", "Win32_Process", "Create", CommandLine=wmic)
    assert outs["ReturnValue"] == 0
    assert endpoint.mode == "normal"
    outs = endpoint.call("root/cimv2", "Win32_Process", "Create", CommandLine="nope.exe")
    assert outs == {"ProcessId": None, "ReturnValue": 9}


def test_a_quoted_program_takes_quoted_arguments() -> None:
    machine = Endpoint().machine
    assert machine.run_program(None, '"C:\\Windows\\System32\\sc.exe" query "CcmExec"').exit_code == 0


LOG = "C:\\Windows\\CCM\\Logs\\A.log"


def powershell(script: str, **overrides: Any) -> tuple[int, str, str]:
    machine = Endpoint(**overrides).machine
    result = machine.run_program(None, list2cmdline(["powershell.exe", "-NoProfile", "-Command", script]))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("$a = 2; $a += 3; $a * 2 - 1", "9"),
        ("$a = -not $false; if ($a -and 1 -lt 2) { 'yes' } else { 'no' }", "yes"),
        ("for ($i = 0; $i -lt 3; $i++) { '{0}-{1}' -f $i, 'x' }", "0-x 1-x 2-x"),
        ("foreach ($x in @('a', 'b')) { $x }", "a b"),
        ("$i = 0; while ($true) { $i++; if ($i -eq 4) { break } }; $i", "4"),
        ("'it''s'; 'a\u2019\u2019b'", "it's a\u2019b"),
        ("@('only').Count; @().Length", "1 0"),
        ("[void]5; [Math]::Max([long]0, 3 - 5)", "0"),
        ("try { [IO.File]::Open('C:\\no\\x', 'Open', 'Read', 'Read') } catch { $_.Exception.GetType().Name }; 'end'",
         "DirectoryNotFoundException end"),
        ("try { 'a' } finally { 'b' }", "a b"),
        ("[Console]::Out.WriteLine(('{0}{1}' -f 1, 2))", "12"),
    ],
)  # fmt: skip
def test_scripts(script: str, printed: str) -> None:
    assert powershell(script) == (0, "".join(f"{line}\r\n" for line in printed.split(" ")), "")


@pytest.mark.parametrize(
    "script",
    [
        "if (1 -eq 1) { 'x'",
        "$a = 'x",
        "try { 1 }",
        "$a = 1 $b = 2",
        "[Console]::Out.WriteLine('{0}{1}' -f 1, 2)",
        "[IO.File]::Delete('C:\\a')",
        "$x.Nothing",
        "while ($true) { $i = 1 }",
        "Remove-Item C:\\a",
    ],
)
def test_scripts_that_fail(script: str) -> None:
    code, _, stderr = powershell(script)
    assert code == 1
    assert stderr


@pytest.mark.parametrize(
    ("access", "share", "error"),
    [
        ("writing", "Read", "IOException"),
        ("writing", "ReadWrite", ""),
        ("closed", "Read", ""),
        ("locked", "ReadWrite", "IOException"),
        ("denied", "ReadWrite", "UnauthorizedAccessException"),
    ],
)
def test_a_file_is_opened_as_its_other_users_let(access: str, share: str, error: str) -> None:
    opened = f"$f = [IO.File]::Open('{LOG}', 'Open', 'Read', '{share}')"
    script = f"try {{ {opened} }} catch {{ $_.Exception.GetType().Name }}"
    _, stdout, _ = powershell(script, files={LOG: {"text": "a", "access": access}})
    assert stdout.strip() == error


def test_a_sparse_file_is_read_anywhere() -> None:
    script = (
        f"$f = [IO.File]::Open('{LOG}', 'Open', 'Read', 'ReadWrite'); $f.Length; $b = New-Object byte[] (4);"
        " [void]$f.Seek($f.Length - 4, 'Begin'); $f.Read($b, 0, 4); [Convert]::ToBase64String($b)"
    )
    code, stdout, _ = powershell(script, files={LOG: {"text": "ab", "hole": 2_000_000_000}})
    assert (code, stdout.split()) == (0, ["2000000002", "4", base64.b64encode(b"\0\0ab").decode()])


def test_constrained_language_calls_nothing() -> None:
    variants = {"powershell_language": "ConstrainedLanguage"}
    assert powershell("$ExecutionContext.SessionState.LanguageMode", variants=variants)[1] == "ConstrainedLanguage\r\n"
    assert powershell("[Math]::Max(1, 2)", variants=variants)[0] == 1
