# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clears what a dead task sequence left, one item after the other, each under the guard and looked at again."""

from __future__ import annotations

import typing as t

from ..._windows.endpoint import Endpoint
from ..._windows.registry import RegistryType
from ..._wsman.errors import NotFound
from .. import constants
from ..errors import NotVerified
from ..guard import Blocked, Guard
from ..trail import Write
from .clearing import Plan, Step, difference, plan_clearing
from .reader import read_again, read_pause
from .rules import EXECUTION_REQUESTS, MAINTENANCE_REQUESTS, ORPHANED_POLICY, PAUSED_DISTRIBUTION, TaskSequenceState

_CLASSES = {
    MAINTENANCE_REQUESTS: (constants.CLIENT_NAMESPACE, constants.MAINTENANCE_CLASS),
    ORPHANED_POLICY: (constants.POLICY_NAMESPACE, constants.POLICY_CLASS),
    EXECUTION_REQUESTS: (constants.REQUEST_NAMESPACE, constants.REQUEST_CLASS),
}


class Clearing:
    """``done`` are the steps so far, also when an exception ended them; ``stopped`` says why the others were not."""

    def __init__(
        self,
        endpoint: Endpoint,
        guard: Guard,
        state: TaskSequenceState,
        kinds: t.Collection[str],
        minimum_age: int,
        log: t.Callable[[str], None],
    ) -> None:
        self._endpoint = endpoint
        self._guard = guard
        self._state = state
        self._kinds = kinds
        self._minimum_age = minimum_age
        self._log = log
        self.done: list[Step] = []
        self.stopped = ""

    def carry_out(self, plan: Plan) -> None:
        """Raises NotVerified, a fault or WindowsError."""
        try:
            for step in plan.steps:
                self._clear(step)
        except Blocked as reason:
            self.stopped = str(reason)

    def _obstacle(self, step: Step) -> str:
        """Why *step* would not be planned any more."""
        cleared = {done.item for done in self.done if done.kind == EXECUTION_REQUESTS}
        evidence = [request for request in self._state.requests or [] if request.request_id in cleared]
        state = read_again(self._endpoint, self._state, evidence)
        current = plan_clearing(state, self._kinds, self._minimum_age)
        if step in current.steps:
            return ""
        kept = (kept.why for kept in current.kept if (kept.kind, kept.item) == (step.kind, step.item))
        return current.obstacle or f"{step.item} {next(kept, 'is no longer there')}"

    def _clear(self, step: Step) -> None:
        before, after = difference(self._state, [step])
        write = Write(step.kind, step.item, before[step.kind], after[step.kind])
        with self._guard.writing(write, lambda: self._obstacle(step)):
            if step.kind == PAUSED_DISTRIBUTION:
                self._endpoint.registry.set(constants.DISTRIBUTION_KEY, step.item, RegistryType.DWORD, 0)
            else:
                self._endpoint.session.delete(*_CLASSES[step.kind], step.target)
        is_gone = self._is_gone(step)
        reason = "" if is_gone else self._guard.blocker()
        if not is_gone and not reason:
            raise NotVerified(f"Clearing {step.item} of {step.kind} was accepted, and it is still there")
        self._log(f"cleared {step.kind}: {step.item}")
        self.done.append(step)
        if reason:  # a task sequence that has just started brought it back
            raise Blocked(f"{step.item} is there again: {reason}")

    def _is_gone(self, step: Step) -> bool:
        if step.kind == PAUSED_DISTRIBUTION:
            return read_pause(self._endpoint).get(step.item) == 0
        try:
            self._endpoint.session.get(*_CLASSES[step.kind], step.target)
        except NotFound:
            return True
        return False
