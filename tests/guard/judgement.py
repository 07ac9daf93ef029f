# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after a task, whatever happened meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tests.guard.bench import Bench, Path
from tests.guard.product import Outcome

_DOUBT = ("not known", "unknown", "may have", "may be", "nobody can", "perhaps")
_NOTHING_TO_DO = "Nothing to do"


@dataclass(frozen=True)
class Fault:
    """``kind`` is one of

    late: something was written although more than one round trip before a task sequence or Windows Setup came alive;
    unjudged: as late, or in that round trip, and nothing had been asked in the moment before;
    untold: the task changed something and does not say so;
    untrailed: a request that writes, and the audit trail does not have it, or not as it was;
    claimed: it says that it changed something and did not even try;
    silent: it stopped half-way and does not say why;
    strange: it ended in a way that is no message;
    again: later, with nothing in the way, it failed or did not come to rest.
    """

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def faults(bench: Bench, outcome: Outcome, *, wanted: Collection[Path] = (), writes: int = 0) -> Iterator[Fault]:
    """``wanted`` is what the task changes when nobody disturbs it, by so many ``writes``."""
    for write in bench.writes:
        if write.too_late:
            yield Fault("late", str(write))
        if write.unjudged:
            yield Fault("unjudged", str(write))
    yield from _untrailed(bench)
    if outcome.strange is not None:
        yield Fault("strange", str(outcome))
        return
    if outcome.failed and not outcome.message.strip():
        yield Fault("silent", "it failed without a message")
    in_doubt = any(word in outcome.told.lower() for word in _DOUBT)
    if not outcome.changed and (done := bench.done()):
        yield Fault("untold", f"{_named(done)}; {outcome}")
    if outcome.changed and not bench.sent_writes and not (outcome.failed and in_doubt):
        yield Fault("claimed", str(outcome))
    if len(bench.writes) < writes:
        yield from _stopped(bench, outcome, wanted)


def _untrailed(bench: Bench) -> Iterator[Fault]:
    """Between its begin and its end lie the judgement and one request that writes, which is the last of them."""
    wrote = {write.number for write in bench.writes}
    left = set(bench.sent_writes)
    records = iter(bench.trail)
    for after, begin in records:
        until, end = next(records, (bench.number, {"event": "missing"}))
        if (begin["event"], end["event"], end.get("attempt")) != ("begin", "end", begin["attempt"]):
            yield Fault("untrailed", f"{begin} and then {end}")
            return
        between = {number for number in left if after < number <= until}
        left -= between
        result = end["result"]
        changed = any(bench.effects.get(number) for number in between)
        wrong = {"refused": bool(between & wrote), "failed": changed or not between}
        if wrong.get(result, not between):
            yield Fault("untrailed", f"request {after} to {until}: {end}")
    if left:
        yield Fault("untrailed", ", ".join(f"{number}: {bench.requests[number]}" for number in sorted(left)))


def _stopped(bench: Bench, outcome: Outcome, wanted: Collection[Path]) -> Iterator[Fault]:
    """Somebody wants to know why. Where the answer to a write was lost, the task may take what it reads for its own."""
    explained = outcome.failed or outcome.left_alone or outcome.result.get("warnings")
    if explained or outcome.told.startswith(_NOTHING_TO_DO) or bench.unanswered & bench.sent_writes:
        return
    missing = set(wanted) - bench.done().keys()
    if missing and bench.evidence():
        yield Fault("silent", f"{bench.evidence()}, and {_named(missing)} is not done; {outcome}")


def _named(paths: Iterable[Path]) -> str:
    return ", ".join(sorted("\\".join(path[-2:]) for path in paths))
