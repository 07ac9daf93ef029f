# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins, certificates, and where credentials come from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import PASSWORD, USERNAME, Case, Lab, Outcome, Run

HTTPS = {"ansible_winrm_scheme": "https"}


@pytest.fixture(scope="module")
def https(lab: Lab) -> dict[str, Any]:
    return {
        **HTTPS,
        "ansible_port": lab.simulator.https_port,
        "ansible_winrm_ca_trust_path": lab.simulator.ca_file,
    }


LOGINS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "ntlm over http": ({}, {}, "http"),
    "ntlm over http, encryption asked for": ({}, {"ansible_winrm_message_encryption": "always"}, "http"),
    "ntlm over https": ({}, {}, "https"),
    "ntlm over https, strict binding": ({"channel_binding": "strict"}, {}, "https"),
    "basic over https": ({}, {"ansible_winrm_transport": "basic"}, "https"),
    "ssl is basic over https": ({}, {"ansible_winrm_transport": "ssl"}, "https"),
    "the first of several": ({}, {"ansible_winrm_transport": ["ntlm", "basic"]}, "https"),
    "certificate not checked": (
        {},
        {"ansible_winrm_server_cert_validation": "ignore", "ansible_winrm_ca_trust_path": "legacy_requests"},
        "https",
    ),
}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "untrusted certificate": ({}, {"ansible_winrm_ca_trust_path": "legacy_requests"}, "tls"),
    "no basic offered": (
        {"auth": ["negotiate"], "credentials": {"username": "basic-user", "password": PASSWORD}},
        {"ansible_winrm_transport": "basic"},
        "login",
    ),
}


@pytest.fixture(scope="module")
def logins(lab: Lab, https: dict[str, Any]) -> dict[str, Outcome]:
    cases = {}
    for key, (spec, variables, scheme) in LOGINS.items():
        cases[key] = Case(spec=spec, vars={**(https if scheme == "https" else {}), **variables})
    for key, (spec, variables, _) in REFUSED.items():
        cases[key] = Case(spec=spec, vars={**https, **variables})
    return lab.play(cases)


@pytest.mark.parametrize("key", LOGINS)
def test_logs_in(logins: dict[str, Outcome], key: str) -> None:
    outcome = logins[key]
    assert (outcome.status, outcome.result.get("verdict")) == ("ok", "normal"), outcome.msg
    assert len(outcome.calls) >= 2


@pytest.mark.parametrize("key", REFUSED)
def test_a_login_that_is_refused(logins: dict[str, Outcome], key: str) -> None:
    outcome = logins[key]
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", REFUSED[key][2]), outcome.msg
    assert outcome.calls == []


# -- credentials -------------------------------------------------------------------------------------------------------


def without_login(variables: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in ("ansible_user", "ansible_password")}


@pytest.fixture(scope="module")
def endpoint(lab: Lab) -> str:
    return lab.add({"one": {}})["one"]


def look(lab: Lab, endpoint: str, *options: Any, host: dict[str, Any] | None = None, group: Any = None) -> Run:
    hosts = {endpoint: {**without_login(lab.host_vars(endpoint)), **(host or {})}}
    command = ("ansible", endpoint, "-i", lab.inventory(hosts, group), "-m", "configmgr.client.provisioning_mode_info")
    return lab.ansible(*command, *options)


def test_credentials_of_the_command_line(lab: Lab, endpoint: str) -> None:
    run = look(lab, endpoint, "-u", USERNAME, "--connection-password-file", lab.file("password", PASSWORD + "\n"))
    assert run.module(endpoint).result["verdict"] == "normal"


def test_credentials_of_the_group(lab: Lab, endpoint: str) -> None:
    run = look(lab, endpoint, group={"ansible_user": USERNAME, "ansible_password": PASSWORD})
    assert run.module(endpoint).result["verdict"] == "normal"


def test_credentials_of_the_task(lab: Lab, endpoint: str) -> None:
    variables = {
        "ansible_user": USERNAME,
        "hidden": PASSWORD,
        "ansible_password": "{{ hidden }}",
    }
    task = {"name": "Look", "configmgr.client.provisioning_mode_info": {}, "vars": variables}
    playbook = lab.file("play.yml", [{"name": "Look", "hosts": endpoint, "gather_facts": False, "tasks": [task]}])
    inventory = lab.inventory({endpoint: without_login(lab.host_vars(endpoint))})
    run = lab.ansible("ansible-playbook", "-i", inventory, playbook)
    assert run.module(endpoint).result["verdict"] == "normal"


def test_without_credentials_nothing_is_sent(lab: Lab, endpoint: str) -> None:
    lab.simulator.reset_traffic(endpoint)
    event = look(lab, endpoint).module(endpoint)
    assert event.status == "failed"
    assert "ansible_user" in event.result["msg"]
    assert lab.simulator.traffic(endpoint)["connections"] == 0
