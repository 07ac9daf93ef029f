# SPDX-License-Identifier: GPL-3.0-or-later
"""Each signal blocks by itself, live, armed, resuming or unknown; what healthy machines show does not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client import constants, programs
from ansible_collections.configmgr.client.plugins.module_utils._client.activity import (
    NOT_READ,
    SETTLING,
    Activity,
    Setup,
    armed,
    blocker,
    live,
    resuming,
    unknown,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import Process
from tests.unit.states import (
    ACTIVITIES,
    ARMED,
    NOW,
    POST_UPGRADE,
    QUIET,
    SIGNALS,
    activity,
    ago,
    clock,
    dark,
    running,
    services,
    shown,
)

BY_NAME = [f"{name}.exe" for names in programs._NAMES.values() for name in names]
BY_PLACE = [
    Process(name, 7, rf"C:\x{place if place.endswith(chr(92)) else chr(92) + place + chr(92)}{name}".lower())
    for name, (_meaning, places) in programs._BY_PLACE.items()
    for place in places
]
PACKAGES = r"C:\_SMSTaskSequence\Packages\PS100042"
MEDIA = [
    *(rf"{PACKAGES}\setup.exe", rf"{PACKAGES}\anything.exe", r"C:\$WINDOWS.~BT\Sources\mighost.exe"),
    *(r"C:\$Windows.~WS\Sources\setup.exe", r"C:\$WINDOWS.~BT\Sources\no-name-that-is-known.exe"),
    *(r"E:\setup.exe", r"D:\win11\sources\setup.exe", r"\\srv\win11\sources\SETUP.EXE"),
    r"C:\Windows\System32\oobe\setup.exe",
]
SWITCHES = [
    *("/auto upgrade /quiet", "/Auto:Upgrade", '/auto "clean"', "/auto DataOnly", "/ImageIndex 3", "/PostOOBE x.cmd"),
    *("/installfrom x.wim", "/postrollback x", "/postrollbackcontext system", "/migratedrivers all", "/migneo disable"),
    *("/showoobe none", "/DynamicUpdate Disable", "/installdrivers x", "/reflectdrivers x", "/compat ScanOnly"),
    *("/pkey X", "/eula accept", "/product server", r"/unattend:C:\a.xml"),
]
CACHE = r"C:\Windows\ccmcache\1\setup.exe"
LIVE_PROCESSES = [
    *(Process(name, 7) for name in BY_NAME),
    *(Process(name.upper(), 7, rf"C:\x\{name}", name) for name in BY_NAME),
    *BY_PLACE,
    *(Process(path.rpartition("\\")[2], 7, path, f'"{path}" /quiet') for path in MEDIA),
    *(Process("setup.exe", 7, CACHE, f'"{CACHE}" {switch}') for switch in SWITCHES),
    Process("setup.exe", 7, "", "setup.exe /ImageIndex 3"),
    *(Process(name, 7) for name in ("setup.exe", *programs._BY_PLACE)),  # of which Windows tells no place
    Process("cmd.exe", 7, r"C:\Windows\System32\cmd.exe", f"cmd /c {POST_UPGRADE}"),
    Process("ccmsetup.exe", 7, r"C:\Windows\ccmsetup\ccmsetup.exe", "ccmsetup.exe /mp:x PROVISIONTS=PS120042"),
]
HARMLESS = [
    *map(Process, ["UserOOBEBroker.exe", "FirstLogonAnim.exe", "UpdateAssistant.exe", "TiWorker.exe"], range(4)),
    *map(Process, ["OSDUtility.exe", "WSReset.exe", "smss.exe", "TSTheme.exe", "SetupDiag.exe", ""], range(6)),
    Process("ccmsetup.exe", 7, r"C:\Windows\ccmsetup\ccmsetup.exe", "ccmsetup.exe /mp:https://mp.corp.example"),
    Process("OneDriveSetup.exe", 7, r"C:\Windows\System32\OneDriveSetup.exe", "OneDriveSetup.exe /update"),
    Process("setup.exe", 7, CACHE, f'"{CACHE}" /quiet /norestart'),
    Process("setup.exe", 7, r"C:\Program Files\Microsoft Office\Office16\Office Setup Controller\setup.exe"),
    Process("setup.exe", 7, r"C:\Program Files (x86)\Microsoft\Edge\Application\1.2\Installer\setup.exe", "--update"),
    Process("setup.exe", 7, r"C:\Users\a\AppData\Local\Temp\setup.exe", "setup.exe /automatic /s /compatible"),
    Process("audit.exe", 7, r"C:\Tools\audit.exe"),
    Process("rollback.exe", 7, r"C:\Tools\rollback.exe"),
    Process("mighost.exe", 7, r"C:\Windows\System32\migwiz\mighost.exe"),
    Process("TSD.exe", 7, r"C:\Tools\TSD.exe"),
]


def meant(processes: list[Process]) -> t.Any:
    return pytest.mark.parametrize("process", processes, ids=lambda each: each.path or each.name)


@meant(LIVE_PROCESSES)
def test_each_program_blocks_by_itself(process: Process) -> None:
    found = activity(processes=[*running("lsass.exe"), process])
    (item,) = live(found)
    assert item.value == process.name, "of a command line, which may hold secrets, nothing is shown"
    assert process.name in blocker(found)


@meant(HARMLESS)
def test_what_healthy_machines_run_does_not(process: Process) -> None:
    assert blocker(activity(processes=[*running("lsass.exe"), process])) == ""


# The query that finds them

OPERATORS = {"=": re.escape, "LIKE": lambda text: "".join(_like(part) for part in re.findall(r"\[[^]]+]|.", text))}
TERM = re.compile(r"(Name|CommandLine|ExecutablePath) ?(=|LIKE) ?'([^']*)'")


def _like(part: str) -> str:
    return {"%": ".*", "_": "."}.get(part) or (part if part.startswith("[") else re.escape(part))


def finds(process: Process) -> bool:
    columns = {"Name": process.name, "CommandLine": process.command_line, "ExecutablePath": process.path}
    terms = [TERM.fullmatch(term) for term in programs.where(()).replace("((", "").replace("))", "").split(" OR ")]
    return any(term and re.fullmatch(OPERATORS[term[2]](term[3]), columns[term[1]], re.I) for term in terms)


@meant([*LIVE_PROCESSES, Process(programs.PROOF, 7)])
def test_query_finds_all_that_is_weighed(process: Process) -> None:
    assert finds(process)
    assert all(TERM.fullmatch(term) for term in programs.where(()).replace("((", "").replace("))", "").split(" OR "))


@pytest.mark.parametrize("name", ["svchost.exe", "explorer.exe", "CcmExec.exe", "WindowsTerminal.exe", "cmd.exe"])
def test_query_does_not_bring_everything(name: str) -> None:
    assert not finds(Process(name, 7, rf"C:\Windows\System32\{name}", f"{name} /c dir"))


# The other signals

LIVE = {
    **{name: {"setup": Setup({name: 1})} for name in constants.SETUP_LIVE},
    **{f"agent {state}": {"services": services(agent=state)} for state in ("Running", "Start Pending", "Paused", "")},
    **{name: {name: True} for name in ("winpe", "audit", "autopilot")},
}
WAITING = {
    **{name: {"setup": Setup({name: 2})} for name in constants.SETUP_ARMED},
    "command line": {"setup": ARMED},
}
YOUNG: dict[str, dict[str, t.Any]] = {
    "request": {"requests": ["Running/-/-"]},
    "agent": {"services": services(agent_starts="Auto")},
    "client": {"services": services("Stopped", "Disabled")},
}


@pytest.mark.parametrize("signal", LIVE)
def test_each_live_signal_blocks_by_itself(signal: str) -> None:
    found = activity(**LIVE[signal])
    assert len(live(found)) == 1 and not unknown(found)
    assert blocker(found) and blocker(found, armed_is_fine=True)


@pytest.mark.parametrize("signal", WAITING)
def test_setup_that_waits_blocks_whoever_does_not_say_why_it_may_not(signal: str) -> None:
    found = activity(**WAITING[signal])
    ((item,), setup) = armed(found), WAITING[signal]["setup"]
    assert item.value == (setup.command_line or f"{signal}=2")
    assert item.means in blocker(found) and not blocker(found, armed_is_fine=True) and not live(found)


def test_old_command_line_alone_waits_for_nothing() -> None:
    assert blocker(activity(setup=Setup({"SetupType": 0}, POST_UPGRADE))) == ""


@pytest.mark.parametrize("signal", YOUNG)
@given(uptime=st.integers(-10_000, 10_000).map(lambda seconds: dt.timedelta(seconds=seconds)))
@example(uptime=SETTLING)
def test_what_was_there_before_a_start_blocks_until_it_must_have_shown_itself(
    signal: str, uptime: dt.timedelta
) -> None:
    """A clock that was set back makes a start look as if it lay ahead: it is young then."""
    found = activity(system=clock(booted=NOW - uptime), **{"requests": [], **YOUNG[signal]})
    young = uptime < SETTLING
    assert bool(resuming(found)) == bool(blocker(found)) == bool(blocker(found, armed_is_fine=True)) == young


@pytest.mark.parametrize("signal", SIGNALS)
def test_each_signal_that_is_not_known_blocks(signal: str) -> None:
    assert f"{shown(signal)} could not be read: denied" in blocker(dark(QUIET, [signal], "denied"), armed_is_fine=True)
    assert blocker(dark(QUIET, [signal], None), armed_is_fine=True)


def test_requests_must_be_known_after_a_start_and_only_then() -> None:
    assert blocker(QUIET) == blocker(activity(requests=None)) == ""
    assert "requests" in blocker(activity(system=clock(booted=ago(minutes=5))), armed_is_fine=True)
    assert not blocker(activity(system=clock(booted=ago(minutes=5)), requests=[]))


def test_nothing_read_is_not_nothing_there() -> None:
    assert blocker(NOT_READ)
    assert {item.signal for item in unknown(NOT_READ)} == {shown(signal) for signal in SIGNALS}


DARK = st.sets(st.sampled_from(SIGNALS), max_size=2)


@given(ACTIVITIES, DARK, st.booleans(), st.booleans())
def test_nothing_blocks_where_all_is_known_and_nothing_lives_or_waits(
    found: Activity, signals: set[str], named: bool, armed_is_fine: bool
) -> None:
    found = dark(found, sorted(signals), "denied" if named else None)
    reason = blocker(found, armed_is_fine=armed_is_fine)
    quiet = (
        all(getattr(found, signal) is not None for signal in SIGNALS)
        and not found.unreadable
        and not any(programs.means(process) for process in found.processes or [])
        and not (found.winpe or found.audit or found.autopilot)
        and not any((found.setup or ARMED).numbers.get(name) for name in constants.SETUP_LIVE)
        and (armed_is_fine or not any((found.setup or ARMED).numbers.get(name) for name in constants.SETUP_ARMED))
        and (found.services or {}).get("smstsmgr", services()["smstsmgr"]).state == "Stopped"
        and not resuming(found)
    )
    assert (reason == "") == quiet


@given(ACTIVITIES, DARK)
def test_what_lives_is_told_before_anything_else(found: Activity, signals: set[str]) -> None:
    found = dark(dataclasses.replace(found), sorted(signals))
    for item in live(found)[:1]:
        assert blocker(found) == f"{item.means} ({item.value})"


@pytest.mark.parametrize(
    "name",
    [
        *("SystemSetupInProgress", "OOBEInProgress", "Upgrade", "RollbackActive", "FactoryPreInstallInProgress"),
        *("SetupType", "SetupPhase"),
    ],
)
def test_each_number_of_setup_blocks(name: str) -> None:
    """By their names, and not by the product's own list."""
    assert name in blocker(activity(setup=Setup({name: 1})))
