# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import WrongMachine
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Blocked, Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import Write
from ansible_collections.configmgr.client.plugins.module_utils._wsman.cim import CimObject
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import (
    ConnectionLost,
    FaultDetail,
    NotSent,
    Unjudged,
    fault,
)
from tests.unit.windows import CCMEXEC, SETUP, Windows

DENIED = fault(FaultDetail(5, "AccessDenied", "Access is denied."))
BROKEN = fault(FaultDetail(0x80041001, "InternalError", "WMI is broken here."))
NO_CLASS = fault(FaultDetail(2150858752, "DestinationUnreachable", "No such class."))
OF_BOOT = (constants.WINPE_KEY, constants.AUDIT_KEY, constants.AUTOPILOT_KEY)


class Endpoint(Windows):
    """``asked`` tells of the registry which keys; ``codes`` are what StdRegProv returns of a key or a value."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.codes: dict[str, int] = {}

    def _registry(self, method: str, parameters: t.Any) -> dict[str, t.Any]:
        key, name = parameters["sSubKeyName"], parameters.get("sValueName", "")
        self.asked.append(key)
        code = self.codes.get(name or key)
        return super()._registry(method, parameters) if code is None else {"ReturnValue": code}

    def system(self, **values: str) -> None:
        self.rows["Win32_OperatingSystem"][0].update(values)

    def write(self, guard: Guard | None = None, **options: t.Any) -> None:
        with (guard or Guard(self.endpoint, "pc-0001", "short")).writing(Write("test"), **options):
            self.endpoint.services.start("CcmExec")
            self.endpoint.services.start("CcmExec")


@pytest.fixture
def windows() -> Endpoint:
    return Endpoint()


def guard_of(windows: Windows, check: str = "short") -> Guard:
    return Guard(windows.endpoint, "pc-0001", check)


def test_each_write_is_judged_anew_and_what_changes_fastest_is_read_last(windows: Endpoint) -> None:
    windows.write(still_planned=lambda: windows.calls.append("still planned?") or "")
    assert windows.writes == ["StartService"] * 2
    first, second, rest = " ".join(windows.calls).split(" StartService")
    assert first.startswith("Win32_ComputerSystem still planned? Win32_OperatingSystem ")
    assert second.startswith(" still planned? Win32_OperatingSystem ") and "Win32_ComputerSystem" not in second
    assert first.endswith("Win32_Service Win32_Process") and second.endswith("Win32_Service Win32_Process")
    assert not rest and len(second.split()) < len(first.split())


def starts(windows: Windows, what: str, number: int = 1) -> None:
    """A task sequence starts right before *what* is asked for the *number*th time."""

    def before(asked: str) -> None:
        if windows.calls.count(what) == number and asked == what:
            windows.rows["Win32_Process"].append({"Name": "TSManager.exe", "ProcessId": 8})

    windows.before = before


@pytest.mark.parametrize(
    ("moment", "number", "written"),
    [("Win32_ComputerSystem", 1, 0), ("Win32_Process", 1, 0), ("StartService", 1, 1), ("Win32_Process", 2, 1)],
)
def test_what_starts_is_seen_before_the_next_write(windows: Endpoint, moment: str, number: int, written: int) -> None:
    starts(windows, moment, number)
    with pytest.raises(Blocked, match=r"TSManager\.exe"):
        windows.write()
    assert len(windows.writes) == written


def test_what_the_write_was_planned_for_is_asked_first(windows: Endpoint) -> None:
    with pytest.raises(Blocked, match="no longer"):
        windows.write(still_planned=lambda: "no longer")
    assert windows.calls == ["Win32_ComputerSystem"] and not windows.writes


def test_setup_that_waits_counts_but_for_whoever_says_that_it_does_not(windows: Endpoint) -> None:
    windows.registry |= {(SETUP, "SetupType"): (4, 2), (SETUP, "CmdLine"): (1, "x.cmd")}
    with pytest.raises(Blocked, match=r"x\.cmd"):
        windows.write()
    with pytest.raises(Blocked, match=r"x\.cmd"):
        guard_of(windows).require()
    windows.write(armed_is_fine=True)
    assert len(windows.writes) == 2


def test_nobody_writes_outside(windows: Endpoint) -> None:
    windows.write()
    with pytest.raises(Unjudged):
        windows.endpoint.services.start("CcmExec")


# Fail closed


@pytest.mark.parametrize("failure", [DENIED, BROKEN], ids=["denied", "broken"])
@pytest.mark.parametrize(
    "signal", ["Win32_OperatingSystem", "EnumKey", "EnumValues", "GetDWORDValue", "Win32_Service", "Win32_Process"]
)
def test_signal_that_cannot_be_read_blocks_and_the_others_are_read(
    windows: Endpoint, signal: str, failure: Exception
) -> None:
    windows.fail[signal] = failure
    with pytest.raises(Blocked, match=re.escape(str(failure))):
        windows.write()
    assert not windows.writes and {"Win32_OperatingSystem", "Win32_Service", "Win32_Process"} <= set(windows.calls)


@pytest.mark.parametrize("rows", ["Win32_OperatingSystem", "Win32_Service", "Win32_Process"])
def test_answer_without_its_proof_is_not_believed(windows: Endpoint, rows: str) -> None:
    windows.rows[rows] = [row for row in windows.rows[rows] if row.get("Name") in ("CcmExec", "smstsmgr")]
    assert "could not be read" in guard_of(windows).blocker()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *(((SETUP, name), None) for name in constants.SETUP_REQUIRED),
        *(((SETUP, name), (1, "0")) for name in (*constants.SETUP_LIVE, *constants.SETUP_ARMED)),
        ((SETUP, "SetupType"), (99, 0)),
        ((constants.AUDIT_KEY, constants.AUDIT), (1, "0")),
        ((constants.AUTOPILOT_KEY, constants.AUTOPILOT_DONE), (1, "")),
    ],
)
def test_value_that_is_missing_or_no_number_blocks(
    windows: Endpoint, place: tuple[str, str], value: tuple[int, t.Any] | None
) -> None:
    windows.keys.add(place[0])
    windows.registry.pop(place, None)
    if value:
        windows.registry[place] = value
    reason = guard_of(windows).blocker(armed_is_fine=True)
    assert "could not be read" in reason and (place[1] in reason or "autopilot" in reason)


@pytest.mark.parametrize("code", [1, 5, 0x80041003])
@pytest.mark.parametrize("what", [SETUP, *constants.SETUP_REQUIRED, *OF_BOOT])
def test_only_code_2_means_that_something_is_not_there(windows: Endpoint, what: str, code: int) -> None:
    windows.codes[what] = code
    assert "could not be read" in guard_of(windows).blocker(armed_is_fine=True)
    windows.codes[what] = 2
    assert bool(guard_of(windows).blocker()) == (what not in OF_BOOT)


@pytest.mark.parametrize(
    ("key", "name", "live"),
    [
        *((SETUP, name, 1) for name in (*constants.SETUP_LIVE, *constants.SETUP_ARMED)),
        (constants.AUDIT_KEY, constants.AUDIT, 1),
        (constants.AUTOPILOT_KEY, constants.AUTOPILOT_DONE, 0),
    ],
)
def test_number_that_shows_life_blocks(windows: Endpoint, key: str, name: str, live: int) -> None:
    windows.keys.add(key)
    for type_ in (4, 11):
        windows.registry[key, name] = (type_, live)
        assert guard_of(windows).blocker()
        windows.registry[key, name] = (type_, 1 - live)
        assert not guard_of(windows).blocker()


def test_windows_pe_blocks(windows: Endpoint) -> None:
    windows.keys.add(constants.WINPE_KEY)
    assert "Windows PE" in guard_of(windows).blocker()


def test_requests_are_asked_for_after_a_start_alone(windows: Endpoint) -> None:
    windows.fail["CCM_TSExecutionRequest"] = NO_CLASS
    assert not guard_of(windows).blocker()
    windows.system(LastBootUpTime="2026-11-20T11:50:00Z")
    assert "No such class" in guard_of(windows).blocker()
    windows.codes[CCMEXEC] = 1
    assert "requests could not be read" in guard_of(windows).blocker()
    windows.codes[CCMEXEC] = 2
    assert not guard_of(windows).blocker(), "there is no client"
    windows.fail, windows.rows["CCM_TSExecutionRequest"] = {}, [{"State": "Running"}]
    assert "Running/-/-" in guard_of(windows).blocker()


def test_what_only_a_start_changes_is_read_once_for_each(windows: Endpoint) -> None:
    guard = guard_of(windows)
    for _ in range(3):
        assert not guard.blocker()
    assert [windows.asked.count(key) for key in OF_BOOT] == [1] * 3
    windows.keys.add(constants.WINPE_KEY)
    assert not guard.blocker()
    windows.system(LastBootUpTime="2026-11-20T09:00:00Z")
    assert "Windows PE" in guard.blocker()


def test_what_could_not_be_read_is_read_again(windows: Endpoint) -> None:
    guard = guard_of(windows)
    windows.fail["EnumKey"] = BROKEN
    for _ in range(2):
        assert "winpe could not be read: " in guard.blocker() and "broken" in guard.blocker()
    windows.fail = {}
    assert not guard.blocker()


def test_boot_is_not_known_without_its_time(windows: Endpoint) -> None:
    guard = guard_of(windows)
    assert not guard.blocker()
    windows.fail["Win32_OperatingSystem"] = BROKEN
    activity = guard.read_activity()
    assert (activity.system, activity.winpe, activity.audit, activity.autopilot) == (None,) * 4


# The machine


def test_wrong_machine_is_never_written_to(windows: Endpoint) -> None:
    guard = Guard(windows.endpoint, "pc-0002", "short")
    assert not guard.blocker(), "what runs is read of any machine"
    for _ in range(2):
        with pytest.raises(WrongMachine, match="pc-0001"):
            windows.write(guard)
    assert not windows.writes


@pytest.mark.parametrize("check", ["short", "off"])
@pytest.mark.parametrize("first", ["identify", "read_activity"])
def test_machine_that_becomes_another_one_is_left_alone(windows: Endpoint, check: str, first: str) -> None:
    guard = guard_of(windows, check)
    getattr(guard, first)()
    windows.write(guard)
    windows.system(CSName="pc-0001")
    windows.write(guard)
    windows.system(CSName="PC-0002")
    with pytest.raises(Blocked, match=r"PC-0002.*PC-0001"):
        windows.write(guard)
    assert len(windows.writes) == 4 and windows.calls.count("Win32_ComputerSystem") == (check == "short")


def test_check_that_is_off_costs_nothing(windows: Endpoint) -> None:
    guard_of(windows, "off").identify()
    assert windows.calls == []


def test_judge_that_loses_the_connection_lets_nothing_pass(windows: Endpoint) -> None:
    windows.fail["Win32_Service"] = ConnectionLost("gone")
    with pytest.raises(NotSent, match="gone"):
        windows.write()
    assert not windows.writes


# What was found harmless


class Listed(Endpoint):
    """Leaves out of the list of processes those that the query names as known, as WMI does."""

    def query(self, namespace: str, wql: str) -> list[CimObject]:
        rows = super().query(namespace, wql)
        known = {(int(number), name) for number, name in re.findall(r"ProcessId<>(\d+) OR Name<>'([^']*)'", wql)}
        return [row for row in rows if (row.integer("ProcessId"), row.string("Name")) not in known]

    def runs(self, name: str, identifier: int, path: str = r"C:\Program Files\x") -> None:
        row = {"Name": name, "ProcessId": identifier, "ExecutablePath": rf"{path}\{name}", "CommandLine": name}
        self.rows["Win32_Process"] = [*self.rows["Win32_Process"][:1], row]


def test_what_decides_comes_in_one_message_with_nothing_but_the_proof() -> None:
    """Several rows come in several messages, and what the first says is old when the last is there."""
    windows = Listed()
    windows.runs("OneDriveSetup.exe", 9)
    guard = guard_of(windows)
    assert guard.blocker() == "" and windows.calls.count("Win32_Process") == 2
    assert guard.blocker() == "" and windows.calls.count("Win32_Process") == 3


def test_what_starts_while_the_harmless_are_sorted_out_is_seen() -> None:
    windows = Listed()
    windows.runs("OneDriveSetup.exe", 9)
    windows.before = lambda what: (
        windows.runs("TSManager.exe", 10) if what == "Win32_Process" and windows.calls.count(what) == 2 else None
    )
    assert "TSManager.exe" in guard_of(windows).blocker()


def test_what_means_something_is_never_taken_for_harmless() -> None:
    windows = Listed()
    guard = guard_of(windows)
    windows.runs("setup.exe", 9)
    assert guard.blocker() == ""
    windows.runs("TSManager.exe", 9)  # the same id again
    assert [bool(guard.blocker()) for _look in range(2)] == [True, True]


def test_another_program_with_the_id_of_a_harmless_one_is_seen() -> None:
    windows = Listed()
    windows.runs("OneDriveSetup.exe", 9)
    guard = guard_of(windows)
    assert guard.blocker() == ""
    windows.runs("SetupHost.exe", 9)
    assert "SetupHost.exe" in guard.blocker()


def test_who_is_stopped_between_two_requests_says_that_the_first_went_out(windows: Endpoint) -> None:
    windows.before = lambda what: (
        windows.rows["Win32_Process"].append({"Name": "TSManager.exe", "ProcessId": 8})
        if what == "StartService"
        else None
    )
    guard = guard_of(windows)
    with pytest.raises(Blocked, match="may have been carried out") as stopped:
        windows.write(guard)
    assert stopped.value.wrote and guard.wrote
    with pytest.raises(Blocked) as stopped:
        windows.write(guard)
    assert not stopped.value.wrote
