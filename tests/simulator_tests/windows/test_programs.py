# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines and the programs they start."""

from __future__ import annotations

import base64
import gzip
from subprocess import list2cmdline
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from simulator.windows.programs import command_line
from simulator.windows.programs.result import ProgramNotFound, ProgramResult
from simulator.windows.programs.transcript import TRANSCRIPT

from .conftest import Endpoint

SYSTEM32 = "C:\\Windows\\System32"
ARTICLE = 'Invoke-WmiMethod -Namespace "root\\ccm" -Class "SMS_Client" -Name "SetClientProvisioningMode" $false'


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
        f"powershell.exe -NoProfile -NonInteractive -Command {ARTICLE}",
        "powershell -NoP -C iwmi -Namespace root\\ccm SMS_Client SetClientProvisioningMode $false",
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


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sc.exe query CcmExec", 0),
        ("sc.exe query nope", 1060),
        ("sc.exe config nope depend= /", 1060),
        ("sc.exe config smstsmgr depend=/", 1639),
        ("sc.exe config smstsmgr start= auto", 1639),
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


LOG = "C:\\Windows\\CCM\\Logs\\it's.log"
SCRIPT = " ".join(line.strip() for line in yaml.safe_load(TRANSCRIPT.read_text("utf-8"))["script"].splitlines())


def newest_end(path: str = LOG, limit: int = 4, script: str = SCRIPT, **overrides: Any) -> ProgramResult:
    script = script.replace("<paths>", f"""'{path.replace("'", "''")}'""").replace("<limits>", str(limit))
    line = list2cmdline(["powershell.exe", "-NoProfile", "-Command", script])
    return Endpoint(**overrides).machine.run_program(None, line)


def test_powershell_reads_the_end_of_a_sparse_file_from_an_even_byte() -> None:
    result = newest_end(limit=5, files={LOG: {"text": "abc", "hole": 2_000_000_001}})
    index, size, start, packed = result.stdout.split()
    assert (result.exit_code, index, size, start) == (0, "0", "2000000004", "2000000000")
    assert gzip.decompress(base64.b64decode(packed)) == b"\0abc"


@pytest.mark.parametrize(
    ("path", "access", "printed"),
    [
        (LOG, "writing", "0 0 0 "),
        (LOG, "closed", "0 0 0 "),
        (LOG, "locked", "0 IOException"),
        (LOG, "denied", "0 UnauthorizedAccessException"),
        ("C:\\Windows\\CCM\\Logs\\its.log", "closed", "0 FileNotFoundException"),
        ("C:\\Nowhere\\it's.log", "closed", "0 DirectoryNotFoundException"),
    ],
)
def test_powershell_tells_how_a_file_was_opened(path: str, access: str, printed: str) -> None:
    assert newest_end(path, files={LOG: {"text": "", "access": access}}).stdout == f"{printed}\r\n"


def test_a_confined_powershell_reads_no_file() -> None:
    result = newest_end(variants={"powershell_language": "ConstrainedLanguage"})
    assert (result.exit_code, result.stdout) == (87, "")


@pytest.mark.parametrize(
    "script", ["Get-Process", SCRIPT.replace("'Read'", "'ReadWrite'"), SCRIPT.replace("<paths>", "'a'); exit 3; #")]
)
def test_powershell_says_that_it_does_not_know_a_script(script: str) -> None:
    result = newest_end(script=script)
    assert (result.exit_code, result.stdout) == (120, "")
    assert f"does not know this script (see programs/powershell.py): {script[:40]}" in result.stderr
