# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of many hosts as one report. Pure."""

from __future__ import annotations

import typing as t

# The order in which a person wants to read them: what needs hands first.
_ORDER = (
    "failed",
    "overdue",
    "stuck",
    "half_exited",
    "unknown",
    "unreachable",
    "resume_pending",
    "held",
    "recent",
    "expected",
    "not_installed",
    "normal",
)
_SUMMARIZED = frozenset({"normal"})
"""Counted, not listed."""


def report(results: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """From each host's registered result: ``counts`` by status, ``hosts`` by name, and ``text``, lines to print.

    The status is the verdict, or ``unreachable`` or ``failed``.
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
        "message": result.get("msg") or result.get("summary") or "no result: the host was not asked",
        "action": result.get("action", "none"),
        "changed": bool(result.get("changed", False)),
    }
    details = ("error_layer", "left_alone", "via", "name_matches", "computer_name", "client_version", "timeline")
    return {**row, **{name: result[name] for name in details if result.get(name) not in (None, "")}}


def _status(result: t.Mapping[str, t.Any]) -> str:
    if result.get("unreachable"):
        return "unreachable"
    return str(result.get("verdict", "failed"))


def _text(counts: t.Mapping[str, int], hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    lines = []
    for status, count in counts.items():
        lines.append(f"{status}: {count}")
        if status in _SUMMARIZED:
            continue
        for host, row in hosts.items():
            if row["status"] == status:
                other = f" It calls itself {row['computer_name']}!" if row.get("name_matches") is False else ""
                lines.append(f"  {host}: {row['message']}{other}")
    return lines
