# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.methods import ClientMethods, MethodFailed
from ansible_collections.configmgr.client.plugins.module_utils._windows import command
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult
from tests.unit.windows import Windows

REFUSALS = [2150858771, 2150859010, 0x8004102E, 2150858817, 2150858752]
NOT_REFUSALS = {
    5: errors.AccessDenied,
    0x80041003: errors.AccessDenied,
    0x80004005: errors.ProviderFailure,
    0x80041033: errors.ProviderFailure,
    2150858793: errors.OperationTimedOut,
    2150859174: errors.QuotaExceeded,
}


class Shell:
    """Remembers what it is to run; ``missing`` programs are not there."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.missing: set[str] = set()
        self.result = CommandResult(0, "", "")

    def run_line(self, _session: object, application: str, line: str) -> CommandResult:
        self.lines.append((application, line))
        if application.rpartition("\\")[2] in self.missing:
            raise fault(FaultDetail(2147942402, "InternalError", "The system cannot find the file specified."))
        return self.result


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.setattr(command, "run_line", shell.run_line)
    return shell


def methods(windows: Windows, via: str = "auto") -> ClientMethods:
    return ClientMethods(windows.endpoint, via, r"C:\Windows\system32", lambda line: None)


def refuse(code: int, method: str = "SetClientProvisioningMode") -> Windows:
    windows = Windows()
    windows.fail[method] = fault(FaultDetail(code, "InternalError", "Refused."))
    return windows


@pytest.mark.parametrize("output", [{"ReturnValue": 0}, {"ReturnValue": None}, {}])
def test_success_is_0_or_null_or_nothing(shell: Shell, output: dict[str, t.Any]) -> None:
    windows = Windows()
    windows.outputs["SetClientProvisioningMode"] = output
    client = methods(windows)
    client.set_mode(False)
    assert (client.way, client.refusal, shell.lines) == ("wmi", None, [])


@pytest.mark.parametrize("code", [2147500037, -2147467259])
def test_failure_of_the_method_is_said_with_its_code(shell: Shell, code: int) -> None:
    windows = Windows()
    windows.outputs["SetClientProvisioningMode"] = {"ReturnValue": code}
    with pytest.raises(MethodFailed, match="0x80004005"):
        methods(windows).set_mode(False)
    assert shell.lines == []


@pytest.mark.parametrize("code", REFUSALS)
def test_refused_path_leads_to_a_command(shell: Shell, code: int) -> None:
    client = methods(refuse(code))
    client.set_mode(False)
    ((application, line),) = shell.lines
    assert application == r"C:\Windows\system32\wbem\WMIC.exe"
    assert line.startswith(r"/namespace:\\root\ccm path sms_client CALL SetClientProvisioningMode ")
    assert '"False"' in line
    assert client.way == "command"
    assert "Refused." in client.refusal


@pytest.mark.parametrize(("code", "kind"), NOT_REFUSALS.items())
def test_failure_that_the_other_path_shares_stays_a_failure(shell: Shell, code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        methods(refuse(code)).set_mode(False)
    assert shell.lines == []


def test_lost_connection_starts_no_command(shell: Shell) -> None:
    windows = Windows()
    windows.fail["SetClientProvisioningMode"] = errors.ConnectionLost("gone")
    with pytest.raises(errors.ConnectionLost):
        methods(windows).set_mode(False)
    assert shell.lines == []


@pytest.mark.parametrize(("enabled", "text"), [(True, "$true"), (False, "$false")])
def test_powershell_stands_in_for_a_missing_wmic(shell: Shell, enabled: bool, text: str) -> None:
    shell.missing.add("WMIC.exe")
    methods(Windows(), "command").set_mode(enabled)
    application, line = shell.lines[-1]
    assert application == r"C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe"
    assert line.endswith(text)
    assert "-NoProfile -NonInteractive" in line
    assert "SetClientProvisioningMode" in line


def test_command_alone_asks_nothing_natively(shell: Shell) -> None:
    windows = Windows()
    methods(windows, "command").set_mode(False)
    assert windows.calls == []
    assert len(shell.lines) == 1


@pytest.mark.parametrize("code", REFUSALS)
def test_wmi_alone_starts_no_command(shell: Shell, code: int) -> None:
    with pytest.raises(MethodFailed, match="Refused"):
        methods(refuse(code), "wmi").set_mode(False)
    assert shell.lines == []


def test_way_that_worked_is_kept(shell: Shell) -> None:
    windows = refuse(2150858771)
    client = methods(windows)
    client.set_mode(False)
    client.trigger("machine_policy_request")
    assert windows.calls == ["SetClientProvisioningMode"]
    assert "{00000000-0000-0000-0000-000000000021}" in shell.lines[1][1]


def test_failed_command_is_said_with_its_code_and_words(shell: Shell) -> None:
    shell.result = CommandResult(5, "", "Zugriff\r\n verweigert" + "!" * 1000)
    with pytest.raises(MethodFailed, match="code 0x00000005: Zugriff verweigert") as caught:
        methods(Windows(), "command").set_mode(False)
    assert len(str(caught.value)) < 500


def test_schedule_is_triggered_by_its_id(shell: Shell) -> None:
    windows = Windows()
    methods(windows).trigger("hardware_inventory")
    assert windows.calls == ["TriggerSchedule"]
    assert shell.lines == []
