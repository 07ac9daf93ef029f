# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.login.methods import LOGINS, checked
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
        ({"password": ""}, "password"),
        ({"auth": "credssp", "password": ""}, "password"),
        ({"library": "pypsrp", "auth": "negotiate", "password": ""}, "password is empty"),
        ({"library": "pypsrp", "auth": "negotiate", "username": None}, "username"),
        ({"auth": "basic", "username": "op:erator"}, "username=op:erator"),
        ({"auth": "basic", "username": "żółw"}, "username=żółw.*auth to ntlm"),
        ({"auth": "basic", "password": "żółw"}, "password has.*auth to ntlm"),
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
        {"password": "blank \t and line\nbreak"},
        {"auth": "kerberos", "password": ""},
        {"auth": "basic", "username": "büro", "password": "Grüße"},
        {"proxy": "http://user:secret@proxy:3128"},
        {"proxy": "socks5h://[::1]:1080"},
        {"message_encryption": "never"},
        {"message_encryption": "always"},
        {"library": "pypsrp", "auth": "negotiate"},
        {"library": "pypsrp", "auth": "negotiate", "username": None, "password": None},
    ],
)
def test_settings_that_can_work_are_taken(options: dict[str, t.Any]) -> None:
    assert settings(**options).host == "pc"


TEXTS = ("host", "path", "username", "password", "ca_trust_path", "cert_pem", "cert_key_pem", "cert_key_password")
TEXTS += ("service", "kerberos_hostname_override", "proxy")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("strange", "words"), [("\udce4", "no text"), ("\0", "control")])
@pytest.mark.parametrize("auth", [*LOGINS, "none"])
def test_what_nobody_can_send_is_refused_by_name(name: str, strange: str, words: str, auth: str) -> None:
    """Whatever login it is for."""
    with pytest.raises(SettingsError, match=rf"^my_{name}\b.*{words}") as caught:
        settings(**{"auth": auth, name: f"quite{strange}strange", "names": OptionNames({name: f"my_{name}"})})
    secret = name in ("password", "cert_key_password", "proxy")
    assert ("strange" in str(caught.value)) != secret


@pytest.mark.parametrize("proxy", ["proxy:3128", "http://", "ftp://proxy", "http://proxy:x", "http://[::1", "/proxy"])
def test_what_is_no_proxy_is_refused_without_its_login(proxy: str) -> None:
    for url in (proxy, proxy.replace("//", "//user:secret@")):
        with pytest.raises(SettingsError, match=r"^my_proxy is not the URL of a proxy") as caught:
            settings(proxy=url, names=OptionNames(proxy="my_proxy"))
        assert "secret" not in str(caught.value)


def test_login_of_a_proxy_that_cannot_be_sent() -> None:
    for url in ("http://user:żółw@proxy:3128", "http://user:%C5%BC@proxy:3128"):
        with pytest.raises(SettingsError, match=r"^my_proxy has a login with characters"):
            settings(proxy=url, names=OptionNames(proxy="my_proxy"))


def test_password_does_not_show() -> None:
    secret = "correct horse battery staple"
    shown = settings(password=secret)
    assert secret not in repr(shown) + str(shown)
    assert shown.password == secret
