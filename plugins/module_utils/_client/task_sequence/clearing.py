# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a dead task sequence's leftovers is cleared, in which order, and what is left alone and why. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..times import duration, whole_minutes
from .rules import (
    EXECUTION_REQUESTS,
    MAINTENANCE_REQUESTS,
    ORPHANED_POLICY,
    PAUSED_DISTRIBUTION,
    Instance,
    Request,
    TaskSequenceState,
    age_minutes,
    belongs_to,
    obstacle,
    orphans,
    paused,
    sign_of_life,
)

# A maintenance request can only be told by the execution request that names it, so it goes first. Software distribution
# goes on last, when nothing is left that it could start again.
KINDS = (MAINTENANCE_REQUESTS, ORPHANED_POLICY, EXECUTION_REQUESTS, PAUSED_DISTRIBUTION)


@dataclass(frozen=True)
class Step:
    """One deletion, or one registry value that becomes 0. ``target`` are the instance's selectors, or empty."""

    kind: str
    item: str
    target: t.Mapping[str, str] = field(default_factory=dict)

    def as_result(self) -> dict[str, str]:
        return {"step": self.kind, "item": self.item}


@dataclass(frozen=True)
class Kept:
    kind: str
    item: str
    why: str

    def as_result(self) -> dict[str, str]:
        return {"step": self.kind, "item": self.item, "why": self.why}


@dataclass(frozen=True)
class Plan:
    """``obstacle`` says why nothing at all may be done; there are no steps then."""

    steps: list[Step] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    obstacle: str = ""

    @property
    def left_alone(self) -> str:
        """Why nothing is done; empty where something is, or where there is nothing to do."""
        if self.steps:
            return ""
        return self.obstacle or "; ".join(f"{kept.kind}: {kept.item} {kept.why}" for kept in self.kept)


def plan_clearing(state: TaskSequenceState, kinds: t.Collection[str], minimum_age: int) -> Plan:
    """*minimum_age* is in minutes."""
    reason = obstacle(state)
    if reason:
        return Plan(obstacle=reason)
    if state.client_missing:
        return Plan()
    for signal in ("clock", EXECUTION_REQUESTS, *kinds):
        if signal in state.unreadable:
            return Plan(obstacle=f"{signal} could not be read: {state.unreadable[signal]}")
    reasons = {request.request_id: _reason_to_keep(request, state, minimum_age) for request in state.requests or []}
    dead = [request for request in state.requests or [] if not reasons[request.request_id]]
    kept_requests = [
        Kept(EXECUTION_REQUESTS, request.request_id, reasons[request.request_id])
        for request in state.requests or []
        if reasons[request.request_id]
    ]
    steps: list[Step] = []
    kept: list[Kept] = []
    for kind in KINDS:
        if kind not in kinds:
            continue
        if kind == EXECUTION_REQUESTS:
            steps += [Step(kind, request.request_id, {"RequestID": request.request_id}) for request in dead]
            kept += kept_requests
        elif kind == MAINTENANCE_REQUESTS:
            for instance in state.maintenance or []:
                if any(belongs_to(instance, request) for request in dead):
                    steps.append(_deletion(kind, instance))
                else:
                    kept.append(Kept(kind, instance.label, _reason_to_keep_task(instance, state, reasons)))
        else:
            found = _unnamed(kind, state)
            why = _reason_to_keep_the_unnamed(kept_requests, dead, state, minimum_age)
            if why:
                kept += [Kept(kind, step.item, why) for step in found]
            else:
                steps += found
    return Plan(steps, kept)


def orphaned_by(state: TaskSequenceState, steps: t.Collection[Step]) -> list[str]:
    """The maintenance requests that *steps* leave without the execution request that names them."""
    cleared = {step.item for step in steps if step.kind == EXECUTION_REQUESTS}
    taken = {step.item for step in steps if step.kind == MAINTENANCE_REQUESTS}
    requests = [request for request in state.requests or [] if request.request_id in cleared]
    return [
        instance.label
        for instance in state.maintenance or []
        if instance.label not in taken and any(belongs_to(instance, request) for request in requests)
    ]


def difference(state: TaskSequenceState, steps: t.Collection[Step]) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Before and after of each kind that *steps* touch: what there is of it, with what *steps* leave."""
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    gone = {(step.kind, step.item) for step in steps}
    for kind in KINDS:
        if kind not in {step.kind for step in steps}:
            continue
        if kind == PAUSED_DISTRIBUTION:
            before[kind] = dict(state.pause or {})
            after[kind] = {name: 0 if (kind, name) in gone else value for name, value in before[kind].items()}
        else:
            before[kind] = _labels(kind, state)
            after[kind] = [label for label in before[kind] if (kind, label) not in gone]
    return before, after


def _labels(kind: str, state: TaskSequenceState) -> list[str]:
    if kind == EXECUTION_REQUESTS:
        return [request.request_id for request in state.requests or []]
    instances = orphans(state) if kind == ORPHANED_POLICY else state.maintenance or []
    return [instance.label for instance in instances]


def _unnamed(kind: str, state: TaskSequenceState) -> list[Step]:
    """What a task sequence leaves without a mark of which one it was."""
    if kind == ORPHANED_POLICY:
        return [_deletion(kind, policy) for policy in orphans(state)]
    return [Step(kind, name) for name in paused(state)]


def _deletion(kind: str, instance: Instance) -> Step:
    return Step(kind, instance.label, instance.selectors)


def _reason_to_keep(request: Request, state: TaskSequenceState, minimum_age: int) -> str:
    life = sign_of_life(request, state.processes)
    if life or state.system is None:
        return life or "has no age, since the clock could not be read"
    age = age_minutes(request, state.system)
    if age is not None:
        young = f"was received {duration(age)} ago"
    else:
        age = whole_minutes(state.system.now - state.system.booted)
        young = f"was received at an unknown time, and the endpoint started {duration(age)} ago"
    return f"{young}, less than the {duration(minimum_age)} to wait" if age < minimum_age else ""


def _reason_to_keep_task(instance: Instance, state: TaskSequenceState, reasons: t.Mapping[str, str]) -> str:
    for request in state.requests or []:
        if belongs_to(instance, request):
            return f"is named by the request {request.request_id}, which {reasons[request.request_id]}"
    return "is not named by any request of a task sequence"


def _reason_to_keep_the_unnamed(
    kept_requests: list[Kept], dead: list[Request], state: TaskSequenceState, minimum_age: int
) -> str:
    for kept in kept_requests:
        return f"may belong to the request {kept.item}, which {kept.why}"
    if dead or state.system is None:
        return "" if dead else "has no age, since the clock could not be read"
    uptime = whole_minutes(state.system.now - state.system.booted)
    if uptime < minimum_age:
        started = f"the endpoint started {duration(uptime)} ago"
        return f"is of an unknown age, and {started}, less than the {duration(minimum_age)} to wait"
    return ""
