# SPDX-License-Identifier: GPL-3.0-or-later
"""What HTTP.sys and the WinRM listener answer before any envelope is read."""

from __future__ import annotations

import re
import socket

import pytest
import requests
from simulator.client import Simulator
from simulator_tests.wire import Host, read_all, read_value
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
from winrm.protocol import Protocol

IDENTIFY = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/>'
    b"<s:Body><wsmid:Identify/></s:Body></s:Envelope>"
)


def test_unauthenticated_post_gets_the_401_of_http_sys(pc: Host) -> None:
    head, _, body = pc.post(b"<x/>").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 401 "
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "Server",
        "WWW-Authenticate",
        "WWW-Authenticate",
        "Date",
        "Connection",
        "Content-Length",
    ]
    assert lines[1:4] == ["Server: Microsoft-HTTPAPI/2.0", "WWW-Authenticate: Negotiate", "WWW-Authenticate: Kerberos"]
    assert body == b""


def test_basic_is_offered_over_https_only(pc: Host) -> None:
    answer = requests.post(f"https://{pc.address}:{pc.fleet.https_port}/wsman", verify=pc.fleet.ca_file, timeout=10)
    assert answer.headers["WWW-Authenticate"] == 'Negotiate, Kerberos, Basic realm="WSMAN"'


def test_second_leg_carries_a_token_and_keeps_the_connection(pc: Host) -> None:
    negotiate = "TlRMTVNTUAABAAAAN4II4gAAAAAoAAAAAAAAACgAAAAADAQAAAAADw=="
    answer = pc.post(b"", f"Authorization: Negotiate {negotiate}").decode()
    assert answer.startswith("HTTP/1.1 401 \r\n")
    assert re.search(r"\r\nWWW-Authenticate: Negotiate TlRMTVNTUAAC\S+\r\n", answer)
    assert "Connection: close" not in answer


@pytest.mark.parametrize(
    "token", ["", "!!!", "TlRMTVNTUAADAAAA", "TlRMTVNTUAABAAAA", "YIIBAA==", "AAAA", "TlRMTVNTUAAJAAAA" + "A" * 400]
)
def test_hostile_tokens_are_rejected(pc: Host, token: str) -> None:
    answer = pc.post(b"", f"Authorization: Negotiate {token}")
    assert answer.startswith(b"HTTP/1.1 401 \r\n")
    assert b"\r\nWWW-Authenticate: Negotiate\r\n" in answer


def test_login_belongs_to_the_connection(pc: Host) -> None:
    """Ciphertext on a connection that is not logged in: 400 without a body, so that clients cannot go on."""
    client = pc.pywinrm()
    client.send_message(read_value("ProvisioningMode"))
    pc.fleet.event(pc.name, "drop_connections")
    with pytest.raises(WinRMTransportError) as error:
        client.send_message(read_value("ProvisioningMode"))
    assert (error.value.code, error.value.response_text) == (400, "")


def test_tampered_ciphertext(pc: Host) -> None:
    client = pc.pywinrm()
    client.send_message(read_value("ProvisioningMode"))
    session, encryption = client.transport.session, client.transport.encryption
    assert session is not None
    assert encryption is not None
    request = encryption.prepare_encrypted_request(session, client.transport.endpoint, b"<x/>")
    assert isinstance(request.body, bytes)
    request.body = request.body.replace(b"octet-stream\r\n\x10", b"octet-stream\r\n\x0f")
    answer = session.send(request)
    assert (answer.status_code, answer.content) == (400, b"")


def test_plain_body_where_it_is_allowed(fleet: Simulator) -> None:
    host = Host(fleet, "PC-PLAIN")
    for transport in ("ntlm", "basic"):
        client = host.pywinrm(transport=transport, message_encryption="never")
        assert b"_OUTPUT" in client.send_message(read_value("ProvisioningMode"))


@pytest.mark.parametrize("transport", ["ntlm", "basic"])
def test_https_with_pywinrm(pc: Host, transport: str) -> None:
    assert b"_OUTPUT" in pc.pywinrm("https", transport).send_message(read_value("ProvisioningMode"))


@pytest.mark.parametrize(
    ("hardening", "bound", "accepted"),
    [
        ("strict", True, True),
        ("strict", False, False),
        ("relaxed", True, True),
        ("relaxed", False, True),
        ("none", False, True),
    ],
)
def test_channel_binding(fresh: Host, hardening: str, bound: bool, accepted: bool) -> None:
    fresh.fleet.patch(fresh.name, channel_binding=hardening)
    client = fresh.pywinrm("https", send_cbt=bound)
    if accepted:
        client.send_message(read_value("ProvisioningMode"))
    else:
        with pytest.raises(InvalidCredentialsError):
            client.send_message(read_value("ProvisioningMode"))


def test_wrong_basic_password(pc: Host) -> None:
    client = Protocol(
        f"https://{pc.address}:{pc.fleet.https_port}/wsman",
        "basic",
        pc.entry["username"],
        "no",
        ca_trust_path=pc.fleet.ca_file,
    )
    with pytest.raises(InvalidCredentialsError):
        client.send_message(read_value("ProvisioningMode"))


def test_identify_without_login_hides_the_version(pc: Host) -> None:
    answer = pc.post(IDENTIFY, "WSMANIDENTIFY: unauthenticated", "Content-Type: application/soap+xml;charset=UTF-8")
    assert answer.startswith(b"HTTP/1.1 200 \r\n")
    assert b"<wsmid:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>" in answer


def test_other_methods_and_paths(pc: Host) -> None:
    assert pc.raw(b"GET /wsman HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 405 \r\n")
    assert pc.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").startswith(b"HTTP/1.1 404 Not Found\r\n")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_broken_http(pc: Host, request_: bytes) -> None:
    answer = pc.raw(request_)
    assert answer == b"" or re.match(rb"HTTP/1\.1 [45]\d\d ", answer)


def test_oversized_head(pc: Host) -> None:
    assert pc.post(b"", "X-Long: " + "a" * 100000).startswith(b"HTTP/1.1 4")


def test_too_large_a_request_is_not_read(fleet: Simulator) -> None:
    host = Host(fleet, "PC-SMALL")
    with host.connect() as connection:
        connection.sendall(b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 \r\n")


def test_idle_connection_is_closed_without_a_word(fleet: Simulator) -> None:
    with Host(fleet, "PC-IDLE").connect() as connection:
        assert connection.recv(1) == b""


def test_nothing_listens_on_a_machine_that_is_off(fleet: Simulator) -> None:
    with pytest.raises(ConnectionRefusedError):
        Host(fleet, "PC-OFF").connect()


def test_half_a_request_and_then_silence(pc: Host) -> None:
    with pc.connect() as connection:
        connection.sendall(b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)
    assert pc.post(b"").startswith(b"HTTP/1.1 401 ")
