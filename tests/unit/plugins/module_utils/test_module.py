# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils import _module
from ansible_collections.configmgr.client.plugins.module_utils._argspec import endpoint_settings
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import (
    MethodFailed,
    NotVerified,
    WrongMachine,
)
from ansible_collections.configmgr.client.plugins.module_utils._module import (
    Task,
    TaskFailed,
    TaskUnreachable,
    failures,
    problem,
)
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import PermissionRefused, WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, SettingsError, fault
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import OptionNames
from tests.unit.windows import Windows


def ended(error: Exception) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught, failures():
        raise error
    assert caught.value.__cause__ is error
    return caught.value


UNREACHABLE = [
    *[(errors.EndpointUnreachable("no", layer), layer) for layer in ("dns", "port", "proxy", "tls", "timeout", "http")],
    (errors.LoginRejected("no"), "login"),
    (errors.LoginUnavailable("no"), "login"),
    (errors.TicketUnavailable("no"), "kerberos"),
]
FAILED = [
    (errors.ConnectionLost("gone"), "connection"),
    (errors.StaleConnection("gone"), "connection"),
    (errors.DeadlineExceeded("over"), "timeout"),
    (errors.ProtocolError("garbage"), "protocol"),
    (SettingsError("wrong"), "settings"),
    (fault(FaultDetail(5, "", "")), "permission"),
    (fault(FaultDetail(2150858752, "", "")), "class"),
    (fault(FaultDetail(2150859173, "", "")), "quota"),
    (fault(FaultDetail(0x80041001, "", "")), "provider"),
    (fault(FaultDetail(None, "", "what")), "fault"),
    (WindowsError("no", 1), "windows"),
    (PermissionRefused("no", 5), "permission"),
    (WrongMachine("it is another one"), "wrong_machine"),
    (MethodFailed("no"), "client"),
    (NotVerified("no"), "client"),
    (errors.LoginLost("it let this account in before", "login"), "login"),
    (errors.NotSent("nothing was written", "permission"), "permission"),
    (errors.NotSent("nothing was written", "connection"), "connection"),
]
FINAL = {"tls", "login", "kerberos", "library", "settings", "permission", "wrong_machine"}
"""Layers whose failures no waiting mends, and a login that must not be tried again."""


@pytest.mark.parametrize(("error", "layer"), UNREACHABLE, ids=str)
def test_nothing_was_asked_is_unreachable(error: Exception, layer: str) -> None:
    failure = ended(error)
    assert isinstance(failure, TaskUnreachable)
    assert failure.result == {"error_layer": layer, "retryable": layer not in FINAL}
    assert len(str(failure).split(". ")) > 1, "what to do next is said"


@pytest.mark.parametrize(("error", "layer"), FAILED, ids=str)
def test_everything_else_is_failed(error: Exception, layer: str) -> None:
    failure = ended(error)
    assert type(failure) is TaskFailed
    assert failure.result == {"error_layer": layer, "retryable": layer not in FINAL}
    assert str(error).rstrip(".") in str(failure)


@pytest.mark.parametrize("error", [error for error, _layer in UNREACHABLE + FAILED], ids=str)
def test_message_is_sentences_on_one_line(error: Exception) -> None:
    message = str(ended(error))
    assert message.endswith((".", "?"))
    assert "\n" not in message
    assert ".." not in message.replace("...", "")


def test_doubt_is_said_where_there_is_doubt() -> None:
    assert "not known" in str(ended(errors.ConnectionLost("gone")))
    assert "not known" not in str(ended(errors.LoginRejected("no")))
    assert "not known" not in str(ended(errors.NotSent("nothing was written", "connection")))


def test_defects_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), failures():
        raise ZeroDivisionError


def test_failure_also_tells_what_was_done_until_then() -> None:
    task = Task(Windows().endpoint, {"computer_name": "PC-0001"}, False, str)
    done: list[str] = []

    def work() -> None:
        with task.telling(lambda: {"done": done, "changed": True}):
            done.append("first")
            raise errors.ConnectionLost("gone")

    with pytest.raises(TaskFailed, match="gone") as caught:
        work()
    assert caught.value.result == {
        "error_layer": "connection",
        "retryable": True,
        "done": ["first"],
        "changed": True,
    }
    with task.telling(dict), pytest.raises(ZeroDivisionError):
        raise ZeroDivisionError


def test_failure_that_tells_so_names_options_as_the_user_does() -> None:
    task = Task(Windows().endpoint, {}, False, str, OptionNames(username="ansible_user"))
    with pytest.raises(TaskFailed, match="Check ansible_user"), task.telling(dict):
        raise errors.LoginLost("it let this account in before", "login")


@pytest.mark.parametrize(
    ("params", "wrong"),
    [({"computer_name": "OTHER", "name_check": "short"}, True), ({"computer_name": "OTHER"}, False)],
)
def test_guard_of_a_task_is_one_and_knows_what_is_meant(params: dict[str, t.Any], wrong: bool) -> None:
    task = Task(Windows().endpoint, params, False, str)
    assert task.guard is task.guard
    if wrong:
        with pytest.raises(WrongMachine):
            task.guard.identify()
    else:
        task.guard.identify()


# Numbers


@pytest.mark.parametrize("name", ["connect_timeout", "deadline", "wait_timeout"])
def test_times_are_at_least_a_second(name: str) -> None:
    assert problem({name: 1}, None) is None
    for seconds in (0, -1):
        assert f"{name}={seconds}" in problem({name: seconds}, None)


def test_minimum_age_may_be_nothing() -> None:
    assert problem({"minimum_age": 0}, None) is None
    assert "minimum_age=-1" in problem({"minimum_age": -1}, None)


def test_module_has_the_last_word() -> None:
    assert problem({"deadline": 5}, lambda params: f"wrong with {params}") == "wrong with {'deadline': 5}"
    assert "deadline=0" in problem({"deadline": 0}, lambda params: "never asked")


# Libraries


@pytest.mark.parametrize("library", _module.IMPORT_ERRORS)
def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    assert _module.missing_library(library) is None
    missing = ImportError("No module named 'x'")
    monkeypatch.setitem(_module.IMPORT_ERRORS, library, missing)
    message = _module.missing_library(library)
    assert message is not None and library in message and "No module named 'x'" in message


@pytest.mark.parametrize("library", _module.IMPORT_ERRORS)
def test_library_that_does_not_carry_the_messages_may_be_missing(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    for other in set(_module.IMPORT_ERRORS) - {library}:
        monkeypatch.setitem(_module.IMPORT_ERRORS, other, ImportError("No module named 'x'"))
    assert _module.missing_library(library) is None


@pytest.mark.parametrize("library", _module.IMPORT_ERRORS)
def test_missing_parser_is_named(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(_module, "DEFUSEDXML_IMPORT_ERROR", ImportError("No module named 'x'"))
    assert "defusedxml" in (_module.missing_library(library) or "")


# The endpoint option

OPTION: dict[str, t.Any] = {
    "host": "pc",
    "port": None,
    "scheme": "https",
    "path": "wsman",
    "transport": "ntlm",
    "username": "u",
    "password": "p",
    "server_cert_validation": "validate",
    "ca_trust_path": None,
    "cert_pem": None,
    "cert_key_pem": None,
    "message_encryption": "auto",
    "service": "HTTP",
    "kerberos_delegation": False,
    "kerberos_hostname_override": None,
}


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://pc:5986/wsman"),
        ({"scheme": "http"}, "http://pc:5985/wsman"),
        ({"scheme": "http", "port": 80}, "http://pc:80/wsman"),
        ({"port": 443, "path": "/x"}, "https://pc:443/x"),
    ],
)
def test_endpoint_has_the_usual_ports(options: dict[str, t.Any], url: str) -> None:
    assert endpoint_settings({**OPTION, **options}, 5).url == url


def test_endpoint_says_how_to_log_in() -> None:
    found = endpoint_settings({**OPTION, "server_cert_validation": "ignore", "transport": "basic"}, 7)
    assert (found.auth, found.username, found.password) == ("basic", "u", "p")
    assert (found.validate_certificate, found.connect_timeout) == (False, 7)
    assert endpoint_settings(OPTION, 7).validate_certificate is True


def test_endpoint_that_cannot_work_is_refused() -> None:
    with pytest.raises(SettingsError, match="https"):
        endpoint_settings({**OPTION, "scheme": "http", "transport": "basic"}, 5)
