# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as Markdown: ratios first, and the machine that they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .fleet import CORES, OFF_EACH, ROUND_TRIP_SECONDS, STUCK_EACH
from .measure import Cost
from .site import SiteCost

_MEGA = 1_000_000


@dataclass(frozen=True)
class Results:
    sweeps: Sequence[Cost]
    """By size, the smallest first."""
    tickets: Cost | None
    """The sweep by Kerberos, where it could be measured."""
    beside: Sequence[Cost]
    """The sweep and the other ways, on as many endpoints."""
    one_task: Sequence[Cost]
    """A task that does nothing first."""
    released: Cost
    alone: Sequence[Cost]
    sites: Sequence[SiteCost]
    """By size, the smallest first."""
    judgement: str


def markdown(results: Results) -> str:
    sweep, tasks, released = results.beside[0], results.one_task, results.released
    beside = [
        (
            each.way,
            _times(each.use.seconds, sweep.use.seconds),
            _times(each.cpu_ms, sweep.cpu_ms),
            _times(each.octets, sweep.octets),
            *_absolute(each),
        )
        for each in results.beside
    ]
    sizes = [
        (
            f"{each.endpoints}{', by Kerberos' if each is results.tickets else ''}",
            _times(each.cpu_ms, results.sweeps[0].cpu_ms),
            f"{each.rate:.0f}",
            f"{(each.use.cpu_seconds + each.simulator_cpu_seconds) / each.use.seconds / CORES:.0%}",
            *_absolute(each),
        )
        for each in (*results.sweeps, *([results.tickets] if results.tickets else []))
    ]
    parts = [
        f"# Benchmark\n\n{_machine()}\n\n{_FLEET}",
        f"## Beside what one would run instead: {sweep.endpoints} endpoints",
        _table(("", "times the time", "times the CPU", "times the octets", *_ABSOLUTE), beside),
        "## The sweep by size",
        _table(("endpoints", "CPU of each, to the first", "endpoints/s", "cores busy", *_ABSOLUTE), sizes),
        f"## One task of each host: {tasks[0].endpoints} endpoints, all of them healthy",
        _table(
            ("", "times the CPU", *_ABSOLUTE),
            [(each.way, _times(each.cpu_ms, tasks[0].cpu_ms), *_absolute(each)) for each in tasks],
        ),
        f"## A remediation: {released.endpoints} stuck endpoints",
        _table(("", "endpoints/s", *_ABSOLUTE), [(released.way, f"{released.rate:.1f}", *_absolute(released))]),
        "## One endpoint",
        _table(
            ("", "calls", "kB"),
            [(each.way, f"{each.calls:.0f}", f"{each.octets / 1000:.0f}") for each in results.alone],
        ),
        "## Through the site",
        _table(
            ("", "devices", "s", "CPU ms each", "MB", "requests", "kB each", "simulator CPU ms each"),
            [
                (
                    each.way,
                    str(each.devices),
                    f"{each.use.seconds:.1f}",
                    f"{1000 * each.use.cpu_seconds / each.devices:.2f}",
                    f"{each.use.octets / _MEGA:.0f}",
                    str(each.requests),
                    f"{each.octets / each.devices / 1000:.2f}",
                    f"{1000 * each.simulator_cpu_seconds / each.devices:.2f}",
                )
                for each in results.sites
            ],
        ),
        results.judgement,
    ]
    return "\n\n".join(parts) + "\n"


_FLEET = (
    f"Endpoints are simulated on loopback by {CORES} processes, whose CPU is told apart. NTLM over HTTP, messages"
    f" sealed; each answer is {ROUND_TRIP_SECONDS * 1000:.0f} ms late, the first of a connection twice that. One of"
    f" {OFF_EACH} is switched off and drops what it is sent, one of {STUCK_EACH} is stuck in the mode. Each way waits"
    " for one that is off as long as it does by default: fleet_info 3 s, pywinrm and Ansible's plugin 30 s. CPU, rate"
    " and time are of all endpoints; calls and kB of those that answer, with the login in them. Memory is the most at a"
    " time of all processes, with what they share counted once."
)
_ABSOLUTE = ("s", "CPU ms each", "MB", "calls each", "kB each", "simulator CPU ms each")


def _absolute(cost: Cost) -> tuple[str, ...]:
    return (
        f"{cost.use.seconds:.1f}",
        f"{cost.cpu_ms:.1f}",
        f"{cost.use.octets / _MEGA:.0f}",
        f"{cost.calls:.1f}",
        f"{cost.octets / 1000:.1f}",
        f"{cost.simulator_cpu_ms:.1f}",
    )


def _times(value: float, of: float) -> str:
    return f"{value / of:.2f}" if value < 10 * of else f"{value / of:.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "pywinrm", "pyspnego"))
    return (
        f"{CORES} cores ({model}), {gibibytes:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}, {packages}."
    )
