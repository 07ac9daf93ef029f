# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.configmgr.client.plugins.module_utils._wsman.certificates import check_files
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import OptionNames, Settings
from tests.unit.servers import certificate

KEY_PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, in one file."""
    return certificate(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def encrypted(pem: Path) -> Path:
    key = serialization.load_pem_private_key(pem.read_bytes(), None)
    protection = serialization.BestAvailableEncryption(KEY_PASSWORD.encode())
    path = pem.with_name("encrypted.key")
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    return path


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("foreign"))


def check(**options: t.Any) -> None:
    names = OptionNames(ca_trust_path="my_ca", cert_pem="my_cert", cert_key_pem="my_key", cert_key_password="my_secret")
    paths = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    check_files(Settings(**{"host": "pc", "username": "u", "password": "p", "names": names, **paths}))


def login(cert: Path, key: Path, **options: t.Any) -> dict[str, t.Any]:
    return {"auth": "certificate", "cert_pem": cert, "cert_key_pem": key, **options}


def test_files_that_can_be_used(pem: Path, encrypted: Path) -> None:
    check(ca_trust_path=pem)
    check(ca_trust_path=pem.parent)
    check(**login(pem, pem))
    check(**login(pem, encrypted, cert_key_password=KEY_PASSWORD))


def test_files_that_are_not_used_may_be_missing(pem: Path) -> None:
    check(ca_trust_path="/no/such.pem", validate_certificate=False)
    check(ca_trust_path="/no/such.pem", scheme="http")
    check(cert_pem="/no/such.pem", cert_key_pem="/no/such.key")


def refused(**options: t.Any) -> str:
    with pytest.raises(SettingsError) as caught:
        check(**options)
    assert KEY_PASSWORD not in str(caught.value)
    return str(caught.value)


def test_missing(pem: Path) -> None:
    assert "my_ca=/no/such.pem cannot be read: No such file" in refused(ca_trust_path="/no/such.pem")
    assert "my_cert=/no/such.pem" in refused(**login(Path("/no/such.pem"), pem))
    assert "my_key=/no/such.key" in refused(**login(pem, Path("/no/such.key")))


def test_a_directory_is_no_certificate(pem: Path) -> None:
    assert "my_cert=" in refused(**login(pem.parent, pem))


@pytest.mark.parametrize("content", [b"", b"\0\xff", b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"])
def test_something_else(tmp_path: Path, pem: Path, content: bytes) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(content)
    assert "my_ca=" in refused(ca_trust_path=other)
    assert "my_cert=" in refused(**login(other, pem))
    assert "my_key=" in refused(**login(pem, other))


def test_key_of_another_certificate(pem: Path, foreign: Path) -> None:
    assert "its own key" in refused(**login(pem, foreign))


@pytest.mark.parametrize("password", [None, "", "another"])
def test_encrypted_key_without_its_password(pem: Path, encrypted: Path, password: str | None) -> None:
    """Nobody is asked for it: who runs this may have no terminal."""
    assert "my_secret where the key is encrypted" in refused(**login(pem, encrypted, cert_key_password=password))


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_file_of_the_environment(monkeypatch: pytest.MonkeyPatch, pem: Path, variable: str) -> None:
    """It holds for requests where no option says otherwise, and fails there in the middle of the login."""
    for path, words in (("/no/such.pem", "cannot be read"), (__file__, "does not contain a certificate")):
        monkeypatch.setenv(variable, path)
        with pytest.raises(SettingsError, match=f"^{variable}={path} {words}"):
            check()
        check(ca_trust_path=pem)
        check(validate_certificate=False)
    monkeypatch.setenv(variable, str(pem))
    check()


def test_no_option_is_named_that_this_way_does_not_have(pem: Path, encrypted: Path) -> None:
    with pytest.raises(SettingsError, match=r"key not encrypted$"):
        check(**login(pem, encrypted, names=OptionNames(cert_pem="my_cert", cert_key_pem="my_key")))
