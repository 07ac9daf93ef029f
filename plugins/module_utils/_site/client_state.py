# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the state of a client through the site, and has it leave the mode: by scripts, which only the site can run."""

from __future__ import annotations

from dataclasses import dataclass

from .._adminservice.service import AdminService
from .._client.errors import NotUnderstood
from .._client.mode.script_answer import parsed, state_of
from .._client.mode.state import ClientState
from .._wsman.deadline import Deadline
from .own_scripts import LEAVE_MODE, READ_MODE
from .runs import Silence, output, start
from .script_store import Stored

_SILENCES = {
    Silence.NO_ANSWER: (
        "it did not answer in time. It may be off, its notification channel may not reach it, and whether a client in"
        " provisioning mode runs scripts at all is not certain"
    ),
    Silence.EXPIRED: "the site has given the script up, as it does after an hour",
    Silence.FAILED: "the script failed there",
}


class Silent(Exception):
    """The client told nothing. ``outcome`` is no_answer, expired, failed or not_understood."""

    def __init__(self, message: str, outcome: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True)
class Left:
    """``result`` is nothing_to_do, refused or started, ``reason`` the client's own."""

    result: str
    reason: str


class SiteClient:
    """One device; *seconds* is how long an answer may take."""

    def __init__(self, service: AdminService, resource_id: int, seconds: float, deadline: Deadline) -> None:
        self._service = service
        self._resource_id = resource_id
        self._seconds = seconds
        self._deadline = deadline
        self.operations: list[int] = []
        """The numbers of what was asked of the site, in order."""

    def read(self, script: Stored, seconds: float | None = None) -> ClientState:
        """Raises Silent."""
        try:
            return state_of(parsed(self._printed(script, seconds), READ_MODE.file))
        except NotUnderstood as error:
            raise Silent(str(error), "not_understood") from None

    def leave(self, script: Stored) -> Left:
        """Raises Silent; what it was to do may then have been done."""
        text = self._printed(script, None)
        try:
            answer = parsed(text, LEAVE_MODE.file)
            result, reason = answer["result"], answer["reason"]
        except (NotUnderstood, KeyError) as error:
            raise Silent(str(error), "not_understood") from None
        if result not in ("nothing_to_do", "refused", "started") or not isinstance(reason, str):
            raise Silent("the script leave_mode printed something else", "not_understood")
        return Left(result, reason)

    def _printed(self, script: Stored, seconds: float | None) -> str:
        operation = start(self._service, script, self._resource_id)
        self.operations.append(operation)
        printed = output(self._service, self._resource_id, operation, seconds or self._seconds, self._deadline)
        if printed.output is None:
            silence = printed.silence or Silence.NO_ANSWER
            raise Silent(_SILENCES[silence], silence.value)
        return printed.output
