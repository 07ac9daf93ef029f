# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of one host: from its registered result, and from the look at it after a release. Pure."""

from __future__ import annotations

import enum
import typing as t
from collections.abc import Mapping

from ...module_utils._client import constants
from ...module_utils._client.mode.verdict import Verdict
from ...module_utils._wsman.errors import LoginRejected, TicketUnavailable

Result = Mapping[str, t.Any]

_LOGIN_LAYERS = {LoginRejected.layer, TicketUnavailable.layer}


class Outcome(str, enum.Enum):
    """CHANGED and FAILED are attempts. NOT_ASKED was left out by a condition, or had left the play.

    NOT_READ failed before anything was known to be changed on it: that says nothing of the change.
    """

    CHANGED = "changed"
    FAILED = "failed"
    LOGIN_FAILED = "login_failed"
    OFFLINE = "offline"
    UNCHANGED = "unchanged"
    NOT_READ = "not_read"
    NOT_ASKED = "not_asked"


def outcome(result: Result | None) -> Outcome:
    """Of the task that changes hosts, in check mode too; *result* is None where it did not run on the host."""
    if not result or result.get("skipped"):
        return Outcome.NOT_ASKED
    if result.get("unreachable") or result.get("reachable") is False:
        return Outcome.LOGIN_FAILED if result.get("error_layer") in _LOGIN_LAYERS else Outcome.OFFLINE
    if result.get("failed"):
        return Outcome.FAILED
    return Outcome.CHANGED if result.get("changed") else Outcome.UNCHANGED


def afterwards(health: Result | None) -> tuple[Outcome, str]:
    """Of a host that was released, by the full read of it some time later; and what is wrong with it, or empty.

    What nobody has looked at is not believed to be well. A host that is OFFLINE now restarts, most likely.
    """
    seen = outcome(health)
    if health is None or seen is Outcome.NOT_ASKED:
        return Outcome.FAILED, "it was not looked at after its release"
    if seen in (Outcome.OFFLINE, Outcome.LOGIN_FAILED, Outcome.FAILED):
        return seen, str(health.get("msg", ""))
    if health.get("verdict") != Verdict.NORMAL.value:
        return Outcome.FAILED, str(health.get("summary") or "there is no verdict on it")
    if not health.get("full"):
        return Outcome.FAILED, "its service was not looked at, which takes a read with full=true"
    services = [item["value"] for item in health.get("evidence", ()) if item["signal"] == "service"]
    if not any(value.startswith(f"{constants.CLIENT_SERVICE} Running ") for value in services):
        return Outcome.FAILED, f"its service does not run ({', '.join(services) or constants.CLIENT_SERVICE})"
    return Outcome.CHANGED, ""
