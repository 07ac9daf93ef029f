# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a plan out and reads back until it holds. Each step may be repeated, so a run cut short is run again."""

from __future__ import annotations

import typing as t
from contextlib import suppress
from dataclasses import dataclass, field

from ..._windows.endpoint import Endpoint
from ..._windows.errors import WindowsError
from ..._wsman.errors import ConnectionLost, DeadlineExceeded, OperationTimedOut, ProviderFailure, WSManError
from .. import constants
from ..backoff import Backoff
from ..errors import MethodFailed, NotReady, NotVerified
from ..methods import ClientMethods, trigger_when_ready
from . import evaluation, hold
from .plan import Plan, Step
from .reader import read_entered, read_mode
from .state import ClientState, Hold, Mode, StoredValue, client_service

Log = t.Callable[[str], None]

READ_BACK = 30.0
"""Seconds of the deadline that no call of the client's method may use up: what came of it is read then."""
_OPERATION_TIMEOUT = "ansible_winrm_operation_timeout_sec, ansible_psrp_operation_timeout"
_LONG_CALL = (
    " The client may still be at it: such a call is known to take five minutes and then to fail. Look again after that,"
    " or wait for its end with via=command and deadline=600."
)


@dataclass
class Outcome:
    """``mode`` is what was read last; ``done`` the steps so far, also when an exception ended them.

    ``attempts`` counts the calls of SetClientProvisioningMode.
    """

    mode: Mode
    attempts: int = 0
    done: list[Step] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Blocked(Exception):
    """What came up while the client was waited for forbids the call; the message says what."""


class Writer:
    """*state* is the state that the plan was made for; *wait* is how many seconds to wait for the client.

    *reason_to_stop* reads the guard again and says why the call must not be made, or nothing.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        state: ClientState,
        methods: ClientMethods,
        wait: float,
        log: Log,
        reason_to_stop: t.Callable[[], str],
    ) -> None:
        self._endpoint = endpoint
        self._state = state
        self._methods = methods
        self._wait = wait
        self._log = log
        self._reason_to_stop = reason_to_stop
        self._lost: Exception | None = None
        self._hold = state.hold
        self.outcome = Outcome(state.mode)

    def carry_out(self, plan: Plan) -> Outcome:
        """Raises Blocked, NotVerified, MethodFailed, a fault or WindowsError; ``outcome`` tells how far it came."""
        try:
            self._carry_out(plan)
        except Exception:
            with suppress(WSManError, WindowsError):  # what is reported then is what is there now
                self.outcome.mode = read_mode(self._endpoint)
                if plan.hold is not None:
                    self._take_back(plan.hold)
            raise
        return self.outcome

    def _take_back(self, own: Hold) -> None:
        """An entry that failed leaves no hold behind, which would explain some later stay in the mode."""
        self._hold = hold.read(self._endpoint)
        if self.outcome.mode.enabled is False and own.same_as(self._hold):
            hold.remove(self._endpoint)
            self._hold = None
            self.outcome.done = [step for step in self.outcome.done if step.action != "hold"]

    def _carry_out(self, plan: Plan) -> None:
        after = ("remove_hold", "run_ccmeval", "trigger_schedule")
        writes = [step for step in plan.steps if step.action not in after]
        for step in writes:
            self._write(step, plan)
            self.outcome.done.append(step)
        if any(step.action == "set_mode" and step.argument is True for step in writes):
            self._verify_entry(plan.hold)
        elif any(step.action != "hold" for step in writes):
            self._verify_exit()
        for step in plan.steps[len(writes) :]:
            self._follow_up(step)

    def _write(self, step: Step, plan: Plan) -> None:
        services = self._endpoint.services
        if step.action == "hold" and plan.hold is not None:
            hold.write(self._endpoint, plan.hold)
        elif step.action == "change_start_mode":
            services.change_start_mode(constants.CLIENT_SERVICE, str(step.argument))
        elif step.action == "start_service":
            services.start(str(step.argument))
        elif step.action == "set_mode":
            self._set_mode(bool(step.argument))

    def _set_mode(self, enabled: bool) -> None:
        """A client that has just started fails for some minutes: the call is repeated, each time behind the guard."""
        failure: Exception | None = None
        for _ in Backoff(self._wait, self._endpoint.session.deadline, first_pause=2, longest_pause=30):
            reason = self._reason_to_stop() if failure else ""
            if reason:
                raise Blocked(reason)
            self.outcome.attempts += 1
            try:
                with self._endpoint.session.deadline.keeping(READ_BACK):
                    self._methods.set_mode(enabled)
            except (ProviderFailure, NotReady) as error:
                self._log(f"attempt {self.outcome.attempts} failed, the client may be starting: {error}")
                failure = error
            except (ConnectionLost, DeadlineExceeded, OperationTimedOut) as error:
                # It may have been carried out all the same: what is read back decides.
                self._log(f"SetClientProvisioningMode gave no answer ({error}); reading back")
                self._lost = error
                return
            else:
                return
        if failure:
            raise MethodFailed(
                f"SetClientProvisioningMode({str(enabled).lower()}) failed, {self.outcome.attempts} time(s) within"
                f" wait_timeout={self._wait:g} s: {failure}. A client that has just started fails for some minutes:"
                " a longer wait_timeout and deadline let it try more often"
            ) from failure

    def _follow_up(self, step: Step) -> None:
        if step.action == "trigger_schedule":
            self._trigger(step)
            return
        if step.action == "remove_hold":
            hold.remove(self._endpoint)
        else:
            evaluation.run(self._endpoint)
        self.outcome.done.append(step)

    @property
    def changed(self) -> bool:
        """Whether anything on the endpoint is other than it was, as far as is known."""
        other_steps = any(step.action != "set_mode" for step in self.outcome.done)
        return other_steps or self.outcome.mode != self._state.mode or self._hold != self._state.hold

    def _verify_exit(self) -> None:
        service_before = client_service(self._state)
        process_before = service_before.process_id if service_before else 0
        held_before = False
        missing = ""
        for _ in Backoff(self._wait, self._endpoint.session.deadline):
            missing = self._client_service_problem()
            if missing:
                self._log(f"waiting: {missing}")
                continue
            self.outcome.mode = read_mode(self._endpoint)
            missing = _exit_problem(self.outcome.mode)
            if missing:
                self._log(f"waiting: {missing}")
            # The client restarts to leave the mode. Before that the new values might not last: look twice.
            elif held_before or self._process_now != process_before:
                return
            held_before = not missing
        raise self._not_verified("false", missing or "the state did not last")

    def _verify_entry(self, own: Hold | None) -> None:
        entered_before = self._state.entered
        notes_time = (constants.client_build(self._state.client_version) or 0) >= constants.FIRST_BUILD_THAT_LEAVES
        missing = ""
        for _ in Backoff(self._wait, self._endpoint.session.deadline):
            self.outcome.mode = read_mode(self._endpoint)
            if not self.outcome.mode.enabled:
                missing = f"{constants.MODE} is still {self.outcome.mode.text}"
            elif notes_time and not _moved(entered_before, read_entered(self._endpoint)):
                missing = f"{constants.ENTERED} did not move"
            else:
                missing = self._client_service_problem()
            if not missing:
                return self._verify_hold(own)
            self._log(f"waiting: {missing}")
        raise self._not_verified("true", missing)

    def _verify_hold(self, own: Hold | None) -> None:
        if own is None:
            return
        found = hold.read(self._endpoint)
        if not own.same_as(found):
            whose = f"the hold of {hold.describe(found)}" if found else "no hold"
            raise NotVerified(f"Entered provisioning mode, and then {whose} was read back: somebody else was faster")
        entered = read_entered(self._endpoint).data
        if isinstance(entered, int):
            hold.tie(self._endpoint, entered)

    def _not_verified(self, wanted: str, missing: str) -> NotVerified:
        said, advice = "was accepted", ""
        if isinstance(self._lost, OperationTimedOut):
            said = f"got no answer within the operation time-out ({_OPERATION_TIMEOUT})"
            advice = _LONG_CALL
        elif isinstance(self._lost, DeadlineExceeded):
            said, advice = f"got no answer: {self._lost}", _LONG_CALL
        elif self._lost:
            said = f"got no answer ({self._lost})"
        return NotVerified(
            f"SetClientProvisioningMode({wanted}) {said}; read back for up to wait_timeout={self._wait:g} s,"
            f" {missing}.{advice}"
            " Look at CcmExec.log on the endpoint; the call may be repeated"
        )

    def _client_service_problem(self) -> str:
        service = self._endpoint.services.read(constants.CLIENT_SERVICE).get(constants.CLIENT_SERVICE.lower())
        self._process_now = service.process_id if service else 0
        if service is None:
            return f"the service {constants.CLIENT_SERVICE} is gone"
        return "" if service.running else f"the service {constants.CLIENT_SERVICE} is {service.state or 'in no state'}"

    def _trigger(self, step: Step) -> None:
        schedule = str(step.argument)
        backoff = Backoff(self._wait, self._endpoint.session.deadline)
        failure = trigger_when_ready(self._methods, schedule, backoff)
        if failure is None:
            self.outcome.done.append(step)
        else:
            self.outcome.warnings.append(f"The schedule {schedule} could not be triggered: {failure}")


def _exit_problem(mode: Mode) -> str:
    if mode.enabled is not False:
        return f"{constants.MODE} is still {mode.text}"
    return f"{constants.EXCLUDES} is still filled" if mode.excludes else ""


def _moved(before: StoredValue, now: StoredValue) -> bool:
    return now.data is not None and now.data != before.data
