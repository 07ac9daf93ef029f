# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport of a sweep: what the others are held to over HTTP, and what it does of its own."""

from __future__ import annotations

import typing as t

import pytest
import spnego

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Transport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.braked import LoginNote, logged_in
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.connect import transport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.pyspnego import PyspnegoTransport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.sealing import (
    CONTENT_TYPE,
    is_sealed,
    seal,
    unseal,
)
from tests.unit.servers import BadServer, Exchange, Script, free_port, ntlm_challenge

# As for every transport: those of these that have a secure way are run in the other one, by this folder's conftest.
from .test_transports import (  # noqa: F401
    MESSAGE,
    NEGOTIATE,
    PASSWORD,
    REPLY,
    SOAP,
    Connect,
    cut,
    fails,
    no_trust_store,
    ntlm,
    opened,
    test_401_without_a_challenge,
    test_a_single_exchange_is_never_the_first,
    test_a_tls_port_is_told_however_it_takes_http,
    test_answer_that_anybody_could_have_written_is_not_taken,
    test_challenge_that_is_none,
    test_closed_in_the_middle_of_the_first_answer,
    test_connection_that_nothing_answers,
    test_drip_is_ended_by_the_deadline,
    test_endless_body_is_ended_by_its_size,
    test_endless_headers_are_ended,
    test_forbidden,
    test_http_asked_of_an_https_port,
    test_message_is_sealed_after_an_ntlm_login,
    test_name_that_does_not_resolve,
    test_no_way_there,
    test_not_http_at_all,
    test_nothing_is_sent_after_the_deadline,
    test_password_stays_out_of_all_that_is_written,
    test_redirect_is_never_followed,
    test_refused,
    test_rejected_login_is_tried_once,
    test_sealed_answer_that_is_none,
    test_silence,
    test_status_says_what_is_there,
    test_web_page_over_http,
    tls,
)


@pytest.fixture
def connect(opened: list[Transport]) -> t.Callable[..., Transport]:  # noqa: F811
    def connect_(port: int, *, deadline: float = 60, tls: bool = False, **options: t.Any) -> Transport:  # noqa: F811
        assert not tls
        made = transport(settings(port, **options), Deadline(deadline))
        opened.append(made)
        return made

    return connect_


def settings(port: int, **options: t.Any) -> Settings:
    defaults: dict[str, t.Any] = {"library": "pyspnego", "host": "127.0.0.1", "scheme": "http", "connect_timeout": 20}
    return Settings(port=port, username="CORP\\admin", password=PASSWORD, **{**defaults, **options})


@pytest.mark.parametrize("options", [{"scheme": "https"}, {"proxy": "http://127.0.0.1:1"}], ids=["https", "proxy"])
def test_what_it_cannot_carry_is_refused(connect: Connect, options: dict[str, t.Any]) -> None:
    with pytest.raises(errors.SettingsError, match="pywinrm or pypsrp carry"):
        connect(free_port(), **options)


def test_it_logs_in_by_ntlm_where_negotiate_is_turned_off(connect: Connect) -> None:
    def script(exchange: Exchange) -> None:
        if not exchange.authorization.startswith("NTLM"):
            exchange.answer("401 ", b"", "WWW-Authenticate: NTLM")
        elif not exchange.server.logins:
            exchange.answer("401 ", b"", f"WWW-Authenticate: NTLM {ntlm_challenge()}")
        else:
            exchange.answer("403 ")

    with BadServer(script) as server:
        fails(connect(server.port), errors.LoginUnavailable, "login")
        assert server.logins == 1


def test_the_login_begins_at_once_and_carries_no_message(connect: Connect) -> None:
    with BadServer(ntlm(lambda exchange: exchange.answer("400 "))) as server:
        fails(connect(server.port), errors.EndpointUnreachable, "http")
        bodies = [bool(exchange.body) for exchange in server.exchanges]
        assert (bodies, server.connections) == ([False, False, True], 1)


class Server:
    """The other end of a login, as far as it takes to seal."""

    def __init__(self) -> None:
        self.client = context("client")
        self.server = context("server")
        token = self.client.step()
        while token is not None:
            token = self.server.step(token)
            token = self.client.step(token) if token is not None else None


def context(side: str) -> t.Any:
    options = spnego.NegotiateOptions.wrapping_winrm
    if side == "client":
        return spnego.client("admin", PASSWORD, protocol="ntlm", options=options)
    return spnego.server(protocol="ntlm", options=options)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> Server:
    accounts = tmp_path / "accounts"
    accounts.write_text(f":admin:{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))
    return Server()


@pytest.mark.parametrize("message", [b"", MESSAGE, b"--Encrypted Boundary\r\n" * 3, bytes(range(256)) * 50], ids=len)
def test_what_is_sealed_is_unsealed_at_the_other_end(both: Server, message: bytes) -> None:
    sealed = seal(both.client, message)
    assert is_sealed(CONTENT_TYPE) and (not message or message not in sealed)
    assert unseal(both.server, sealed) == message


def test_every_octet_of_a_sealed_message_counts(both: Server) -> None:
    """Changed anywhere, but for the blanks of its headings and the name of the plain message's type."""
    sealed = seal(both.client, MESSAGE)
    payload = sealed.index(b"octet-stream\r\n") + len(b"octet-stream\r\n")
    end = len(sealed) - len(b"--Encrypted Boundary--\r\n")
    for place in [*range(payload, payload + 20), *range(payload + 20, end, 37)]:
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(errors.ProtocolError):
            unseal(Server().server, bytes(changed))


@pytest.mark.parametrize("body", [b"", b"no", b"--Encrypted Boundary\r\n", CONTENT_TYPE.encode()], ids=len)
def test_what_is_no_sealed_message(both: Server, body: bytes) -> None:
    with pytest.raises(errors.ProtocolError):
        unseal(both.server, body)


def test_a_length_that_does_not_hold(both: Server) -> None:
    sealed = seal(both.client, MESSAGE).replace(b"Length=%d" % len(MESSAGE), b"Length=7")
    with pytest.raises(errors.ProtocolError, match="says that it has 7"):
        unseal(both.server, sealed)


# What the brake for logins is told


def braked(port: int, **options: t.Any) -> tuple[Transport, LoginNote]:
    note, deadline = LoginNote(), Deadline(options.pop("deadline", 60))
    made = settings(port, **options)
    return logged_in(lambda: PyspnegoTransport(made, deadline), made, note, deadline), note


def proven(then: Script) -> Script:
    """Asks for the proof, and leaves its answer to *then*."""

    def script(exchange: Exchange) -> None:
        if exchange.server.logins:
            then(exchange)
        else:
            exchange.answer("401 ", b"", f"{NEGOTIATE} {ntlm_challenge()}")

    return script


ENDS: dict[str, tuple[Script, str]] = {
    "challenge cut": (cut, "untried"),
    "no challenge": (lambda exchange: exchange.answer("401 "), "untried"),
    "rejected": (proven(lambda exchange: exchange.answer("401 ")), "rejected"),
    "proof cut": (proven(cut), "unanswered"),
    "proof, hung up": (proven(Exchange.hang_up), "unanswered"),
    "proof, silence": (proven(lambda exchange: exchange.wait(60)), "unanswered"),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_brake_learns_how_a_login_ended(end: str) -> None:
    script, outcome = ENDS[end]
    with BadServer(script) as server:
        made, note = braked(server.port)
        with pytest.raises(errors.WSManError):
            made.send(MESSAGE, 0.3)
        made.close()
    assert note.outcome == outcome


def test_a_deadline_that_ends_while_a_proof_is_under_way_leaves_it_unanswered() -> None:
    def drip_for_ever(exchange: Exchange) -> None:
        exchange.write(b"HTTP/1.1 200 ")
        while not exchange.wait(0.02):
            exchange.write(b"O")

    with BadServer(proven(drip_for_ever)) as server:
        made, note = braked(server.port, deadline=0.4)
        with pytest.raises(errors.DeadlineExceeded):
            made.send(MESSAGE, 30)
        made.close()
    assert note.outcome == "unanswered"
