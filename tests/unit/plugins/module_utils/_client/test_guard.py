# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.guard import (
    WrongMachine,
    reason_to_wait,
    require_own_name,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.windows import Windows

SETUP = r"SYSTEM\Setup"


def test_quiet_endpoint_need_not_wait() -> None:
    assert reason_to_wait(Windows().endpoint) == ""


@pytest.mark.parametrize("name", ["TSManager.exe", "SetupHost.exe"])
def test_running_process_is_a_reason(name: str) -> None:
    windows = Windows()
    windows.rows["Win32_Process"] = [{"Name": name}]
    assert name in reason_to_wait(windows.endpoint)


@pytest.mark.parametrize("value", ["SystemSetupInProgress", "OOBEInProgress"])
def test_setup_in_progress_is_a_reason(value: str) -> None:
    windows = Windows()
    windows.registry[SETUP, value] = (4, 1)
    assert value in reason_to_wait(windows.endpoint)


def test_windows_pe_is_a_reason() -> None:
    windows = Windows()
    windows.keys.add(r"SYSTEM\CurrentControlSet\Control\MiniNT")
    assert "Windows PE" in reason_to_wait(windows.endpoint)


def test_setup_that_waits_for_a_restart_is_a_reason() -> None:
    windows = Windows()
    windows.registry |= {(SETUP, "SetupType"): (4, 2), (SETUP, "CmdLine"): (1, "SetupComplete.cmd")}
    assert "SetupComplete.cmd" in reason_to_wait(windows.endpoint)


@pytest.mark.parametrize("signal", ["Win32_Process", "Win32_Service", "EnumKey", "GetDWORDValue"])
def test_dark_signal_is_a_reason(signal: str) -> None:
    windows = Windows()
    windows.fail[signal] = fault(FaultDetail(0x80041001, "InternalError", "WMI is broken here."))
    assert "WMI is broken here." in reason_to_wait(windows.endpoint)


@pytest.mark.parametrize(("expected", "check"), [("pc-0001", "short"), ("PC-0001.corp.example", "fqdn"), ("x", "off")])
def test_right_machine(expected: str, check: str) -> None:
    require_own_name(Windows().endpoint, expected, check)


@pytest.mark.parametrize(("expected", "check"), [("pc-0002", "short"), ("pc-0001", "fqdn"), ("192.0.2.7", "short")])
def test_wrong_machine(expected: str, check: str) -> None:
    with pytest.raises(WrongMachine, match="pc-0001"):
        require_own_name(Windows().endpoint, expected, check)


def test_check_that_is_off_costs_nothing() -> None:
    windows = Windows()
    require_own_name(windows.endpoint, "x", "off")
    assert windows.calls == []
