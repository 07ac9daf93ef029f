# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to an endpoint, step by step, or why nothing is. Pure: check mode and a real run share it."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from .. import constants
from .hold import describe
from .state import ClientState, Hold, client_service
from .verdict import RELEASED, RELEASED_BY_FORCE, Assessment, Verdict, live_signals, unreadable_signals


@dataclass(frozen=True)
class Step:
    """``action`` is one of those below; ``argument`` its one input, as it is shown.

    hold, set_mode, change_start_mode, start_service, remove_hold, run_ccmeval, trigger_schedule.
    """

    action: str
    argument: str | bool

    def as_result(self) -> dict[str, t.Any]:
        return {"step": self.action, "argument": self.argument}


@dataclass(frozen=True)
class Plan:
    """No steps: nothing is to do, or ``left_alone`` says why nothing is done."""

    steps: list[Step] = field(default_factory=list)
    left_alone: str = ""
    hold: Hold | None = None


def plan_exit(
    state: ClientState,
    assessment: Assessment,
    *,
    force: bool,
    triggers: t.Sequence[str],
    ccmeval: bool = False,
    hold_owner: str | None = None,
) -> Plan:
    """*hold_owner* has no use of its hold any more, whether the client is in the mode or not."""
    verdict = assessment.verdict
    if verdict is Verdict.NORMAL and state.hold is not None and state.hold.owner == hold_owner:
        return Plan([Step("remove_hold", describe(state.hold))])
    if verdict in (Verdict.NORMAL, Verdict.NOT_INSTALLED):
        return Plan()
    if verdict not in RELEASED and not (force and verdict in RELEASED_BY_FORCE):
        return Plan(left_alone=assessment.summary)
    steps = []
    # The service first: a run that is cut short in between leaves the client in the mode, where the next one finds it.
    service = client_service(state)
    if service is not None and service.disabled:
        steps.append(Step("change_start_mode", "Automatic"))
    if service is not None and service.stopped:
        steps.append(Step("start_service", service.name))
    if not state.mode.left:
        steps.append(Step("set_mode", False))
    if state.hold is not None:
        steps.append(Step("remove_hold", describe(state.hold)))
    if ccmeval:
        steps.append(Step("run_ccmeval", True))
    return Plan([*steps, *(Step("trigger_schedule", name) for name in triggers)])


def plan_entry(state: ClientState, assessment: Assessment, hold: Hold | None = None) -> Plan:
    """The hold comes first: a run that is cut short then leaves one that holds nothing, not a mode without reason."""
    steps = []
    if hold is not None:
        entered = state.entered.data if state.mode.enabled else None
        hold = dataclasses.replace(hold, entered=entered if isinstance(entered, int) else None)
        stands = state.hold is not None and hold.same_as(state.hold) and state.hold.entered in (None, hold.entered)
        if not stands:
            if state.mode.enabled and _kept_for_another_reason(state, assessment, hold):
                return Plan(left_alone=assessment.summary)
            steps = [Step("hold", describe(hold))]
    if state.mode.enabled:
        return Plan(steps, hold=hold)
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
        return Plan(
            left_alone=f"The service {constants.CLIENT_SERVICE} does not run, so the client cannot enter the mode."
        )
    return Plan([*steps, Step("set_mode", True)], hold=hold)


def _kept_for_another_reason(state: ClientState, assessment: Assessment, hold: Hold) -> bool:
    """A hold would then hide why the client is in the mode, and take the place of somebody else's hold."""
    if assessment.verdict is Verdict.HELD:
        return state.hold is not None and state.hold.owner != hold.owner
    return assessment.verdict not in (Verdict.STUCK, Verdict.OVERDUE)


def difference(state: ClientState, plan: Plan) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Before and after, of what the plan decides. Which tasks an entry holds back is the client's own affair."""
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    for step in plan.steps:
        if step.action == "hold":
            before["hold"], after["hold"] = describe(state.hold) if state.hold else None, step.argument
        elif step.action == "remove_hold":
            before["hold"], after["hold"] = step.argument, None
        elif step.action == "set_mode":
            before[constants.MODE], after[constants.MODE] = state.mode.enabled, step.argument
            if step.argument is False:
                before[constants.EXCLUDES], after[constants.EXCLUDES] = state.mode.excludes, ""
        elif step.action == "change_start_mode":
            before[f"{constants.CLIENT_SERVICE} start mode"] = "Disabled"
            after[f"{constants.CLIENT_SERVICE} start mode"] = step.argument
        elif step.action == "start_service":
            before[f"{constants.CLIENT_SERVICE} state"] = "Stopped"
            after[f"{constants.CLIENT_SERVICE} state"] = "Running"
    return before, after
