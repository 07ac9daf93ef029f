# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a plan for the mode out, and reads back until it holds.

Each step may be repeated, so a run that is cut short is run again. Each request that writes is sent under the guard,
which also reads again what the step was planned for.
"""

from __future__ import annotations

import dataclasses
import typing as t
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ..._windows.endpoint import Endpoint
from ..._windows.errors import WindowsError
from ..._windows.registry import StoredValue
from ..._wsman.errors import (
    ConnectionLost,
    DeadlineExceeded,
    NotSent,
    OperationTimedOut,
    ProviderFailure,
    WSManError,
)
from .. import constants
from ..backoff import Backoff
from ..errors import MethodFailed, NotReady, NotVerified
from ..guard import MAY_HAVE_ARRIVED, Blocked, Guard
from ..methods import ClientMethods, run_ccmeval, trigger_when_ready
from ..schedules.catalog import find
from ..trail import Write
from . import hold
from .plan import Action, Entry, Exit, Plan, Step, difference
from .reader import read_again, read_mode
from .state import ClientState, Hold, Mode
from .verification import Verification

Log = t.Callable[[str], None]

READ_BACK = 30.0
"""Seconds of the deadline that no call of the client's method may use up: what came of it is read then."""


@dataclass
class Outcome:
    """``mode`` is what was read last; ``done`` the steps that the endpoint accepted, also when an exception followed.

    ``attempts`` counts the calls of SetClientProvisioningMode, ``stopped`` says why the steps after ``done`` were not
    taken.
    """

    mode: Mode
    attempts: int = 0
    done: list[Step] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stopped: str = ""

    def has_done(self, action: Action) -> bool:
        return any(step.action is action for step in self.done)


class ModeChange:
    """*state* is the state that *plan* was made for; *wait* is how many seconds to wait for the client."""

    def __init__(
        self,
        endpoint: Endpoint,
        guard: Guard,
        wanted: Exit | Entry,
        state: ClientState,
        plan: Plan,
        methods: ClientMethods,
        *,
        wait: float,
        log: Log,
    ) -> None:
        self._endpoint = endpoint
        self._guard = guard
        self._wanted = wanted
        self._state = state
        self._plan = plan
        self._methods = methods
        self._wait = wait
        self._log = log
        self._verification = Verification(endpoint, guard, state, wait=wait, log=log)
        self.outcome = Outcome(state.mode)

    def carry_out(self) -> Outcome:
        """Raises NotVerified, MethodFailed, a fault or WindowsError; ``outcome`` tells how far it came."""
        try:
            self._carry_out()
        except Blocked as reason:
            doubt = f"; {MAY_HAVE_ARRIVED}" if self._verification.lost is not None and not reason.wrote else ""
            self.outcome.stopped = f"{reason}{doubt}"
            self._look_back()
        except Exception:
            self._look_back()
            raise
        return self.outcome

    def _carry_out(self) -> None:
        writes = [step for step in self._plan.steps if not step.action.is_follow_up]
        for step in writes:
            self._write(step)
        if any(step.action is Action.SET_MODE and step.argument is True for step in writes):
            self._verify_entry()
        elif any(step.action is not Action.HOLD for step in writes):
            self._verify_exit()
        elif writes and self._plan.hold is not None:
            self._require_own_hold(self._plan.hold)
        for step in self._plan.steps[len(writes) :]:
            self._follow_up(step)

    def _look_back(self) -> None:
        """What is reported after a stop or a failure is what is there now."""
        with suppress(WSManError, WindowsError, Blocked):
            self.outcome.mode = read_mode(self._endpoint)
            if self.outcome.attempts and self.outcome.mode != self._state.mode:
                self._guard.wrote = True  # the call that was said to have failed, for all that is known
            if self._plan.hold is not None and self.outcome.mode.enabled is False:
                self._take_back(self._plan.hold)

    def _take_back(self, own: Hold) -> None:
        """An entry that failed leaves no hold behind if one may be removed; one that stays explains no later stay."""
        if not own.same_as(hold.read(self._endpoint)) or own.same_as(self._state.hold):
            return
        step = Step(Action.REMOVE_HOLD, hold.describe(own))
        with self._guard.writing(self._write_of(step), lambda: self._unless_hold_is(own)):
            hold.remove(self._endpoint)
        self.outcome.done.append(step)

    # -- steps -----------------------------------------------------------------------------------------------------

    def _write(self, step: Step) -> None:
        if step.action is Action.SET_MODE:
            self._set_mode(step)
            return
        services = self._endpoint.services
        with self._writing(step):
            if step.action is Action.HOLD and self._plan.hold is not None:
                hold.write(self._endpoint, self._plan.hold)
            elif step.action is Action.CHANGE_START_MODE:
                services.change_start_mode(constants.CLIENT_SERVICE, str(step.argument))
            elif step.action is Action.START_SERVICE:
                services.start(str(step.argument))
        self.outcome.done.append(step)

    def _writing(self, step: Step) -> t.ContextManager[None]:
        return self._guard.writing(
            self._write_of(step), lambda: self._why_not_any_more(step), armed_is_fine=self._wanted.force
        )

    def _write_of(self, step: Step) -> Write:
        before, after = difference(self._state, Plan([step]))
        return Write(step.action.value, step.argument, before or None, after or None)

    def _why_not_any_more(self, step: Step) -> str:
        """What another administrator or process has changed, so that *step* would not be planned now."""
        current = read_again(self._endpoint, self._state)
        self._verification.entered_before = current.entered
        own = self._plan.hold
        if own is not None and current.hold not in (None, self._state.hold) and not own.same_as(current.hold):
            return f"another hold has just been set by {hold.describe(current.hold)}" if current.hold else ""
        plan = self._wanted.plan(current)
        if plan.left_alone or plan.has(step.action) or step.action is Action.HOLD:
            return plan.left_alone
        return "another administrator or process has just changed the mode, and there is nothing left to do"

    def _set_mode(self, step: Step) -> None:
        """A client that has just started fails for some minutes: the call is repeated, each time under the guard."""
        enabled, verification = bool(step.argument), self._verification
        failure: Exception | None = None
        for _attempt in Backoff(self._wait, self._endpoint.session.deadline, first_pause=2, longest_pause=30):
            if verification.lost is not None and read_mode(self._endpoint).enabled is enabled:
                return
            self.outcome.attempts += 1
            try:
                with self._endpoint.session.deadline.keeping(READ_BACK), self._writing(step):
                    self._methods.set_mode(enabled)
            except (Blocked, NotSent):
                self.outcome.attempts -= 1
                raise
            except (ProviderFailure, NotReady) as error:
                self._log(f"attempt {self.outcome.attempts} failed, the client may be starting: {error}")
                failure, verification.lost = error, None
            except ConnectionLost as error:
                self._log(f"SetClientProvisioningMode gave no answer ({error}); reading back, and trying again")
                failure = verification.lost = error
            except (DeadlineExceeded, OperationTimedOut) as error:
                # It may have been carried out all the same: what is read back decides.
                self._log(f"SetClientProvisioningMode gave no answer ({error}); reading back")
                verification.lost = error
                return
            else:
                verification.lost, verification.accepted = None, True
                self.outcome.done.append(step)
                return
        if failure and not verification.lost:
            raise MethodFailed(
                f"SetClientProvisioningMode({str(enabled).lower()}) failed, {self.outcome.attempts} time(s) within"
                f" wait_timeout={self._wait:g} s: {failure}. A client that has just started fails for some minutes:"
                " a longer wait_timeout and deadline let it try more often"
            ) from failure

    def _follow_up(self, step: Step) -> None:
        if step.action is Action.REMOVE_HOLD:
            with self._guard.writing(
                self._write_of(step),
                lambda: self._unless_hold_is(self._state.hold),
                armed_is_fine=self._wanted.force,
            ):
                hold.remove(self._endpoint)
            self.outcome.done.append(step)
            return
        if step.action is Action.TRIGGER_SCHEDULE:
            self._trigger(step)
            return
        with self._writing_when_out(step):
            run_ccmeval(self._endpoint)
        self.outcome.done.append(step)

    def _writing_when_out(self, step: Step) -> t.ContextManager[None]:
        return self._guard.writing(self._write_of(step), self._why_not_out, armed_is_fine=self._wanted.force)

    def _trigger(self, step: Step) -> None:
        schedule = str(step.argument)
        backoff = Backoff(self._wait, self._endpoint.session.deadline)
        failure = trigger_when_ready(self._methods, find(schedule).id, backoff, lambda: self._writing_when_out(step))
        if failure is None:
            self.outcome.done.append(step)
        else:
            self.outcome.warnings.append(f"The schedule {schedule} could not be triggered: {failure}")

    def _why_not_out(self) -> str:
        mode = read_mode(self._endpoint)
        return "" if mode.exited else "the client has been set into provisioning mode again"

    def _unless_hold_is(self, own: Hold | None) -> str:
        found = hold.read(self._endpoint)
        if found is None or (own is not None and own.same_as(found)):
            return ""
        return f"another hold has just been set by {hold.describe(found)}"

    # -- verification ----------------------------------------------------------------------------------------------

    def _verify_exit(self) -> None:
        with self._read_back():
            self._verification.exit()
        self._note_unanswered(False)

    def _verify_entry(self) -> None:
        with self._read_back():
            entered = self._verification.entry()
        self._note_unanswered(True)
        self._bind_hold(entered)

    @contextmanager
    def _read_back(self) -> t.Iterator[None]:
        try:
            yield
        except NotVerified:
            if self._verification.nothing_happened():
                self.outcome.done = [step for step in self.outcome.done if step.action is not Action.SET_MODE]
                self._guard.wrote = bool(self.outcome.done)
            raise
        finally:
            self.outcome.mode = self._verification.mode

    def _note_unanswered(self, enabled: bool) -> None:
        """A call that gave no answer was carried out after all."""
        if self._verification.lost is not None:
            self.outcome.done.append(Step(Action.SET_MODE, enabled))

    def _bind_hold(self, entered: StoredValue) -> None:
        """Says which stay in the mode the hold is about, so that it hides no later one."""
        own = self._plan.hold
        if own is None:
            self._guard.require()  # a task sequence that came in between makes the stay its own
            return
        self._require_own_hold(own)
        if isinstance(entered.data, int):
            bound = dataclasses.replace(own, entered=entered.data)
            write = Write("bind_hold", hold.describe(own), own.entered, bound.entered)
            with self._guard.writing(write, lambda: self._unless_hold_is(own)):
                hold.rewrite(self._endpoint, bound)

    def _require_own_hold(self, own: Hold) -> None:
        found = hold.read(self._endpoint)
        if not own.same_as(found):
            whose = f"the hold of {hold.describe(found)}" if found else "no hold"
            raise NotVerified(
                f"A hold was written, and then {whose} was read back: another administrator or process was faster"
            )
