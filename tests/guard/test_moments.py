# SPDX-License-Identifier: GPL-3.0-or-later
"""The promise, tried in every moment: no write on an endpoint that was not judged in the moment before.

Between any two requests of a task anything may happen on the machine: a task sequence starts, Windows Setup starts, it
restarts, somebody else is at work on it too; and any request or its answer may get lost. So each call of `calls.py` is
run once undisturbed, to count its requests, and then again and again: each time one disturbance of `happenings.py`
comes at another of its requests. Afterwards the machine's own journal is asked what was written, and with which
request. `judgement.py` says what must hold:

- Nothing is written once a task sequence or Setup is alive. One write is forgiven, in the very next request: between
  the guard's answer and the write lies one round trip, which nobody can close. It is forgiven only where the request
  before it was answered and only asked something, so that it was judged.
- What was done is told, also by a task that fails; and who stops half-way says why.
- Once all is over, the same task succeeds, and a further one finds nothing to do.

The short form goes through every moment of some calls for a starting task sequence, and else through those around
writes and some of the rest. With CONFIGMGR_CLIENT_LONG=1 it goes through all. A table of what was found stands at the
end of pytest's output.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from tests.guard.bench import Path
from tests.guard.calls import CALLS, Call
from tests.guard.happenings import DISTURBANCES, Disturbance
from tests.guard.judgement import Fault, faults

LONG = bool(os.environ.get("CONFIGMGR_CLIENT_LONG"))
_EVERY_MOMENT = (
    *("exit", "exit by the second spelling", "exit by command", "entry", "entry with a hold"),
    *("time-out raised", "dependency", "leftovers cleared"),
)
"""Calls whose every moment is tried for a starting task sequence in the short form too: one of each kind of write."""
_IN_DOUBT = ("answer lost in silence, task sequence", "answer lost, out of time")
"""Tried at every write of every call, and at what is asked next: nobody reads back what was done, and it is told."""
_MOST_WRITES = 2
_SHOWN = 6


@dataclass(frozen=True)
class Course:
    """How a call goes that nobody disturbs: how many requests, which of them write, and what they change."""

    requests: int
    writes: tuple[int, ...]
    changed: frozenset[Path]


@cache
def undisturbed(name: str) -> Course:
    bench = CALLS[name].bench()
    outcome = CALLS[name].run(bench)
    assert not outcome.failed and outcome.changed, outcome
    assert not list(faults(bench, outcome))
    return Course(bench.number, tuple(sorted({write.number for write in bench.writes})), frozenset(bench.done()))


def moments(name: str, disturbance: str) -> list[int]:
    """Requests after which, or to which, it happens."""
    course = undisturbed(name)
    if LONG or (disturbance == "task sequence" and name in _EVERY_MOMENT):
        return list(range(1, course.requests + 1))
    if disturbance in _IN_DOUBT:
        return sorted({*course.writes, *(number + 1 for number in course.writes)})
    turn = _turn(name, disturbance) // 2
    # Some of the writes, and of each the moment right before it, or one earlier, or right after it.
    writes = course.writes[turn % 2 :: max(1, len(course.writes) // _MOST_WRITES)] or course.writes
    near = {number - (turn + place) % 3 for place, number in enumerate(writes)}
    far = {1 + turn * 7 % course.requests} if turn % 2 else set()
    return sorted(each for each in near | far if each >= 1)


def disturbed(name: str, call: Call, disturbance: Disturbance, number: int, *, further: bool) -> Iterator[Fault]:
    bench = call.bench()
    disturbance.plant(bench, number)
    outcome = call.run(bench)
    course = undisturbed(name)
    yield from faults(bench, outcome, wanted=course.changed, writes=len(course.writes))
    if not further or outcome.strange is not None:
        return
    bench.settle()
    for attempt in ("the second run", "the third run"):
        bench.begin()
        outcome = call.run(bench)
        if outcome.failed:
            yield Fault("again", f"{attempt}: {outcome}")
            return
    if call.settles and (outcome.changed or bench.writes):
        yield Fault("again", f"the third run: {outcome}; {'; '.join(map(str, bench.writes))}")


def _turn(name: str, disturbance: str) -> int:
    return list(CALLS).index(name) + list(DISTURBANCES).index(disturbance)


PAIRS = [
    (name, disturbance)
    for name in CALLS
    for disturbance in DISTURBANCES
    # In the short form each disturbance takes its turn with every second call.
    if LONG or disturbance in ("task sequence", *_IN_DOUBT) or _turn(name, disturbance) % 2 == 0
]


@pytest.mark.parametrize(("name", "disturbance"), PAIRS)
def test_moments(name: str, disturbance: str, record_property: Callable[[str, object], None]) -> None:
    counts: Counter[str] = Counter()
    found: list[str] = []
    for place, number in enumerate(moments(name, disturbance)):
        further = DISTURBANCES[disturbance].ends and (LONG or place == 0)
        bad = list(disturbed(name, CALLS[name], DISTURBANCES[disturbance], number, further=further))
        counts["moments"] += 1
        counts.update({fault.kind for fault in bad})
        found += [f"after request {number}, {fault}" for fault in bad]
    record_property("moments", {"call": name, "disturbance": disturbance, "counts": dict(counts)})
    more = [f"… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    assert not found, "\n".join([f"{name} / {disturbance}: {dict(counts)}", *found[:_SHOWN], *more])
