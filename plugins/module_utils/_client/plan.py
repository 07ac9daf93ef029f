# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to an endpoint, step by step, or why nothing is. Pure: check mode and a real run share it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from . import facts
from .state import ClientState, client_service
from .verdict import RELEASED, RELEASED_BY_FORCE, Assessment, Verdict, live_signals, unreadable_signals


@dataclass(frozen=True)
class Step:
    """``action`` is set_mode, change_start_mode, start_service or trigger_schedule; ``argument`` its one input."""

    action: str
    argument: str | bool

    def as_result(self) -> dict[str, t.Any]:
        return {"step": self.action, "argument": self.argument}


@dataclass(frozen=True)
class Plan:
    """No steps: nothing is to do, or ``left_alone`` says why nothing is done."""

    steps: list[Step] = field(default_factory=list)
    left_alone: str = ""


def plan_exit(state: ClientState, assessment: Assessment, *, force: bool, triggers: t.Sequence[str]) -> Plan:
    verdict = assessment.verdict
    if verdict in (Verdict.NORMAL, Verdict.NOT_INSTALLED):
        return Plan()
    if verdict not in RELEASED and not (force and verdict in RELEASED_BY_FORCE):
        return Plan(left_alone=assessment.summary)
    steps = []
    if not state.mode.left:
        steps.append(Step("set_mode", False))
    service = client_service(state)
    if service is not None and service.disabled:
        steps.append(Step("change_start_mode", "Automatic"))
    if service is not None and service.stopped:
        steps.append(Step("start_service", service.name))
    return Plan([*steps, *(Step("trigger_schedule", name) for name in triggers)])


def plan_entry(state: ClientState, assessment: Assessment) -> Plan:
    if state.mode.enabled:
        return Plan()
    if assessment.verdict not in (Verdict.NORMAL, Verdict.HALF_EXITED):
        return Plan(left_alone=assessment.summary)
    for item in live_signals(state.guard):
        return Plan(left_alone=f"Now {item.means} ({item.value}), which enters and leaves the mode itself.")
    if state.guard.setup is not None and state.guard.setup.armed:
        return Plan(left_alone=f"A restart is waited for, which will run {state.guard.setup.command_line}.")
    for item in unreadable_signals(state):
        return Plan(left_alone=f"Nobody can tell whether an entry would be safe: {item.signal} {item.means}.")
    service = client_service(state)
    if service is None or not service.running:
        return Plan(left_alone=f"The service {facts.CLIENT_SERVICE} does not run, so the client cannot enter the mode.")
    return Plan([Step("set_mode", True)])


def difference(state: ClientState, plan: Plan) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Before and after, of what the plan decides. Which tasks an entry holds back is the client's own affair."""
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    for step in plan.steps:
        if step.action == "set_mode":
            before[facts.MODE], after[facts.MODE] = state.mode.enabled, step.argument
            if step.argument is False:
                before[facts.EXCLUDES], after[facts.EXCLUDES] = state.mode.excludes, ""
        elif step.action == "change_start_mode":
            before[f"{facts.CLIENT_SERVICE} start mode"] = "Disabled"
            after[f"{facts.CLIENT_SERVICE} start mode"] = step.argument
        elif step.action == "start_service":
            before[f"{facts.CLIENT_SERVICE} state"] = "Stopped"
            after[f"{facts.CLIENT_SERVICE} state"] = "Running"
    return before, after
