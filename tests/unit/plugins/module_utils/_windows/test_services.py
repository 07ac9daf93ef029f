# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import PermissionRefused, WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.services import Service, Services
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult
from tests.unit import wire
from tests.unit.fakes import Wire, body, selectors
from tests.unit.wire import NAMESPACES


def row(name: str, state: str, mode: str, process: str) -> str:
    return wire.projected(f"<Name>{name}</Name>{process}<StartMode>{mode}</StartMode><State>{state}</State>")


def method(name: str, code: int | None) -> Wire:
    value = "" if code is None else f"<p:ReturnValue>{code}</p:ReturnValue>"
    return Wire([wire.output("Win32_Service", name, value, "root/cimv2")])


def test_installed_services_by_name() -> None:
    items = row("CcmExec", "Running", "Auto", "<ProcessId>4711</ProcessId>") + row(
        "SMSTSMGR", "Stopped", "Disabled", '<ProcessId xsi:nil="true"/>'
    )
    endpoint = Wire([wire.first_page(items, end=True)])
    found = Endpoint(endpoint.session()).services.read("CcmExec", "smstsmgr", "gone")
    assert found == {
        "ccmexec": Service("CcmExec", "Running", "Auto", 4711),
        "smstsmgr": Service("SMSTSMGR", "Stopped", "Disabled", 0),
    }
    assert (found["ccmexec"].running, found["ccmexec"].disabled) == (True, False)
    assert (found["smstsmgr"].running, found["smstsmgr"].disabled) == (False, True)
    query = endpoint.sent[0].findtext(".//w:Filter", "", NAMESPACES)
    for name in ("CcmExec", "smstsmgr", "gone"):
        assert f"Name='{name}'" in query


@pytest.mark.parametrize(("call", "accepted"), [("start", 10), ("stop", 6)])
def test_service_that_is_as_wanted_is_fine(call: str, accepted: int) -> None:
    name = "StartService" if call == "start" else "StopService"
    for code in (0, accepted):
        endpoint = method(name, code)
        getattr(Endpoint(endpoint.writable()).services, call)("CcmExec")
        assert selectors(endpoint.sent[0]) == {"Name": "CcmExec"}
        assert endpoint.single == [True]


@pytest.mark.parametrize(("code", "words"), [(14, "disabled"), (7, "in time"), (99, "99"), (10, "running")])
def test_refusal_is_said_in_words(code: int, words: str) -> None:
    name = "StopService" if code == 10 else "StartService"
    services = Endpoint(method(name, code).writable()).services
    with pytest.raises(WindowsError, match=words) as caught:
        services.stop("CcmExec") if code == 10 else services.start("CcmExec")
    assert type(caught.value) is WindowsError
    assert "CcmExec" in str(caught.value)


def test_2_is_access_denied_here() -> None:
    with pytest.raises(PermissionRefused):
        Endpoint(method("StartService", 2).writable()).services.start("CcmExec")


def test_start_mode_is_asked_for_by_name() -> None:
    endpoint = method("ChangeStartMode", 0)
    Endpoint(endpoint.writable()).services.change_start_mode("CcmExec", "Automatic")
    (input_,) = body(endpoint.sent[0])
    assert [child.text for child in input_] == ["Automatic"]


# Dependencies


class ScExe:
    def __init__(self, result: CommandResult) -> None:
        self.result = result
        self.ran: list[tuple[str, list[str], bool]] = []

    def run(self, program: str, arguments: list[str], *, writes: bool) -> CommandResult:
        self.ran.append((program, arguments, writes))
        return self.result


def set_dependencies(names: list[str], result: CommandResult) -> ScExe:
    program = ScExe(result)
    endpoint = Endpoint(Wire([]).session())
    Services(endpoint.session, endpoint.registry, t.cast(t.Any, program)).set_dependencies("smstsmgr", names)
    return program


@pytest.mark.parametrize(
    ("names", "argument"), [([], "/"), (["Winmgmt"], "Winmgmt"), (["Winmgmt", "CcmExec"], "Winmgmt/CcmExec")]
)
def test_dependencies_are_set_as_sc_wants_them(names: list[str], argument: str) -> None:
    program = set_dependencies(names, CommandResult(0, "[SC] ChangeServiceConfig SUCCESS\r\n", ""))
    assert program.ran == [("sc.exe", ["config", "smstsmgr", "depend=", argument], True)]


@pytest.mark.parametrize(("code", "kind"), [(5, PermissionRefused), (1060, WindowsError), (1072, WindowsError)])
def test_refusal_of_sc_is_said_with_its_code(code: int, kind: type[WindowsError]) -> None:
    output = f"[SC] OpenService FAILED {code}:\r\n\r\nZugriff verweigert\r\n"
    with pytest.raises(WindowsError, match=f"{code}.*Zugriff verweigert") as caught:
        set_dependencies([], CommandResult(code, output, ""))
    assert type(caught.value) is kind
