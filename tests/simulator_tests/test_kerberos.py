# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos logins by other people's clients, which must not be able to tell an endpoint from Windows."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import kdc
import pytest
import requests
import spnego
from simulator.client import Simulator
from simulator_tests.wire import Host, read_value
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError

if kdc.missing():
    pytest.skip(kdc.missing(), allow_module_level=True)

PASSWORD = "Sim-Pass-1!"
SERVICE = "pc-kerb.corp.test"
MESSAGE = read_value("ProvisioningMode")


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdc.Kdc]:
    realm = kdc.Kdc(tmp_path_factory.mktemp("realm"))
    realm.add_user("operator", PASSWORD)
    realm.add_user("stranger", PASSWORD)
    with realm.running():
        yield realm


@pytest.fixture(scope="module")
def keytabs(realm: kdc.Kdc) -> dict[str, str]:
    return realm.add_machines([SERVICE, "pc-else.corp.test"], ("HTTP", "WSMAN"))


@pytest.fixture
def host(fleet: Simulator, keytabs: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Host]:
    (entry,) = fleet.add({"name": f"K-{abs(hash(request.node.nodeid)):x}", "keytab": keytabs[SERVICE]})
    yield Host(fleet, entry["name"])
    fleet.remove(entry["name"])


@pytest.fixture
def ticket(realm: kdc.Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(realm, monkeypatch, "operator")


def hold(realm: kdc.Kdc, monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    for name, value in realm.ticket(f"{user}@{kdc.REALM}", PASSWORD, "-f").items():
        monkeypatch.setenv(name, value)


def pywinrm(host: Host, scheme: str = "http", **options: Any) -> bytes:
    host.entry.update(username=None, password=None)
    client = host.pywinrm(scheme, "kerberos", kerberos_hostname_override=SERVICE, **options)
    return client.send_message(MESSAGE)


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_pywinrm(host: Host, scheme: str) -> None:
    assert b"_OUTPUT" in pywinrm(host, scheme)
    (login,) = host.fleet.traffic(host.name)["logins"]
    assert login == {"scheme": "negotiate", "principal": f"operator@{kdc.REALM}", "delegated": False}


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("ssl", [False, True])
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_pypsrp(host: Host, auth: str, ssl: bool) -> None:
    """With Negotiate the token lies inside SPNEGO."""
    host.entry.update(username=None, password=None)
    with host.pypsrp(auth, ssl=ssl, negotiate_service="WSMAN", negotiate_hostname_override=SERVICE) as client:
        assert b"_OUTPUT" in client.transport.send(MESSAGE.encode())
    assert [each["principal"] for each in host.fleet.traffic(host.name)["logins"]] == [f"operator@{kdc.REALM}"]


@pytest.mark.usefixtures("ticket")
def test_the_scheme_kerberos_seals_under_its_own_name(host: Host) -> None:
    context = spnego.client(hostname=SERVICE, service="WSMAN", protocol="kerberos")
    url = f"http://{host.address}:{host.fleet.http_port}/wsman"
    with requests.Session() as session:
        token = base64.b64encode(context.step() or b"").decode()
        answer = session.post(url, headers={"Authorization": f"Kerberos {token}"}, timeout=10)
        scheme, _, proof = answer.headers["WWW-Authenticate"].partition(" ")
        context.step(base64.b64decode(proof))
        assert (answer.status_code, scheme, context.complete) == (200, "Kerberos", True)
        wrapped = context.wrap_winrm(MESSAGE.encode())
        protocol = "application/HTTP-Kerberos-session-encrypted"
        body = (
            f"--Encrypted Boundary\r\n\tContent-Type: {protocol}\r\n\tOriginalContent: type=application/soap+xml;"
            f"charset=UTF-8;Length={len(MESSAGE)}\r\n--Encrypted Boundary\r\n"
            "\tContent-Type: application/octet-stream\r\n"
        ).encode()
        body += len(wrapped.header).to_bytes(4, "little") + wrapped.header + wrapped.data
        body += b"--Encrypted Boundary--\r\n"
        kind = f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"'
        answer = session.post(url, data=body, headers={"Content-Type": kind}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.content.startswith(f"--Encrypted Boundary\r\n\tContent-Type: {protocol}\r\n".encode())


@pytest.mark.usefixtures("ticket")
def test_a_ticket_is_delegated_where_that_is_asked_for(host: Host) -> None:
    pywinrm(host, kerberos_delegation=True)
    assert host.fleet.traffic(host.name)["logins"][0]["delegated"] is True


def test_another_account_is_not_let_in(host: Host, realm: kdc.Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(realm, monkeypatch, "stranger")
    with pytest.raises(InvalidCredentialsError):
        pywinrm(host)
    assert host.fleet.traffic(host.name)["logins"] == []


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("keytab", ["pc-else.corp.test", ""])
def test_a_machine_without_the_key_lets_nobody_in(host: Host, keytabs: dict[str, str], keytab: str) -> None:
    host.fleet.patch(host.name, keytab=keytabs.get(keytab, ""))
    with pytest.raises(InvalidCredentialsError):
        pywinrm(host)


@pytest.mark.usefixtures("ticket")
def test_a_plain_body_after_the_login_is_refused(host: Host) -> None:
    with pytest.raises(WinRMTransportError) as error:
        pywinrm(host, message_encryption="never")
    assert error.value.code == 500


@pytest.mark.usefixtures("ticket")
def test_a_token_serves_once(host: Host) -> None:
    """Windows notes the tokens that it has seen."""
    context = spnego.client(hostname=SERVICE, service="HTTP", protocol="kerberos")
    header = f"Authorization: Negotiate {base64.b64encode(context.step() or b'').decode()}"
    assert [host.post(b"", header, "Connection: close").split()[1] for _ in range(2)] == [b"200", b"401"]
