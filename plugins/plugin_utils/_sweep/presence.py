# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoints were there, and which were off, over the sweeps of days and weeks. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from dataclasses import dataclass

from ...module_utils._client.times import from_iso, iso
from .record import OFF, OK, Record, kind

ABSENT = (*OFF, "dns")
"""The classes of endpoints that are off: an address is given back where a laptop leaves."""
_NOT_ASKED = ("settings", "proxy", "worker", "internal")
"""Those of endpoints of which a sweep has learned nothing."""
_FORGOTTEN = dt.timedelta(days=365)


@dataclass(frozen=True)
class Presence:
    """Of one endpoint, by the controller's clock.

    ``at`` is when a sweep last learned something of it, ``last_seen`` when it last accepted a connection. ``off_since``
    is the first sweep since then that missed it, and ``tries`` the number of these; 0 where the last one found it.
    """

    at: dt.datetime
    last_seen: dt.datetime | None = None
    off_since: dt.datetime | None = None
    tries: int = 0

    @classmethod
    def read(cls, line: t.Mapping[str, t.Any], now: dt.datetime) -> Presence:
        """Raises ValueError, TypeError or KeyError. What is not before *now*, as by a wrong clock, was a second ago."""
        latest = now - dt.timedelta(seconds=1)

        def moment(name: str) -> dt.datetime | None:
            return min(from_iso(line[name]), latest) if line.get(name) is not None else None

        at, tries = min(from_iso(line["at"]), latest), int(line.get("tries", 0))
        return cls(at, moment("last_seen"), moment("off_since"), tries)

    def as_line(self) -> dict[str, t.Any]:
        return {"last_seen": iso(self.last_seen), "off_since": iso(self.off_since), "tries": self.tries}


def after(before: Presence | None, record: Record) -> Presence | None:
    """What is known of an endpoint when *record* has come; None where that is nothing at all."""
    at, found = from_iso(record["at"]), kind(record)
    if record["status"] != OK and found in _NOT_ASKED:
        return before
    if record["status"] == OK or found not in ABSENT:
        return Presence(at, last_seen=at)
    if before is None:
        return Presence(at, off_since=at, tries=1)
    return dataclasses.replace(before, at=at, off_since=before.off_since or at, tries=before.tries + 1)


class Presences:
    """Of all endpoints that any sweep has asked; ``noted`` are those that this one has."""

    def __init__(self, known: t.Mapping[str, Presence]) -> None:
        self._known = known
        self.noted: dict[str, Presence] = {}

    def given_up(self, hosts: t.Iterable[str], days: int, now: dt.datetime) -> dict[str, None]:
        """Those of *hosts* that have been off for more than *days*; none where *days* is 0."""
        limit = now - dt.timedelta(days=days)
        return {host: None for host in hosts if days and (since := self._off_since(host)) is not None and since < limit}

    def absent_first(self, hosts: t.Sequence[str]) -> list[str]:
        return sorted(hosts, key=lambda host: self._off_since(host) is None)

    def note(self, record: Record) -> None:
        """One that says no more than is known already, as of a file that is gone on with, changes nothing."""
        host = record["host"]
        before = self._known.get(host)
        if before is None or from_iso(record["at"]) > before.at:
            found = after(before, record)
            if found is not None:
                self.noted[host] = found

    def absent(self, hosts: t.Iterable[str], now: dt.datetime) -> dict[str, dict[str, t.Any]]:
        """What is known of those of *hosts* that are off, by their names; ``days`` are whole ones."""
        told = {}
        for host in hosts:
            found = self.noted.get(host) or self._known.get(host)
            if found is not None and found.off_since is not None:
                told[host] = {**found.as_line(), "days": (now - found.off_since).days}
        return told

    def _off_since(self, host: str) -> dt.datetime | None:
        return self._known[host].off_since if host in self._known else None


def remembered(known: t.Mapping[str, Presence], now: dt.datetime) -> dict[str, Presence]:
    """*known* without what no sweep has asked for a year: such an endpoint has left every inventory."""
    return {host: each for host, each in known.items() if each.at > now - _FORGOTTEN}
