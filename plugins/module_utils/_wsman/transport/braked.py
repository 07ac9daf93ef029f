# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a login begins and where it ends, for a brake that decides whether one more may be tried.

It begins when a connection is open, so that a host that is switched off takes nobody's turn, and it ends with the first
answer. With Kerberos it is over when there is a ticket: the endpoint judges no password.
"""

from __future__ import annotations

import typing as t

from ..deadline import Deadline
from ..errors import LoginRejected, LoginWithheld, WSManError
from ..session import Transport
from ..settings import Settings
from .base import HttpTransport, credentials_sent

_PATIENCE_SECONDS = 10
"""How long an open connection waits for its turn: Windows closes one that says nothing for two minutes."""
_LEAST_SECONDS = 1
"""No login begins when less is left of the deadline."""


_BEFORE_A_LOGIN = ("dns", "port", "proxy", "tls")
"""The layers of failures in which no credentials have left yet."""
_NO_TURN = (
    "No login was tried: as long as there was time, other logins of this account were under way and none was accepted"
)


class Attempt(t.Protocol):
    """One login. One of these ends it; one that is left without counts as rejected, lest an account get locked."""

    def accepted(self) -> None:
        ...

    def rejected(self) -> None:
        ...

    def untried(self) -> None:
        """No credentials were judged."""

    def __enter__(self) -> Attempt:
        ...

    def __exit__(self, *exception: object) -> None:
        ...


class Brake(t.Protocol):
    """For one account on one endpoint."""

    def check(self) -> None:
        """Raises LoginWithheld where no login may be tried any more."""

    def begin(self, patience: float) -> Attempt | None:
        """A login's turn; None where it did not come within *patience* seconds. Raises LoginWithheld."""

    def rejected(self) -> None:
        """A login was rejected that needed no turn of its own."""


class LoginNote:
    """A brake that lets everybody pass and notes what became of it: for a process that has nobody to ask."""

    def __init__(self) -> None:
        self.outcome = "untried"
        self._under_way = False

    def check(self) -> None:
        pass

    def begin(self, patience: float) -> Attempt | None:
        del patience
        self._under_way = True
        return self

    def accepted(self) -> None:
        self._note("accepted")

    def rejected(self) -> None:
        self._note("rejected")

    def untried(self) -> None:
        self._under_way = False

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._under_way:
            self._note("unanswered")

    def _note(self, outcome: str) -> None:
        self._under_way = False
        if self.outcome != "rejected":
            self.outcome = outcome


def begin(brake: Brake, deadline: Deadline) -> Attempt:
    """A login's turn; waits for it as long as the *deadline* lasts. Raises LoginWithheld."""
    attempt = brake.begin(_time_to_wait(deadline))
    if attempt is None:
        raise LoginWithheld(_NO_TURN)
    return attempt


def logged_in(
    connect: t.Callable[[], HttpTransport], settings: Settings, brake: Brake | None, deadline: Deadline
) -> Transport:
    """What *connect* makes; its logins ask the *brake* before they begin, and tell it how they end."""
    if brake is None or not is_judged(settings):
        return connect()
    if settings.auth == "kerberos":
        return _with_ticket(connect, brake, deadline)
    return _Braked(connect(), brake, deadline)


def is_judged(settings: Settings) -> bool:
    """Whether a login of *settings* can be rejected for its password or certificate: one with a ticket cannot."""
    return settings.auth == "certificate" or bool(settings.password)


def needs_turn(settings: Settings) -> bool:
    """Whether it is the endpoint that judges the login: of Kerberos's, the KDC does."""
    return is_judged(settings) and settings.auth != "kerberos"


def _time_to_wait(deadline: Deadline) -> float:
    return max(0.0, deadline.available() - _LEAST_SECONDS)


def _with_ticket(connect: t.Callable[[], HttpTransport], brake: Brake, deadline: Deadline) -> Transport:
    with begin(brake, deadline) as attempt:
        try:
            transport = connect()
        except LoginRejected:
            attempt.rejected()
            raise
        except WSManError:
            attempt.untried()
            raise
        attempt.accepted()
        return transport


class _TurnPending(WSManError):
    """A connection that was given up, since its login's turn did not come while it was open."""


class _Braked:
    """A transport whose logins, the first and each after a loss, go by the brake."""

    def __init__(self, transport: HttpTransport, brake: Brake, deadline: Deadline) -> None:
        self._transport = transport
        self._brake = brake
        self._deadline = deadline
        self._attempt: Attempt | None = None
        self._logged_in = False
        transport.on_open(self._opened)

    def close(self) -> None:
        self._transport.close()

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        if not self._logged_in:
            self._brake.check()
        while True:
            try:
                return self._send(message, read_timeout, single)
            except _TurnPending:
                if not _time_to_wait(self._deadline):
                    raise LoginWithheld(_NO_TURN) from None

    def _opened(self) -> None:
        """A login's second connection has its turn already; a session that was let in needs none to come back."""
        if self._logged_in or self._attempt is not None:
            return
        self._attempt = self._brake.begin(min(_PATIENCE_SECONDS, _time_to_wait(self._deadline)))
        if self._attempt is None:
            raise _TurnPending("this login's turn has not come yet")

    def _send(self, message: bytes, read_timeout: float, single: bool) -> bytes:
        try:
            reply = self._transport.send(message, read_timeout, single=single)
        except _TurnPending:
            raise
        except WSManError as error:
            self._logged_in = False  # the transport has closed its connection
            self._failed(error)
            raise
        else:
            if self._attempt is not None:
                self._attempt.accepted()
            self._logged_in = True
            return reply
        finally:
            attempt, self._attempt = self._attempt, None
            if attempt is not None:
                attempt.__exit__()

    def _failed(self, error: WSManError) -> None:
        if isinstance(error, LoginRejected):
            (self._attempt or self._brake).rejected()
        elif self._attempt is not None and (error.layer in _BEFORE_A_LOGIN or not credentials_sent(error)):
            self._attempt.untried()
