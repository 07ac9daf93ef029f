# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the waves so far, and as lines for a person. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .outcome import Outcome, Result, afterwards, outcome


@dataclass(frozen=True)
class Waves:
    """Of the hosts that had their turn, in their order.

    ``unwell`` tells what is wrong with those that were released and are not well since; ``restarting`` are those that
    were released and are offline since.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    unwell: dict[str, str] = field(default_factory=dict)
    restarting: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        numbers = Counter(self.outcomes.values())
        return {each.value: numbers[each] for each in Outcome if each in numbers}


def so_far(
    results: Mapping[str, Result | None],
    health: Mapping[str, Result | None] | None = None,
    candidates: Collection[str] | None = None,
) -> Waves:
    """From registered *results*, and those of the look after the release; None where nobody was to look.

    *candidates* are the hosts that were to be changed; None: all.
    """
    waves = Waves()
    for host, result in results.items():
        came = outcome(result)
        if came is Outcome.FAILED and candidates is not None and host not in candidates:
            came = Outcome.FAILED if result and result.get("changed") else Outcome.NOT_READ
        if came is Outcome.CHANGED and health is not None:
            came, why = afterwards(health[host])
            if came is Outcome.OFFLINE:
                waves.restarting.append(host)
                came = Outcome.CHANGED
            elif came is not Outcome.CHANGED:
                waves.unwell[host] = why
        waves.outcomes[host] = came
    return waves


def lines(waves: Waves, planned: int, waiting: int, limit: int) -> list[str]:
    """One for each host that is not well since its release, one for those that restart, and one for all."""
    said = [f"{host}: not well since its release. {why}" for host, why in waves.unwell.items()]
    if waves.restarting:
        said.append(f"Released, and offline since: {', '.join(waves.restarting)}.")
    if not waves.outcomes:
        return [*said, f"{endpoints(planned)} {'is' if planned == 1 else 'are'} to be changed in waves; limit {limit}."]
    numbers = ", ".join(f"{number} {name}" for name, number in waves.counts.items())
    return [*said, f"{endpoints(len(waves.outcomes))} had a turn: {numbers}. {endpoints(waiting)} to go."]


def endpoints(number: int) -> str:
    return f"{number} {'endpoint' if number == 1 else 'endpoints'}"
