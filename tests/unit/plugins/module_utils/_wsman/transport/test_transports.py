# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can stand behind an address instead of a WinRM service, and what the user is told of it."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import ssl
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.util import connection

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Transport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.adapter import BoundedAdapter
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.connect import transport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.xml import MAX_BYTES
from tests.integration.proxy import Proxy
from tests.unit import wire
from tests.unit.servers import BadServer, Exchange, Script, certificate, free_port, ntlm_challenge

PASSWORD = "correct horse battery staple"
MESSAGE = wire.envelope("<x:Request/>")
REPLY = wire.envelope("<x:Reply/>")
SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
NEGOTIATE = "WWW-Authenticate: Negotiate"
DROPS = 10_000
"""At least 50 seconds of them: who reads until the last one was not ended by a deadline."""


class Tls(t.NamedTuple):
    context: ssl.SSLContext
    path: Path


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    path = certificate(tmp_path_factory.mktemp("tls"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return Tls(context, path)


@pytest.fixture(autouse=True)
def no_trust_store(monkeypatch: pytest.MonkeyPatch, tls: Tls) -> None:
    """Reading the whole store of this machine for each connection takes longer than the tests themselves."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.path.with_name("none")))
    monkeypatch.setenv("SSL_CERT_DIR", str(tls.path.with_name("none")))


@pytest.fixture
def opened() -> Iterator[list[Transport]]:
    transports: list[Transport] = []
    yield transports
    for each in transports:
        each.close()


@pytest.fixture(params=["pywinrm", "pypsrp"])
def connect(request: pytest.FixtureRequest, opened: list[Transport]) -> t.Callable[..., Transport]:
    """A transport to a port: NTLM over HTTP as it is by default, basic over HTTPS where *tls* is given."""

    def connect_(port: int, *, deadline: float = 60, tls: bool = False, **options: t.Any) -> Transport:
        defaults: dict[str, t.Any] = {
            "library": request.param,
            "host": "127.0.0.1",
            "port": port,
            "scheme": "https" if tls else "http",
            "auth": "basic" if tls else "ntlm",
            "username": "CORP\\admin",
            "password": PASSWORD,
            "validate_certificate": False,
            "operation_timeout": 20,
            "read_timeout": 30,
            "connect_timeout": 20,
        }
        made = transport(Settings(**{**defaults, **options}), Deadline(deadline))
        opened.append(made)
        return made

    return connect_


Connect = t.Callable[..., Transport]


def fails(transport: Transport, kind: type[errors.WSManError], layer: str, read_timeout: float = 30) -> str:
    """Sends, and wants exactly *kind* at *layer*; the message for the user."""
    with pytest.raises(errors.WSManError) as caught:
        transport.send(MESSAGE, read_timeout)
    assert type(caught.value) is kind
    assert caught.value.layer == layer
    message = str(caught.value)
    assert PASSWORD not in message
    return message


def ntlm(then: Script) -> Script:
    """Lets everybody in by NTLM, and leaves all further requests of a connection to *then*."""

    def script(exchange: Exchange) -> None:
        if not exchange.authorization:
            exchange.answer("401 ", b"", NEGOTIATE) if not exchange.body else then(exchange)
        elif exchange.server.logins:
            exchange.answer("200 ")
        else:
            exchange.answer("401 ", b"", f"{NEGOTIATE} {ntlm_challenge()}")

    return script


def drip(exchange: Exchange, head: bytes, drop: bytes) -> None:
    """For ever, as far as a test can wait."""
    exchange.write(head)
    for _ in range(DROPS):
        exchange.write(drop)
        if exchange.wait(0.005):
            return
    exchange.server.exhausted = True


# Nobody there


def test_refused(connect: Connect) -> None:
    message = fails(connect(free_port()), errors.EndpointUnreachable, "port")
    assert "127.0.0.1" in message


def test_name_that_does_not_resolve(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "pc.invalid" in fails(connect(5985, host="pc.invalid"), errors.EndpointUnreachable, "dns")


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH])
def test_no_way_there(connect: Connect, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def nowhere(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "connect", nowhere)
    assert os.strerror(number) in fails(connect(5985), errors.EndpointUnreachable, "port")


def test_connection_that_nothing_answers(connect: Connect) -> None:
    """A listener whose queue is full drops what else comes, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        fails(connect(listener.getsockname()[1], connect_timeout=0.3), errors.EndpointUnreachable, "port")
        for sock in waiting:
            sock.close()


def test_proxy_that_is_not_there(connect: Connect) -> None:
    transport = connect(5985, proxy=f"http://127.0.0.1:{free_port()}")
    fails(transport, errors.EndpointUnreachable, "proxy")


def test_proxy_has_connections_of_its_own_kind() -> None:
    """As one for SOCKS has."""

    class Connection(HTTPConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    manager = SimpleNamespace(pool_classes_by_scheme={"http": Pool})
    BoundedAdapter(Deadline(60), Settings(host="pc", username="u", password="p")).bind(manager)
    bound = manager.pool_classes_by_scheme["http"]
    assert issubclass(bound, Pool) and issubclass(bound.ConnectionCls, Connection)
    assert bound.ConnectionCls is not Connection


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_proxy_of_the_environment(connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server, Proxy() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert connect(server.port, tls=True).send(MESSAGE, 30) == REPLY
        assert proxy.requested == [("CONNECT", f"127.0.0.1:{server.port}")]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert connect(server.port, tls=True).send(MESSAGE, 30) == REPLY
        assert len(proxy.requested) == 1


def test_environment_is_asked_for_proxies_once(connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noted() -> dict[str, str]:
        asked.append("")
        return {}

    monkeypatch.setattr("requests.utils.getproxies", noted)
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server:
        transport = connect(server.port, tls=True)
        for _ in range(5):
            transport.send(MESSAGE, 30)
    assert len(asked) == 1


def test_login_of_netrc_is_not_sent(
    connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    files = {"cert_pem": str(tls.path), "cert_key_pem": str(tls.path)}
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server:
        connect(server.port, tls=True, auth="certificate", **files).send(MESSAGE, 30)
        assert "mutual" in server.exchanges[0].authorization


# Connections that come about at a later attempt


class Sleeper:
    """Takes the place of ``time.sleep`` between attempts, and has something happen at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slept: list[float] = []
        self.then: t.Callable[[], object] = lambda: None
        monkeypatch.setattr("urllib3.util.retry.time.sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == 2:
            self.then()


def test_connects_at_a_later_attempt(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper, port = Sleeper(monkeypatch), free_port()
    with contextlib.ExitStack() as stack:
        script = ntlm(lambda exchange: exchange.answer("403 "))
        sleeper.then = lambda: stack.enter_context(BadServer(script, port=port))
        fails(connect(port, connect_retries=5, connect_backoff=1), errors.LoginUnavailable, "login")
    assert len(sleeper.slept) == 2 and sleeper.slept[0] < sleeper.slept[1]


def test_gives_up_after_the_last_attempt(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Sleeper(monkeypatch)
    fails(connect(free_port(), connect_retries=3, connect_backoff=1), errors.EndpointUnreachable, "port")
    assert len(sleeper.slept) == 2, "none before the second attempt"


def test_waits_for_an_attempt_no_longer_than_the_deadline(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Sleeper(monkeypatch)
    fails(connect(free_port(), deadline=40, connect_retries=5, connect_backoff=100), errors.EndpointUnreachable, "port")
    assert sleeper.slept and all(seconds <= 40 for seconds in sleeper.slept)


def test_a_message_that_was_sent_is_not_sent_again(connect: Connect, tls: Tls) -> None:
    """Retries are for connections alone: nobody knows what became of the message."""
    for then in (Exchange.hang_up, cut, lambda exchange: exchange.answer("503 ")):
        with BadServer(then, tls.context) as server:
            with pytest.raises(errors.EndpointUnreachable):
                connect(server.port, tls=True, connect_retries=5, connect_backoff=0).send(MESSAGE, 30)
            assert len(server.exchanges) == 1


# Somebody there, who is no WinRM service


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_silence(connect: Connect, tls: Tls, secure: bool) -> None:
    with BadServer(lambda exchange: exchange.wait(60), tls.context if secure else None) as server:
        transport = connect(server.port, tls=secure)
        assert "silent" in fails(transport, errors.EndpointUnreachable, "timeout", read_timeout=0.3)


@pytest.mark.parametrize(
    "greeting", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\1\2\3", b"HTTP/1.1 \r\n\r\n", b"HTTP/9 yes\r\n\r\n", b"<html>"]
)
def test_not_http_at_all(connect: Connect, greeting: bytes) -> None:
    def script(exchange: Exchange) -> None:
        exchange.write(greeting)
        exchange.hang_up()

    with BadServer(script) as server:
        fails(connect(server.port), errors.EndpointUnreachable, "http")


HTTP_ANSWER = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_https_asked_of_an_http_port(connect: Connect, auth: str) -> None:
    with BadServer(lambda exchange: exchange.answer("200 OK")) as server:
        message = fails(connect(server.port, tls=True, auth=auth), errors.EndpointUnreachable, "tls")
        assert "speaks plain HTTP" in message
        assert all(not exchange.authorization and not exchange.body for exchange in server.exchanges)


class Listener:
    """Answers each connection by its first octet, with octets or by hanging up: a TLS hello begins with 0x16."""

    def __init__(self, to_tls: bytes, to_http: bytes) -> None:
        self._answers = to_tls, to_http
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                opened, _address = self._listener.accept()
                with opened:
                    octets = opened.recv(65536)
                    self.received.append(octets)
                    opened.sendall(self._answers[0] if octets.startswith(b"\x16") else self._answers[1])

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.close()


ALERT = b"\x15\x03\x03\x00\x02\x02\x46"
"""Of TLS: protocol_version."""


@pytest.mark.parametrize("to_tls", [HTTP_ANSWER, b""], ids=["answers", "hangs up"])
def test_an_http_port_is_told_however_it_takes_tls(connect: Connect, to_tls: bytes) -> None:
    with Listener(to_tls, HTTP_ANSWER) as listener:
        transport = connect(listener.port, tls=True, auth="ntlm")
        with pytest.raises(errors.EndpointUnreachable, match="speaks plain HTTP") as caught:
            transport.send(MESSAGE, 30)
    assert (caught.value.layer, caught.value.remedy) == ("tls", "speaks_http")


@pytest.mark.parametrize("to_http", [ALERT, HTTP_ANSWER, b""], ids=["alert", "answers in HTTP", "hangs up"])
def test_a_tls_port_is_told_however_it_takes_http(connect: Connect, to_http: bytes) -> None:
    with Listener(ALERT, to_http) as listener:
        transport = connect(listener.port)
        with pytest.raises(errors.EndpointUnreachable) as caught:
            transport.send(MESSAGE, 30)
    if to_http == HTTP_ANSWER:  # as HTTP servers do that speak both
        assert (caught.value.layer, "HTTP 400" in str(caught.value)) == ("http", True)
        return
    assert (caught.value.layer, caught.value.remedy) == ("http", "speaks_tls"), str(caught.value)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\1\2\3\4\5"])
def test_of_a_port_that_speaks_neither_nothing_is_claimed(connect: Connect, greeting: bytes, secure: bool) -> None:
    with Listener(greeting, greeting) as listener:
        transport = connect(listener.port, tls=secure)
        message = fails(transport, errors.EndpointUnreachable, "tls" if secure else "http")
    assert "speaks" not in message
    assert all(b"Authorization" not in octets for octets in listener.received)


def test_http_asked_of_an_https_port(connect: Connect, tls: Tls) -> None:
    with BadServer(lambda exchange: exchange.answer("200 OK"), tls.context) as server:
        assert "speaks TLS" in fails(connect(server.port), errors.EndpointUnreachable, "http")
        assert server.exchanges == []


# What fails on this side


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy"])
@pytest.mark.parametrize("url", ["http://", "http://user:secret@[proxy", "telepathy://user:secret@proxy:1"])
def test_a_proxy_of_the_environment_that_is_none_is_not_blamed_on_the_endpoint(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    message = fails(connect(free_port(), tls=variable == "https_proxy"), errors.SettingsError, "settings")
    assert "nothing was sent" in message
    assert "secret" not in message


def test_whatever_fails_before_a_connection_is_open_is_ours(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise UnicodeEncodeError("latin-1", PASSWORD, 0, 1, "ordinal not in range")

    monkeypatch.setattr(requests.Session, "prepare_request", broken)
    fails(connect(free_port()), errors.SettingsError, "settings")


WAYS = ["http", "http, logged in", "https"]
STATUSES = {
    "404 Not Found": "no WinRM service at this path",
    "413 Request Entity Too Large": "larger",
    "500 Internal Server Error": "encrypted",
    "503 Service Unavailable": "not available",
    "418 I'm a teapot": "not a WinRM service",
    "400 Bad Request": "not a WinRM service",
}


@pytest.mark.parametrize(("secure", "login"), [(False, False), (False, True), (True, False)], ids=WAYS)
@pytest.mark.parametrize(("status", "words"), STATUSES.items())
def test_status_says_what_is_there(
    connect: Connect, tls: Tls, status: str, words: str, secure: bool, login: bool
) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.answer(status)

    with BadServer(ntlm(answer) if login else answer, tls.context if secure else None) as server:
        message = fails(connect(server.port, tls=secure), errors.EndpointUnreachable, "http")
        assert f"HTTP {status[:3]}" in message
        assert words in message


def test_web_page_over_http(connect: Connect) -> None:
    with BadServer(lambda exchange: exchange.answer("200 OK", b"<html></html>", "Content-Type: text/html")) as server:
        fails(connect(server.port), errors.ProtocolError, "protocol")
        assert all(MESSAGE not in exchange.body for exchange in server.exchanges), "nothing is sent unencrypted"


def test_web_page_over_https_is_left_to_the_reader(connect: Connect, tls: Tls) -> None:
    with BadServer(lambda exchange: exchange.answer("200 OK", b"<html></html>"), tls.context) as server:
        assert connect(server.port, tls=True).send(MESSAGE, 30) == b"<html></html>"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_redirect_is_never_followed(connect: Connect, tls: Tls, status: str, secure: bool) -> None:
    with BadServer(lambda exchange: exchange.answer("200 OK")) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/wsman"
        context = tls.context if secure else None
        with BadServer(lambda exchange: exchange.answer(status, b"", location), context) as server:
            message = fails(connect(server.port, tls=secure), errors.ProtocolError, "protocol")
            assert str(elsewhere.port) in message
        assert elsewhere.connections == 0


# Logins


def test_rejected_login_is_tried_once(connect: Connect) -> None:
    def script(exchange: Exchange) -> None:
        challenge = f" {ntlm_challenge()}" if exchange.authorization and not exchange.server.logins else ""
        exchange.answer("401 ", b"", NEGOTIATE + challenge)

    with BadServer(script) as server:
        message = fails(connect(server.port), errors.LoginRejected, "login")
        assert server.logins == 1
        assert "CORP\\admin" in message
        assert "ntlm" in message


def test_rejected_basic_login_is_tried_once(connect: Connect, tls: Tls) -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer("401 ", b"", 'WWW-Authenticate: Basic realm="WSMAN"')

    with BadServer(script, tls.context) as server:
        fails(connect(server.port, tls=True), errors.LoginRejected, "login")
        assert server.logins == len(server.exchanges) == 1


@pytest.mark.parametrize("headers", [(), ('WWW-Authenticate: Basic realm="WSMAN"',), (NEGOTIATE,)], ids=str)
def test_401_without_a_challenge(connect: Connect, headers: tuple[str, ...]) -> None:
    with BadServer(lambda exchange: exchange.answer("401 ", b"", *headers)) as server:
        fails(connect(server.port), errors.LoginUnavailable, "login")
        assert server.logins == 0


@pytest.mark.parametrize("token", ["!!!!", "AAAA", "TlRMTVNTUAACAAAA"], ids=["no base64", "no ntlm", "cut off"])
def test_challenge_that_is_none(connect: Connect, token: str) -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer("401 ", b"", f"{NEGOTIATE} {token}" if exchange.authorization else NEGOTIATE)

    with BadServer(script) as server:
        with pytest.raises((errors.ProtocolError, errors.LoginUnavailable)):  # to pypsrp, what is no base64 is nothing
            connect(server.port).send(MESSAGE, 30)
        assert server.logins == 0


@pytest.mark.parametrize(("secure", "login"), [(False, False), (False, True), (True, False)], ids=WAYS)
def test_forbidden(connect: Connect, tls: Tls, secure: bool, login: bool) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.answer("403 ")

    with BadServer(ntlm(answer) if login else answer, tls.context if secure else None) as server:
        fails(connect(server.port, tls=secure), errors.LoginUnavailable, "login")


# Certificates


def test_untrusted_certificate(connect: Connect, tls: Tls) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY), tls.context) as server:
        message = fails(connect(server.port, tls=True, validate_certificate=True), errors.EndpointUnreachable, "tls")
        assert "certificate" in message
        assert server.exchanges == [], "not even the login was sent"


def test_certificate_that_is_trusted_by_name(connect: Connect, tls: Tls) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server:
        transport = connect(server.port, tls=True, validate_certificate=True, ca_trust_path=str(tls.path))
        assert transport.send(MESSAGE, 30) == REPLY


def test_certificate_for_another_name(connect: Connect, tls: Tls) -> None:
    """Of an authority that is trusted, yet not for the name that was asked for."""
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY), tls.context) as server:
        trusted = {"validate_certificate": True, "ca_trust_path": str(tls.path)}
        transport = connect(server.port, tls=True, host="localhost", **trusted)
        message = fails(transport, errors.EndpointUnreachable, "tls")
        assert "localhost" in message and "certificate" in message
        assert server.exchanges == []


def test_client_certificate_whose_key_is_encrypted(connect: Connect, tls: Tls, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(tls.path.read_bytes(), None)
    protection = serialization.BestAvailableEncryption(PASSWORD.encode())
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.path)
    context.load_verify_locations(tls.path)
    context.verify_mode = ssl.CERT_REQUIRED
    files = {"cert_pem": str(tls.path), "cert_key_pem": str(encrypted), "cert_key_password": PASSWORD}
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), context) as server:
        assert connect(server.port, tls=True, auth="certificate", **files).send(MESSAGE, 30) == REPLY


# Connections that break


def cut(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<s:Envel")
    exchange.hang_up()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_closed_in_the_middle_of_the_first_answer(connect: Connect, tls: Tls, secure: bool) -> None:
    with BadServer(cut, tls.context if secure else None) as server:
        fails(connect(server.port, tls=secure), errors.EndpointUnreachable, "http")


def answered_once(then: Script) -> Script:
    return lambda exchange: exchange.answer("200 ", REPLY, SOAP) if exchange.number == 0 else then(exchange)


@pytest.mark.parametrize(
    "then", [cut, Exchange.hang_up, lambda exchange: exchange.answer("400 ")], ids=["cut", "closed", "400"]
)
def test_connection_that_was_kept_too_long_is_stale(connect: Connect, tls: Tls, then: Script) -> None:
    with BadServer(answered_once(then), tls.context) as server:
        transport = connect(server.port, tls=True)
        assert transport.send(MESSAGE, 30) == REPLY
        fails(transport, errors.StaleConnection, "connection")
        assert server.connections == 1
        assert len(server.exchanges) == 2


def test_silence_after_the_login_is_a_loss_that_is_not_repeated(connect: Connect, tls: Tls) -> None:
    with BadServer(answered_once(lambda exchange: exchange.wait(60)), tls.context) as server:
        transport = connect(server.port, tls=True)
        transport.send(MESSAGE, 30)
        fails(transport, errors.ConnectionLost, "connection", read_timeout=0.2)


def test_transport_logs_in_again_after_a_loss(connect: Connect, tls: Tls) -> None:
    def script(exchange: Exchange) -> None:
        exchange.hang_up() if exchange.number == 1 else exchange.answer("200 ", REPLY, SOAP)

    with BadServer(script, tls.context) as server:
        transport = connect(server.port, tls=True)
        transport.send(MESSAGE, 30)
        fails(transport, errors.StaleConnection, "connection")
        assert transport.send(MESSAGE, 30) == REPLY
        assert server.connections == 2


def test_one_connection_carries_all(connect: Connect, tls: Tls) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server:
        transport = connect(server.port, tls=True)
        for _ in range(5):
            assert transport.send(MESSAGE, 30) == REPLY
        assert server.connections == 1
        assert [exchange.body for exchange in server.exchanges] == [MESSAGE] * 5
        assert all("POST /wsman HTTP/1.1" in exchange.head for exchange in server.exchanges)


# One exchange for a write: over the connection that is open, or not at all

LOGINS = ("basic", "ntlm", "credssp", "certificate")
OFFERS = (NEGOTIATE, "WWW-Authenticate: CredSSP", 'WWW-Authenticate: Basic realm="WSMAN"')


def fails_singly(transport: Transport, kind: type[errors.WSManError]) -> str:
    with pytest.raises(errors.WSManError) as caught:
        transport.send(MESSAGE, 30, single=True)
    assert type(caught.value) is kind, caught.value
    return str(caught.value)


def answers_and_hangs_up(exchange: Exchange) -> None:
    exchange.answer("200 ", REPLY, SOAP)
    exchange.hang_up()


@pytest.fixture(params=LOGINS)
def logged_in(request: pytest.FixtureRequest, connect: Connect, tls: Tls) -> t.Callable[..., Transport]:
    """A transport that had its first answer from a server."""
    key = str(tls.path)

    def logged_in_(server: BadServer, **options: t.Any) -> Transport:
        options = {"auth": request.param, "cert_pem": key, "cert_key_pem": key, **options}
        transport = connect(server.port, tls=True, **options)
        assert transport.send(MESSAGE, 30) == REPLY
        return transport

    return logged_in_


def test_a_single_exchange_takes_the_open_connection(logged_in: Connect, tls: Tls) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server:
        transport = logged_in(server)
        assert transport.send(MESSAGE, 30, single=True) == REPLY
        assert (server.connections, len(server.exchanges)) == (1, 2)


@pytest.mark.parametrize("options", [{}, {"connect_retries": 5, "connect_backoff": 0}], ids=["", "retries"])
@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxy"])
def test_a_single_exchange_does_not_connect_again(
    logged_in: Connect, tls: Tls, options: dict[str, t.Any], proxied: bool
) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(BadServer(answers_and_hangs_up, tls.context))
        if proxied:
            proxy = stack.enter_context(Proxy())
            options = {**options, "proxy": proxy.url}
        transport = logged_in(server, **options)
        assert server.hung_up.wait(20)
        if proxied:
            assert proxy.ended.wait(20)
        assert "was closed" in fails_singly(transport, errors.StaleConnection)
        assert (server.connections, len(server.exchanges)) == (1, 1)
        assert transport.send(MESSAGE, 30) == REPLY, "the next one connects anew"


def test_a_single_exchange_does_not_log_in_again(logged_in: Connect, tls: Tls) -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer("401 ", b"", *OFFERS) if exchange.number == 1 else exchange.answer("200 ", REPLY, SOAP)

    with BadServer(script, tls.context) as server:
        transport = logged_in(server)
        assert "wants a new login" in fails_singly(transport, errors.StaleConnection)
        assert (server.connections, len(server.exchanges)) == (1, 2)
        assert transport.send(MESSAGE, 30) == REPLY, "the next one logs in anew"
        assert server.connections == 2


def test_a_single_exchange_is_never_the_first(connect: Connect) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP)) as server:
        fails_singly(connect(server.port), errors.StaleConnection)
        assert server.connections == 0


@pytest.mark.parametrize("then", [cut, Exchange.hang_up], ids=["cut", "closed"])
def test_a_single_exchange_that_breaks_may_have_been_carried_out(logged_in: Connect, tls: Tls, then: Script) -> None:
    """It had gone out, so that this is no StaleConnection, which says that it had not."""
    with BadServer(answered_once(then), tls.context) as server:
        fails_singly(logged_in(server), errors.ConnectionLost)
        assert (server.connections, len(server.exchanges)) == (1, 2)


def test_soap_fault_is_a_reply(connect: Connect, tls: Tls) -> None:
    fault = wire.wsman_fault(5, "w:AccessDenied", "\u30a2\u30af\u30bb\u30b9\u304c\u62d2\u5426", language="ja-JP")
    with BadServer(lambda exchange: exchange.answer("500 ", fault, SOAP), tls.context) as server:
        assert connect(server.port, tls=True).send(MESSAGE, 30) == fault


# NTLM: whatever follows the login is sealed


def test_message_is_sealed_after_an_ntlm_login(connect: Connect) -> None:
    with BadServer(ntlm(lambda exchange: exchange.answer("400 "))) as server:
        fails(connect(server.port), errors.EndpointUnreachable, "http")
        assert server.logins == 1
        sealed = server.exchanges[-1]
        assert "application/HTTP-SPNEGO-session-encrypted" in sealed.head
        assert b"Envelope" not in sealed.body


@pytest.mark.parametrize("content", ["multipart/encrypted", "text/plain", None])
def test_sealed_answer_that_is_none(connect: Connect, content: str | None) -> None:
    protocol = ';protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
    headers = [f"Content-Type: {content}{protocol}"] if content else []
    with BadServer(ntlm(lambda exchange: exchange.answer("200 ", b"--Encrypted Boundary\r\nno", *headers))) as server:
        fails(connect(server.port), errors.ProtocolError, "protocol")


def test_answer_that_anybody_could_have_written_is_not_taken(connect: Connect) -> None:
    with BadServer(ntlm(lambda exchange: exchange.answer("200 ", REPLY, SOAP))) as server:
        assert "not sealed" in fails(connect(server.port), errors.ProtocolError, "protocol")


# Floods and drips


def flood(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while not exchange.wait(0):
        exchange.write(chunk)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_endless_body_is_ended_by_its_size(connect: Connect, tls: Tls, secure: bool) -> None:
    with BadServer(flood, tls.context if secure else None) as server:
        assert str(MAX_BYTES) in fails(connect(server.port, tls=secure), errors.ProtocolError, "protocol")


def test_endless_headers_are_ended(connect: Connect) -> None:
    def script(exchange: Exchange) -> None:
        exchange.write(b"HTTP/1.1 200 OK\r\n")
        while not exchange.wait(0):
            exchange.write(b"X: y\r\n" * 100)

    with BadServer(script) as server:
        fails(connect(server.port), errors.EndpointUnreachable, "http")


DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "counted body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "chunked body": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "body until the end": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" "),
    "body of a 401": (b"HTTP/1.1 401 \r\nWWW-Authenticate: Negotiate\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "body of a 500": (b"HTTP/1.1 500 \r\nContent-Length: 1000000\r\n\r\n", b" "),
}


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("head", "drop"), DRIPS.values(), ids=DRIPS)
def test_drip_is_ended_by_the_deadline(connect: Connect, tls: Tls, head: bytes, drop: bytes, secure: bool) -> None:
    with BadServer(lambda exchange: drip(exchange, head, drop), tls.context if secure else None) as server:
        transport = connect(server.port, tls=secure, deadline=0.4)
        fails(transport, errors.DeadlineExceeded, "timeout")
        assert not server.exhausted


def test_drip_after_the_login_is_ended_by_the_deadline(connect: Connect, tls: Tls) -> None:
    script = answered_once(lambda exchange: drip(exchange, *DRIPS["counted body"]))
    with BadServer(script, tls.context) as server:
        transport = connect(server.port, tls=True, deadline=2)
        assert transport.send(MESSAGE, 30) == REPLY
        fails(transport, errors.DeadlineExceeded, "timeout")


def test_handshake_that_drips_is_ended_by_the_deadline(connect: Connect) -> None:
    over, exhausted = threading.Event(), threading.Event()

    def drip_handshake(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB follows
            for _ in range(DROPS):
                connection.sendall(b"\0")
                if over.wait(0.005):
                    return
            exhausted.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip_handshake, args=(listener,), daemon=True).start()
        transport = connect(listener.getsockname()[1], tls=True, deadline=0.3)
        fails(transport, errors.DeadlineExceeded, "timeout")
        over.set()
        assert not exhausted.is_set()


def test_handshake_that_never_ends_is_ended_by_the_deadline(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = connect(listener.getsockname()[1], tls=True, deadline=0.3, connect_timeout=20)
        fails(transport, errors.DeadlineExceeded, "timeout")


def test_proxy_that_drips_is_ended_by_the_deadline(connect: Connect) -> None:
    with BadServer(lambda exchange: drip(exchange, b"HTTP/1.1 200 ", b"O")) as server:
        transport = connect(5986, tls=True, deadline=0.4, proxy=f"http://127.0.0.1:{server.port}")
        fails(transport, errors.DeadlineExceeded, "timeout")
        assert not server.exhausted


@pytest.mark.parametrize("inside", [b"\x16\x03\x03\x40\x00", b""], ids=["drip", "silence"])
def test_handshake_through_a_proxy_of_https_is_ended_by_the_deadline(connect: Connect, tls: Tls, inside: bytes) -> None:
    """Its TLS carries that of the endpoint."""

    def script(exchange: Exchange) -> None:
        exchange.write(b"HTTP/1.1 200 \r\n\r\n")
        drip(exchange, inside, inside and b"\0") if inside else exchange.wait(60)

    with BadServer(script, tls.context) as server:
        transport = connect(5986, tls=True, deadline=0.5, proxy=f"https://127.0.0.1:{server.port}")
        fails(transport, errors.DeadlineExceeded, "timeout")
        assert len(server.exchanges) == 1 and not server.exhausted


@pytest.fixture
def slow_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*arguments: t.Any, **options: t.Any) -> socket.socket:
        time.sleep(0.6)
        return create_connection(*arguments, **options)

    create_connection = connection.create_connection
    monkeypatch.setattr(connection, "create_connection", slow)


def test_handshake_that_begins_late_is_ended_by_the_deadline(connect: Connect, slow_connection: None) -> None:
    """What came before it has used most of the time that its socket was given."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = connect(silent.getsockname()[1], tls=True, deadline=1)
        started = time.monotonic()
        fails(transport, errors.DeadlineExceeded, "timeout")
        assert time.monotonic() - started < 1.4


def test_handshake_after_a_slow_proxy_is_ended_by_the_deadline(connect: Connect) -> None:

    def script(exchange: Exchange) -> None:
        exchange.wait(0.6)
        exchange.write(b"HTTP/1.1 200 \r\n\r\n")
        exchange.wait(60)

    with BadServer(script) as server:
        transport = connect(5986, tls=True, deadline=1, proxy=f"http://127.0.0.1:{server.port}")
        started = time.monotonic()
        fails(transport, errors.DeadlineExceeded, "timeout")
        assert time.monotonic() - started < 1.4


def test_message_that_nobody_reads_is_ended_by_the_deadline(connect: Connect, tls: Tls, slow_connection: None) -> None:
    over = threading.Event()

    def shake_hands(listener: socket.socket) -> None:
        with tls.context.wrap_socket(listener.accept()[0], server_side=True):
            over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=shake_hands, args=(listener,), daemon=True).start()
        transport = connect(listener.getsockname()[1], tls=True, deadline=1)
        started = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            transport.send(b"x" * 30_000_000, 30)
        assert time.monotonic() - started < 1.4
        over.set()


def test_no_thread_is_started(connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep has thousands of connections."""
    started: list[str] = []
    with BadServer(lambda exchange: exchange.answer("200 ", REPLY, SOAP), tls.context) as server:
        start, own = threading.Thread.start, threading.current_thread()

        def noted(thread: threading.Thread) -> None:
            if threading.current_thread() is own:
                started.append(thread.name)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", noted)
        connect(server.port, tls=True).send(MESSAGE, 30)
    assert started == []


def test_nothing_is_sent_after_the_deadline(connect: Connect) -> None:
    with BadServer(lambda exchange: exchange.answer("200 ")) as server:
        fails(connect(server.port, deadline=0), errors.DeadlineExceeded, "timeout")
        assert server.connections == 0


# Secrets


def test_password_stays_out_of_all_that_is_written(
    connect: Connect, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with BadServer(lambda exchange: exchange.answer("401 ", b"", NEGOTIATE)) as server:
        transport = connect(server.port)
        fails(transport, errors.LoginUnavailable, "login")
    shown = caplog.text + "".join(capfd.readouterr())
    assert PASSWORD not in shown
