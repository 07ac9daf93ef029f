# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated machine and its WinRM service in this process, and a task that talks to it.

What is between them is under the test's thumb. Every request has a number, from 1. Right after the answer of any of
them, anything may happen to the machine; any request or its answer may get lost or come late; the clock is the
fleet's, so that waiting costs nothing. There is no network, no login and no other process: a request takes less than a
millisecond.

The machine keeps a journal of what was written to it from outside. The bench notes beside each entry with which request
it came, and whether by then a task sequence or Windows Setup was alive, and since when. That is judged by the machine's
own state, with none of the collection's rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from tests.guard import product
from tests.simulator.endpoint import Endpoint, EndpointSpec
from tests.simulator.fleet import endpoint_spec
from tests.simulator.server.accounts import Account
from tests.simulator.timing import Pacer
from tests.simulator.windows.clock import Clock, standing
from tests.simulator.windows.events import EVENTS
from tests.simulator.windows.registry import Key
from tests.simulator.windows.registry_image import SETUP
from tests.simulator.windows.task_sequence import BOOTSTRAP, ENGINE_PROGRAMS, command_line
from tests.simulator.wsman.request import parse, read
from tests.simulator.wsman.service import Caller

START = datetime(2026, 11, 2, 8, tzinfo=timezone.utc)
NAME = "PC-0001"
MOST_REQUESTS = 2000
"""Far above what any task here sends: it ends one that never ends."""
_GAP_EVENT = "task_sequence_restart"
_ENGINE = frozenset(ENGINE_PROGRAMS)
_ROUND_TRIP = timedelta(milliseconds=20)
_CALLER = Caller("CORP\\operator", "127.0.0.1")
_ADDRESS = "127.20.0.1"
_WINPE = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\MiniNT"
_ASKING = re.compile(r"\S*\\(schtasks\.exe /query|sc\.exe (query|qc|queryex)|tasklist\.exe)", re.IGNORECASE)
"""Command lines that change nothing."""
_TRIGGERED, _EVALUATED = "schedule.triggered", "client.health_evaluated"

Event = Callable[["Bench"], None]
"""What somebody or something does to the machine."""


@dataclass(frozen=True)
class Fate:
    """What becomes of one request. Seconds are the fleet's.

    ``lost`` is the request itself (``before``) or its answer (``after``). A connection that is ``silent`` stays open,
    and nothing comes; any other is closed. ``late`` is how long the answer takes, after the request took effect;
    ``queued`` is by how many requests its effect comes later, after whoever sent it has given up.
    """

    lost: Literal["", "before", "after"] = ""
    silent: bool = False
    late: float = 0.0
    queued: int = 0


@dataclass(frozen=True)
class Write:
    """An entry of the machine's journal. ``live`` says what was alive by then, since the answer of ``live_since``.

    ``judged`` is whether the request right before this one was answered, and wrote nothing itself.
    """

    number: int
    text: str
    live: str
    live_since: int
    judged: bool

    @property
    def too_late(self) -> bool:
        """It was known, or could have been: more than the one round trip lies between."""
        return bool(self.live) and self.number > self.live_since + 1

    @property
    def unjudged(self) -> bool:
        """As ``too_late``, or nothing was asked between what happened and this."""
        return bool(self.live) and (self.too_late or not self.judged)

    def __str__(self) -> str:
        return f"request {self.number}: {self.text}" + (f" ({self.live} since {self.live_since})" if self.live else "")


@dataclass(frozen=True)
class Picture:
    """What a task may change on a machine, and what of it can be compared cheaply."""

    root: Key
    ccmexec: str
    rows: Mapping[Path, Any]


Path = tuple[str, ...]
Difference = dict[Path, tuple[Any, Any]]
"""Before and after, by the path of what is different."""


class Bench:
    def __init__(self, spec: Mapping[str, Any] | EndpointSpec) -> None:
        self.clock = Clock(START, standing)
        self.pacer = Pacer(self.clock, skips=True)
        self.endpoint = Endpoint(spec if isinstance(spec, EndpointSpec) else machine(spec), self.clock, self.pacer)
        self.world = self.endpoint.machine._world
        self.events: dict[int, list[Event]] = {}
        """By the number of the request after whose answer they happen."""
        self.fates: dict[int, Fate] = {}
        self._gap = False
        self.connection = 0
        """Changes whenever the connections that there are end."""
        self._journal_written = self.world.journal.written
        self.world.journal.written = self._written  # type: ignore[method-assign]
        self._serving = 0
        self._boot = self.world.processes.boot_time
        self.begin()

    def begin(self) -> None:
        """Forgets what was counted and recorded so far: the next request is number 1."""
        self.number = 0
        self.requests: list[str] = []
        """What was asked, by number; the first is 0 and empty."""
        self.requests.append("")
        self.writes: list[Write] = []
        self.effects: dict[int, Difference] = {}
        """What each request that wrote made different."""
        self.unanswered: set[int] = set()
        self.sent_writes: set[int] = set()
        """Requests that write, whether they were carried out or not."""
        self.trail: list[tuple[int, dict[str, Any]]] = []
        """The records of the audit trail, each with the number of the request before it."""
        self.trail_room: int | None = None
        """How many records the disk takes."""
        self.events.clear()
        self.fates.clear()
        self._queue: list[tuple[int, int, bytes]] = []
        self._live, self._live_since = self.evidence(), -1

    # -- the collection's side -----------------------------------------------------------------------------------------

    def monotonic(self) -> float:
        return (self.clock.now() - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.pacer.advance(timedelta(seconds=max(0.0, seconds)))

    def run(self, module: str, options: Mapping[str, Any], *, check_mode: bool = False) -> product.Outcome:
        """One task from its start, over a connection of its own."""
        params = product.parameters(module, options, NAME)
        return product.run(
            module, params, lambda deadline: _Line(self, deadline), self, keep=self._keep, check_mode=check_mode
        )

    def _keep(self, record: dict[str, Any]) -> None:
        if len(self.trail) == self.trail_room:
            raise product.TrailBroken("audit_path=trail cannot be written")
        # By way of JSON, as a file would have it.
        self.trail.append((self.number, json.loads(json.dumps(record))))

    # -- the machine's side --------------------------------------------------------------------------------------------

    def fire(self, event: str, **detail: Any) -> None:
        """An event of the simulator."""
        self.endpoint.fire(event, **detail)

    def advance(self, **span: float) -> None:
        self.pacer.advance(timedelta(**span))
        self.catch_up()

    def catch_up(self) -> None:
        """What was due happens, and what it means for connections and for what is alive."""
        self.world.timeline.catch_up()
        if self.world.processes.boot_time != self._boot:
            self._boot = self.world.processes.boot_time
            self.connection += 1
            self.endpoint.service.restart()
        live = self.evidence()
        if live and not self._live:
            self._live_since = self.number
        self._live = live

    @property
    def is_up(self) -> bool:
        return self.world.power.is_up

    def evidence(self) -> str:
        """What runs or waits that nobody may write into; empty where nothing does."""
        world = self.world
        engine = _ENGINE & {process.name for process in world.processes._processes.values()}
        if engine:
            return f"{min(engine)} runs"
        agent = world.scm.find("smstsmgr")
        if agent is not None and agent.is_running:
            return "smstsmgr runs"
        if self.waits:
            return "a task sequence goes on after a restart"
        for name in ("SystemSetupInProgress", "OOBEInProgress", "SetupType"):
            if world.registry.number(SETUP, name):
                return f"{name} is set"
        return "Windows PE" if world.registry.key(_WINPE) else ""

    @property
    def waits(self) -> bool:
        """Whether a task sequence has restarted the machine and goes on by itself in some minutes."""
        return self._gap or bool(getattr(self.world.task_sequences, "waits", False))

    def restart_into_gap(self) -> None:
        """A task sequence restarts the machine. Until its boot task starts it again nothing runs, nothing is armed.

        Its request says that it runs, and its agent starts by itself.
        """
        if not self.world.task_sequences.is_alive:
            self.fire("start_task_sequence")
        if not self.world.task_sequences.is_alive:
            return
        if _GAP_EVENT in EVENTS:
            self.fire(_GAP_EVENT)
        else:
            self._play_gap()

    def _play_gap(self) -> None:
        """For a simulator that has no such restart."""
        world = self.world
        world.spec = replace(world.spec, boot_seconds=timedelta(0))
        world.power.restart("task_sequence.restarting", resume_setup=False)
        world.scm.change_config("smstsmgr", start_mode="Auto")
        for request in world.requests._requests.values():
            request.update(State="Running", RunningState="Running", CompletionState="", ProcessID=0)
        self._gap = True
        world.timeline.after(timedelta(minutes=5), self._goes_on)

    def _goes_on(self) -> None:
        if self._gap:
            self.forget_gap()
            self.world.processes.start(command_line(BOOTSTRAP))
            self.world.task_sequences._run_engine()
            self.world.journal.happened("task_sequence.resumed")

    def forget_gap(self) -> None:
        if self._gap:
            self._gap = False
            self.world.scm.change_config("smstsmgr", start_mode="Manual")

    def settle(self) -> None:
        """Whatever runs on the machine goes on to its good end, and some minutes pass."""
        if not self.is_up:
            self.advance(minutes=30)
        if self.waits:
            self.advance(minutes=30)
        if self.world.registry.number(SETUP, "SetupType"):
            self.fire("reboot")
            self.catch_up()
        self.forget_gap()
        if self.evidence():
            self.fire("end_task_sequence")
        self.advance(minutes=15)
        self.fire("start_ccmexec")  # an upgrade's end forgets a client that was about to restart when it began
        self.advance(minutes=15)

    # -- requests ------------------------------------------------------------------------------------------------------

    def exchange(self, message: bytes, fate: Fate) -> bytes | None:
        """The answer to the request that was just counted; None where there comes none."""
        number = self.number
        if fate.lost == "before" or fate.queued:
            self._note(number, self._describe(message))
            if fate.queued:
                self._queue.append((number + fate.queued, number, message))
            return None
        reply = self._serve(number, message)
        return None if fate.lost else reply

    def _serve(self, number: int, message: bytes) -> bytes:
        before, events = self.picture(), len(self.world.journal.events)
        self._serving, count = number, len(self.writes)
        try:
            reply, call = _at_once(self.endpoint.service.handle(message, _CALLER, _ADDRESS))
        finally:
            self._serving = 0
        self._note(number, f"{call.operation} {call.class_name} {call.method} {call.detail}")
        if len(self.writes) > count:
            self.effects[number] = self._effect(before, events, number)
        assert reply.status in (200, 500), reply
        body: bytes = reply.body
        return body

    def _note(self, number: int, text: str) -> None:
        if number == len(self.requests):
            self.requests.append(" ".join(text.split()))
            if is_write(text):
                self.sent_writes.add(number)

    def _describe(self, message: bytes) -> str:
        call = self.endpoint.service._describe(read(parse(message)))
        return f"{call.operation} {call.class_name} {call.method} {call.detail}"

    def answered(self) -> None:
        """The request that was just counted is over, one way or the other: what was to happen then happens."""
        for due, number, message in [each for each in self._queue if each[0] <= self.number]:
            self._queue.remove((due, number, message))
            if self.is_up:
                self._serve(number, message)
        for event in self.events.pop(self.number, ()):
            event(self)
        self.catch_up()

    def _written(self, event: str, detail: str = "") -> None:
        self._journal_written(event, detail)
        if not self._serving or self.world.timeline._instant is not None:
            return  # the machine itself, or somebody else
        number = self._serving
        wrote = any(each.number == number - 1 for each in self.writes)
        judged = number > 1 and number - 1 not in self.unanswered and not wrote
        self.writes.append(Write(number, f"{event} {detail}".strip(), self._live, self._live_since, judged))
        self.sent_writes.add(number)

    # -- what is different ---------------------------------------------------------------------------------------------

    def picture(self) -> Picture:
        world = self.world
        ccmexec = world.scm.find("CcmExec")
        rows: dict[Path, Any] = {("task", task.uri): task.xml for task in world.scheduled_tasks}
        for kind, key, found in (
            ("request", "RequestID", world.requests),
            ("maintenance request", "TaskID", world.maintenance_requests),
            ("policy", "PolicyID", world.policies),
        ):
            rows |= {(kind, str(row.get(key))): True for row in found}
        return Picture(world.registry.root, ccmexec.state if ccmexec else "", rows)

    def _effect(self, before: Picture, events: int, number: int) -> Difference:
        after = self.picture()
        found: Difference = dict(_registry_difference(before.root, after.root, ()))
        for path in before.rows.keys() | after.rows.keys():
            if before.rows.get(path) != after.rows.get(path):
                found[path] = before.rows.get(path), after.rows.get(path)
        if after.ccmexec == "Running" != before.ccmexec:
            found["CcmExec",] = before.ccmexec, after.ccmexec
        for entry in self.world.journal.events[events:]:
            if entry.event in (_TRIGGERED, _EVALUATED):
                found[entry.event, entry.detail] = None, number
        return found

    def done(self) -> Difference:
        """What the task made different in the end."""
        total: Difference = {}
        for number in sorted(self.effects):
            for path, (before, after) in self.effects[number].items():
                total[path] = total.get(path, (before,))[0], after
        return {path: (before, after) for path, (before, after) in total.items() if before != after}


class _Line:
    """A transport as the one over HTTP is: it logs in again after an error, and knows a closed connection when used."""

    def __init__(self, bench: Bench, deadline: Any) -> None:
        self._bench = bench
        self._deadline = deadline
        self._connection: int | None = None

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        bench = self._bench
        bench.pacer.advance(_ROUND_TRIP)
        bench.catch_up()  # what is due by now comes before this request
        bench.number += 1
        assert bench.number <= MOST_REQUESTS, "the task does not come to an end"
        try:
            reply = self._exchange(message, read_timeout, single)
            self._deadline.remaining()
        except Exception:
            bench._note(bench.number, bench._describe(message))
            bench.unanswered.add(bench.number)
            bench.answered()
            self.close()
            self._deadline.remaining()
            raise
        bench.answered()
        return reply

    def close(self) -> None:
        self._connection = None

    def _exchange(self, message: bytes, read_timeout: float, single: bool) -> bytes:
        bench = self._bench
        fate = bench.fates.pop(bench.number, Fate())
        if self._connection is not None and self._connection != bench.connection:
            raise product.StaleConnection("the connection was closed: by a restart")
        if single and self._connection is None:
            raise product.StaleConnection("no connection is open")
        if not bench.is_up:
            bench.sleep(1)
            raise product.EndpointUnreachable("the endpoint cannot be reached: connection refused", "port")
        self._connection = bench.connection
        reply = bench.exchange(message, fate)
        if fate.late:
            bench.sleep(min(fate.late, read_timeout))
        if (reply is None and (fate.silent or fate.queued)) or fate.late >= read_timeout:
            bench.sleep(0 if fate.late else read_timeout)
            raise product.ConnectionLost("the endpoint stopped answering: no answer came in time")
        if reply is None:  # a message over an open connection, that may have been carried out
            lost = product.ConnectionLost if single else product.StaleConnection
            raise lost("the connection was closed: without an answer")
        return reply


def machine(spec: Mapping[str, Any]) -> EndpointSpec:
    """The endpoint that these keys of a fleet file describe."""
    entry = {"name": NAME, **spec}
    return endpoint_spec(entry, NAME, _ADDRESS, Account("CORP\\operator", "Sim-Pass-1!"))


def _at_once(coroutine: Any) -> Any:
    """What it returns. A fleet that skips its waits never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the simulator waits for something")


def is_write(text: str) -> bool:
    """Whether a request, as it is described, is one of those that change something when they are carried out."""
    operation, _, rest = text.partition(" ")
    if operation == "Invoke":
        method = rest.split()[1] if len(rest.split()) > 1 else ""
        return not method.startswith(("Get", "Enum", "Check"))
    if operation == "Delete":
        return "ShellId" not in rest
    return operation == "Command" and not _ASKING.match(rest.strip())


def _registry_difference(before: Key | None, after: Key | None, path: Path) -> Iterator[tuple[Path, tuple[Any, Any]]]:
    """Values that differ. Keys are shared where they do not, so this looks at what was written alone."""
    if before is after:
        return
    old, new = dict(before.values()) if before else {}, dict(after.values()) if after else {}
    for name in old.keys() | new.keys():
        if old.get(name) != new.get(name):
            yield (*path, name), (old.get(name), new.get(name))
    if (before is None) != (after is None):
        yield (*path, ""), (before is not None, after is not None)
    names = {key.name.lower() for each in (before, after) if each for key in each.subkeys()}
    for name in names:
        yield from _registry_difference(
            before.subkey(name) if before else None, after.subkey(name) if after else None, (*path, name)
        )
