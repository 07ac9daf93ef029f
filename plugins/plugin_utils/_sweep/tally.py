# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the fleet so far: numbers and names, and details only where something is to be said. Pure."""

from __future__ import annotations

import typing as t

from .record import OFF, OK, Record, kind

_NOTHING_TO_SAY = ("normal", *OFF)


class Tally:
    """Of the *hosts* that are to be asked; records of others are not counted, and of each host the last one counts."""

    def __init__(self, hosts: t.Sequence[str]) -> None:
        self._hosts = hosts
        self._asked = frozenset(hosts)
        self._kinds: dict[str, tuple[str, str]] = {}
        self._details: dict[str, Record] = {}

    def add(self, record: Record) -> None:
        host = record["host"]
        if host not in self._asked:
            return
        self._kinds[host] = record["status"], kind(record)
        self._details.pop(host, None)
        if kind(record) not in _NOTHING_TO_SAY:
            self._details[host] = {key: value for key, value in record.items() if key not in ("schema", "host")}

    @property
    def total(self) -> int:
        return len(self._hosts)

    @property
    def done(self) -> int:
        return len(self._kinds)

    @property
    def off(self) -> int:
        return sum(status != OK and each in OFF for status, each in self._kinds.values())

    @property
    def errors(self) -> int:
        """Without those that are off."""
        return sum(status != OK for status, _kind in self._kinds.values()) - self.off

    def has_answer(self, host: str) -> bool:
        return host in self._kinds and self._kinds[host][0] == OK

    def as_result(self) -> dict[str, t.Any]:
        verdicts, errors = self._by_kind(OK), self._by_kind("unreachable", "failed")
        return {
            "asked": len(self._hosts),
            "counts": {
                "verdicts": {name: len(hosts) for name, hosts in verdicts.items()},
                "errors": {name: len(hosts) for name, hosts in errors.items()},
            },
            "verdicts": verdicts,
            "errors": errors,
            "hosts_unreachable": self._with("unreachable"),
            "hosts_failed": self._with("failed"),
            "not_finished": [host for host in self._hosts if host not in self._kinds],
            "details": {host: self._details[host] for host in self._hosts if host in self._details},
        }

    def _with(self, *statuses: str) -> list[str]:
        """In the order of the hosts."""
        return [host for host in self._hosts if host in self._kinds and self._kinds[host][0] in statuses]

    def _by_kind(self, *statuses: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for host in self._with(*statuses):
            found.setdefault(self._kinds[host][1], []).append(host)
        return dict(sorted(found.items()))
