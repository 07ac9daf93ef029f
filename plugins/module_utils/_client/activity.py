# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on an endpoint that a write would break, what waits to go on, and what could not be read. Pure.

``guide_verdicts.rst`` weighs the signals; ``guard.py`` reads them and acts on what is said here.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from .._windows.services import Service
from .._windows.system import OperatingSystem, Process
from . import constants, programs
from .times import duration, whole_minutes

SETTLING = dt.timedelta(minutes=15)
"""How long after a start a task sequence that was there before may take to show itself. Published pauses of an
upgrade's SetupComplete.cmd are up to 5 minutes, and the delayed start of services adds some."""


@dataclass(frozen=True)
class Evidence:
    signal: str
    value: t.Any
    means: str

    def as_result(self) -> dict[str, t.Any]:
        return {"signal": self.signal, "value": self.value, "means": self.means}


@dataclass(frozen=True)
class Setup:
    """``SYSTEM\\Setup``: numbers by their names, of those that are there, and the command line that Setup would run."""

    numbers: t.Mapping[str, int] = field(default_factory=dict)
    command_line: str = ""

    @property
    def armed(self) -> bool:
        """Whether Setup goes on at the next start, with or without a command line of its own (KB 939857)."""
        return any(self.numbers.get(name) for name in constants.SETUP_ARMED)


@dataclass(frozen=True)
class Activity:
    """The signals of one reading. None: could not be read, and ``unreadable`` says why.

    ``requests`` are the states of task sequence requests; of a machine that has run for a while they are not asked.
    """

    system: OperatingSystem | None = None
    setup: Setup | None = None
    winpe: bool | None = None
    audit: bool | None = None
    autopilot: bool | None = None
    requests: list[str] | None = None
    services: t.Mapping[str, Service] | None = None
    processes: list[Process] | None = None
    unreadable: t.Mapping[str, str] = field(default_factory=dict)

    def service(self, name: str) -> Service | None:
        """None where it is not installed or could not be read."""
        return (self.services or {}).get(name.lower())

    @property
    def is_settling(self) -> bool:
        """Whether the machine started so recently that what was running before may yet go on."""
        return self.system is not None and self.system.now - self.system.booted < SETTLING


NOT_READ = Activity()

_NAMED = {
    "system": "clock",
    "setup": "setup",
    "winpe": "winpe",
    "audit": "audit",
    "autopilot": "autopilot",
    "services": "services",
    "processes": "processes",
}
"""The signals that must be known before a write, by their fields, as users see them."""


def live(activity: Activity) -> list[Evidence]:
    """What shows that a task sequence, Windows Setup or the out-of-box experience is at work at this moment."""
    found = []
    for process in sorted(activity.processes or [], key=lambda process: process.name):
        meaning = programs.means(process)
        if meaning:
            found.append(Evidence("process", process.name, meaning))
    agent = activity.service(constants.AGENT_SERVICE)
    if agent is not None and not agent.stopped:
        value = f"{agent.name} {agent.state or 'in no known state'}"
        found.append(Evidence("service", value, "the task sequence agent is active"))
    numbers = activity.setup.numbers if activity.setup else {}
    found += [
        Evidence("setup", f"{name}={numbers[name]}", meaning)
        for name, meaning in constants.SETUP_LIVE.items()
        if numbers.get(name)
    ]
    if activity.winpe:
        found.append(Evidence("winpe", True, "this is Windows PE, as during an OS deployment"))
    if activity.audit:
        found.append(Evidence("audit", True, "Windows is in audit mode"))
    if activity.autopilot:
        found.append(Evidence("autopilot", True, "Windows Autopilot is still setting this device up"))
    return found


def unknown(activity: Activity) -> list[Evidence]:
    """The signals that decide and are not known, with their reasons."""
    reasons = dict(activity.unreadable)
    for name, signal in _NAMED.items():
        if getattr(activity, name) is None:
            reasons.setdefault(signal, "it was not read")
    if activity.is_settling and activity.requests is None:
        reasons.setdefault("requests", "they were not read")
    return [Evidence(signal, None, f"could not be read: {reason}") for signal, reason in reasons.items()]


def armed(activity: Activity) -> list[Evidence]:
    """What will run at the next start."""
    setup = activity.setup
    if setup is None or not setup.armed:
        return []
    numbers = ", ".join(f"{name}={setup.numbers[name]}" for name in constants.SETUP_ARMED if setup.numbers.get(name))
    return [Evidence("setup", setup.command_line or numbers, "Windows Setup resumes at the next restart")]


def resuming(activity: Activity) -> list[Evidence]:
    """What was there before the start of a few minutes ago and may go on."""
    if not activity.is_settling or activity.system is None:
        return []
    uptime = duration(whole_minutes(activity.system.now - activity.system.booted))
    wait = duration(whole_minutes(SETTLING))
    later = f"and the endpoint started {uptime} ago: what ran before may go on until {wait} after a start"
    found = [
        Evidence("request", request, f"a task sequence was there before, {later}")
        for request in activity.requests or []
    ]
    agent, client = activity.service(constants.AGENT_SERVICE), activity.service(constants.CLIENT_SERVICE)
    if agent is not None and agent.start_mode == "Auto":
        found.append(
            Evidence(
                "service", f"{agent.name} {agent.start_mode}", f"the task sequence agent starts by itself, {later}"
            )
        )
    if client is not None and client.disabled:
        found.append(
            Evidence("service", f"{client.name} {client.start_mode}", f"an upgrade had disabled the client, {later}")
        )
    return found


def blocker(activity: Activity, *, armed_is_fine: bool = False) -> str:
    """What runs now, cannot be read, or will go on; empty where a write disturbs nothing.

    *armed_is_fine* is for whoever says why a Setup that waits for a restart does not count.
    """
    for item in live(activity):
        return f"{item.means} ({item.value})"
    for item in unknown(activity):
        return f"{item.signal} {item.means}"
    for item in resuming(activity):
        return f"{item.means} ({item.value})"
    for item in () if armed_is_fine else armed(activity):
        return f"{item.means} ({item.value})"
    return ""
