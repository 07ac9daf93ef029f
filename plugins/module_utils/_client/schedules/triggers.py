# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggers schedules in order, and waits for proof that they ran."""

from __future__ import annotations

import datetime as dt
import time
import typing as t
from dataclasses import dataclass
from functools import partial

from ..._windows.endpoint import Endpoint
from ..._windows.system import OperatingSystem
from ..._wsman.errors import Fault, ProtocolError
from .. import constants
from ..backoff import Backoff
from ..guard import Guard
from ..methods import ClientMethods, trigger_when_ready
from ..trail import Write
from .catalog import Schedule
from .history import proves, read_last_triggers

Log = t.Callable[[str], None]


@dataclass
class Trigger:
    """One schedule. ``sent`` is UTC by the endpoint's clock, None where it was not triggered: ``problem`` says why.

    ``proof`` is seen, none or unreadable, and ``proof_reason`` why it is not seen; None where nobody asked for it.
    """

    schedule: Schedule
    sent: dt.datetime | None = None
    problem: str = ""
    proof: str | None = None
    proof_reason: str = ""


class Triggers:
    """*system* was just read: the endpoint's clock is reckoned from there. ``each`` is kept up to date as it goes."""

    def __init__(
        self,
        endpoint: Endpoint,
        guard: Guard,
        system: OperatingSystem,
        schedules: t.Iterable[Schedule],
        wait: float,
        log: Log,
    ) -> None:
        self._endpoint = endpoint
        self._guard = guard
        self._system = system
        self._read_at = time.monotonic()
        self._wait = wait
        self._log = log
        self._before: dict[str, dt.datetime] = {}
        self.each = [Trigger(schedule) for schedule in schedules]

    @property
    def sent(self) -> list[Trigger]:
        return [trigger for trigger in self.each if trigger.sent]

    @property
    def refused(self) -> list[Trigger]:
        return [trigger for trigger in self.each if trigger.problem]

    def send(self, methods: ClientMethods, pause: float) -> None:
        """Triggers each; one that fails does not keep the next from its turn. *pause* is in seconds.

        Raises Blocked where the guard lets no more be triggered.
        """
        backoff = Backoff(self._wait + pause * (len(self.each) - 1), self._endpoint.session.deadline)
        for number, trigger in enumerate(self.each, 1):
            name = trigger.schedule.name
            if number > 1 and pause:
                self._log(f"waiting {pause:g} s before {name}")
                time.sleep(pause)
            sent = self._now()
            writing = partial(self._guard.writing, Write("trigger_schedule", name))
            failure = trigger_when_ready(methods, trigger.schedule.id, backoff, writing)
            if failure is None:
                trigger.sent = sent
                self._log(f"triggered {name} ({number} of {len(self.each)})")
            else:
                trigger.problem = str(failure)
                self._log(f"{name} could not be triggered: {failure}")

    def note_history(self) -> None:
        """Remembers when each schedule last fired, to tell later whether it fired again."""
        try:
            self._before = self._history()
        except (Fault, ProtocolError) as error:
            for trigger in self.each:
                trigger.proof, trigger.proof_reason = "unreadable", str(error)

    def wait_for_proof(self) -> None:
        """Until each that was sent has its proof, or the time is over."""
        pending = [trigger for trigger in self.sent if trigger.proof is None]
        for trigger in pending:
            trigger.proof = "none"
        for _attempt in Backoff(self._wait, self._endpoint.session.deadline) if pending else ():
            try:
                after = self._history()
            except (Fault, ProtocolError) as error:
                for trigger in pending:
                    trigger.proof, trigger.proof_reason = "unreadable", str(error)
                continue
            for trigger in pending:
                self._look_for_proof(trigger, after.get(trigger.schedule.id))
            pending = [trigger for trigger in pending if trigger.proof != "seen"]
            if not pending:
                return
            self._log(f"waiting for proof of {', '.join(trigger.schedule.name for trigger in pending)}")

    def _look_for_proof(self, trigger: Trigger, after: dt.datetime | None) -> None:
        before = self._before.get(trigger.schedule.id)
        moment = trigger.sent
        if moment is not None and proves(
            before, after, sent=moment, now=self._now(), minutes_ahead=self._system.offset_minutes or 0
        ):
            trigger.proof, trigger.proof_reason = "seen", ""
        elif after is None:
            trigger.proof, trigger.proof_reason = "none", f"{constants.HISTORY_CLASS} has no time of this schedule"
        else:
            trigger.proof = "none"
            trigger.proof_reason = f"LastTriggerTime is {after:%Y-%m-%dT%H:%M:%S}, not a time since the trigger"

    def _history(self) -> dict[str, dt.datetime]:
        return read_last_triggers(self._endpoint, [trigger.schedule.id for trigger in self.each])

    def _now(self) -> dt.datetime:
        return self._system.now + dt.timedelta(seconds=time.monotonic() - self._read_at)
