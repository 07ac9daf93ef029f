# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.login.methods import checked
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import OptionNames, Settings


def settings(**options: t.Any) -> Settings:
    return checked(Settings(**{"host": "pc", "username": "u", "password": "p", **options}))


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://pc:5986/wsman"),
        ({"scheme": "http", "port": 5985}, "http://pc:5985/wsman"),
        ({"path": "/wsman"}, "https://pc:5986/wsman"),
        ({"path": "/proxy/wsman"}, "https://pc:5986/proxy/wsman"),
        ({"host": "192.0.2.7"}, "https://192.0.2.7:5986/wsman"),
        ({"host": "2001:db8::7"}, "https://[2001:db8::7]:5986/wsman"),
    ],
)
def test_url(options: dict[str, t.Any], url: str) -> None:
    assert settings(**options).url == url


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"auth": "negotiate"}, "negotiate.*ntlm"),
        ({"scheme": "ftp"}, "ftp"),
        ({"port": 0}, "port=0 "),
        ({"port": 65536}, "port=65536 "),
        ({"scheme": "http", "auth": "basic"}, "unprotected"),
        ({"scheme": "http", "auth": "certificate", "cert_pem": "a", "cert_key_pem": "b"}, "unprotected"),
        ({"scheme": "http", "message_encryption": "never"}, "unprotected"),
        ({"scheme": "http", "message_encryption": "never", "auth": "kerberos"}, "unprotected"),
        ({"auth": "certificate"}, "cert_pem"),
        ({"auth": "certificate", "cert_pem": "a"}, "cert_key_pem"),
        ({"auth": "basic", "message_encryption": "always"}, "message_encryption=always .* auth=basic"),
        ({"names": OptionNames(auth="my_login"), "auth": "negotiate"}, "my_login='negotiate'"),
        ({"username": None}, "user"),
        ({"username": ""}, "user"),
        ({"password": None}, "password"),
        ({"auth": "basic", "password": None}, "password"),
        ({"auth": "kerberos", "username": "CORP\\admin"}, "user@REALM"),
        ({"auth": "kerberos", "username": None}, "user"),
        ({"read_timeout": 20, "operation_timeout": 20}, "20 s"),
    ],
)
def test_settings_that_cannot_work_are_refused(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"auth": "kerberos", "username": None, "password": None},
        {"auth": "kerberos", "username": "admin@CORP.EXAMPLE"},
        {"auth": "certificate", "cert_pem": "a", "cert_key_pem": "b", "username": None, "password": None},
        {"scheme": "http"},
        {"password": ""},
        {"message_encryption": "never"},
        {"message_encryption": "always"},
        {"library": "pypsrp", "auth": "negotiate"},
        {"library": "pypsrp", "auth": "negotiate", "username": None, "password": None},
    ],
)
def test_settings_that_can_work_are_taken(options: dict[str, t.Any]) -> None:
    assert settings(**options).host == "pc"


def test_password_does_not_show() -> None:
    secret = "correct horse battery staple"
    shown = settings(password=secret)
    assert secret not in repr(shown) + str(shown)
    assert shown.password == secret
