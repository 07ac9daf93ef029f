# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench: python -m bench SIZE DIRECTORY, with a size of short or full; the results go into the directory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import kdc

from .fleet import kerberos, mixture, serving
from .judgement import judgement
from .measure import Cost, measure
from .plot import plot
from .report import Results, markdown
from .site import site_costs
from .ways import (
    BARE,
    HEALTHY,
    NOTHING,
    ONE_TASK,
    OWN_PROCESS,
    PER_HOST,
    POWERSHELL_SECONDS,
    RELEASE,
    RELEASED,
    STARTED,
    STUCK,
    SWEEP,
    WIN_POWERSHELL,
    WIN_REG_STAT,
)


@dataclass(frozen=True)
class Size:
    sweeps: tuple[int, ...]
    beside: int
    """The size of the sweep that the other ways are compared with."""
    sites: tuple[int, ...]
    """Devices of each site that is asked."""


SIZES = {
    "short": Size((200, 1000), 200, (1000, 10000)),
    "full": Size((200, 1000, 5000, 10000), 1000, (10000, 50000, 100000)),
}
TASKS = 40
TO_RELEASE = 200


def main() -> None:
    size = SIZES[sys.argv[1]]
    directory = Path(sys.argv[2])
    sweeps: list[Cost] = []
    others: list[Cost] = []
    for count in size.sweeps:
        with serving(mixture(count)) as fleet:
            sweeps.append(measure(SWEEP, fleet))
            if count == size.beside:
                others = [measure(way, fleet) for way in (BARE, PER_HOST, WIN_REG_STAT, WIN_POWERSHELL)]
    with serving(mixture(size.beside), powershell_start=POWERSHELL_SECONDS) as fleet:
        others += [measure(way, fleet) for way in STARTED]
    beside = [next(each for each in sweeps if each.endpoints == size.beside), *others]
    tickets = None
    if kdc.missing():
        print(f"Kerberos is not measured: {kdc.missing()}", file=sys.stderr)
    else:
        with kerberos() as login, serving(mixture(size.beside), login=login) as fleet:
            tickets = measure(SWEEP, fleet)
    with serving({"normal": TASKS}) as fleet:
        one_task = [measure(way, fleet) for way in (NOTHING, ONE_TASK, OWN_PROCESS)]
    with serving({"stuck": TO_RELEASE}) as fleet:
        released = measure(RELEASE, fleet)
    sites = [cost for count in size.sites for cost in site_costs(count)]
    results = Results(sweeps, tickets, beside, one_task, released, alone(), sites, judgement())
    text = markdown(results)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.md").write_text(text, encoding="utf-8")
    plot(results, directory / "results.png")
    print(text, end="")


def alone() -> list[Cost]:
    """One endpoint of each kind; how often a restart is looked after depends on how long it takes: here no time."""
    with serving({"normal": 1}) as fleet:
        costs = [measure(HEALTHY, fleet)]
    with serving({"stuck": 1}, restart_seconds=0) as fleet:
        return [*costs, measure(STUCK, fleet), measure(RELEASED, fleet)]


if __name__ == "__main__":
    main()
