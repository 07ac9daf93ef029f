# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of many hosts as rows, and what they amount to. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Collection, Mapping

from ...module_utils._wsman.errors import LoginRejected, TicketUnavailable

Row = Mapping[str, t.Any]

ORDER = (
    "failed",
    "released",
    "entered",
    "prepared",
    "restored",
    "overdue",
    "stuck",
    "half_exited",
    "unknown",
    "login_failed",
    "unreachable",
    "not_asked",
    "left_alone",
    "resume_pending",
    "held",
    "recent",
    "expected",
    "not_installed",
    "normal",
    "as_wanted",
)
"""In which a person wants to read them: what needs hands first."""
USUAL = frozenset({"normal", "as_wanted"})
UNSEEN = frozenset({"login_failed", "unreachable", "not_asked"})

_LOGIN_LAYERS = {LoginRejected.layer, TicketUnavailable.layer}
_DETAILS = (
    "verdict",
    "error_layer",
    "via",
    "via_reason",
    "timeline",
    "computer_name",
    "name_matches",
    "client_version",
    "last_seen",
    "off_since",
    "days",
    "tries",
)


def rows(results: Mapping[str, Mapping[str, t.Any] | None], waiting: Collection[str]) -> dict[str, Row]:
    """A row for each host, by its name, from its registered result; None where it was not asked.

    The status is ``login_failed``, ``unreachable``, ``not_asked`` or ``failed``; else, where something was to be done,
    what was done (``released``, ``entered``, ``prepared``, ``restored``), ``left_alone`` or ``as_wanted``; else the
    verdict. Those that are *waiting* are to be asked later in the same run.
    """
    return {host: _row(results[host] or {}, host in waiting) for host in sorted(results)}


def counts(found: Mapping[str, Row]) -> dict[str, int]:
    """How many hosts have each status."""
    numbers = Counter(row["status"] for row in found.values())
    return {status: numbers[status] for status in ORDER if status in numbers}


def asked(numbers: Mapping[str, int]) -> int:
    """How many of these *numbers* by status are of hosts that were asked."""
    return sum(number for status, number in numbers.items() if status != "not_asked")


def unusual(found: Mapping[str, Row]) -> dict[str, list[str]]:
    """The hosts of each status, but for the usual ones: most hosts of a fleet are among those."""
    hosts: dict[str, list[str]] = {status: [] for status in counts(found) if status not in USUAL}
    for host, row in found.items():
        if row["status"] in hosts:
            hosts[row["status"]].append(host)
    return hosts


def problem(found: Mapping[str, Row], waiting: Collection[str]) -> str:
    """Why a run that saw no host is no success; empty where it is, or is not over. To be switched off is no fault."""
    numbers = counts(found)
    if waiting or not UNSEEN.issuperset(numbers) or set(numbers) == {"unreachable"}:
        return ""
    if "login_failed" in numbers:
        return "No host was seen: every host that could be reached refused the login."
    return "No host was seen: none was asked."


def _row(result: Mapping[str, t.Any], waits: bool) -> Row:
    row = {
        "status": _status(result),
        "message": result.get("msg") or result.get("summary") or "",
        "changed": bool(result.get("changed", False)),
    }
    if row["status"] == "not_asked":
        row["message"] = _reason(result, waits)
    return {**row, **{name: result[name] for name in _DETAILS if result.get(name) not in (None, "")}}


def _status(result: Mapping[str, t.Any]) -> str:
    if not result or result.get("skipped"):
        return "not_asked"
    if result.get("unreachable") or result.get("reachable") is False:
        return "login_failed" if result.get("error_layer") in _LOGIN_LAYERS else "unreachable"
    if "verdict" not in result or result.get("failed"):
        return "failed"
    if "action" not in result:
        return str(result["verdict"])
    if result.get("left_alone"):
        return "left_alone"
    return "as_wanted" if result["action"] == "none" else str(result["action"])


def _reason(result: Mapping[str, t.Any], waits: bool) -> str:
    if waits:
        return "Its turn has not come yet."
    if result.get("skipped"):
        return str(result.get("reason", "A condition of the play left it out."))
    return "It had left the play before, or its turn never came."
