# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to an endpoint, step by step, or why nothing is. Pure: check mode and a real run share it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t
from dataclasses import dataclass, field

from .. import constants
from ..activity import armed, live, resuming
from ..window import Window
from .hold import describe
from .state import ClientState, Hold
from .verdict import RELEASED, RELEASED_BY_FORCE, Assessment, Verdict, assess, unreadable_signals


class Action(str, enum.Enum):
    """What a step does, as results spell it."""

    HOLD = "hold"
    CHANGE_START_MODE = "change_start_mode"
    START_SERVICE = "start_service"
    SET_MODE = "set_mode"
    REMOVE_HOLD = "remove_hold"
    RUN_CCMEVAL = "run_ccmeval"
    TRIGGER_SCHEDULE = "trigger_schedule"

    @property
    def is_follow_up(self) -> bool:
        """Whether it is for a client that has changed its mode for certain."""
        return self in (Action.REMOVE_HOLD, Action.RUN_CCMEVAL, Action.TRIGGER_SCHEDULE)


@dataclass(frozen=True)
class Step:
    """``argument`` is the action's one input, as it is shown."""

    action: Action
    argument: str | bool

    def as_result(self) -> dict[str, t.Any]:
        return {"step": self.action.value, "argument": self.argument}


@dataclass(frozen=True)
class Plan:
    """No steps: nothing is to do, or ``left_alone`` says why nothing is done.

    ``another_time`` is true where that is the hour of the day, whatever the verdict is.
    """

    steps: list[Step] = field(default_factory=list)
    left_alone: str = ""
    another_time: bool = False
    hold: Hold | None = None

    def has(self, action: Action) -> bool:
        return any(step.action is action for step in self.steps)


@dataclass(frozen=True)
class Exit:
    """What somebody wants who has clients leave the mode. ``minimum_age`` is in minutes.

    ``hold_owner`` has no use of a hold any more, whether the client is in the mode or not. ``window`` is of the
    endpoint's own local time.
    """

    minimum_age: int
    force: bool = False
    triggers: t.Sequence[str] = ()
    ccmeval: bool = False
    hold_owner: str = ""
    window: Window | None = None

    def plan(self, state: ClientState) -> Plan:
        return plan_exit(self, state)


@dataclass(frozen=True)
class Entry:
    """What somebody wants who has clients enter the mode."""

    hold: Hold | None = None
    force: t.ClassVar[bool] = False

    def plan(self, state: ClientState) -> Plan:
        return plan_entry(state, assess(state), self.hold)


def plan_exit(wanted: Exit, state: ClientState) -> Plan:
    over = state.hold is not None and state.hold.owner == wanted.hold_owner
    # The owner knows why the client is in the mode, so its age says nothing.
    assessment = assess(dataclasses.replace(state, hold=None), 0) if over else assess(state, wanted.minimum_age)
    verdict = assessment.verdict
    if verdict is Verdict.NORMAL and over and state.hold is not None:
        return Plan([Step(Action.REMOVE_HOLD, describe(state.hold))])
    if verdict in (Verdict.NORMAL, Verdict.NOT_INSTALLED):
        return Plan()
    # A reason given beforehand does not cover what may go on after a start: that passes within minutes.
    by_force = wanted.force and verdict in RELEASED_BY_FORCE and not resuming(state.activity)
    if verdict not in RELEASED and not by_force:
        return Plan(left_alone=assessment.summary)
    outside = _outside(wanted.window, state) if wanted.window else ""
    if outside:
        return Plan(left_alone=f"{assessment.summary} {outside}", another_time=True)
    steps = []
    # The service first: a run that is cut short in between leaves the client in the mode, where the next one finds it.
    service = state.client_service
    if service is not None and service.disabled:
        steps.append(Step(Action.CHANGE_START_MODE, "Automatic"))
    if service is not None and service.stopped:
        steps.append(Step(Action.START_SERVICE, service.name))
    if not state.mode.exited:
        steps.append(Step(Action.SET_MODE, False))
    if state.hold is not None:
        steps.append(Step(Action.REMOVE_HOLD, describe(state.hold)))
    if wanted.ccmeval:
        steps.append(Step(Action.RUN_CCMEVAL, True))
    return Plan([*steps, *(Step(Action.TRIGGER_SCHEDULE, name) for name in wanted.triggers)])


def _outside(window: Window, state: ClientState) -> str:
    """A sentence, or empty where it is a time of day there at which the client may be released."""
    system = state.system
    if system is None or system.offset_minutes is None:
        return f"Its time zone could not be read, so whether it is in window={window} there cannot be determined."
    there = (system.now + dt.timedelta(minutes=system.offset_minutes)).time()
    return "" if there in window else f"It is {there:%H:%M} there, outside of window={window}."


def plan_entry(state: ClientState, assessment: Assessment, hold: Hold | None = None) -> Plan:
    """The hold comes first: a run that is cut short then leaves one that holds nothing, not a mode without reason."""
    steps = []
    if hold is not None:
        entered = state.entered.data if isinstance(state.entered.data, int) else 0
        own = dataclasses.replace(hold, entered=entered)
        is_there = own.same_as(state.hold)
        if not (is_there and state.hold is not None and state.hold.entered in (None, entered)):
            if state.mode.enabled and not is_there and _kept_for_another_reason(state, assessment, own):
                return Plan(left_alone=assessment.summary)
            steps = [Step(Action.HOLD, describe(own))]
        hold = own
    if state.mode.enabled:
        return Plan(steps, hold=hold)
    if assessment.verdict not in (Verdict.NORMAL, Verdict.HALF_EXITED):
        return Plan(left_alone=assessment.summary)
    for item in live(state.activity):
        return Plan(left_alone=f"Now {item.means} ({item.value}), which enters and leaves the mode itself.")
    for item in resuming(state.activity) + armed(state.activity):
        return Plan(left_alone=f"Not now: {item.means} ({item.value}).")
    for item in unreadable_signals(state):
        return Plan(left_alone=f"Whether an entry is safe cannot be determined: {item.signal} {item.means}.")
    service = state.client_service
    if service is None or not service.running:
        return Plan(
            left_alone=f"The service {constants.CLIENT_SERVICE} does not run, so the client cannot enter the mode."
        )
    return Plan([*steps, Step(Action.SET_MODE, True)], hold=hold)


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
        if step.action is Action.HOLD:
            before["hold"], after["hold"] = describe(state.hold) if state.hold else None, step.argument
        elif step.action is Action.REMOVE_HOLD:
            before["hold"], after["hold"] = step.argument, None
        elif step.action is Action.SET_MODE:
            before[constants.MODE], after[constants.MODE] = state.mode.enabled, step.argument
            if step.argument is False:
                before[constants.EXCLUDES], after[constants.EXCLUDES] = state.mode.excludes, ""
        elif step.action is Action.CHANGE_START_MODE:
            before[f"{constants.CLIENT_SERVICE} start mode"] = "Disabled"
            after[f"{constants.CLIENT_SERVICE} start mode"] = step.argument
        elif step.action is Action.START_SERVICE:
            before[f"{constants.CLIENT_SERVICE} state"] = "Stopped"
            after[f"{constants.CLIENT_SERVICE} state"] = "Running"
    return before, after
