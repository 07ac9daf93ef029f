# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.login import kerberos, methods
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings


def settings(auth: str, **options: t.Any) -> Settings:
    defaults = {"username": "u", "password": "p", "cert_pem": "c.pem", "cert_key_pem": "k.pem", "library": "pypsrp"}
    return methods.checked(Settings(host="pc", auth=auth, **{**defaults, **options}))


def test_logins_of_the_libraries() -> None:
    assert methods.names("pywinrm") == ("ntlm", "kerberos", "basic", "certificate", "credssp")
    assert methods.names("pypsrp") == ("negotiate", *methods.names("pywinrm"))


@pytest.mark.parametrize("auth", methods.LOGINS)
def test_what_cannot_be_sealed_is_not_sent_over_http(auth: str) -> None:
    if methods.LOGINS[auth].seals:
        assert settings(auth, scheme="http").url
    else:
        with pytest.raises(errors.SettingsError, match="unprotected"):
            settings(auth, scheme="http")


@pytest.mark.parametrize("auth", methods.LOGINS)
def test_a_refused_login_says_whose_it_was(auth: str) -> None:
    refused = methods.login_of(settings(auth)).refused()
    if auth == "kerberos":  # the KDC has judged the password, and the endpoint a ticket
        assert isinstance(refused, errors.TicketUnavailable) and "HTTP/pc" in str(refused)
    else:
        assert isinstance(refused, errors.LoginRejected)
        assert f"login of {'c.pem' if auth == 'certificate' else 'u'} with {auth}" in str(refused)


@pytest.mark.parametrize("auth", methods.LOGINS)
def test_an_error_of_something_else_is_left_alone(auth: str) -> None:
    assert methods.login_of(settings(auth)).explain(KeyError("x")) is None


def test_negotiate_without_a_password_needs_kerberos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kerberos, "GSSAPI_IMPORT_ERROR", ImportError("none"))
    assert methods.login_of(settings("negotiate")).credential() == ("u", "p", None)
    with pytest.raises(errors.SettingsError, match=r"pypsrp\[kerberos\]"):
        methods.login_of(settings("negotiate", password=None)).credential()
