# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What task sequences leave on an endpoint, and what of it belongs to a dead one. Pure: state in, judgement out."""

from __future__ import annotations

import datetime as dt
import enum
import typing as t
from dataclasses import dataclass, field

from ..._windows.system import OperatingSystem
from .. import constants
from ..activity import Activity, Evidence, armed, blocker, live, resuming, unknown
from ..times import whole_minutes

EXECUTION_REQUESTS = "execution_requests"
MAINTENANCE_REQUESTS = "maintenance_requests"
ORPHANED_POLICY = "orphaned_policy"
PAUSED_DISTRIBUTION = "paused_software_distribution"
REGISTRY = "task_sequence_registry"


@dataclass(frozen=True)
class Request:
    """A row of CCM_TSExecutionRequest under its own class. ``process_id`` is 0 where nothing was started.

    ``received`` is the text of ReceivedTime taken for UTC; see age_minutes.
    """

    class_name: str
    request_id: str
    state: str
    running_state: str
    completion_state: str
    process_id: int = 0
    received: dt.datetime | None = None
    task: str = ""
    details: t.Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Instance:
    """A WMI instance as the endpoint itself addresses it. ``owner`` is its ClientID or PolicySource."""

    selectors: t.Mapping[str, str]
    owner: str

    @property
    def label(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.selectors.items() if not name.startswith("__"))


@dataclass(frozen=True)
class TaskSequenceState:
    """What was read. None: could not be read, and ``unreadable`` says why, beside what ``activity`` says of itself.

    ``processes`` are the names of the running processes that the
    requests name, by id. ``pause`` holds the values of paused software distribution that are there.
    """

    activity: Activity
    requests: list[Request] | None = None
    processes: t.Mapping[int, str] | None = None
    maintenance: list[Instance] | None = None
    policies: list[Instance] | None = None
    pause: t.Mapping[str, int] | None = None
    registry: t.Mapping[str, t.Any] | None = None
    unreadable: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def system(self) -> OperatingSystem | None:
        return self.activity.system

    @property
    def client_missing(self) -> bool:
        return self.activity.services is not None and self.activity.service(constants.CLIENT_SERVICE) is None


class Situation(str, enum.Enum):
    RUNNING = "running"
    RESUME_PENDING = "resume_pending"
    LEFT_OVER = "left_over"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Assessment:
    situation: Situation
    summary: str
    evidence: list[Evidence]


def sign_of_life(request: Request, processes: t.Mapping[int, str] | None) -> str:
    """Why *request* may belong to something that lives or waits; empty where its task sequence is dead.

    That holds only where the guard saw nothing run. The client's full list of states is not published: besides what
    claims to run, to be about to, or to have failed, every state counts as one that waits.
    """
    if request.class_name.lower() != constants.REQUEST_CLASS.lower():
        return f"is a {request.class_name}, not a request of a task sequence"
    if not request.request_id:
        return "has no RequestID"
    if request.process_id:
        if processes is None:
            return f"names the process {request.process_id}, and whether that runs cannot be determined"
        if request.process_id in processes:
            return f"names the process {request.process_id} ({processes[request.process_id]}), which runs"
    state, running_state = request.state.lower(), request.running_state.lower()
    claims_to_run = "running" in (state, running_state) or (state, running_state) == ("ready", "notifyexecution")
    if request.completion_state.lower() == "failure" or claims_to_run:
        return ""
    return f"is in state {request.state or 'unknown'}, so it may be waiting"


def age_minutes(request: Request, system: OperatingSystem) -> int | None:
    """Minutes since the client received *request*, the least that they can be; None where that cannot be determined.

    A published dump has another time of such a request in local time that is marked as UTC. Which of the two the
    client writes here is not known, so both are tried, and the future is no reading.
    """
    if request.received is None or system.offset_minutes is None:
        return None
    readings = (request.received, request.received - dt.timedelta(minutes=system.offset_minutes))
    return min((whole_minutes(system.now - reading) for reading in readings if reading <= system.now), default=None)


def belongs_to(instance: Instance, request: Request) -> bool:
    """Whether *request* names the maintenance task *instance* by its MTCHandle."""
    return bool(request.task) and request.task.lower() in {value.lower() for value in instance.selectors.values()}


def orphans(state: TaskSequenceState) -> list[Instance]:
    return [policy for policy in state.policies or [] if policy.owner.lower() == constants.POLICY_SOURCE.lower()]


def paused(state: TaskSequenceState) -> dict[str, int]:
    return {name: value for name, value in (state.pause or {}).items() if value}


def signs_of_life(state: TaskSequenceState) -> list[Evidence]:
    """What shows that a task sequence or Windows Setup runs now: the guard's signals, and processes of requests."""
    processes = state.processes or {}
    return live(state.activity) + [
        Evidence("process", processes[request.process_id], f"the request {request.request_id} runs")
        for request in state.requests or []
        if request.process_id in processes
    ]


def obstacle(state: TaskSequenceState) -> str:
    """Why nothing may be cleared now; empty where something may."""
    for item in signs_of_life(state):
        return f"{item.means} ({item.value})"
    return blocker(state.activity)


def assess(state: TaskSequenceState) -> Assessment:
    requests = state.requests or []
    running = signs_of_life(state)
    in_the_dark = unknown(state.activity) + [
        Evidence(signal, None, f"could not be read: {reason}") for signal, reason in state.unreadable.items()
    ]
    dead = [request for request in requests if not sign_of_life(request, state.processes)]
    evidence = [*running, *_leftover_evidence(state, dead), *in_the_dark]
    if running:
        return Assessment(Situation.RUNNING, f"Now {running[0].means} ({running[0].value}).", evidence)
    if unknown(state.activity):
        return Assessment(
            Situation.UNKNOWN, f"Whether something runs cannot be determined: {obstacle(state)}.", evidence
        )
    waits = resuming(state.activity) + armed(state.activity)
    if waits:
        summary = f"Nothing runs, and {waits[0].means} ({waits[0].value})."
        return Assessment(Situation.RESUME_PENDING, summary, [*waits, *evidence])
    if state.client_missing:
        return Assessment(Situation.NONE, "There is no ConfigMgr client.", evidence)
    left = _leftovers(state, dead)
    if left:
        return Assessment(Situation.LEFT_OVER, f"Nothing runs, and this was left: {', '.join(left)}.", evidence)
    if in_the_dark:
        names = ", ".join(item.signal for item in in_the_dark)
        return Assessment(
            Situation.UNKNOWN, f"Nothing runs; what was left cannot be determined: {names} could not be read.", evidence
        )
    if requests:
        return Assessment(Situation.NONE, f"Nothing runs or was left; {len(requests)} request(s) wait.", evidence)
    return Assessment(Situation.NONE, "No task sequence runs, and none left anything.", evidence)


def _leftovers(state: TaskSequenceState, dead: list[Request]) -> list[str]:
    counts = (
        (len(dead), "execution request(s)"),
        (len(orphans(state)), "orphaned policy instance(s)"),
        (1 if paused(state) else 0, "pause of software distribution"),
    )
    return [f"{count} {what}" for count, what in counts if count]


def _leftover_evidence(state: TaskSequenceState, dead: list[Request]) -> list[Evidence]:
    found = []
    for request in state.requests or []:
        life = sign_of_life(request, state.processes)
        value = "/".join(part or "-" for part in (request.state, request.running_state, request.completion_state))
        means = f"the request {request.request_id} " + (life or "is of a task sequence that does not run")
        found.append(Evidence("request", value, means))
    for instance in state.maintenance or []:
        linked = any(belongs_to(instance, request) for request in dead)
        means = "waits for a task sequence that does not run" if linked else "no dead task sequence names it"
        found.append(Evidence("maintenance_request", f"{instance.label} ({instance.owner})", means))
    found += [Evidence("policy", policy.label, "policy of a task sequence") for policy in orphans(state)]
    if paused(state):
        found.append(Evidence("software_distribution", paused(state), "software distribution is paused"))
    return found
