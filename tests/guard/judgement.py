# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after a task, whatever happened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.guard.bench import Bench
from tests.guard.product import Outcome

_DOUBT = ("not known", "unknown", "may have", "may be", "nobody can", "perhaps")
_NOTHING_TO_DO = "Nothing to do"


@dataclass(frozen=True)
class Fault:
    """``kind`` is one of

    late: something was written although more than one round trip before a task sequence or Windows Setup came alive;
    unjudged: as late, or in that round trip, and nothing had been asked in the moment before;
    untold: the task changed something and does not say so;
    claimed: it says that it changed something and did not even try;
    silent: it stopped half-way and does not say why;
    strange: it ended in a way that is no message;
    again: later, with nothing in the way, it failed or did not come to rest.
    """

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def faults(bench: Bench, outcome: Outcome, *, writes_wanted: int | None = None) -> Iterator[Fault]:
    """``writes_wanted`` is how many writes the task is when nobody disturbs it."""
    for write in bench.writes:
        if write.too_late:
            yield Fault("late", str(write))
        if write.unjudged:
            yield Fault("unjudged", str(write))
    if outcome.strange is not None:
        yield Fault("strange", str(outcome))
        return
    told = outcome.changed
    if not told and (certain := bench.done(known=True)):
        yield Fault("untold", f"{_named(certain)}; {outcome}")
    elif not told and (done := bench.done()) and not any(word in outcome.told.lower() for word in _DOUBT):
        yield Fault("untold", f"{_named(done)}, without an answer; {outcome}")
    if told and not bench.sent_writes:
        yield Fault("claimed", str(outcome))
    stopped = writes_wanted is not None and len(bench.writes) < writes_wanted and bench.evidence()
    explained = outcome.failed or outcome.left_alone or outcome.result.get("warnings")
    if stopped and not explained and not outcome.told.startswith(_NOTHING_TO_DO):
        yield Fault("silent", f"{bench.evidence()}; {outcome}")
    if outcome.failed and not outcome.message.strip():
        yield Fault("silent", "it failed without a message")


def _named(difference: object) -> str:
    assert isinstance(difference, dict)
    return ", ".join(sorted("\\".join(path[-2:]) for path in difference))
