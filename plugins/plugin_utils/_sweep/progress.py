# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a sweep is, and what came of it, as a line each. Pure."""

from __future__ import annotations

import typing as t

EVERY_SECONDS = 10.0
"""Between two lines of a log."""
_BAR_EVERY_SECONDS = 0.5
_BAR_WIDTH = 24
_CLEARED = "\r\x1b[K"
_NAMED = 5


class Progress:
    """Says how far a sweep is: by a line now and then, or where a person watches a *terminal*, by a bar that moves.

    *display* is that of Ansible.
    """

    def __init__(self, display: t.Any, terminal: bool) -> None:
        self._display = display
        self._terminal = terminal
        self.every_seconds = _BAR_EVERY_SECONDS if terminal else EVERY_SECONDS

    def tell(self, line: str, share: float) -> None:
        """*line* with the *share* that is done, from 0 to 1."""
        if not self._terminal:
            self._display.display(f"fleet_info: {line}")
            return
        full = int(_BAR_WIDTH * share)
        drawn = "#" * full + "-" * (_BAR_WIDTH - full)
        self._display.display(f"{_CLEARED}[{drawn}] {line}", newline=False, screen_only=True)

    def end(self) -> None:
        if self._terminal:
            self._display.display(_CLEARED, newline=False, screen_only=True)


def line(done: int, total: int, off: int, errors: int, seconds: float, just_done: int) -> str:
    """*just_done* of those that are done were so within the last *seconds* of this sweep."""
    rate = just_done / seconds if seconds > 0 else 0.0
    left = f", about {_span((total - done) / rate)} left" if rate and done < total else ""
    return f"{done} of {total} endpoints, {rate:.0f}/s{left}; {off} off, {errors} errors"


def summary(result: t.Mapping[str, t.Any]) -> str:
    """Of the result of a sweep that has ended."""
    counts = {**result["counts"]["verdicts"], **result["counts"]["errors"]}
    if result["not_finished"]:
        counts["not finished"] = len(result["not_finished"])
    if result["hosts_given_up"]:
        counts["given up"] = len(result["hosts_given_up"])
    numbers = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items(), key=lambda each: -each[1]))
    asked = result["asked"]
    return f"{asked} {'endpoint' if asked == 1 else 'endpoints'} in {result['seconds']} s: {numbers or 'none'}."


def shared(addresses: t.Mapping[tuple[str, int], t.Sequence[str]]) -> str:
    """A warning of *addresses* that several hosts have: one endpoint then answers for all of them. Else empty."""
    names = [f"{address} ({', '.join(hosts)})" for (address, _port), hosts in addresses.items() if len(hosts) > 1]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "Several hosts of the inventory have one address, so that one endpoint answers for all of them: " + (
        "; ".join(names[:_NAMED]) + more
    )


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
