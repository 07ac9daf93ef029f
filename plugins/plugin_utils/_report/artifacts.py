# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reports leave as artifacts of the jobs of a workflow, and what the next jobs make of it. Pure."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence

from ...module_utils._client.mode.verdict import RELEASED
from .rows import ORDER, UNSEEN

HostsByStatus = Mapping[str, Sequence[str]]


class NotAnArtifact(Exception):
    """The message says what is wrong and what to do."""


def artifact(counts: Mapping[str, int], hosts_by_status: HostsByStatus) -> dict[str, t.Any]:
    """What later jobs of a workflow get of a report: without the names of hosts that nobody saw, which are many."""
    return {
        "counts": dict(counts),
        "hosts_by_status": {status: list(names) for status, names in hosts_by_status.items() if status not in UNSEEN},
    }


def merged(artifacts: Sequence[t.Any]) -> tuple[dict[str, int], dict[str, list[str]]]:
    """The counts and the hosts by status of all of them, in the order of a report. Raises NotAnArtifact."""
    numbers: Counter[str] = Counter()
    hosts: dict[str, set[str]] = {}
    for position, each in enumerate(artifacts, 1):
        if not _is_whole(each):
            raise NotAnArtifact(
                f"artifacts: number {position} of {len(artifacts)} is none of a report: give what the jobs have left"
                " as configmgr_client_NUMBER"
            )
        numbers.update(each["counts"])
        for status, names in each["hosts_by_status"].items():
            hosts.setdefault(status, set()).update(names)
    return (
        {status: numbers[status] for status in ORDER if status in numbers},
        {status: sorted(hosts[status]) for status in ORDER if status in hosts},
    )


def to_release(hosts: HostsByStatus) -> tuple[list[str], list[str]]:
    """Which of these hosts ``remediate`` would release; and those of them whose names a play takes for a pattern.

    A play that is given a name such as ``~.*`` works on whatever it matches.
    """
    wanted = sorted({host for verdict in RELEASED for host in hosts.get(verdict.value, [])})
    return [host for host in wanted if _PLAIN.fullmatch(host)], [host for host in wanted if not _PLAIN.fullmatch(host)]


_PLAIN = re.compile(r"\w[\w.-]*")


def _is_whole(each: t.Any) -> bool:
    if not isinstance(each, dict) or not all(isinstance(each.get(name), dict) for name in _MEMBERS):
        return False
    counts, hosts = (each[name] for name in _MEMBERS)
    return all(status in ORDER and isinstance(number, int) for status, number in counts.items()) and all(
        status in ORDER and isinstance(names, list) and all(isinstance(name, str) for name in names)
        for status, names in hosts.items()
    )


_MEMBERS = ("counts", "hosts_by_status")
