# SPDX-License-Identifier: GPL-3.0-or-later
"""What each variable comes to, and which of several counts: Ansible's plugins themselves are asked, and pywinrm.

Where this differs on purpose, the difference stands here.
"""

from __future__ import annotations

import ipaddress
import typing as t
from urllib.parse import urlsplit

import pytest
import requests
from pypsrp.wsman import WSMan

from ansible_collections.configmgr.client.plugins.module_utils._argspec import given_settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.pypsrp import PypsrpTransport
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.pywinrm import PywinrmTransport
from ansible_collections.configmgr.client.plugins.plugin_utils._connection import psrp, winrm
from tests.unit.ansible_connections import plugin, pypsrp_of, pywinrm_of

PASSWORD = "correct horse battery staple"
HOST = {"ansible_host": "pc-0001.corp.example", "ansible_user": "CORP\\admin", "ansible_password": PASSWORD}
SPELLED = {
    "winrm": {"scheme": "ansible_winrm_scheme", "path": "ansible_winrm_path"},
    "psrp": {"scheme": "ansible_psrp_protocol", "path": "ansible_psrp_path"},
}
CONNECTIONS = tuple(SPELLED)
Variables = dict[str, t.Any]


def settings(connection: str, variables: Variables) -> Settings:
    """As the action reads them, names included."""
    given = {**HOST, **variables}
    own = plugin(connection, given)
    kind, options = (winrm, winrm.OPTIONS) if connection == "winrm" else (psrp, psrp.OPTIONS)
    names = winrm.names_in_use(kind.NAMES, options, own.option_definitions, given)
    if connection == "winrm":
        return winrm.winrm_settings(own.get_option, 3, "/tmp/ansible-local-1", names)
    return psrp.psrp_settings(own.get_option, 3, None, names)


# Where


def dialled(url: str) -> tuple[str, t.Any, int | None, str]:
    """Scheme, host, port and path that requests makes of it: spellings of one address are the same."""
    parts = urlsplit(t.cast(str, requests.Request("POST", url).prepare().url))
    host = t.cast(str, parts.hostname).replace("%25", "%")
    try:
        return parts.scheme, ipaddress.ip_address(host), parts.port, parts.path
    except ValueError:
        return parts.scheme, host, parts.port, parts.path


def of_plugin(connection: str, variables: Variables) -> str:
    own = plugin(connection, {**HOST, **variables})
    if connection == "winrm":
        return str(pywinrm_of(own).transport.endpoint)
    return str(WSMan(**pypsrp_of(own)).transport.endpoint)


def of_ours(found: Settings) -> tuple[str, str]:
    """What it tells in messages and envelopes, and what the library dials."""
    if found.library == "pywinrm":
        return found.url, PywinrmTransport(found, Deadline(60))._transport.endpoint
    return found.url, PypsrpTransport(found, Deadline(60))._transport.endpoint


HOSTS = [
    *("pc-0001", "PC-0001", "pc-0001.corp.example", "pc-0001.corp.example.", "pc_0001", "büro-7.corp.example"),
    *("192.0.2.7", "::1", "[::1]", "2001:db8::7", "2001:DB8::7", "2001:0db8:0:0:0:0:0:7", "[2001:DB8::7]"),
    *("::ffff:192.0.2.7", "fe80::1%eth0", "[fe80::1%eth0]"),
]


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("variable", ["ansible_host", "ansible_{}_host", "inventory_hostname"])
@pytest.mark.parametrize("host", HOSTS)
def test_host(connection: str, variable: str, host: str) -> None:
    given = {"ansible_host": None, variable.format(connection): host}
    expected = dialled(of_plugin(connection, given))
    for url in of_ours(settings(connection, given)):
        assert dialled(url) == expected


WHERE: dict[str, Variables] = {
    "nothing": {},
    "5985": {"ansible_port": 5985},
    "5985 as text": {"ansible_port": "5985"},
    "5986": {"ansible_port": 5986},
    "another port": {"ansible_port": 15985},
    "own port": {"ansible_{}_port": 5985},
    "two ports": {"ansible_port": 5986, "ansible_{}_port": 5985},
    "http": {"scheme": "http"},
    "https": {"scheme": "https"},
    "http on 5986": {"scheme": "http", "ansible_port": 5986},
    "https on 5985": {"scheme": "https", "ansible_port": 5985},
    "two hosts": {"ansible_host": "one", "ansible_{}_host": "two"},
    "path": {"path": "wsman"},
    "gateway": {"path": "gateway/wsman"},
    "query": {"path": "wsman?PSVersion=5.1"},
    "blank in the path": {"path": "my gateway/wsman"},
}


def spelled(connection: str, variables: Variables) -> Variables:
    return {SPELLED[connection].get(name, name.format(connection)): value for name, value in variables.items()}


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("key", WHERE)
def test_port_scheme_and_path(connection: str, key: str) -> None:
    given = spelled(connection, {"ansible_winrm_transport": "ntlm", **WHERE[key]})  # what can go over http as well
    expected = dialled(of_plugin(connection, given))
    for url in of_ours(settings(connection, given)):
        assert dialled(url) == expected


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("path", ["/wsman", "//wsman", "/gateway/wsman"])
def test_a_path_has_one_slash_before_it(connection: str, path: str) -> None:
    """On purpose: the psrp plugin puts one more, and winrm leaves two."""
    found = settings(connection, spelled(connection, {"path": path}))
    assert {dialled(url)[3] for url in of_ours(found)} == {f"/{path.lstrip('/')}"}
    given_twice = connection == "psrp" or path.startswith("//")
    assert dialled(of_plugin(connection, spelled(connection, {"path": path})))[3].startswith("//") == given_twice


@pytest.mark.parametrize("host", HOSTS)
def test_host_of_the_option_endpoint(host: str) -> None:
    """Where the module runs on another host: the same spellings."""
    endpoint = dict.fromkeys(
        ("port", "ca_trust_path", "cert_pem", "cert_key_pem", "kerberos_hostname_override"), None
    ) | {
        "host": host,
        "scheme": "https",
        "path": "/wsman",
        "transport": "ntlm",
        "username": "u",
        "password": PASSWORD,
        "server_cert_validation": "validate",
        "message_encryption": "auto",
        "service": "HTTP",
        "kerberos_delegation": False,
    }
    expected = dialled(of_plugin("winrm", {"ansible_host": host}))
    for url in of_ours(given_settings(endpoint, 3)):
        assert dialled(url) == expected


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize(
    "host",
    [
        *("", " ", "pc 1", "https://pc", "pc:5986", "pc/wsman", "user@pc", "pc?", "pc#1", "CORP\\pc", "[pc]", "[::1"),
        *("::1]", "::1:5986:x", "pc..example", ".pc", "x" * 64, "pc\n", "pc\0", "pc\udce4", "pc%eth0"),
    ],
)
def test_what_is_no_host_is_refused_by_name(connection: str, host: str) -> None:
    """On purpose: the plugins make a URL of it, and with user@pc one that hands on a login."""
    with pytest.raises(SettingsError, match=rf"ansible_{connection}_host="):
        settings(connection, {"ansible_host": "pc", f"ansible_{connection}_host": host})


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("variable", ["ansible_port", "ansible_{}_port"])
@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused_by_name(connection: str, variable: str, port: int) -> None:
    name = variable.format(connection)
    with pytest.raises(SettingsError, match=rf"^{name}={port} "):
        settings(connection, {name: port})


# What pywinrm gets

CERTIFICATE = {"ansible_winrm_cert_pem": __file__, "ansible_winrm_cert_key_pem": __file__}
GIVEN: dict[str, Variables] = {
    "nothing": {},
    "user": {"ansible_winrm_user": "other"},
    "user, alone": {"ansible_user": None, "ansible_winrm_user": "other"},
    "passwords": {"ansible_winrm_pass": "second"},
    "passwords, three": {"ansible_winrm_pass": "second", "ansible_winrm_password": "third"},
    "password, older": {"ansible_password": None, "ansible_winrm_pass": "other"},
    "ntlm": {"ansible_winrm_transport": "ntlm"},
    "ntlm of several": {"ansible_winrm_transport": "ntlm,basic"},
    "ntlm of a list": {"ansible_winrm_transport": ["ntlm", "credssp"]},
    "blanks in a list": {"ansible_winrm_transport": "ntlm , kerberos"},
    "credssp": {"ansible_winrm_transport": "credssp"},
    "credssp, old TLS": {"ansible_winrm_transport": "credssp", "ansible_winrm_credssp_disable_tlsv1_2": True},
    "basic": {"ansible_winrm_transport": "basic"},
    "ssl": {"ansible_winrm_transport": "ssl"},
    "ssl with a certificate": {"ansible_winrm_transport": "ssl", **CERTIFICATE},
    "a certificate and no transport": CERTIFICATE,
    "certificate": {"ansible_winrm_transport": "certificate", **CERTIFICATE},
    "validation off": {"ansible_winrm_server_cert_validation": "ignore"},
    "validation": {"ansible_winrm_server_cert_validation": "validate"},
    "CA": {"ansible_winrm_ca_trust_path": "/ca.pem"},
    "CA of the environment": {"ansible_winrm_ca_trust_path": "legacy_requests"},
    "encryption": {"ansible_winrm_transport": "ntlm", "ansible_winrm_message_encryption": "always"},
    "no encryption": {"ansible_winrm_message_encryption": "never"},
    "service": {"ansible_winrm_service": "WSMAN"},
    "no binding": {"ansible_winrm_send_cbt": False},
    "delegation": {"ansible_winrm_kerberos_delegation": True},
    "delegation in words": {"ansible_winrm_kerberos_delegation": "yes"},
    "hostname override": {"ansible_winrm_kerberos_hostname_override": "pc"},
    "proxy": {"ansible_winrm_proxy": "http://proxy:3128"},
    "proxy of the environment": {"ansible_winrm_proxy": "legacy_requests"},
    "no proxy": {"ansible_winrm_proxy": None},
    "what pywinrm does not know": {"ansible_winrm_realm": "X", "ansible_winrm_coffee": "black"},
}
SAME = {"plaintext": "basic"}
"""Names that pywinrm has for one login."""


def of_pywinrm(transport: t.Any) -> dict[str, t.Any]:
    names = (
        *("username", "password", "service", "ca_trust_path", "server_cert_validation", "kerberos_delegation"),
        *("kerberos_hostname_override", "message_encryption", "credssp_disable_tlsv1_2", "send_cbt", "proxy"),
    )
    found = {name: getattr(transport, name) for name in names}
    has_certificate = bool(transport.cert_pem or transport.cert_key_pem)
    auth = transport.auth_method
    if auth == "ssl":
        auth = "certificate" if has_certificate else "basic"
    found["auth"] = SAME.get(auth, auth)
    if auth == "certificate":
        found |= {"cert": transport.cert_pem, "key": transport.cert_key_pem}
    return found


@pytest.mark.parametrize("key", GIVEN)
def test_pywinrm_gets_what_the_plugin_would_give_it(key: str) -> None:
    expected = of_pywinrm(pywinrm_of(plugin("winrm", {**HOST, **GIVEN[key]})).transport)
    got = of_pywinrm(PywinrmTransport(settings("winrm", GIVEN[key]), Deadline(60))._transport)
    assert got == expected
    assert {type(value) for value in got.values() if isinstance(value, str)} == {str}, "C libraries take no tagged ones"


TIMES: dict[str, Variables] = {
    "nothing": {},
    "connection": {"connection_timeout": 45},
    "connection as text": {"connection_timeout": "45"},
    "connection, which is 0": {"connection_timeout": 0, "operation_timeout_sec": 7},
    "operation": {"operation_timeout_sec": 25},
    "operation, short": {"operation_timeout_sec": "7"},
    "reading": {"read_timeout_sec": 90},
    "operation and reading": {"operation_timeout_sec": 40, "read_timeout_sec": "90"},
    "connection and operation": {"connection_timeout": 45, "operation_timeout_sec": 7},
    "connection and reading": {"connection_timeout": 45, "read_timeout_sec": 30},
    "all": {"connection_timeout": 45, "operation_timeout_sec": 7, "read_timeout_sec": 300},
}


@pytest.mark.parametrize("key", TIMES)
def test_which_of_the_time_outs_counts(key: str) -> None:
    given = {f"ansible_winrm_{name}": value for name, value in TIMES[key].items()}
    protocol, found = pywinrm_of(plugin("winrm", {**HOST, **given})), settings("winrm", given)
    assert (found.operation_timeout, found.read_timeout) == (protocol.operation_timeout_sec, protocol.read_timeout_sec)


def test_a_longer_operation_alone_waits_longer_for_the_answer() -> None:
    """On purpose: pywinrm refuses it for a read time-out that nobody has set."""
    found = settings("winrm", {"ansible_winrm_operation_timeout_sec": 45})
    assert (found.operation_timeout, found.read_timeout) == (45, 55)


@pytest.mark.parametrize("auth", [None, "kerberos", ["kerberos", "ntlm"], "ntlm"])
@pytest.mark.parametrize("user", ["admin@CORP.EXAMPLE", "CORP\\admin"])
@pytest.mark.parametrize("mode", [None, "managed", "manual"])
@pytest.mark.parametrize("password", [PASSWORD, "", None])
def test_kerberos_and_its_tickets(auth: t.Any, user: str, mode: str | None, password: str | None) -> None:
    """Which login it is, and whether the password gets a ticket; what the plugin would only fail with is refused."""
    given = {
        "ansible_user": user,
        "ansible_password": password,
        "ansible_winrm_kinit_mode": mode,
        "ansible_winrm_transport": auth,
    }
    own = plugin("winrm", {**HOST, **given})
    own._build_winrm_kwargs()
    first = own._winrm_transport[0]
    cannot = not password and (first != "kerberos" or mode == "managed")
    if cannot or (first == "kerberos" and "\\" in user):
        with pytest.raises(SettingsError, match=r"ansible_(password|user)"):
            settings("winrm", given)
        return
    found = settings("winrm", given)
    assert (found.auth, bool(found.password)) == (
        "basic" if first == "ssl" else first,
        bool(own._kerb_managed or first != "kerberos"),
    )


DIFFERENT: dict[str, tuple[Variables, str, t.Any]] = {
    "a no in words is no": ({"ansible_winrm_send_cbt": "no"}, "send_cbt", False),
    "no validation that is null": ({"ansible_winrm_server_cert_validation": None}, "validate_certificate", True),
    "no service that is null": ({"ansible_winrm_service": None}, "service", "HTTP"),
    "no CA that is null": ({"ansible_winrm_ca_trust_path": None}, "ca_trust_path", None),
    "fractions of seconds": ({"ansible_winrm_read_timeout_sec": "90.5"}, "read_timeout", 90.5),
}


@pytest.mark.parametrize("key", DIFFERENT)
def test_different_on_purpose(key: str) -> None:
    variables, name, value = DIFFERENT[key]
    assert getattr(settings("winrm", variables), name) == value


def test_an_empty_ca_file_does_not_switch_the_validation_off() -> None:
    found = settings("psrp", {"ansible_psrp_ca_cert": ""})
    assert PypsrpTransport(found, Deadline(60))._transport.cert_validation is not False


REFUSED: dict[str, Variables] = {
    "ansible_winrm_connection_timeout='-5'": {"ansible_winrm_connection_timeout": -5},
    "ansible_winrm_operation_timeout_sec='0'": {"ansible_winrm_operation_timeout_sec": 0},
    "ansible_winrm_read_timeout_sec=15 s": {"ansible_winrm_read_timeout_sec": 15},
    "ansible_winrm_transport='telepathy'": {"ansible_winrm_transport": ["ntlm", "telepathy"]},
    "ansible_winrm_server_cert_validation=''": {"ansible_winrm_server_cert_validation": ""},
    "ansible_winrm_message_encryption=''": {"ansible_winrm_message_encryption": ""},
    "ansible_winrm_cert_pem": {"ansible_winrm_cert_key_pem": __file__},
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_the_plugin_refuses_is_refused_by_name(said: str) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 -- of Ansible, of pywinrm, or bare
        pywinrm_of(plugin("winrm", {**HOST, **REFUSED[said]}))
    with pytest.raises(SettingsError) as caught:
        settings("winrm", REFUSED[said])
    assert said in str(caught.value)


# Names


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_messages_name_the_variable_that_counts(connection: str) -> None:
    own = {f"ansible_{connection}_host": "h", f"ansible_{connection}_port": 1, f"ansible_{connection}_user": "u"}
    names = settings(connection, {**own, "ansible_winrm_pass": "p"}).names
    assert [names[field] for field in ("host", "port", "username")] == list(own)
    assert names["password"] == "ansible_winrm_pass"
    usual = settings(connection, {}).names
    assert [usual[field] for field in ("host", "port", "username", "password")] == [
        *("ansible_host", "ansible_port", "ansible_user", "ansible_password")
    ]


def test_of_two_spellings_the_one_that_is_set_is_named() -> None:
    assert settings("psrp", {"ansible_psrp_cert_trust_path": "/ca"}).names["ca_trust_path"] == (
        "ansible_psrp_cert_trust_path"
    )
    with pytest.raises(SettingsError, match=r"^ansible_psrp_connection_backoff=-1"):
        settings("psrp", {"ansible_psrp_connection_backoff": -1})


def test_a_time_out_is_named_as_it_was_set() -> None:
    names = settings("winrm", {"ansible_winrm_connection_timeout": 45}).names
    assert {names["operation_timeout"], names["read_timeout"]} == {"ansible_winrm_connection_timeout"}
