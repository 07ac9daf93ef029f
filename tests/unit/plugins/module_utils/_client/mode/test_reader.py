# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.mode import reader
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import StoredValue
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import assess
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import max_minutes
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import KeyAbsent
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.states import NOW, RELEASED, TASKS
from tests.unit.windows import Windows

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


def test_healthy_endpoint_is_two_calls() -> None:
    windows = Windows()
    state = reader.read_state(windows.endpoint)
    assert assess(state).verdict.value == "normal"
    assert len(windows.calls) == 2


def test_healthy_endpoint_is_read_in_full_where_that_is_asked_for() -> None:
    windows = Windows()
    state = reader.read_state(windows.endpoint, full=True)
    assert assess(state).verdict.value == "normal"
    assert (state.full, state.client_version, state.system.computer_name) == (True, "5.00.9128.1007", "PC-0001")


def test_client_that_is_stuck_is_read_whole(windows: Windows) -> None:
    state = reader.read_state(windows.endpoint)
    assert assess(state).verdict.value == "stuck"
    assert state.unreadable == {}
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
    assert assess(reader.read_state(windows.endpoint)).timeline.age_minutes == 30 * 60


SIGNALS = [
    "Win32_Process",
    "Win32_Service",
    "EnumKey",
    "EnumValues",
    "Win32_OperatingSystem",
    "GetDWORDValue",
    "SMS_Client",
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("signal", SIGNALS)
def test_signal_that_fails_is_noted_and_the_others_are_read(windows: Windows, signal: str, failure: Exception) -> None:
    windows.fail[signal] = failure
    state = reader.read_state(windows.endpoint)
    assert list(state.unreadable.values()) == [str(failure)]
    assert assess(state).verdict.value not in RELEASED
    assert set(SIGNALS) <= set(windows.calls)


def test_requests_are_context(windows: Windows) -> None:
    windows.fail["CCM_TSExecutionRequest"] = FAILURES[0]
    state = reader.read_state(windows.endpoint)
    assert state.requests is None
    assert assess(state).verdict.value == "stuck"


@pytest.mark.parametrize("failure", [errors.ConnectionLost("gone"), errors.DeadlineExceeded("over")])
def test_connection_that_is_gone_is_no_signal(windows: Windows, failure: Exception) -> None:
    windows.fail["Win32_Service"] = failure
    with pytest.raises(type(failure)):
        reader.read_state(windows.endpoint)


def test_mode_that_cannot_be_read_is_an_error(windows: Windows) -> None:
    windows.fail["GetStringValue"] = FAILURES[0]
    with pytest.raises(errors.AccessDenied):
        reader.read_state(windows.endpoint)


def test_no_client() -> None:
    windows = Windows()
    windows.registry.clear()
    windows.keys.clear()
    windows.rows["Win32_Service"] = []
    windows.fail["SMS_Client"] = fault(FaultDetail(2150858752, "DestinationUnreachable", "No such class."))
    state = reader.read_state(windows.endpoint)
    assert assess(state).verdict.value == "not_installed"
    assert "CCM_TSExecutionRequest" not in windows.calls
    with pytest.raises(KeyAbsent):
        max_minutes.read(windows.endpoint)


def test_hold_is_read_with_its_owner(windows: Windows) -> None:
    key = r"SOFTWARE\configmgr.client\Hold"
    windows.registry |= {
        (key, "Expires"): (11, int(NOW.timestamp()) + 60),
        (key, "Owner"): (1, "ops"),
        (key, "Reason"): (1, "maintenance"),
    }
    assert assess(reader.read_state(windows.endpoint)).verdict.value == "held"
    windows.registry[key, "Expires"] = (11, 2**63)
    assert assess(reader.read_state(windows.endpoint)).verdict.value == "unknown"


# Again, right before a write


def test_second_reading_sees_what_started_meanwhile(windows: Windows) -> None:
    state = reader.read_state(windows.endpoint)
    windows.rows["Win32_Process"] = [{"Name": "TSManager.exe", "ProcessId": 8}]
    assert assess(reader.read_again(windows.endpoint, state)).verdict.value == "expected"


def test_a_hold_that_came_meanwhile_is_read(windows: Windows) -> None:
    state = reader.read_state(windows.endpoint)
    key = r"SOFTWARE\configmgr.client\Hold"
    values = {"Owner": (1, "jdoe"), "Reason": (1, "CHG1"), "Expires": (11, int(NOW.timestamp()) + 3600)}
    windows.registry.update({(key, name): value for name, value in values.items()})
    assert assess(reader.read_again(windows.endpoint, state)).verdict.value == "held"


@pytest.mark.parametrize("signal", ["Win32_Process", "Win32_Service", "EnumKey", "GetDWORDValue", "GetQWORDValue"])
def test_second_reading_fails_closed(windows: Windows, signal: str) -> None:
    state = reader.read_state(windows.endpoint)
    windows.fail[signal] = FAILURES[1]
    assert assess(reader.read_again(windows.endpoint, state)).verdict.value == "unknown"


def test_second_reading_keeps_what_was_dark_and_is_not_read_again(windows: Windows) -> None:
    windows.fail = {"Win32_OperatingSystem": FAILURES[1], "Win32_Process": FAILURES[1]}
    state = reader.read_state(windows.endpoint)
    windows.fail = {}
    again = reader.read_again(windows.endpoint, state)
    assert again.unreadable.keys() == {"clock"}
