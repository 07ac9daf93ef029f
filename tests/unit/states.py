# SPDX-License-Identifier: GPL-3.0-or-later
"""States of a client to judge: one that is stuck beyond doubt, and whatever Hypothesis makes of the others."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.activity import Activity, Setup
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState, Hold, Mode
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import ABSENT, StoredValue
from ansible_collections.configmgr.client.plugins.module_utils._windows.services import Service
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import OperatingSystem, Process

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.timezone.utc)
TASKS = "SchedulerStartup;SchedulerShutdown;SchedulerLogon;SchedulerLogoff;ClientRegistrationStartup"
DWORD, QWORD, SZ = 4, 11, 1

IN_MODE, LEFT, HALF_OUT = Mode(True, "true", TASKS), Mode(False, "false", ""), Mode(False, "false", TASKS)
NO_MODE = Mode(None, None, "")

RELEASED = {"stuck", "overdue", "half_exited"}
FORCEABLE = {"recent", "resume_pending", "held"}
POST_UPGRADE = r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"


def ago(**time: float) -> dt.datetime:
    return NOW - dt.timedelta(**time)


def qword(moment: dt.datetime) -> StoredValue:
    return StoredValue(int(moment.timestamp()), QWORD)


def services(
    client: str = "Running", start_mode: str = "Auto", agent: str = "Stopped", agent_starts: str = "Manual"
) -> dict[str, Service]:
    return {
        "ccmexec": Service("CcmExec", client, start_mode, 4711 if client == "Running" else 0),
        "smstsmgr": Service("smstsmgr", agent, agent_starts, 0),
    }


def clock(now: dt.datetime = NOW, booted: dt.datetime | None = None, offset: int | None = None) -> OperatingSystem:
    booted = booted or now - dt.timedelta(days=9)
    return OperatingSystem("PC-0001", now, booted, "10.0.22631", "Windows 11", r"C:\Windows\system32", offset)


def running(*names: str) -> list[Process]:
    return [Process(name, number) for number, name in enumerate(names, 8)]


ARMED = Setup({"SetupType": 2, "SetupPhase": 0}, POST_UPGRADE)
YOUNG = clock(booted=ago(minutes=5))
QUIET = Activity(
    system=clock(),
    setup=Setup({"SetupType": 0}),
    winpe=False,
    audit=False,
    autopilot=False,
    services=services(),
    processes=running("lsass.exe"),
)
"""Every signal is read, and nothing runs or waits."""


def activity(**signals: t.Any) -> Activity:
    return dataclasses.replace(QUIET, **signals)


def stuck(**changes: t.Any) -> ClientState:
    """A client that has been in the mode for thirty hours while nothing runs, but for *changes*.

    Those that an activity has are made there.
    """
    found = activity(**{name: changes.pop(name) for name in SIGNALS if name in changes})
    requests = changes.pop("requests", [])
    return dataclasses.replace(
        ClientState(
            mode=IN_MODE,
            full=True,
            entered=qword(ago(hours=30)),
            activity=dataclasses.replace(found, requests=requests if found.is_settling else None),
            requests=requests,
            client_version="5.00.9128.1007",
        ),
        **changes,
    )


# Strategies

STORED_TIMES = st.one_of(
    st.just(ABSENT),
    st.integers(-(2**31), 2**31).map(lambda data: StoredValue(data, QWORD)),
    st.integers(int(ago(days=60).timestamp()), int(NOW.timestamp())).map(lambda data: StoredValue(data, QWORD)),
    st.text(max_size=12).map(lambda data: StoredValue(data, SZ)),
    st.binary(max_size=8).map(lambda data: StoredValue(data, 3)),
)
STORED_LIMITS = st.one_of(
    st.just(ABSENT),
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
        services(agent_starts="Auto"),
        services("Stopped", "Disabled"),
        services("Running", "Disabled"),
    ]
)
SETUPS = st.builds(
    Setup,
    st.dictionaries(
        st.sampled_from(["SetupType", "SetupPhase", "SystemSetupInProgress", "OOBEInProgress", "Upgrade"]),
        st.integers(0, 2),
    ),
    st.sampled_from(["", POST_UPGRADE]),
)
PROCESSES = st.lists(st.sampled_from(["lsass.exe", "TSManager.exe", "SetupHost.exe", "WSReset.exe"]), max_size=2)
ACTIVITIES = st.one_of(
    st.just(QUIET),
    st.builds(
        Activity,
        system=st.sampled_from([clock(), YOUNG, clock(booted=ago(minutes=-5)), clock(booted=ago(minutes=15))]),
        setup=SETUPS,
        winpe=st.booleans(),
        audit=st.booleans(),
        autopilot=st.booleans(),
        services=SERVICES,
        processes=PROCESSES.map(lambda names: running(*names)),
        requests=st.lists(st.just("Running/-/-"), max_size=1),
    ),
)
"""Of which every signal was read."""
HOLDS = st.none() | st.builds(
    Hold,
    owner=st.just("ops"),
    reason=st.just("maintenance"),
    expires=st.sampled_from([ago(hours=1), NOW + dt.timedelta(hours=1)]),
    entered=st.sampled_from([None, 0, qword(ago(hours=30)).data]),
)
READABLE = st.builds(
    ClientState,
    mode=MODES,
    full=st.just(True),
    entered=STORED_TIMES,
    max_minutes=STORED_LIMITS,
    activity=ACTIVITIES,
    hold=HOLDS,
    requests=st.lists(st.just("Ready/NotifyExecution/Failure"), max_size=1),
    client_version=st.sampled_from([None, "", "5.00.8692.1000", "5.00.8790.1005", "5.0.9141.1032", "unknown"]),
    class_missing=st.booleans(),
)
"""Any state of which every signal was read."""

SIGNALS = ("system", "setup", "winpe", "audit", "autopilot", "services", "processes")
"""Of an activity, by their fields. The first is called clock where users read it."""
OTHER_SIGNALS = ("hold", "registry", "client_version")
ANY_SIGNALS = st.sets(st.sampled_from(SIGNALS + OTHER_SIGNALS))


def shown(signal: str) -> str:
    return "clock" if signal == "system" else signal


def dark(activity: Activity, signals: t.Iterable[str], reason: str | None = "Access is denied.") -> Activity:
    """*activity* as it would be had *signals* been unreadable."""
    found = {name: None for name in signals if name in SIGNALS}
    unreadable = {shown(name): reason for name in found if reason is not None}
    return dataclasses.replace(activity, **t.cast(t.Any, found), unreadable=unreadable)


def darken(state: ClientState, signals: t.Iterable[str], reason: str | None = "Access is denied.") -> ClientState:
    """*state* as it would be had *signals* been unreadable."""
    signals = set(signals)
    return dataclasses.replace(
        state,
        activity=dark(state.activity, sorted(signals), reason),
        hold=None if "hold" in signals else state.hold,
        entered=ABSENT if "registry" in signals else state.entered,
        max_minutes=ABSENT if "registry" in signals else state.max_minutes,
        client_version=None if "client_version" in signals else state.client_version,
        class_missing=state.class_missing and "client_version" not in signals,
        unreadable=dict.fromkeys(sorted(signals & set(OTHER_SIGNALS)), reason or "it was not read"),
    )
