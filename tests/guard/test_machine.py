# SPDX-License-Identifier: GPL-3.0-or-later
"""The promise, tried in every order: many tasks on one endpoint, and several things that go wrong in each.

`test_moments.py` tries one disturbance at a time. Here Hypothesis makes up stories about one machine: it starts
somewhere, tasks of any module run on it one after the other, and while they run, task sequences start, restart and end,
Windows Setup starts, other operators enter and leave the mode, hold it and change what was prepared, the machine
restarts, connections drop, answers get lost or come late. After each task the same must hold as there: see
`judgement.py`. Where it does not, Hypothesis shortens the story to what is needed and prints it.

The short form tells the same stories each time, and the one that once ended badly. New ones are told for an hour with
CONFIGMGR_CLIENT_GUARD_SECONDS=3600; CONFIGMGR_CLIENT_GUARD_EXAMPLES says how many at a time.
"""

from __future__ import annotations

import os
import time
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.guard import happenings
from tests.guard.bench import Bench, Event, Fate
from tests.guard.calls import CALLS
from tests.guard.judgement import faults

SECONDS = float(os.environ.get("CONFIGMGR_CLIENT_GUARD_SECONDS", "0"))
EXAMPLES = int(os.environ.get("CONFIGMGR_CLIENT_GUARD_EXAMPLES", "700"))

EVENTS: dict[str, Event] = {
    "a task sequence starts": happenings.task_sequence_starts,
    "a quiet task sequence starts": happenings.quiet_task_sequence_starts,
    "an upgrade starts": happenings.upgrade_starts,
    "the upgrade restarts the machine": happenings.upgrade_restarts,
    "a task sequence restarts into its gap": happenings.restart_into_gap,
    "the task sequence ends": happenings.task_sequence_ends,
    "the task sequence dies": happenings.task_sequence_dies,
    "Setup is started": happenings.setup_is_started,
    "Setup ends": happenings.event("end_process", name="SetupHost.exe"),
    "the machine restarts": happenings.restart,
    "the machine restarts slowly": partial(happenings.restart, seconds=60),
    "power is lost": happenings.event("hard_reset"),
    "another operator enters the mode": happenings.event("enter_provisioning_mode"),
    "another operator leaves the mode": happenings.event("exit_provisioning_mode"),
    "another operator holds it": happenings.hold_is_written,
    "the hold is removed": happenings.hold_is_removed,
    "another operator prepares it": happenings.values_are_changed,
    "the flag is edited": happenings.event("edit_provisioning_flag"),
    "CcmExec stops": happenings.event("stop_ccmexec"),
    "CcmExec starts": happenings.event("start_ccmexec"),
    "CcmExec restarts": happenings.event("restart_ccmexec"),
    "connections drop": happenings.connections_drop,
    "some minutes pass": lambda bench: bench.advance(minutes=7),
    "hours pass": happenings.hours_pass,
}
_TIME = ("some minutes pass", "hours pass")
FATES: dict[str, Fate] = {
    "gets lost": Fate(lost="before"),
    "is carried out, and its answer gets lost": Fate(lost="after"),
    "is carried out, and no answer comes": Fate(lost="after", silent=True),
    "never arrives, and no answer comes": Fate(lost="before", silent=True),
    "is carried out two requests later": Fate(queued=2),
    "takes 25 seconds": Fate(late=25.0),
}
Meanwhile = list[tuple[int, str]]
Fates = dict[int, str]
Both = tuple[int, str, str] | None
_NUMBERS = st.integers(1, 50)
_MEANWHILE = st.lists(st.tuples(_NUMBERS, st.sampled_from(sorted(EVENTS))), max_size=3)
_FATES = st.dictionaries(_NUMBERS, st.sampled_from(sorted(FATES)), max_size=2)
_BOTH = st.none() | st.tuples(_NUMBERS, st.sampled_from(sorted(FATES)), st.sampled_from(sorted(EVENTS)))


def happens(what: str, bench: Bench) -> None:
    """Nothing happens to a machine that is down, but that time passes."""
    bench.catch_up()
    if bench.is_up or what in _TIME:
        EVENTS[what](bench)


class Endpoint(RuleBasedStateMachine):
    """One machine, and all that happens to it."""

    bench: Bench
    first: str

    @initialize(name=st.sampled_from(list(CALLS)))
    def there_is_a_machine_for(self, name: str) -> None:
        self.first = name
        self.bench = CALLS[name].bench()

    @rule(meanwhile=_MEANWHILE, fates=_FATES, both=_BOTH)
    def its_task(
        self, meanwhile: list[tuple[int, str]], fates: dict[int, str], both: tuple[int, str, str] | None
    ) -> None:
        self._run(self.first, meanwhile, fates, both)

    @rule(name=st.sampled_from(list(CALLS)), meanwhile=_MEANWHILE, fates=_FATES, both=_BOTH)
    def a_task(self, name: str, meanwhile: Meanwhile, fates: Fates, both: Both) -> None:
        self._run(name, meanwhile, fates, both)

    def _run(self, name: str, meanwhile: Meanwhile, fates: Fates, both: Both) -> None:
        """``meanwhile`` happens after the answer of a request, ``fates`` to one; ``both`` after one that got lost."""
        bench = self.bench
        bench.begin()
        if both is not None:
            number, fate, what = both
            meanwhile, fates = [*meanwhile, (number, what)], {**fates, number: fate}
        bench.fates.update({number: FATES[fate] for number, fate in fates.items()})
        for number, what in meanwhile:
            bench.events.setdefault(number, []).append(partial(happens, what))
        outcome = CALLS[name].run(bench)
        bad = [*faults(bench, outcome)]
        if bad:
            told = [f"{number}: {text}" for number, text in enumerate(bench.requests)]
            raise AssertionError("\n".join([f"{name}: {outcome}", *map(str, bad), *told]))

    @rule(name=st.sampled_from(list(CALLS)))
    def a_rehearsal(self, name: str) -> None:
        self.bench.begin()
        outcome = self.bench.run(CALLS[name].module, CALLS[name].options, check_mode=True)
        assert outcome.strange is None, outcome
        assert not self.bench.sent_writes, self.bench.writes

    @rule(what=st.sampled_from(sorted(EVENTS)))
    def between_tasks(self, what: str) -> None:
        happens(what, self.bench)
        self.bench.catch_up()

    @precondition(lambda self: self.bench.evidence() or not self.bench.is_up)
    @rule()
    def all_ends_well(self) -> None:
        self.bench.settle()


def test_exit_whose_lost_call_was_carried_out_before_another_operator_came_is_told() -> None:
    """A request of the command gets lost, the client restarts, and what it is in the end says nothing of the exit."""
    story = Endpoint()
    story.there_is_a_machine_for("exit by command, asked for")
    story.its_task([(39, "a task sequence restarts into its gap")], {}, (37, "gets lost", "CcmExec restarts"))


def test_any_story() -> None:
    base = settings(
        max_examples=EXAMPLES,
        stateful_step_count=8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=(Phase.generate, Phase.shrink),
    )
    if not SECONDS:
        run_state_machine_as_test(Endpoint, settings=settings(base, derandomize=True))
        return
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run_state_machine_as_test(Endpoint, settings=settings(base, derandomize=False))
