# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from contextlib import nullcontext

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.errors import MethodFailed, NotReady
from ansible_collections.configmgr.client.plugins.module_utils._client.methods import (
    ClientMethods,
    run_ccmeval,
    trigger_when_ready,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows import commands
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult
from ansible_collections.configmgr.client.plugins.module_utils._wsman.uris import Spelling
from tests.unit.windows import Windows

# Nothing of it was carried out: the URI, the action, the class, the selectors or the parameters are not taken.
REFUSALS = [
    *(2150858752, 2150858754, 2150858771, 2150858801, 2150858811, 2150858817, 2150859010),
    *(2150859064, 2150859065, 2150859066, 2150859067, 0x8004102E, 0x8004102F),
]
NOT_REFUSALS = {
    5: errors.AccessDenied,
    0x80041003: errors.AccessDenied,
    0x80004005: errors.ProviderFailure,
    0x80041033: errors.ProviderFailure,
    2150858793: errors.OperationTimedOut,
    2150859174: errors.QuotaExceeded,
}


POLICY = "{00000000-0000-0000-0000-000000000021}"


class Shell:
    """Remembers what it is to run; ``missing`` programs are not there."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.missing: set[str] = set()
        self.result = CommandResult(0, "", "")

    def run(
        self, session: t.Any, program: str, arguments: t.Sequence[str], *, writes: bool, max_output: int = 0
    ) -> CommandResult:
        assert writes, "each call of the client's changes it"
        self.lines.append((program, " ".join(arguments)))
        if program.rpartition("\\")[2] in self.missing:
            raise fault(FaultDetail(2147942402, "InternalError", "The system cannot find the file specified."))
        return self.result


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.setattr(commands.shell, "run", shell.run)
    return shell


def methods(windows: Windows, via: str = "auto") -> ClientMethods:
    windows._session._judge = lambda: None
    return ClientMethods(windows.endpoint, via, lambda line: None)


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


def answering(windows: Windows, answers: t.Mapping[Spelling, Exception | None]) -> Windows:
    """Each spelling has an answer of its own; None is success."""

    def before(what: str) -> None:
        failure = answers[windows.spellings[-1]] if what in ("SetClientProvisioningMode", "TriggerSchedule") else None
        if failure:
            raise failure

    windows.before = before
    return windows


WMI, DMTF = Spelling.WMI, Spelling.DMTF


@pytest.mark.parametrize("code", REFUSALS)
def test_refused_spelling_leads_to_the_other_one(shell: Shell, code: int) -> None:
    windows = answering(Windows(), {WMI: fault(FaultDetail(code, "InternalError", "Refused.")), DMTF: None})
    client = methods(windows)
    client.set_mode(False)
    assert (client.way, windows.spellings, shell.lines) == ("cim", [WMI, DMTF], [])
    assert client.refusal and client.refusal.startswith("wmi: Refused.") and "cim" not in client.refusal
    client.trigger(POLICY)
    assert windows.spellings == [WMI, DMTF, DMTF]


def test_each_way_is_judged_anew(shell: Shell) -> None:
    windows, judged = refuse(2150858811), []
    client = methods(windows)
    windows._session._judge = lambda: judged.append(list(windows.spellings))
    client.set_mode(False)
    assert judged == [[], [WMI]]


@pytest.mark.parametrize("passing", [0x80041013, 2150858793])
def test_spelling_that_leads_to_a_client_that_starts_is_kept(shell: Shell, passing: int) -> None:
    answers: dict[Spelling, Exception | None] = {
        WMI: fault(FaultDetail(2150858811, "", "Refused.")),
        DMTF: fault(FaultDetail(passing, "", "Not yet.")),
    }
    windows = answering(Windows(), answers)
    client = methods(windows)
    with pytest.raises(errors.Fault, match="Not yet"):
        client.set_mode(False)
    answers[DMTF] = None
    client.set_mode(False)
    assert (client.way, windows.spellings, shell.lines) == ("cim", [WMI, DMTF, DMTF], [])
    assert client.refusal and client.refusal.startswith("wmi: Refused.")


def test_call_that_every_way_refuses_says_nothing_of_the_ways(shell: Shell) -> None:
    """A schedule that the client does not have looks like a class that is not found."""
    missing = fault(FaultDetail(2150858752, "", "Not found."))
    answers: dict[Spelling, Exception | None] = {WMI: missing, DMTF: missing}
    windows = answering(Windows(), answers)
    shell.result = CommandResult(-2147217406, "", "Not found.")
    client = methods(windows)
    with pytest.raises(MethodFailed, match="0x80041002"):
        client.trigger(POLICY)
    answers[WMI] = None
    client.trigger(POLICY)
    assert (client.way, client.refusal, windows.spellings) == ("wmi", None, [WMI, DMTF, WMI])


@pytest.mark.parametrize(("via", "spelling"), [("wmi", WMI), ("cim", DMTF)])
def test_one_spelling_alone_is_tried_where_it_is_asked_for(shell: Shell, via: str, spelling: Spelling) -> None:
    windows = refuse(2150858811)
    with pytest.raises(MethodFailed, match=f"Only via={via} was tried"):
        methods(windows, via).set_mode(False)
    assert (windows.spellings, shell.lines) == ([spelling], [])


@pytest.mark.parametrize("code", REFUSALS)
def test_refused_path_leads_to_a_command(shell: Shell, code: int) -> None:
    client = methods(refuse(code))
    client.set_mode(False)
    ((application, line),) = shell.lines
    assert application == r"C:\Windows\system32\wbem\WMIC.exe"
    assert line.startswith(r"/namespace:\\root\ccm path sms_client CALL SetClientProvisioningMode ")
    assert '"False"' in line
    assert client.way == "command"
    assert client.refusal and "wmi: Refused." in client.refusal and "cim: Refused." in client.refusal


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
    assert windows.writes == []
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
    client.trigger(POLICY)
    assert windows.writes == ["SetClientProvisioningMode"] * 2
    assert POLICY in shell.lines[1][1]


def test_failed_command_is_said_with_its_code_and_words(shell: Shell) -> None:
    shell.result = CommandResult(5, "", "Zugriff\r\n verweigert" + "!" * 1000)
    with pytest.raises(MethodFailed, match="code 0x00000005: Zugriff verweigert") as caught:
        methods(Windows(), "command").set_mode(False)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(("code", "kind"), [(0x80041013, NotReady), (-2147217389, NotReady), (5, MethodFailed)])
def test_failure_that_passes_is_told_from_one_that_stays(shell: Shell, code: int, kind: type[Exception]) -> None:
    windows = Windows()
    windows.outputs["SetClientProvisioningMode"] = {"ReturnValue": code}
    shell.result = CommandResult(code, "", "")
    for via in ("wmi", "command"):
        with pytest.raises(MethodFailed) as caught:
            methods(windows, via).set_mode(False)
        assert type(caught.value) is kind


# Schedules


def test_schedule_is_triggered_by_its_id(shell: Shell) -> None:
    windows = Windows()
    methods(windows).trigger(POLICY)
    assert windows.writes == ["TriggerSchedule"]
    assert shell.lines == []


STARTING = fault(FaultDetail(0x80041013, "InternalError", "No provider."))
TIMED_OUT = fault(FaultDetail(2150858793, "TimedOut", ""))
DENIED = fault(FaultDetail(5, "AccessDenied", "Access is denied."))


@pytest.mark.parametrize("failure", [STARTING, TIMED_OUT, NotReady("0x80041013")])
@pytest.mark.parametrize(("attempts", "last"), [(1, None), (3, None), (3, DENIED), (3, MethodFailed("no"))])
def test_client_that_starts_is_asked_again(failure: Exception, attempts: int, last: Exception | None) -> None:
    answers = [failure] * (attempts - 1) + [last]

    class Client:
        def trigger(self, identifier: str) -> None:
            answer = answers.pop(0)
            if answer:
                raise answer

    assert trigger_when_ready(t.cast(t.Any, Client()), POLICY, iter([None] * attempts), nullcontext) is last
    assert answers == []
    answers[:] = [failure] * 2
    assert trigger_when_ready(t.cast(t.Any, Client()), POLICY, iter([None] * 2), nullcontext) is failure


# Evaluation


@pytest.mark.parametrize(
    ("stored", "program"),
    [(None, r"C:\Windows\CCM\ccmeval.exe"), ("D:\\CCM\\", r"D:\CCM\ccmeval.exe"), ("", r"C:\Windows\CCM\ccmeval.exe")],
)
def test_evaluation_is_run_where_the_client_is(shell: Shell, stored: str | None, program: str) -> None:
    windows, key = Windows(), r"SOFTWARE\Microsoft\SMS\Client\Configuration\Client Properties"
    if stored is not None:
        windows.keys.add(key)
        windows.registry[key, "Local SMS Path"] = (1, stored)
    run_ccmeval(windows.endpoint)
    assert shell.lines == [(program, "")]
    shell.result = CommandResult(7, "", "")
    with pytest.raises(MethodFailed, match="code 7"):
        run_ccmeval(windows.endpoint)
