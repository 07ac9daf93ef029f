# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of many hosts as one report. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

# The order in which a person wants to read them: what needs hands first.
_ORDER = (
    "failed",
    "released",
    "entered",
    "prepared",
    "restored",
    "overdue",
    "stuck",
    "half_exited",
    "unknown",
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
_NOT_ASKED = "No result: with serial its turn comes later, or the play had ended for it."
_SUMMARIZED = frozenset({"normal", "as_wanted", "not_asked"})
"""Of these only the different messages are listed, since most hosts of a fleet are among them."""


def report(results: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """From each host's registered result: ``counts`` by status, ``hosts`` by name, and ``text``, lines to print.

    The status is ``unreachable``, ``not_asked`` or ``failed``; else, where something was to be done, what was done
    (``released``, ``entered``, ``prepared``, ``restored``), ``left_alone`` or ``as_wanted``; else the verdict.
    """
    hosts = {host: _row(results[host]) for host in sorted(results)}
    counts: dict[str, int] = {}
    for row in hosts.values():
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    counts = {status: counts[status] for status in _ORDER if status in counts}
    return {"counts": counts, "hosts": hosts, "text": _text(counts, hosts)}


def _row(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    row = {
        "status": _status(result),
        "message": result.get("msg") or result.get("summary") or _NOT_ASKED,
        "changed": bool(result.get("changed", False)),
    }
    details = (
        "verdict",
        "error_layer",
        "via",
        "via_reason",
        "timeline",
        "computer_name",
        "name_matches",
        "client_version",
    )
    return {**row, **{name: result[name] for name in details if result.get(name) not in (None, "")}}


def _status(result: t.Mapping[str, t.Any]) -> str:
    if result.get("unreachable"):
        return "unreachable"
    if not result:
        return "not_asked"
    if "verdict" not in result:
        return "failed"
    if "action" not in result:
        return str(result["verdict"])
    if result.get("left_alone"):
        return "left_alone"
    return "as_wanted" if result["action"] == "none" else str(result["action"])


def _text(counts: t.Mapping[str, int], hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    lines = []
    for status, count in counts.items():
        lines.append(f"{status}: {count}")
        if status in _SUMMARIZED:
            messages = Counter(row["message"] for row in hosts.values() if row["status"] == status)
            lines += [f"  {number} of them: {message}" for message, number in messages.most_common()]
            continue
        for host, row in hosts.items():
            if row["status"] == status:
                other = f" It calls itself {row['computer_name']}!" if row.get("name_matches") is False else ""
                lines.append(f"  {host}: {row['message']}{other}")
    return lines
