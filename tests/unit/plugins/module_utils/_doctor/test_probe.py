# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener shows to everybody."""

from __future__ import annotations

import ssl
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._doctor import probe
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import EndpointUnreachable
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.listener import proxy_in_the_way
from tests.unit.servers import BadServer, certificate, free_port


def settings(port: int, **options: t.Any) -> Settings:
    return Settings(**{"host": "127.0.0.1", "username": "admin", "password": "secret", "port": port, **options})


def fails(look: t.Callable[[Settings], object], to: Settings, layer: str) -> str:
    with pytest.raises(EndpointUnreachable) as caught:
        look(to)
    assert caught.value.layer == layer
    return str(caught.value)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(pem: Path) -> Iterator[BadServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with BadServer(lambda exchange: exchange.hang_up(), context) as server:
        yield server


def test_an_address_is_itself() -> None:
    assert probe.resolve(settings(5986)) == ["127.0.0.1"]


def test_a_name_that_does_not_resolve() -> None:
    assert "no-such-host.invalid" in fails(probe.resolve, settings(5986, host="no-such-host.invalid"), "dns")


def test_a_port_that_nobody_listens_on() -> None:
    port = free_port()
    assert str(port) in fails(probe.open_port, settings(port), "port")


def test_a_certificate_that_is_trusted(secure: BadServer, pem: Path) -> None:
    found = probe.certificate(settings(secure.port, ca_trust_path=str(pem)))
    assert (found.subject, found.issuer, found.distrust) == ("CN=pc-0001", "CN=pc-0001", "")
    assert found.not_after.tzinfo is not None
    assert secure.exchanges == []


def test_a_certificate_that_is_not_is_read_all_the_same(secure: BadServer) -> None:
    found = probe.certificate(settings(secure.port))
    assert found.subject == "CN=pc-0001"
    assert "self-signed" in found.distrust or "self signed" in found.distrust
    assert secure.exchanges == []


def test_trust_comes_from_the_environment_as_for_the_transport(
    secure: BadServer, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    assert probe.certificate(settings(secure.port)).distrust == ""


def test_a_file_of_cas_that_is_not_there(secure: BadServer, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    assert missing in fails(probe.certificate, settings(secure.port, ca_trust_path=missing), "tls")


def test_a_listener_that_speaks_no_tls() -> None:
    with BadServer(lambda exchange: exchange.answer("400 Bad Request")) as server:
        fails(probe.certificate, settings(server.port), "tls")


def test_a_proxy_is_noticed_where_the_transport_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not proxy_in_the_way(settings(5986))
    assert proxy_in_the_way(settings(5986, proxy="http://proxy.example:3128"))
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert proxy_in_the_way(settings(5986))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert not proxy_in_the_way(settings(5986))
