# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import hold, reader
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState, Hold
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import assess
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import Write
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import StoredValue
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.states import NOW, TASKS
from tests.unit.windows import CCMEXEC, Windows

ENTERED = int((NOW - dt.timedelta(hours=30)).timestamp())
FAILURES = [
    fault(FaultDetail(5, "AccessDenied", "Access is denied.")),
    fault(FaultDetail(0x80041013, "InternalError", "The provider could not be loaded.")),
    errors.ProtocolError("Win32_Process.Name is not one plain value"),
]


@pytest.fixture
def windows() -> Windows:
    """A client that is stuck."""
    windows = Windows()
    windows.set(ProvisioningMode=(1, "true"), SystemTaskExcludes=(1, TASKS), ProvisioningEnabledTime=(11, ENTERED))
    return windows


def read(windows: Windows, *, full: bool = False) -> ClientState:
    return reader.read_state(windows.endpoint, Guard(windows.endpoint, "pc-0001", "off"), full=full)


def test_healthy_endpoint_is_two_calls() -> None:
    windows = Windows()
    state = read(windows)
    assert assess(state).verdict.value == "normal"
    assert len(windows.calls) == 2


def test_healthy_endpoint_is_read_in_full_where_that_is_asked_for() -> None:
    windows = Windows()
    state = read(windows, full=True)
    assert assess(state).verdict.value == "normal"
    assert (state.full, state.client_version, state.system.computer_name) == (True, "5.00.9128.1007", "PC-0001")


def test_client_that_is_stuck_is_read_whole(windows: Windows) -> None:
    state = read(windows)
    assert assess(state).verdict.value == "stuck"
    assert state.unreadable == state.activity.unreadable == {}
    assert state.entered == StoredValue(ENTERED, 11)
    assert state.system.now == NOW
    assert len(windows.calls) < 25


@pytest.mark.parametrize("text", ["true", "True", "TRUE", " true "])
def test_flag_has_no_case(windows: Windows, text: str) -> None:
    windows.set(ProvisioningMode=(1, text))
    assert reader.read_mode(windows.endpoint).enabled is True


@pytest.mark.parametrize("text", ["", "1", "yes", "truefalse"])
def test_flag_that_is_neither_is_neither(windows: Windows, text: str) -> None:
    windows.set(ProvisioningMode=(1, text))
    mode = reader.read_mode(windows.endpoint)
    assert (mode.enabled, mode.text) == (None, text)


@pytest.mark.parametrize("value", [(4, ENTERED), (1, str(ENTERED)), (11, ENTERED)])
def test_time_of_entry_is_read_by_the_type_it_has(windows: Windows, value: tuple[int, int | str]) -> None:
    windows.set(ProvisioningEnabledTime=value)
    assert assess(read(windows)).timeline.age_minutes == 30 * 60


SIGNALS = ["Win32_Process", "Win32_Service", "EnumKey", "EnumValues", "Win32_OperatingSystem", "SMS_Client"]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("signal", [*SIGNALS, "GetDWORDValue"])
def test_signal_that_fails_is_noted_and_the_others_are_read(windows: Windows, signal: str, failure: Exception) -> None:
    windows.fail[signal] = failure
    state = read(windows)
    assert {*state.unreadable.values(), *state.activity.unreadable.values()} == {str(failure)}
    assert assess(state).verdict.value == "unknown"
    assert set(SIGNALS) - {"EnumKey" if signal == "Win32_OperatingSystem" else ""} <= set(windows.calls)


def test_requests_are_context(windows: Windows) -> None:
    windows.fail["CCM_TSExecutionRequest"] = FAILURES[0]
    state = read(windows)
    assert state.requests is None
    assert assess(state).verdict.value == "stuck"


@pytest.mark.parametrize("failure", [errors.ConnectionLost("gone"), errors.DeadlineExceeded("over")])
def test_connection_that_is_gone_is_no_signal(windows: Windows, failure: Exception) -> None:
    windows.fail["Win32_Service"] = failure
    with pytest.raises(type(failure)):
        read(windows)


def test_mode_that_cannot_be_read_is_an_error(windows: Windows) -> None:
    windows.fail["GetStringValue"] = FAILURES[0]
    with pytest.raises(errors.AccessDenied):
        read(windows)


def test_no_client() -> None:
    windows = Windows()
    windows.keys.remove(CCMEXEC)
    for name in ("ProvisioningMode", "SystemTaskExcludes"):
        del windows.registry[CCMEXEC, name]
    windows.rows["Win32_Service"] = windows.rows["Win32_Service"][2:]
    windows.fail["SMS_Client"] = fault(FaultDetail(2150858752, "DestinationUnreachable", "No such class."))
    state = read(windows)
    assert assess(state).verdict.value == "not_installed"
    assert "CCM_TSExecutionRequest" not in windows.calls


# Holds

HOLD = Hold("ops", "maintenance", NOW + dt.timedelta(minutes=1), ENTERED)
KEY = r"SOFTWARE\configmgr.client\Hold"


def in_parts(windows: Windows, expires: int, **parts: tuple[int, t.Any]) -> None:
    """As earlier builds stored a hold."""
    values = {"Owner": (1, "ops"), "Reason": (1, "maintenance"), "Expires": (11, expires), **parts}
    windows.keys.add(KEY)
    windows.registry.update({(KEY, name): value for name, value in values.items()})


@given(
    st.builds(
        Hold,
        owner=st.text(),
        reason=st.text(),
        expires=st.integers(0, 253_402_300_799).map(lambda epoch: dt.datetime.fromtimestamp(epoch, dt.timezone.utc)),
        entered=st.none() | st.integers(0, 2**64 - 1),
    )
)
def test_hold_survives_the_registry(kept: Hold) -> None:
    windows = Windows()
    with Guard(windows.endpoint, "pc-0001", "short").writing(Write("test")):
        assert hold.read(windows.endpoint) is None
        hold.write(windows.endpoint, kept)
        assert hold.read(windows.endpoint) == kept and windows.writes == ["CreateKey", "SetStringValue"]
        hold.remove(windows.endpoint)
    assert hold.read(windows.endpoint) is None


def test_hold_in_parts_is_read_as_one(windows: Windows) -> None:
    in_parts(windows, int(HOLD.expires.timestamp()))
    assert hold.read(windows.endpoint) == dataclasses.replace(HOLD, entered=None)
    assert assess(read(windows)).verdict.value == "held"
    in_parts(windows, int(HOLD.expires.timestamp()), Entered=(11, ENTERED))
    assert hold.read(windows.endpoint) == HOLD
    with Guard(windows.endpoint, "pc-0001", "short").writing(Write("test")):
        hold.rewrite(windows.endpoint, dataclasses.replace(HOLD, owner="jdoe"))
    assert hold.read(windows.endpoint) == dataclasses.replace(HOLD, owner="jdoe"), "what is newer counts"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"owner": "o", "reason": "r", "expires": 1}',
        '{"owner": "o", "reason": "r", "expires": 1e99, "entered": 0}',
        '{"owner": "o", "reason": "r", "expires": "soon", "entered": 0}',
    ],
)
def test_damaged_hold_is_unknown_and_not_none(windows: Windows, text: str) -> None:
    windows.keys.add(KEY)
    windows.registry[KEY, "Hold"] = (1, text)
    with pytest.raises(WindowsError, match="not a valid hold"):
        hold.read(windows.endpoint)
    assert assess(read(windows)).verdict.value == "unknown"


def test_damaged_hold_in_parts_is_unknown(windows: Windows) -> None:
    in_parts(windows, 2**63)
    assert assess(read(windows)).verdict.value == "unknown"


# Again, right before a write


def test_second_reading_sees_what_others_changed(windows: Windows) -> None:
    state = read(windows)
    in_parts(windows, int(HOLD.expires.timestamp()))
    windows.set(ProvisioningEnabledTime=(11, ENTERED + 1))
    again = reader.read_again(windows.endpoint, state)
    assert (again.hold, again.entered.data) == (dataclasses.replace(HOLD, entered=None), ENTERED + 1)
    assert again.activity is state.activity, "of what runs, the guard speaks"
    windows.set(ProvisioningMode=(1, "false"), SystemTaskExcludes=(1, ""))
    assert reader.read_again(windows.endpoint, state).mode.exited


def test_second_reading_fails_closed_and_keeps_what_was_dark(windows: Windows) -> None:
    windows.fail["SMS_Client"] = FAILURES[1]
    state = read(windows)
    windows.fail = {"EnumValues": FAILURES[1]}
    assert reader.read_again(windows.endpoint, state).unreadable.keys() == {"client_version", "entered_at", "hold"}
    windows.fail = {}
    assert reader.read_again(windows.endpoint, state).unreadable.keys() == {"client_version"}
