# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
"""States of a client to judge: one that is stuck beyond doubt, and whatever Hypothesis makes of the others."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import (
    ClientState,
    Guard,
    Hold,
    Mode,
    Setup,
    StoredValue,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows.services import Service
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import OperatingSystem

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.timezone.utc)
TASKS = "SchedulerStartup;SchedulerShutdown;SchedulerLogon;SchedulerLogoff;ClientRegistrationStartup"
DWORD, QWORD, SZ = 4, 11, 1

IN_MODE, LEFT, HALF_OUT = Mode(True, "true", TASKS), Mode(False, "false", ""), Mode(False, "false", TASKS)
NO_MODE = Mode(None, None, "")

RELEASED = {"stuck", "overdue", "half_exited"}
FORCEABLE = {"recent", "resume_pending", "held"}


def ago(**time: float) -> dt.datetime:
    return NOW - dt.timedelta(**time)


def qword(moment: dt.datetime) -> StoredValue:
    return StoredValue(int(moment.timestamp()), QWORD)


def services(client: str = "Running", start_mode: str = "Auto", agent: str = "Stopped") -> dict[str, Service]:
    return {
        "ccmexec": Service("CcmExec", client, start_mode, 4711 if client == "Running" else 0),
        "smstsmgr": Service("smstsmgr", agent, "Manual", 0),
    }


def clock(now: dt.datetime = NOW, booted: dt.datetime | None = None) -> OperatingSystem:
    booted = booted or now - dt.timedelta(days=9)
    return OperatingSystem("PC-0001", now, booted, "10.0.22631", "Microsoft Windows 11", r"C:\Windows\system32")


QUIET = Guard(processes=[], services=services(), setup=Setup(), winpe=False)


def guard(**signals: t.Any) -> Guard:
    return dataclasses.replace(QUIET, **signals)


def stuck(**changes: t.Any) -> ClientState:
    """A client that has been in the mode for thirty hours while nothing runs, but for *changes*."""
    return dataclasses.replace(
        ClientState(
            mode=IN_MODE,
            full=True,
            entered=qword(ago(hours=30)),
            system=clock(),
            guard=QUIET,
            requests=[],
            client_version="5.00.9128.1007",
        ),
        **changes,
    )


# Strategies

STORED_TIMES = st.one_of(
    st.just(StoredValue()),
    st.integers(-(2**31), 2**31).map(lambda data: StoredValue(data, QWORD)),
    st.integers(int(ago(days=60).timestamp()), int(NOW.timestamp())).map(lambda data: StoredValue(data, QWORD)),
    st.text(max_size=12).map(lambda data: StoredValue(data, SZ)),
    st.binary(max_size=8).map(lambda data: StoredValue(data, 3)),
)
STORED_LIMITS = st.one_of(
    st.just(StoredValue()),
    st.integers(0, 100_000).map(lambda data: StoredValue(data, DWORD)),
    st.text(max_size=5).map(lambda data: StoredValue(data, SZ)),
)
MODES = st.sampled_from([IN_MODE, LEFT, HALF_OUT, NO_MODE, Mode(None, "maybe", ""), Mode(True, "True", "")])
SERVICES = st.sampled_from(
    [
        {},
        services(),
        services(agent="Running"),
        services(agent="Start Pending"),
        services("Stopped", "Disabled"),
        services("Running", "Disabled"),
    ]
)
SETUPS = st.builds(
    Setup,
    in_progress=st.booleans(),
    oobe_in_progress=st.booleans(),
    type=st.sampled_from([0, 1, 2]),
    command_line=st.sampled_from(["", r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"]),
)
PROCESSES = st.lists(
    st.sampled_from(["TSManager.exe", "TSMBootstrap.exe", "TsProgressUI.exe", "SetupHost.exe", "setupprep.exe"]),
    max_size=2,
    unique=True,
)
GUARDS = st.one_of(
    st.just(QUIET),
    st.builds(Guard, processes=PROCESSES, services=SERVICES, setup=SETUPS, winpe=st.booleans()),
)
HOLDS = st.none() | st.builds(
    Hold,
    owner=st.just("ops"),
    reason=st.just("maintenance"),
    expires=st.sampled_from([ago(hours=1), NOW + dt.timedelta(hours=1)]),
)
READABLE = st.builds(
    ClientState,
    mode=MODES,
    full=st.just(True),
    entered=STORED_TIMES,
    max_minutes=STORED_LIMITS,
    system=st.builds(clock, st.just(NOW), st.sampled_from([ago(minutes=5), ago(days=9)])),
    guard=GUARDS,
    hold=HOLDS,
    requests=st.lists(st.just("Ready/NotifyExecution/Failure"), max_size=1),
    client_version=st.sampled_from([None, "", "5.00.8692.1000", "5.00.8790.1005", "5.0.9141.1032", "unknown"]),
    class_missing=st.booleans(),
)
"""Any state of which every signal was read."""

GUARD_SIGNALS = ("processes", "services", "setup", "winpe")
OTHER_SIGNALS = ("clock", "hold", "registry", "client_version")


def darken(state: ClientState, signals: t.Iterable[str], reason: str | None = "Access is denied.") -> ClientState:
    """*state* as it would be had *signals* been unreadable."""
    signals = set(signals)
    return dataclasses.replace(
        state,
        guard=dataclasses.replace(state.guard, **{name: None for name in GUARD_SIGNALS if name in signals}),
        system=None if "clock" in signals else state.system,
        hold=None if "hold" in signals else state.hold,
        entered=StoredValue() if "registry" in signals else state.entered,
        max_minutes=StoredValue() if "registry" in signals else state.max_minutes,
        client_version=None if "client_version" in signals else state.client_version,
        class_missing=state.class_missing and "client_version" not in signals,
        unreadable={} if reason is None else dict.fromkeys(sorted(signals), reason),
    )
