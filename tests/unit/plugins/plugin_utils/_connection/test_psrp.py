# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own rules for the variables of a psrp host: its plugin itself says what they come to."""

from __future__ import annotations

import typing as t

import pytest
from ansible import constants as C

from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport import pypsrp
from ansible_collections.configmgr.client.plugins.plugin_utils._connection.psrp import (
    NAMES,
    psrp_settings,
    without_effect,
)
from tests.unit.ansible_connections import plugin, pypsrp_of

PASSWORD = "correct horse battery staple"
HOST = {"ansible_host": "pc-0001.corp.example", "ansible_user": "CORP\\admin", "ansible_password": PASSWORD}


def settings(connect_timeout: float = 3, **variables: t.Any) -> Settings:
    return psrp_settings(plugin("psrp", {**HOST, **variables}).get_option, connect_timeout)


# Each option against what Ansible's plugin makes of it

CERTIFICATE = {
    "ansible_psrp_auth": "certificate",
    "ansible_psrp_certificate_pem": "/c.pem",
    "ansible_psrp_certificate_key_pem": "/c.key",
}
GIVEN: dict[str, dict[str, t.Any]] = {
    "nothing": {},
    "host": {"ansible_psrp_host": "other.corp.example"},
    "IPv6": {"ansible_host": "2001:db8::7"},
    "user": {"ansible_psrp_user": "other"},
    "password": {"ansible_password": None, "ansible_winrm_password": "other"},
    "password, older": {"ansible_password": None, "ansible_winrm_pass": "other"},
    "port 5985": {"ansible_port": 5985},
    "port 5986": {"ansible_port": "5986"},
    "port of psrp": {"ansible_psrp_port": 15985},
    "protocol http": {"ansible_psrp_protocol": "http"},
    "protocol https": {"ansible_psrp_protocol": "https"},
    "https on 5985": {"ansible_psrp_protocol": "https", "ansible_port": 5985},
    "http on 5986": {"ansible_psrp_protocol": "http", "ansible_port": 5986},
    "path": {"ansible_psrp_path": "gateway/wsman"},
    "auth negotiate": {"ansible_psrp_auth": "negotiate"},
    "auth ntlm": {"ansible_psrp_auth": "ntlm"},
    "auth basic": {"ansible_psrp_auth": "basic"},
    "auth certificate": CERTIFICATE,
    "validation off": {"ansible_psrp_cert_validation": "ignore"},
    "validation off, with a CA": {"ansible_psrp_cert_validation": "ignore", "ansible_psrp_ca_cert": "/ca.pem"},
    "CA": {"ansible_psrp_ca_cert": "/ca.pem"},
    "CA, older name": {"ansible_psrp_cert_trust_path": "/ca.pem"},
    "encryption always": {"ansible_psrp_message_encryption": "always"},
    "encryption never": {"ansible_psrp_message_encryption": "never"},
    "proxy": {"ansible_psrp_proxy": "http://proxy:3128"},
    "proxies ignored": {"ansible_psrp_ignore_proxy": "yes"},
    "delegation": {"ansible_psrp_negotiate_delegate": True},
    "hostname override": {"ansible_psrp_negotiate_hostname_override": "pc.corp.example"},
    "no binding": {"ansible_psrp_negotiate_send_cbt": "no"},
    "service": {"ansible_psrp_negotiate_service": "HTTP"},
    "mechanism": {"ansible_psrp_credssp_auth_mechanism": "ntlm"},
    "old TLS": {"ansible_psrp_credssp_disable_tlsv1_2": True},
    "version": {"ansible_psrp_credssp_minimum_version": 5},
}
ELSEWHERE = {
    *("connection_timeout", "read_timeout", "operation_timeout", "max_envelope_size"),
    *("reconnection_retries", "reconnection_backoff", "certificate_key_password"),
}
"""Set where each message, and each connection, is made."""


@pytest.mark.parametrize("variables", GIVEN.values(), ids=GIVEN)
def test_pypsrp_gets_what_the_plugin_would_give_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, t.Any]
) -> None:
    own = plugin("psrp", {**HOST, **variables})
    expected = {name: value for name, value in pypsrp_of(own).items() if name not in ELSEWHERE}
    expected["negotiate_delegate"] = bool(expected["negotiate_delegate"])  # not set is no

    got: dict[str, t.Any] = {}
    wsman = pypsrp.WSMan

    def record(server: str, **options: t.Any) -> t.Any:
        got.update(options, server=server)
        return wsman(server, **options)

    monkeypatch.setattr(pypsrp, "WSMan", record)
    made = pypsrp.PypsrpTransport(psrp_settings(own.get_option, 3), Deadline(60))
    made.close()
    assert {name: value for name, value in got.items() if name not in ELSEWHERE} == expected
    assert {type(value) for value in got.values() if isinstance(value, str)} == {str}, "C libraries take no tagged ones"


@pytest.mark.parametrize(
    ("variables", "name", "expected"),
    [
        ({}, "operation_timeout", 20),
        ({"ansible_psrp_operation_timeout": 25}, "operation_timeout", 25),
        ({}, "read_timeout", 30),
        ({"ansible_psrp_read_timeout": "90"}, "read_timeout", 90),
        ({}, "max_envelope_size", 153600),
        ({"ansible_psrp_max_envelope_size": 512000}, "max_envelope_size", 512000),
        ({}, "connect_retries", 0),
        ({"ansible_psrp_reconnection_retries": 4}, "connect_retries", 4),
        ({}, "connect_backoff", 2),
        ({"ansible_psrp_reconnection_backoff": 7}, "connect_backoff", 7),
        ({"ansible_psrp_connection_backoff": 7}, "connect_backoff", 7),
        ({}, "connect_timeout", 3),
        ({"ansible_psrp_connection_timeout": 30}, "connect_timeout", 3),
        ({"ansible_psrp_connection_timeout": 60}, "connect_timeout", 60),
        ({"ansible_psrp_connection_timeout": 1}, "connect_timeout", 1),
    ],
)
def test_times_and_sizes(variables: dict[str, t.Any], name: str, expected: float) -> None:
    assert getattr(settings(**variables), name) == expected


def test_every_documented_option_is_read() -> None:
    """Those of newer releases too; what stands below is for PowerShell alone, or for Ansible."""
    asked = set()
    own = plugin("psrp", HOST)

    def get_option(name: str) -> t.Any:
        asked.add(name)
        return own.get_option(name)

    psrp_settings(get_option, 3)
    assert set(own.option_definitions) - asked <= {"configuration_name", "no_profile", "pipelining"}


def options(**given: t.Any) -> dict[str, t.Any]:
    own = plugin("psrp", {**HOST, **CERTIFICATE})
    found = {name: own.get_option(name) for name in own.option_definitions if name != "certificate_key_password"}
    return {**found, **given}


def test_password_of_a_key() -> None:
    new = options(certificate_key_password=PASSWORD)
    assert psrp_settings(new.__getitem__, 3).cert_key_password == PASSWORD
    extra = options(_extras={"ansible_psrp_certificate_key_password": PASSWORD})
    assert psrp_settings(extra.__getitem__, 3).cert_key_password == PASSWORD, "ansible-core 2.16"
    assert psrp_settings(options().__getitem__, 3).cert_key_password is None, "ansible-core 2.19"


def test_passwords_are_in_no_text() -> None:
    found = psrp_settings(options(certificate_key_password=PASSWORD).__getitem__, 3)
    assert PASSWORD not in repr(found) + str(found)
    with pytest.raises(SettingsError) as caught:
        settings(ansible_psrp_proxy=f"admin:{PASSWORD}@proxy")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("connection_timeout", 0, "=0 .*1 s"),
        ("read_timeout", 0, "=0 "),
        ("operation_timeout", 0, "=0 "),
        ("reconnection_retries", -1, "=-1 "),
        ("reconnection_backoff", -1, "=-1 "),
        ("max_envelope_size", 4096, "=4096 .*8192 octets"),
        ("credssp_minimum_version", 1, "=1 "),
        ("proxy", "proxy.example:3128", ".*http://"),
    ],
)
def test_bad_option_is_named(name: str, value: t.Any, words: str) -> None:
    with pytest.raises(SettingsError, match=f"ansible_psrp_{name}{words}"):
        settings(**{f"ansible_psrp_{name}": value})


# What has no effect


@pytest.mark.parametrize(
    ("variables", "given", "useless"),
    [
        ({}, [], []),
        ({}, ["configuration_name", "no_profile"], ["configuration_name", "no_profile"]),
        ({"ansible_psrp_protocol": "http"}, ["ca_cert", "cert_validation"], ["ca_cert", "cert_validation"]),
        ({"ansible_psrp_protocol": "http"}, ["negotiate_send_cbt", "protocol"], ["negotiate_send_cbt"]),
        ({}, ["ca_cert", "cert_validation", "negotiate_send_cbt"], []),
        ({"ansible_psrp_cert_validation": "ignore"}, ["ca_cert", "cert_validation"], ["ca_cert"]),
        ({"ansible_psrp_auth": "ntlm"}, ["negotiate_service", "negotiate_delegate"], None),
        ({"ansible_psrp_auth": "negotiate"}, ["negotiate_service", "negotiate_delegate"], []),
        ({"ansible_psrp_auth": "basic"}, ["negotiate_send_cbt"], None),
        ({}, ["credssp_auth_mechanism", "credssp_minimum_version", "credssp_disable_tlsv1_2"], None),
        ({}, ["certificate_pem", "certificate_key_pem"], None),
        (CERTIFICATE, ["certificate_pem", "certificate_key_pem"], []),
        ({"ansible_psrp_proxy": "http://proxy:3128"}, ["ignore_proxy", "proxy"], ["ignore_proxy"]),
        ({}, ["ignore_proxy"], []),
        ({}, ["reconnection_backoff"], None),
        ({"ansible_psrp_reconnection_retries": 1}, ["reconnection_backoff"], []),
    ],
)
def test_options_without_effect(variables: dict[str, t.Any], given: list[str], useless: list[str] | None) -> None:
    """None for all that are given."""
    expected = given if useless is None else useless
    assert list(without_effect(settings(**variables), given)) == [f"ansible_psrp_{name}" for name in expected]


def test_names_are_those_of_the_plugin() -> None:
    known = {*C.config.get_plugin_vars("connection", "psrp"), "ansible_psrp_certificate_key_password"}
    assert set(NAMES.values()) <= known
    assert set(NAMES) <= set(Settings.__dataclass_fields__)
