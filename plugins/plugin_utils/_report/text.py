# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as lines for a person: one for what is not usual, a sum for the rest. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .rows import ORDER, UNSEEN, USUAL, Row

_NAMED = 10


def summary(counts: Mapping[str, int]) -> str:
    numbers = ", ".join(f"{number} {status}" for status, number in counts.items())
    total = sum(counts.values())
    return f"{total} {'host' if total == 1 else 'hosts'}: {numbers or 'none'}"


def lines(found: Mapping[str, Row]) -> list[str]:
    """One for each of these hosts that needs somebody; what needs hands comes first.

    Of those that could not be seen for the same cause a few are named, since they may be a whole fleet.
    """
    said: list[str] = []
    for status in ORDER:
        hosts = {host: row for host, row in found.items() if row["status"] == status}
        if status in UNSEEN:
            said += _alike(hosts)
        else:
            said += [
                _line(host, row)
                for host, row in hosts.items()
                if status not in USUAL or row.get("name_matches") is False
            ]
    return said


def _line(host: str, row: Row) -> str:
    other = f" It calls itself {row['computer_name']}!" if row.get("name_matches") is False else ""
    return f"{host}: {row['status']}. {row['message']}{other}"


def _alike(hosts: Mapping[str, Row]) -> list[str]:
    causes: dict[t.Any, list[str]] = {}
    for host, row in sorted(hosts.items(), key=lambda each: -each[1].get("days", 0)):
        causes.setdefault(row.get("error_layer", row["message"]), []).append(host)
    return [_together({host: hosts[host] for host in names}) for names in causes.values()]


def _together(found: Mapping[str, Row]) -> str:
    names = list(found)
    first = found[names[0]]
    if len(names) == 1:
        return _line(names[0], first)
    told = [f"{host} ({row['days']} d)" if row.get("days") else host for host, row in found.items()]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(told[:_NAMED])}{more}: {first['status']}. {names[0]}: {first['message']}"
