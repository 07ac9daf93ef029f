# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
import requests

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Transport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport import braked
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.braked import LoginNote, logged_in

BASIC = Settings(host="pc-1", auth="basic", username="CORP\\op", password="p")
KERBEROS = Settings(host="pc-1", auth="kerberos", username="op@CORP.EXAMPLE", password="p")


class Brake(LoginNote):
    """Notes what it is told. ``turns``: whether each turn comes when it is asked for; then they all do."""

    def __init__(self, *turns: bool) -> None:
        super().__init__()
        self.told: list[str] = []
        self.turns = list(turns)

    def check(self) -> None:
        self.told.append("check")

    def begin(self, patience: float) -> t.Any:
        if self.turns and not self.turns.pop(0):
            self.told.append("not yet")
            return None
        self.told.append("begin")
        return super().begin(patience)

    def accepted(self) -> None:
        self.told.append("accepted")
        super().accepted()

    def rejected(self) -> None:
        self.told.append("rejected")
        super().rejected()

    def untried(self) -> None:
        self.told.append("untried")
        super().untried()


class Wire:
    """A transport; each exchange opens so many connections and ends so."""

    def __init__(self, *exchanges: tuple[int, errors.WSManError | None]) -> None:
        self.exchanges = list(exchanges)
        self.opened: t.Callable[[], None] = lambda: None

    def on_open(self, opened: t.Callable[[], None]) -> None:
        self.opened = opened

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        connections, error = self.exchanges[0]
        for _ in range(connections):
            self.opened()
        self.exchanges.pop(0)
        if error is not None:
            raise error
        return message

    def close(self) -> None: ...


def transport(brake: Brake, wire: Wire, settings: Settings = BASIC, deadline: float = 60) -> Transport:
    return logged_in(lambda: t.cast(t.Any, wire), settings, brake, Deadline(deadline))


def cut_off(authorization: str | None, layer: str = "timeout") -> errors.WSManError:
    """The endpoint stayed silent on a request with that header."""
    request = requests.Request("POST", "http://pc-1", headers={"Authorization": authorization or ""}).prepare()
    error = errors.EndpointUnreachable("silent", layer)
    error.__cause__ = requests.ReadTimeout(request=request)
    return error


def over(error: errors.WSManError) -> errors.WSManError:
    """The deadline came while that was being handled."""
    late = errors.DeadlineExceeded("over")
    late.__context__ = error
    return late


NEGOTIATE_MESSAGE = "Negotiate TlRMTVNTUAABAAAA"
BEGUN = ["check", "begin"]
ENDINGS = {
    "answered": (2, None, [*BEGUN, "accepted"], "accepted"),
    "rejected": (2, errors.LoginRejected("no"), [*BEGUN, "rejected"], "rejected"),
    "not offered": (1, errors.LoginUnavailable("no"), [*BEGUN, "untried"], "untried"),
    "never open": (0, errors.EndpointUnreachable("off", "port"), ["check"], "untried"),
    "not trusted": (1, cut_off("Basic eA==", "tls"), [*BEGUN, "untried"], "untried"),
    "silent from the start": (1, cut_off(None), [*BEGUN, "untried"], "untried"),
    "silent before the challenge": (1, cut_off(NEGOTIATE_MESSAGE), [*BEGUN, "untried"], "untried"),
    "silent on the password": (1, cut_off("Basic eA=="), BEGUN, "unanswered"),
    "silent until the end": (1, over(cut_off("Basic eA==")), BEGUN, "unanswered"),
}


@pytest.mark.parametrize("key", ENDINGS)
def test_the_brake_is_told_how_a_login_ended(key: str) -> None:
    connections, error, told, outcome = ENDINGS[key]
    brake = Brake()
    sender = transport(brake, Wire((connections, error)))
    if error is None:
        sender.send(b"", 1)
    else:
        with pytest.raises(type(error)):
            sender.send(b"", 1)
    assert (brake.told, brake.outcome) == (told, outcome)


def test_a_session_that_was_let_in_needs_no_turn_to_go_on() -> None:
    brake = Brake()
    sender = transport(brake, Wire((1, None), (0, None), (1, None)))
    for _ in range(3):
        sender.send(b"", 1)
    assert brake.told == [*BEGUN, "accepted"]


def test_a_rejection_in_the_middle_counts() -> None:
    brake = Brake()
    sender = transport(brake, Wire((1, None), (1, errors.LoginRejected("no"))))
    sender.send(b"", 1)
    with pytest.raises(errors.LoginRejected):
        sender.send(b"", 1)
    assert brake.told == [*BEGUN, "accepted", "rejected"]


def test_a_new_login_after_a_loss_has_its_own_turn() -> None:
    brake = Brake()
    sender = transport(brake, Wire((1, None), (0, errors.ConnectionLost("gone")), (1, None)))
    sender.send(b"", 1)
    with pytest.raises(errors.ConnectionLost):
        sender.send(b"", 1)
    sender.send(b"", 1)
    assert brake.told == [*BEGUN, "accepted", *BEGUN, "accepted"]


def test_a_connection_whose_turn_does_not_come_is_given_up_and_made_again() -> None:
    brake = Brake(False, False)
    assert transport(brake, Wire((1, None))).send(b"<x/>", 1) == b"<x/>"
    assert brake.told == ["check", "not yet", "not yet", "begin", "accepted"]


def test_the_wait_ends_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(braked, "_LEAST_SECONDS", 60)
    brake = Brake(*[False] * 3)
    with pytest.raises(errors.LoginWithheld, match="other logins of this account were under way"):
        transport(brake, Wire((1, None))).send(b"", 1)
    assert brake.told == ["check", "not yet"]


def test_without_a_password_nobody_is_asked() -> None:
    brake = Brake()
    settings = Settings(host="pc-1", auth="kerberos", username="op@CORP.EXAMPLE")
    transport(brake, Wire((1, None)), settings).send(b"", 1)
    assert brake.told == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, ["begin", "accepted"]),
        (errors.LoginRejected("no"), ["begin", "rejected"]),
        (errors.TicketUnavailable("no"), ["begin", "untried"]),
    ],
)
def test_a_login_with_kerberos_is_over_with_its_ticket(error: Exception | None, told: list[str]) -> None:
    brake = Brake()

    def connect() -> t.Any:
        if error is not None:
            raise error
        return Wire((2, None))

    if error is None:
        logged_in(connect, KERBEROS, brake, Deadline(60)).send(b"", 1)
    else:
        with pytest.raises(type(error)):
            logged_in(connect, KERBEROS, brake, Deadline(60))
    assert brake.told == told
