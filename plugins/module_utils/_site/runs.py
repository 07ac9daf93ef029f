# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a client run a script, and waits for what it printed.

Silence is an outcome of its own. A client that is off, one that the notification channel does not reach, and, for all
that is known, one in provisioning mode answer nothing; and the site forgets the request after an hour.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .._adminservice.errors import Forbidden, NotVisible
from .._adminservice.row import Row
from .._adminservice.service import AdminService
from .._wsman.deadline import Deadline
from .._wsman.errors import ProtocolError
from .errors import ScriptUnusable
from .operations import status
from .script_store import Stored
from .waiting import until

_FAILED = "2"


class Silence(str, enum.Enum):
    """Why there is no output."""

    NO_ANSWER = "no_answer"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True)
class Printed:
    """``operation`` is the number of the request on the site."""

    operation: int
    output: str | None
    silence: Silence | None = None


def start(service: AdminService, stored: Stored, resource_id: int) -> int:
    """The number of the operation. ConnectionLost leaves open whether the script is going to run."""
    try:
        answer = service.post(f"v1.0/Device({resource_id})/AdminService.RunScript", {"ScriptGuid": stored.guid})
    except Forbidden as error:
        raise ScriptUnusable(
            f"the site does not run the script ({error}): it is not approved, or the account may not run scripts on"
            " this device's collection"
        ) from None
    number = Row(answer if isinstance(answer, dict) else {}).integer("value")
    if number is None:
        raise ProtocolError(f"{service.url} answered RunScript without the number of an operation")
    return number


def output(service: AdminService, resource_id: int, operation: int, seconds: float, deadline: Deadline) -> Printed:
    """What the script printed within *seconds*."""

    def look() -> Printed | None:
        try:
            answer = service.get(f"v1.0/Device({resource_id})/AdminService.ScriptResult(OperationId={operation})")
        except NotVisible:  # it is not there yet, or never will be
            expired = status(service, operation)
            return Printed(operation, None, Silence.EXPIRED) if expired and expired.is_expired else None
        value = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(value, dict):
            raise ProtocolError(f"{service.url} answered ScriptResult in another form")
        row = Row(value)
        results = row.get("Result")
        if not isinstance(results, list):
            raise ProtocolError(f"{service.url} answered ScriptResult without a list of results")
        if str(row.get("Status")) == _FAILED:
            return Printed(operation, None, Silence.FAILED)
        if not results:
            return None
        first = results[0]
        text = Row(first).get("ScriptOutput") if isinstance(first, dict) else first
        if not isinstance(text, str):
            return Printed(operation, None, Silence.FAILED)
        return Printed(operation, text)

    return until(seconds, deadline, look) or Printed(operation, None, Silence.NO_ANSWER)
