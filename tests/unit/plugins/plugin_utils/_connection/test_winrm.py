# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own rules for the variables of a winrm host, from its documentation of the connection plugin."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.plugin_utils._connection.winrm import winrm_settings

PASSWORD = "correct horse battery staple"


def settings(extras: dict[str, t.Any] | None = None, **options: t.Any) -> Settings:
    """*options* by the names of the plugin's options, *extras* by what follows ``ansible_winrm_``."""
    plugin = {
        "remote_addr": "pc-0001.corp.example",
        "remote_user": "CORP\\admin",
        "remote_password": PASSWORD,
        "port": 5986,
        "scheme": None,
        "path": "/wsman",
        "transport": ["ntlm"],
        "connection_timeout": None,
        "kerberos_command": "kinit",
        "kerberos_mode": None,
        "kinit_args": None,
        "_extras": {f"ansible_winrm_{name}": value for name, value in (extras or {}).items()},
        **options,
    }
    return winrm_settings(plugin.__getitem__, connect_timeout=3, ticket_directory="/tmp/ansible-local-1")


# Where


@pytest.mark.parametrize(
    ("port", "scheme", "url"),
    [
        (5986, None, "https://pc-0001.corp.example:5986/wsman"),
        (None, None, "https://pc-0001.corp.example:5986/wsman"),
        (5985, None, "http://pc-0001.corp.example:5985/wsman"),
        ("5985", None, "http://pc-0001.corp.example:5985/wsman"),
        (15985, None, "https://pc-0001.corp.example:15985/wsman"),
        (5985, "https", "https://pc-0001.corp.example:5985/wsman"),
        (15985, "http", "http://pc-0001.corp.example:15985/wsman"),
    ],
)
def test_port_and_scheme(port: t.Any, scheme: str | None, url: str) -> None:
    assert settings(port=port, scheme=scheme).url == url


def test_path_of_its_own() -> None:
    assert settings(path="/gateway/wsman").url == "https://pc-0001.corp.example:5986/gateway/wsman"


# Who


@pytest.mark.parametrize(
    ("transport", "options", "auth"),
    [
        (["ntlm"], {}, "ntlm"),
        ("ntlm", {}, "ntlm"),
        (["kerberos", "ntlm"], {"remote_user": "admin@CORP.EXAMPLE"}, "kerberos"),
        (["credssp"], {}, "credssp"),
        (["basic"], {}, "basic"),
        (["ssl"], {}, "basic"),
        (["plaintext"], {}, "basic"),
        (["ssl"], {"extras": {"cert_pem": "/c", "cert_key_pem": "/k"}}, "certificate"),
        (["certificate"], {"extras": {"cert_pem": "/c", "cert_key_pem": "/k"}}, "certificate"),
        (None, {}, "basic"),
        ([None], {}, "basic"),
        (None, {"remote_user": "admin@CORP.EXAMPLE"}, "kerberos"),
        (None, {"remote_user": "admin@CORP.EXAMPLE", "port": 5985}, "kerberos"),
        (None, {"extras": {"cert_pem": "/c", "cert_key_pem": "/k"}}, "certificate"),
        (["ntlm"], {"remote_user": "admin@CORP.EXAMPLE"}, "ntlm"),
    ],
)
def test_transport(transport: t.Any, options: dict[str, t.Any], auth: str) -> None:
    assert settings(transport=transport, **options).auth == auth


def test_user_and_password() -> None:
    found = settings()
    assert (found.username, found.password) == ("CORP\\admin", PASSWORD)
    kerberos = settings(transport=["kerberos"], remote_user=None, remote_password=None)
    assert (kerberos.username, kerberos.password) == (None, None)


KERBEROS = {"transport": ["kerberos"], "remote_user": "admin@CORP.EXAMPLE"}


@pytest.mark.parametrize(
    ("options", "password"),
    [
        ({}, PASSWORD),
        ({"kerberos_mode": "managed"}, PASSWORD),
        ({"kerberos_mode": "manual"}, None),
        ({"kerberos_mode": "manual", "kerberos_command": "/opt/kinit", "kinit_args": "-k"}, None),
        ({"remote_password": ""}, None),
        ({"remote_password": None, "kinit_args": "-k"}, None),
    ],
)
def test_whether_a_ticket_is_to_be_got_with_the_password(options: dict[str, t.Any], password: str | None) -> None:
    assert settings(**{**KERBEROS, **options}).password == password


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"kerberos_command": "/opt/kinit"}, "ansible_winrm_kinit_cmd='/opt/kinit'"),
        ({"kinit_args": "-C"}, "ansible_winrm_kinit_args='-C'"),
        ({"kerberos_mode": "managed", "remote_password": None}, "ansible_password"),
    ],
)
def test_a_way_to_tickets_that_is_not_gone_is_refused(options: dict[str, t.Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        settings(**{**KERBEROS, **options})


def test_of_ntlm_the_options_of_kinit_say_nothing() -> None:
    assert settings(kerberos_mode="manual", kinit_args="-k").password == PASSWORD


def test_basic_over_http_is_refused_whatever_ansible_would_do() -> None:
    for transport in (None, ["plaintext"], ["basic"]):
        with pytest.raises(SettingsError, match="https"):
            settings(transport=transport, port=5985)


# How


DEFAULTS = {
    "validate_certificate": True,
    "ca_trust_path": None,
    "cert_pem": None,
    "cert_key_pem": None,
    "message_encryption": "auto",
    "service": "HTTP",
    "send_cbt": True,
    "kerberos_delegation": False,
    "kerberos_hostname_override": None,
    "proxy": None,
    "operation_timeout": 20.0,
    "read_timeout": 30.0,
    "connect_timeout": 3,
}


def test_defaults_are_those_of_pywinrm() -> None:
    found = settings()
    assert {name: getattr(found, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("extra", "value", "name", "expected"),
    [
        ("server_cert_validation", "ignore", "validate_certificate", False),
        ("server_cert_validation", "validate", "validate_certificate", True),
        ("ca_trust_path", "/etc/ssl/corp.pem", "ca_trust_path", "/etc/ssl/corp.pem"),
        ("ca_trust_path", "legacy_requests", "ca_trust_path", None),
        ("cert_pem", "/c.pem", "cert_pem", "/c.pem"),
        ("cert_key_pem", "/k.pem", "cert_key_pem", "/k.pem"),
        ("message_encryption", "always", "message_encryption", "always"),
        ("service", "WSMAN", "service", "WSMAN"),
        ("send_cbt", False, "send_cbt", False),
        ("send_cbt", "no", "send_cbt", False),
        ("kerberos_delegation", True, "kerberos_delegation", True),
        ("kerberos_delegation", "yes", "kerberos_delegation", True),
        ("kerberos_hostname_override", "alias", "kerberos_hostname_override", "alias"),
        ("proxy", "http://proxy:3128", "proxy", "http://proxy:3128"),
        ("operation_timeout_sec", 25, "operation_timeout", 25.0),
        ("read_timeout_sec", "90.5", "read_timeout", 90.5),
    ],
)
def test_extra(extra: str, value: t.Any, name: str, expected: t.Any) -> None:
    assert getattr(settings({extra: value}), name) == expected


def test_extras_of_other_plugins_mean_nothing() -> None:
    assert settings({"kinit_mode": "managed", "realm": "X"}) == settings()
    assert settings(_extras=None) == settings()


def test_values_are_plain_text() -> None:
    """ansible-core 2.19 and later hand out tagged strings, which C libraries do not take."""

    class Tagged(str):
        __slots__ = ()

    found = settings(
        {"service": Tagged("WSMAN"), "ca_trust_path": Tagged("/x")},
        remote_addr=Tagged("pc"),
        remote_user=Tagged("u"),
        remote_password=Tagged("p"),
        path=Tagged("/wsman"),
        scheme=Tagged("https"),
        transport=[Tagged("ntlm")],
    )
    assert {type(value) for value in vars(found).values() if isinstance(value, str)} == {str}


# What cannot be


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("server_cert_validation", "maybe"),
        ("message_encryption", "sometimes"),
        ("send_cbt", "perhaps"),
        ("kerberos_delegation", "maybe"),
        ("operation_timeout_sec", "soon"),
        ("operation_timeout_sec", "-5"),
        ("operation_timeout_sec", "nan"),
        ("operation_timeout_sec", "inf"),
        ("read_timeout_sec", ""),
        ("read_timeout_sec", "nan"),
        ("read_timeout_sec", "inf"),
        ("read_timeout_sec", "20"),
    ],
)
def test_bad_extra_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"ansible_winrm_{variable}"):
        settings({variable: value})


@pytest.mark.parametrize(
    ("variable", "options"),
    [
        ("ansible_winrm_transport", {"transport": ["negotiate"]}),
        ("ansible_port", {"port": 70000}),
        ("ansible_port", {"port": -1}),
        ("ansible_user", {"remote_user": None}),
        ("ansible_password", {"remote_password": None}),
        ("cert_key_pem", {"transport": ["certificate"], "extras": {"cert_pem": "/c"}}),
        ("message_encryption", {"port": 5985, "extras": {"message_encryption": "never"}}),
    ],
)
def test_bad_option_is_named(variable: str, options: dict[str, t.Any]) -> None:
    with pytest.raises(SettingsError, match=variable):
        settings(**options)


def test_password_is_in_no_text() -> None:
    found = settings()
    assert PASSWORD not in repr(found) + str(found)
    with pytest.raises(SettingsError) as caught:
        settings(transport=["plaintext"], port=5985)
    assert PASSWORD not in str(caught.value)
