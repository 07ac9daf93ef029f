# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command and all processes that it starts use of the machine, as Linux tells it."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Use:
    seconds: float
    cpu_seconds: float
    octets: int
    """The most memory at a time, of all its processes; what they share counts once."""


def run(
    commands: Sequence[Sequence[str]], *, codes: Collection[int] = (0,), environment: Mapping[str, str] | None = None
) -> Use:
    """Of *commands* that run at the same time, with *environment* added to this process's.

    Raises RuntimeError where one ends with none of *codes*.
    """
    given = {**os.environ, **(environment or {})}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        processes = [subprocess.Popen(each, stdout=output, stderr=output, env=given) for each in commands]
        with _Watch([process.pid for process in processes]) as watch:
            ended = [process.wait() for process in processes]
        seconds = time.monotonic() - started
        if not set(ended) <= set(codes):
            output.seek(0)
            raise RuntimeError(f"{commands[0][:8]} ended with {ended}: {output.read()[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Use(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, watch.most)


def cpu_seconds(pid: int) -> float:
    """Of a process that runs, without those that it has started."""
    user, system = _stat(Path(f"/proc/{pid}"))[11:13]
    return (int(user) + int(system)) / _TICKS


class _Watch:
    """Sees how much memory the processes *pids* and all that they started have, again and again."""

    def __init__(self, pids: list[int]) -> None:
        self.most = 0
        self._pids = pids
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            self.most = max(self.most, sum(map(_octets, self._family())))

    def _family(self) -> set[int]:
        parents = {}
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(directory.name)] = int(_stat(directory)[1])
            except OSError:  # it has ended
                pass
        found, generation = set(self._pids), set(self._pids)
        while generation:
            generation = {pid for pid, parent in parents.items() if parent in generation}
            found |= generation
        return found


def _stat(directory: Path) -> list[str]:
    """From the state on: the name before it may hold anything."""
    return (directory / "stat").read_text().rpartition(")")[2].split()


def _octets(pid: int) -> int:
    """The share of one process: Pss divides what several processes have among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
