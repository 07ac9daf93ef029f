# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says whether something may be written on an endpoint. No other file says so, and nothing is written without it.

The rule. A request that writes is sent only when, in the moment before it,

1. the machine that answers is the one that was meant,
2. what the write was planned for is still so, as its own caller reads it again,
3. every signal that decides could be read, and
4. no task sequence, Windows Setup, out-of-box experience, Autopilot or reset runs, waits for a restart, or may go on
   after a start of a few minutes ago.

That judgement holds for one request. The next one, each further way, a repetition after a lost connection and each
trigger need a new one: ``Session`` asks for it by itself, and refuses to send what nobody judges. What changes fastest
is read last. Between the last answer and the write lies one round trip, which no client can close. The audit trail is
told before the judgement, so that nothing else lies there.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass

from .._windows.endpoint import Endpoint
from .._windows.errors import WindowsError
from .._windows.registry import KeyAbsent
from .._windows.services import Service
from .._windows.system import Process
from .._wsman.errors import NotFound, ProtocolError
from . import constants, programs
from .activity import Activity, Setup, blocker
from .errors import MethodFailed, WrongMachine
from .identity import mismatch
from .readings import Readings
from .trail import DONE, FAILED, UNKNOWN, Attempts, Keep, Record, Write

_MOST_LOOKS = 5


MAY_HAVE_ARRIVED = "what was sent before may have been carried out"


class Blocked(Exception):
    """Nothing may be written now; the message says why. What was written before stands.

    ``wrote`` says whether a request of the same write had gone out already.
    """

    def __init__(self, reason: str, *, wrote: bool = False) -> None:
        super().__init__(f"{reason.rstrip('.')}; {MAY_HAVE_ARRIVED}" if wrote else reason.rstrip("."))
        self.wrote = wrote


def _always() -> str:
    return ""


def untold(record: Record) -> None:
    """There is no audit trail."""


@dataclass(frozen=True)
class _OfBoot:
    """What only a restart changes, so that it is read once for each."""

    booted: dt.datetime | None = None
    winpe: bool | None = None
    audit: bool | None = None
    autopilot: bool | None = None

    def must_be_read_again(self, booted: dt.datetime) -> bool:
        return self.booted != booted or None in (self.winpe, self.audit, self.autopilot)


class Guard:
    """Of one endpoint, which is to call itself *expected_name*, compared as *name_check* says.

    *keep* takes the records of the audit trail.
    """

    def __init__(self, endpoint: Endpoint, expected_name: str, name_check: str, keep: Keep = untold) -> None:
        self._endpoint = endpoint
        self._expected_name = expected_name
        self._name_check = name_check
        self._keep = keep
        self._identified = name_check == "off"
        self._computer_name: str | None = None
        self._of_boot: _OfBoot | None = None
        self._harmless: set[tuple[int, str]] = set()
        self.wrote = False
        """Whether this task has written anything, or may have."""

    def identify(self) -> None:
        """Raises WrongMachine unless the endpoint is the one that was meant."""
        if self._identified:
            return
        names = self._endpoint.system.computer_names()
        problem = mismatch(self._expected_name, names, self._name_check)
        if problem:
            raise WrongMachine(problem)
        self._identified = True
        self._computer_name = self._computer_name or names.netbios

    @contextmanager
    def writing(
        self, write: Write, still_planned: t.Callable[[], str] = _always, *, armed_is_fine: bool = False
    ) -> t.Iterator[None]:
        """Inside, each request that is part of *write* is judged right before it is sent; Blocked where it may not be.

        *still_planned* reads again what the write was planned for, and says why it is not right any more.
        """

        session = self._endpoint.session
        attempts = Attempts(self._keep, write, session, lambda: self._computer_name)
        sent, failed = session.writes_sent, 0

        def judge() -> None:
            attempts.judged = False
            self.identify()
            reason = still_planned() or self.blocker(armed_is_fine=armed_is_fine)
            if reason:
                raise Blocked(reason, wrote=session.writes_sent > sent)
            attempts.judged = True

        try:
            with session.judged_by(judge, attempts.around):
                yield
        except (WindowsError, MethodFailed) as error:
            failed = 1  # the last request, and for certain; what was sent before it stands
            attempts.end(FAILED, error)
            raise
        except BaseException as error:
            attempts.end(UNKNOWN, error)
            raise
        else:
            attempts.end(DONE)
        finally:
            self.wrote = self.wrote or session.writes_sent - failed > sent

    def require(self) -> None:
        """Raises Blocked where nothing may be written now: the answer of check mode."""
        reason = self.blocker()
        if reason:
            raise Blocked(reason)

    def blocker(self, *, armed_is_fine: bool = False) -> str:
        """Why nothing may be written now; empty where a write disturbs nothing."""
        activity = self.read_activity()
        return self._changed_machine(activity) or blocker(activity, armed_is_fine=armed_is_fine)

    def read_activity(self) -> Activity:
        """The signals as they are now. Each that cannot be read is noted, and the others are still read."""
        endpoint, registry, readings = self._endpoint, self._endpoint.registry, Readings()
        system = readings.read("clock", endpoint.system.operating_system)
        if system is not None and self._computer_name is None:
            self._computer_name = system.computer_name
        if system is not None and (self._of_boot is None or self._of_boot.must_be_read_again(system.booted)):
            self._of_boot = _OfBoot(
                system.booted,
                readings.read("winpe", lambda: registry.key_exists(constants.WINPE_KEY, strict=True)),
                readings.read("audit", lambda: bool(registry.number(constants.AUDIT_KEY, constants.AUDIT))),
                readings.read(
                    "autopilot", lambda: registry.number(constants.AUTOPILOT_KEY, constants.AUTOPILOT_DONE) == 0
                ),
            )
        of_boot = (self._of_boot if system is not None else None) or _OfBoot()
        setup = readings.read("setup", self._setup)
        activity = Activity(system=system)
        requests = readings.read("requests", self._requests) if activity.is_settling else None
        services = readings.read("services", self._services)
        # Last, since nothing changes faster: what starts to run while the others are read is seen here.
        processes = readings.read("processes", self._processes)
        return Activity(
            system=system,
            setup=setup,
            winpe=of_boot.winpe,
            audit=of_boot.audit,
            autopilot=of_boot.autopilot,
            requests=requests,
            services=services,
            processes=processes,
            unreadable=readings.unreadable,
        )

    def _changed_machine(self, activity: Activity) -> str:
        """Addresses change hands, and a connection that is opened anew may lead elsewhere."""
        if activity.system is None:
            return ""
        name = activity.system.computer_name
        if self._computer_name is None or name.lower() == self._computer_name.lower():
            return ""
        return f"the machine that answers now calls itself {name}, and before it was {self._computer_name}"

    def _setup(self) -> Setup:
        registry = self._endpoint.registry
        types = registry.types(constants.SETUP_KEY, strict=True)
        names = dict.fromkeys((*constants.SETUP_REQUIRED, *constants.SETUP_LIVE, *constants.SETUP_ARMED))
        numbers = {}
        for name in names:
            if name.lower() not in types:
                if name in constants.SETUP_REQUIRED:
                    raise ProtocolError(f"HKLM\\{constants.SETUP_KEY} has no {name}, which every Windows has")
                continue
            number = registry.get(constants.SETUP_KEY, name, types[name.lower()])
            if not isinstance(number, int):
                raise ProtocolError(f"HKLM\\{constants.SETUP_KEY}: {name} is not a number")
            numbers[name] = number
        setup = Setup(numbers)
        if not setup.armed or "cmdline" not in types:
            return setup
        return Setup(numbers, str(registry.get(constants.SETUP_KEY, "CmdLine", types["cmdline"]) or "").strip())

    def _requests(self) -> list[str]:
        try:
            rows = self._endpoint.session.query(
                constants.REQUEST_NAMESPACE,
                f"SELECT State,RunningState,CompletionState FROM {constants.REQUEST_CLASS}",
            )
        except NotFound:
            try:
                self._endpoint.registry.types(constants.CCMEXEC_KEY, strict=True)
            except KeyAbsent:
                return []  # there is no client
            raise
        return [request_state(row) for row in rows]

    def _services(self) -> dict[str, Service]:
        names = (constants.CLIENT_SERVICE, constants.AGENT_SERVICE, constants.PROOF_SERVICE)
        found = self._endpoint.services.read(*names)
        if constants.PROOF_SERVICE.lower() not in found:
            raise ProtocolError(f"the list of services lacks {constants.PROOF_SERVICE}, which answers this question")
        return found

    def _processes(self) -> list[Process]:
        """Those that mean something, as one message tells: several rows take two, and the first is then old.

        So what was found harmless is not asked for again, until nothing but the proof is left.
        """
        for _look in range(_MOST_LOOKS):
            found = self._endpoint.system.processes(programs.where(self._harmless))
            others = [process for process in found if process.name.lower() != programs.PROOF]
            if len(others) == len(found):
                raise ProtocolError(f"the list of processes lacks {programs.PROOF}, which every Windows runs")
            if not others or any(programs.means(process) for process in others):
                return found
            self._harmless.update((process.identifier, process.name) for process in others)
        raise ProtocolError("processes that may be an installer's start faster than they can be looked at")


def request_state(row: t.Any) -> str:
    """A row of CCM_TSExecutionRequest, in short."""
    return "/".join(row.string(name) or "-" for name in ("State", "RunningState", "CompletionState"))
