# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker processes of a sweep, seen from the one that started them.

Each has a pipe of its own, so that one that dies in whatever it does takes no lock and nobody's job with it.
"""

from __future__ import annotations

import typing as t
from multiprocessing.connection import Connection, wait

from ansible.utils.multiprocessing import context

from ...module_utils._wsman.settings import Settings
from .endpoint import Question
from .worker import serve


class Died(t.NamedTuple):
    """A worker that ended by itself, and the hosts that it was asking."""

    hosts: list[str]
    exit_code: int | None


class _Worker:
    def __init__(self, threads: int, question: Question, others: t.Iterable[_Worker]) -> None:
        self.under_way: set[str] = set()
        self.pipe, theirs = context.Pipe()
        ends = [self.pipe, *(each.pipe for each in others)]
        self.process = context.Process(target=_begin, args=(ends, theirs, threads, question), daemon=True)
        self.process.start()
        theirs.close()


def _begin(ends: t.Iterable[Connection], pipe: Connection, threads: int, question: Question) -> None:
    for each in ends:  # else none of them is ever closed
        each.close()
    serve(pipe, threads, question)


class Pool:
    """*processes* of *threads* each. Leaving it ends them, whatever they do."""

    def __init__(self, processes: int, threads: int, question: Question) -> None:
        self._threads = threads
        self._question = question
        self._workers: list[_Worker] = []
        for _number in range(processes):
            self._start()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()

    def has_room(self) -> bool:
        return len(self._least_busy().under_way) < self._threads

    def give(self, host: str, settings: Settings) -> None:
        worker = self._least_busy()
        worker.under_way.add(host)
        try:
            worker.pipe.send((host, settings))
        except OSError:
            pass  # it has died, which whoever takes learns

    @property
    def is_idle(self) -> bool:
        return not any(worker.under_way for worker in self._workers)

    def take(self, timeout: float) -> t.Iterator[dict[str, t.Any] | Died]:
        """What came within *timeout* seconds: records, and news of workers that died, which are replaced."""
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), timeout):
            worker = pipes[t.cast(Connection, pipe)]
            try:
                record = worker.pipe.recv()
            except (EOFError, OSError):
                self._workers.remove(worker)
                worker.pipe.close()
                worker.process.join()
                self._start()
                yield Died(sorted(worker.under_way), worker.process.exitcode)
            else:
                worker.under_way.discard(record["host"])
                yield record

    def _least_busy(self) -> _Worker:
        return min(self._workers, key=lambda worker: len(worker.under_way))

    def _start(self) -> None:
        self._workers.append(_Worker(self._threads, self._question, self._workers))
