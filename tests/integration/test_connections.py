# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins, certificates, where credentials come from, and the endpoint option from another host."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.integration.harness import PASSWORD, USERNAME, Case, Lab, Outcome, Run, client_key

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


# -- the endpoint option -----------------------------------------------------------------------------------------------

# Key: module, options, endpoint, check mode.
BASTION: dict[str, tuple[str, dict[str, Any], dict[str, Any], bool]] = {
    "info": ("provisioning_mode_info", {}, {"profile": "stuck"}, False),
    "release": ("provisioning_mode", {"enabled": False}, {"profile": "stuck"}, False),
    "rehearsal": ("provisioning_mode", {"enabled": False}, {"profile": "stuck"}, True),
    "left alone": ("provisioning_mode", {"enabled": False}, {"profile": "live_upgrade"}, False),
    "timeout": ("provisioning_timeout", {"max_minutes": 720}, {}, False),
    "timeout, rehearsal": ("provisioning_timeout", {"max_minutes": 720}, {}, True),
    "dependency": ("smstsmgr_dependency", {}, {"profile": "smstsmgr_dependency"}, False),
    "failure": ("provisioning_mode", {"enabled": False}, {"profile": "stale_name"}, False),
    "denied": ("provisioning_mode_info", {}, {"profile": "access_denied"}, False),
    "unreachable": ("provisioning_mode_info", {}, {"profile": "switched_off"}, False),
    "bad option": ("provisioning_timeout", {"max_minutes": 59}, {}, False),
}
OF_ONE_RUN = {"clock_skew_seconds", "invocation", "_ansible_no_log", "_ansible_parsed", "ansible_facts", "exception"}


@pytest.fixture(scope="module")
def both(lab: Lab) -> dict[str, tuple[Outcome, Outcome]]:
    """In process over the host's connection, and as a module on another host: each on an endpoint of its own."""
    direct = {key: Case(module, options, spec, check=check) for key, (module, options, spec, check) in BASTION.items()}
    first = lab.play(direct)
    specs = {
        key: {"machine_name": outcome.endpoint["machine_name"], **direct[key].spec} for key, outcome in first.items()
    }
    names = lab.add(specs)
    through = {}
    for key, case in direct.items():
        variables = lab.host_vars(names[key])
        option = {
            "host": variables["ansible_host"],
            "port": variables["ansible_port"],
            "scheme": "http",
            "username": variables["ansible_user"],
            "password": variables["ansible_password"],
        }
        name = {"computer_name": first[key].event.host}
        through[key] = Case(
            case.module,
            {**name, **case.options, "endpoint": option},
            vars={"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            check=case.check,
        )
    second = lab.again(names, through)
    return {key: (first[key], second[key]) for key in BASTION}


@pytest.mark.parametrize("key", BASTION)
def test_through_a_bastion_it_is_the_same(both: dict[str, tuple[Outcome, Outcome]], key: str) -> None:
    direct, through = both[key]
    assert direct.status == through.status, through.result

    def told(outcome: Outcome) -> dict[str, Any]:
        address = outcome.endpoint["address"]
        kept = {
            name: value
            for name, value in outcome.result.items()
            if name not in OF_ONE_RUN and not (name in ("failed", "unreachable") and not value)
        }
        for name in ("timeline", "evidence"):  # with times of the endpoint's own
            kept.pop(name, None)
        return {
            name: value.replace(address, "ADDRESS") if isinstance(value, str) else value for name, value in kept.items()
        }

    assert told(direct) == told(through)
    assert [write["event"] for write in direct.writes] == [write["event"] for write in through.writes]
    assert len(direct.calls) == len(through.calls)


def test_a_bastion_really_releases(both: dict[str, tuple[Outcome, Outcome]]) -> None:
    _, through = both["release"]
    assert through.changed and through.endpoint["client"]["loaded_mode"] is False
    assert client_key(through.endpoint)["ProvisioningMode"]["data"] == "false"
    assert both["rehearsal"][1].writes == []
