# SPDX-License-Identifier: GPL-3.0-or-later
"""Origins as ansible-core spells them: 2.21 notes all of them, 2.16 only those of variables and configuration."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.plugin_utils._connection.origins import describe, describe_psrp

PASSWORD = "correct horse battery staple"
VALUES = {
    "remote_addr": "pc-0001",
    "port": 5985,
    "scheme": None,
    "path": "/wsman",
    "transport": ["ntlm", "basic"],
    "kerberos_mode": None,
    "remote_user": "admin",
    "remote_password": PASSWORD,
    "_extras": {"ansible_winrm_send_cbt": False, "ansible_winrm_proxy": f"http://me:{PASSWORD}@proxy:3128"},
}


def described(**origins: t.Any) -> str:
    """*origins* by option: an origin, or a value and an origin where the configuration has another value."""

    def with_origin(name: str) -> tuple[t.Any, t.Any]:
        origin = origins.get(name, "default")
        return origin if isinstance(origin, tuple) else (VALUES[name], origin)

    return describe(VALUES.__getitem__, with_origin)


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("var: ansible_user", "variable ansible_user"),
        (("other", "var: ansible_user"), "variable ansible_user"),  # a template, not yet filled in
        ("keyword: remote_user", "keyword remote_user"),
        ("env: ANSIBLE_REMOTE_USER", "env ANSIBLE_REMOTE_USER"),
        ("default", "default"),
        ("/home/me/ansible.cfg", "configuration file"),
        ((None, "default"), "play, task or command line"),
        ("Direct", "play, task or command line"),
        (None, "play, task or command line"),
    ],
)
def test_where_a_value_comes_from(origin: t.Any, words: str) -> None:
    assert f"remote_user=admin ({words})" in described(remote_user=origin)


def test_what_is_not_set_is_left_out() -> None:
    assert "scheme" not in described()
    assert "transport=ntlm+basic" in described()


def test_secrets_are_set_or_not() -> None:
    said = described(remote_password="var: ansible_password")
    assert "remote_password=set (variable ansible_password)" in said
    assert "ansible_winrm_proxy=set (variable)" in said and "ansible_winrm_send_cbt=False (variable)" in said
    assert PASSWORD not in said
    nothing = describe({**VALUES, "remote_password": None, "_extras": None}.__getitem__, lambda name: (None, "default"))
    assert "remote_password not set" in nothing


PSRP = {
    "remote_addr": "pc-0001",
    "port": None,
    "protocol": "https",
    "path": "wsman",
    "auth": "ntlm",
    "remote_user": "admin",
    "remote_password": PASSWORD,
    "proxy": f"http://me:{PASSWORD}@proxy:3128",
    "certificate_key_password": PASSWORD,
    "ca_cert": "/ca.pem",
    "operation_timeout": 20,
    "negotiate_delegate": None,
}


def described_psrp(**origins: t.Any) -> tuple[str, list[str]]:
    def with_origin(name: str) -> tuple[t.Any, t.Any]:
        origin = origins.get(name, "default")
        return origin if isinstance(origin, tuple) else (PSRP[name], origin)

    return describe_psrp(PSRP, PSRP.__getitem__, with_origin)


def test_psrp_tells_the_important_options_and_those_that_were_given() -> None:
    said, given = described_psrp(ca_cert="var: ansible_psrp_ca_cert", operation_timeout=(30, "default"))
    assert "auth=ntlm (default)" in said and "protocol=https" in said
    assert "ca_cert=/ca.pem (variable ansible_psrp_ca_cert)" in said
    assert "operation_timeout=20 (play, task or command line)" in said
    assert given == ["ca_cert", "operation_timeout"]
    assert "negotiate_delegate" not in said and "port=" not in said


def test_psrp_tells_of_secrets_that_they_are_set() -> None:
    names = ("remote_password", "proxy", "certificate_key_password")
    said, given = described_psrp(**{name: f"var: ansible_psrp_{name}" for name in names})
    for name in names:
        assert f"{name}=set (variable ansible_psrp_{name})" in said
    assert PASSWORD not in said
    assert set(given) == set(names)
