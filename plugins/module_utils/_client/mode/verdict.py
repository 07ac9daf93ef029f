# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on an endpoint, with its evidence. Pure: state in, assessment out."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..._windows.system import OperatingSystem
from .. import constants
from ..activity import Evidence, armed, live, resuming, unknown
from ..times import duration, whole_minutes
from .state import ClientState, Hold
from .timeline import Timeline, timeline

DEFAULT_MINIMUM_AGE = 240
"""Minutes."""


class Verdict(str, enum.Enum):
    NORMAL = "normal"
    HALF_EXITED = "half_exited"
    EXPECTED = "expected"
    RESUME_PENDING = "resume_pending"
    RECENT = "recent"
    HELD = "held"
    STUCK = "stuck"
    OVERDUE = "overdue"
    NOT_INSTALLED = "not_installed"
    UNKNOWN = "unknown"


RELEASED = frozenset({Verdict.STUCK, Verdict.OVERDUE, Verdict.HALF_EXITED})
"""Released without being asked twice."""
PASSING = frozenset({Verdict.EXPECTED, Verdict.RESUME_PENDING, Verdict.UNKNOWN, Verdict.NOT_INSTALLED})
"""May be another one in some minutes or hours, without anybody's doing."""
RELEASED_BY_FORCE = frozenset({Verdict.RECENT, Verdict.RESUME_PENDING, Verdict.HELD})
"""Released where somebody says why. What runs now, or cannot be read, is never overruled."""


@dataclass(frozen=True)
class Assessment:
    """``summary`` is one sentence for a person; ``timeline`` is None after a brief read."""

    verdict: Verdict
    summary: str
    evidence: list[Evidence]
    timeline: Timeline | None


def unreadable_signals(state: ClientState) -> list[Evidence]:
    """The signals that decide and are not known: with one of these in the dark, nothing may be written."""
    own = [
        Evidence(signal, None, f"could not be read: {reason}")
        for signal, reason in state.unreadable.items()
        if signal != "requests"  # of a machine that has run for a while these are context
    ]
    return own + unknown(state.activity)


def assess(state: ClientState, minimum_age: int = DEFAULT_MINIMUM_AGE) -> Assessment:
    """*minimum_age* is in minutes."""
    mode = state.mode
    evidence = [
        Evidence("mode", mode.text, _mode_meaning(mode.enabled)),
        Evidence(
            "excludes", mode.excludes, "system tasks are held back" if mode.excludes else "no system task is held"
        ),
    ]
    if not state.full:
        return Assessment(Verdict.NORMAL, "Not in provisioning mode.", evidence, None)
    now = state.system.now if state.system else None
    times = timeline(state.entered, state.max_minutes, state.client_version, now, in_mode=mode.enabled is not False)
    running, unreadable = live(state.activity), unreadable_signals(state)
    evidence += running + _context(state, times) + unreadable
    verdict, summary = _decide(state, times, running, unreadable, minimum_age)
    return Assessment(verdict, summary, evidence, times)


def _decide(
    state: ClientState, times: Timeline, running: list[Evidence], unreadable: list[Evidence], minimum_age: int
) -> tuple[Verdict, str]:
    mode, services, service = state.mode, state.activity.services, state.client_service
    if state.class_missing and services is not None:
        if service is None:
            return Verdict.NOT_INSTALLED, "There is no ConfigMgr client."
        return Verdict.UNKNOWN, "The client's service is there but its WMI class is not: the client needs a repair."
    if mode.enabled is None:
        seen = "absent" if mode.text is None else f"{mode.text!r}"
        return Verdict.UNKNOWN, f"{constants.MODE} is {seen}, neither true nor false, so the mode cannot be determined."
    disabled = service is not None and service.disabled
    if mode.exited and not disabled and services is not None:
        return Verdict.NORMAL, "Not in provisioning mode."
    what = "In provisioning mode" if mode.enabled else "Half out of provisioning mode"
    if running:
        return Verdict.EXPECTED, f"{what} while {running[0].means} ({running[0].value})."
    if unreadable or state.system is None:
        names = ", ".join(item.signal for item in unreadable) or "the state"
        return Verdict.UNKNOWN, f"{what}; {names} could not be read, so whether a change is safe cannot be determined."
    for item in resuming(state.activity):
        return Verdict.RESUME_PENDING, f"{what}; {item.means} ({item.value})."
    for item in armed(state.activity):
        return Verdict.RESUME_PENDING, f"{what} and waiting for a restart, which will run {item.value}."
    if mode.enabled:
        return _decide_in_mode(state, state.system, times, minimum_age)
    if mode.excludes:
        return Verdict.HALF_EXITED, f"The mode is off, yet {constants.EXCLUDES} still holds system tasks back."
    return Verdict.HALF_EXITED, f"The mode is off, yet the service {constants.CLIENT_SERVICE} is left disabled."


def _decide_in_mode(
    state: ClientState, system: OperatingSystem, times: Timeline, minimum_age: int
) -> tuple[Verdict, str]:
    if state.hold is not None and state.hold.expires > system.now and not _of_an_earlier_stay(state.hold, state):
        return Verdict.HELD, f"Held in provisioning mode by {state.hold.owner}: {state.hold.reason}."
    if times.age_minutes is not None:
        since = f"for {duration(times.age_minutes)}"
        age = times.age_minutes
    else:
        # The time of entry cannot be used. What can: since its boot nothing has been left running here.
        since = f"since an unknown time (time of entry: {times.entered_problem})"
        age = whole_minutes(system.now - system.booted)
    if age < minimum_age:
        what = since if times.age_minutes is not None else f"{since}, and it started {duration(age)} ago"
        return Verdict.RECENT, f"In provisioning mode {what}: less than the {duration(minimum_age)} to wait."
    if times.self_exit_latest is not None and system.now > times.self_exit_latest:
        return Verdict.OVERDUE, f"In provisioning mode {since}, nothing runs, and it did not leave by itself."
    return Verdict.STUCK, f"In provisioning mode {since}, and nothing runs."


def _context(state: ClientState, times: Timeline) -> list[Evidence]:
    found = resuming(state.activity) + armed(state.activity)
    service = state.client_service
    if service is not None:
        means = "left disabled, as by an upgrade that died" if service.disabled else "the client's service"
        found.append(Evidence("service", f"{service.name} {service.state} {service.start_mode}", means))
    if "entered_at" in state.unreadable:
        pass  # said among what could not be read
    elif times.entered_problem:
        found.append(
            Evidence("entered_at", state.entered.data_for_result(), f"no use as a time: {times.entered_problem}")
        )
    else:
        found.append(Evidence("entered_at", times.as_result()["entered_at"], "the mode was last entered then"))
    for request in [] if state.activity.requests else state.requests or []:
        found.append(Evidence("request", request, "a task sequence request; it may outlive its task sequence"))
    if "requests" in state.unreadable:
        found.append(Evidence("request", None, f"could not be read: {state.unreadable['requests']}"))
    if state.hold is not None:
        stale = _of_an_earlier_stay(state.hold, state)
        means = "left from an earlier stay in the mode" if stale else "somebody keeps the mode on purpose"
        found.append(Evidence("hold", f"{state.hold.owner}: {state.hold.reason}", means))
    return found


def _of_an_earlier_stay(hold: Hold, state: ClientState) -> bool:
    """Whether the mode was entered again since: a hold explains only the stay that it was made for."""
    return hold.entered is not None and state.entered.data is not None and state.entered.data != hold.entered


def _mode_meaning(enabled: bool | None) -> str:
    return {True: "in provisioning mode", False: "not in provisioning mode", None: "no valid value"}[enabled]
