# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads back, after a call of SetClientProvisioningMode, until the change of the mode holds."""

from __future__ import annotations

import typing as t
from contextlib import suppress

from ..._windows.endpoint import Endpoint
from ..._windows.errors import WindowsError
from ..._windows.registry import StoredValue
from ..._wsman.errors import DeadlineExceeded, OperationTimedOut, WSManError
from .. import constants
from ..backoff import Backoff
from ..errors import NotVerified
from ..guard import Blocked, Guard
from .reader import read_entered, read_mode
from .state import ClientState

_OPERATION_TIMEOUT = "ansible_winrm_operation_timeout_sec, ansible_psrp_operation_timeout"
_LONG_CALL = (
    " The client may still be at it: such a call is known to take five minutes and then to fail. Look again after that,"
    " or wait for its end with via=command and deadline=600."
)


class Verification:
    """*state* is what was read before the change; *wait* is how many seconds it may take to show.

    ``entered_before`` is the time of entry as read last before the call, or before the last call of several;
    ``accepted`` is whether the endpoint answered it with success, and ``lost`` the error where it gave no answer.
    ``mode`` is what was read last.
    """

    def __init__(
        self, endpoint: Endpoint, guard: Guard, state: ClientState, *, wait: float, log: t.Callable[[str], None]
    ) -> None:
        self._endpoint = endpoint
        self._guard = guard
        self._service_before = state.client_service
        self._notes_time = (constants.client_build(state.client_version) or 0) >= constants.FIRST_BUILD_THAT_LEAVES
        self._wait = wait
        self._log = log
        self._process_now = 0
        self._at_first = state.mode, state.entered
        self.entered_before = state.entered
        self.accepted = False
        self.lost: Exception | None = None
        self.mode = state.mode

    def nothing_happened(self) -> bool:
        """Whether for certain: the mode is as before the first call, and was not entered anew since."""
        if not self._notes_time:
            return False
        with suppress(WSManError, WindowsError):
            return (self.mode, read_entered(self._endpoint)) == self._at_first
        return False

    def exit(self) -> None:
        """Raises NotVerified, or Blocked where the client was set into the mode again."""
        process_before = self._service_before.process_id if self._service_before else 0
        held_before = False
        missing = ""
        for _attempt in Backoff(self._wait, self._endpoint.session.deadline):
            missing = self._client_service_problem()
            self.mode = read_mode(self._endpoint)
            missing = missing or self._exit_problem()
            if missing:
                self._log(f"waiting: {missing}")
            # The client restarts to leave the mode. Before that the new values might not last: look twice.
            elif held_before or self._process_now != process_before:
                return
            held_before = not missing
        raise self._not_verified("false", missing or "the state did not last")

    def entry(self) -> StoredValue:
        """The time of entry; raises NotVerified."""
        missing = ""
        for _attempt in Backoff(self._wait, self._endpoint.session.deadline):
            self.mode = read_mode(self._endpoint)
            entered = read_entered(self._endpoint)
            if not self.mode.enabled:
                missing = f"{constants.MODE} is still {self.mode.text}"
            elif self._notes_time and not self._moved(entered):
                missing = f"{constants.ENTERED} did not move"
            else:
                missing = self._client_service_problem()
            if not missing:
                return entered
            self._log(f"waiting: {missing}")
        raise self._not_verified("true", missing)

    def _exit_problem(self) -> str:
        if self.mode.enabled is False:
            return f"{constants.EXCLUDES} is still filled" if self.mode.excludes else ""
        if self.mode.enabled and self.accepted:
            self._stop_if_entered_again()
        return f"{constants.MODE} is still {self.mode.text}"

    def _stop_if_entered_again(self) -> None:
        """The exit was accepted, and somebody was faster than what reads it back."""
        if self._notes_time and not self._moved(read_entered(self._endpoint)):
            return
        reason = self._guard.blocker()
        if self._notes_time or reason:
            by = reason or "by another administrator or process"
            raise Blocked(f"the client left provisioning mode and was then set into it again: {by}")

    def _moved(self, entered: StoredValue) -> bool:
        return entered.data is not None and entered.data != self.entered_before.data

    def _client_service_problem(self) -> str:
        service = self._endpoint.services.read(constants.CLIENT_SERVICE).get(constants.CLIENT_SERVICE.lower())
        self._process_now = service.process_id if service else 0
        if service is None:
            return f"the service {constants.CLIENT_SERVICE} is gone"
        return "" if service.running else f"the service {constants.CLIENT_SERVICE} is {service.state or 'in no state'}"

    def _not_verified(self, wanted: str, missing: str) -> NotVerified:
        said, advice = "was accepted", ""
        if isinstance(self.lost, OperationTimedOut):
            said = f"got no answer within the operation time-out ({_OPERATION_TIMEOUT})"
            advice = _LONG_CALL
        elif isinstance(self.lost, DeadlineExceeded):
            said, advice = f"got no answer: {self.lost}", _LONG_CALL
        elif self.lost:
            said = f"got no answer ({self.lost})"
        return NotVerified(
            f"SetClientProvisioningMode({wanted}) {said}; read back for up to wait_timeout={self._wait:g} s,"
            f" {missing}.{advice}"
            " Look at CcmExec.log on the endpoint; the call may be repeated"
        )
