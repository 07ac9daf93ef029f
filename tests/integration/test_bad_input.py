# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is wrong with the options, the settings, the network or the other side: one clear error, nothing changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import (
    SPELLINGS,
    WRONG_PASSWORD,
    Case,
    Lab,
    Outcome,
    on_each,
    spelled,
    without_package,
)

MODE = {"enabled": False}
WRITE = {**MODE, "wait_timeout": 1}


def mode(**options: Any) -> Case:
    return Case("provisioning_mode", {**MODE, **options}, {"profile": "stuck"})


def one(result: Outcome) -> None:
    assert result.status in ("failed", "unreachable"), result.result
    assert len(result.msg.splitlines()) == 1
    assert result.changed is False
    assert result.writes == []


# -- options and settings: nothing is sent -----------------------------------------------------------------------------

# Key: the case; what the message names.
NOT_SENT: dict[str, tuple[Case, list[str]]] = {
    "enabled missing": (Case("provisioning_mode", {}), ["enabled"]),
    "enabled maybe": (mode(enabled="maybe"), ["enabled", "maybe"]),
    "force without a reason": (mode(force=True), ["force_reason"]),
    "force with an empty reason": (mode(force=True, force_reason=""), ["force_reason"]),
    "force with a blank reason": (mode(force=True, force_reason="  \t"), ["force_reason", "empty"]),
    "wait_timeout as long as deadline": (mode(wait_timeout=300), ["wait_timeout=300", "deadline=300"]),
    "wait_timeout longer": (mode(wait_timeout=20, deadline=10), ["wait_timeout=20", "deadline=10"]),
    "wait_timeout zero": (mode(wait_timeout=0), ["wait_timeout=0"]),
    "deadline zero": (mode(deadline=0, wait_timeout=1), ["deadline=0"]),
    "deadline text": (mode(deadline="soon"), ["deadline", "soon"]),
    "connect_timeout zero": (mode(connect_timeout=0), ["connect_timeout=0"]),
    "minimum_age negative": (mode(minimum_age=-1), ["minimum_age=-1"]),
    "minimum_age of the info": (Case(options={"minimum_age": -1}), ["minimum_age=-1"]),
    "via": (mode(via="ssh"), ["via", "ssh", "wmi"]),
    "trigger": (mode(trigger=["coffee"]), ["trigger", "coffee", "hardware_inventory"]),
    "name_check": (mode(name_check="loosely"), ["name_check", "loosely"]),
    "endpoint over winrm": (
        mode(endpoint={"host": "127.0.0.1", "username": "u", "password": "p"}),
        ["endpoint", "delegate_to"],
    ),
    "connection local": (Case(vars={"ansible_connection": "local"}), ["ansible_connection=local", "endpoint"]),
    "connection ssh": (Case(vars={"ansible_connection": "ssh"}), ["ansible_connection=ssh", "endpoint"]),
    "transport": (Case(vars={"ansible_winrm_transport": "telepathy"}), ["telepathy"]),
    "read timeout": (Case(vars={"ansible_winrm_read_timeout_sec": "long"}), ["ansible_winrm_read_timeout_sec", "long"]),
}

BASIC = {"scheme": "https", "auth": "basic", "validation": "ignore"}

# Of both connections. Key: the settings; what the message names, settings in braces.
UNUSABLE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "basic over http": ({"auth": "basic"}, ["{auth}=basic over http", "set {scheme} to https"]),
    "certificate that is missing": (
        {"scheme": "https", "auth": "certificate", "certificate": "/no/such.pem", "key": __file__},
        ["{certificate}=/no/such.pem"],
    ),
    "CA that is none": ({"scheme": "https", "ca": __file__}, ["{ca}=", "does not contain a certificate"]),
    "port that is a word": ({"ansible_port": "winrm"}, ["port", "winrm"]),
    "no user": ({"ansible_user": ""}, ["ansible_user"]),
    "password that was not filled": ({"ansible_password": ""}, ["needs a password (ansible_password)"]),
    "name that basic cannot send": (
        {**BASIC, "ansible_user": "żółw"},
        ["ansible_user=żółw has characters outside ISO 8859-1", "set {auth} to ntlm"],
    ),
    "password that basic cannot send": (
        {**BASIC, "ansible_password": f"{WRONG_PASSWORD}ż"},
        ["ansible_password has characters", "set {auth} to ntlm"],
    ),
    "password that is no text": (
        {"ansible_password": "{{ lookup('env', 'PASSWORD_IN_LATIN_1') }}"},
        ["ansible_password holds octets"],
    ),
    "name with a line break": ({"ansible_user": "CORP\\operator\n"}, ["ansible_user=", "line break"]),
    "host that is a URL": ({"ansible_host": "https://pc"}, ["ansible_host='https://pc'", "without scheme"]),
    "host with a port": ({"ansible_host": "pc:5986"}, ["ansible_host='pc:5986'", "port"]),
    "port 0": ({"ansible_port": 0}, ["ansible_port=0 "]),
    "proxy that is none": ({"proxy": "proxy:3128"}, ["{proxy} is not the URL of a proxy"]),
}
# Of psrp alone. What Ansible itself refuses is told in its words.
UNUSABLE_PSRP: dict[str, tuple[dict[str, Any], list[str]]] = {
    "auth": ({"auth": "telepathy"}, ["auth", "telepathy"]),
    "retries": ({"ansible_psrp_reconnection_retries": "many"}, ["reconnection_retries", "many"]),
    "retries negative": ({"ansible_psrp_reconnection_retries": -1}, ["ansible_psrp_reconnection_retries=-1"]),
}


def unusable() -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
    """Connection, key, variables, and what the message names."""
    for connection, names in SPELLINGS.items():
        for key, (settings, words) in {**UNUSABLE, **(UNUSABLE_PSRP if connection == "psrp" else {})}.items():
            yield connection, key, spelled(connection, **settings), [word.format_map(names) for word in words]


NOT_SENT |= {f"{connection}: {key}": (Case(vars=each), words) for connection, key, each, words in unusable()}

# -- the network and the other side ------------------------------------------------------------------------------------


def planted(then: Any, **match: Any) -> dict[str, Any]:
    return {"profile": "stuck", "faults": [{"match": match, "then": then}]}


def lost(**match: Any) -> dict[str, Any]:
    """It is switched off right after that call, and stays so."""
    return {"profile": "stuck", "boot_seconds": "1h", "triggers": [{"after": match, "do": "reboot"}]}


NO_TLS = "speaks plain HTTP, and was asked for TLS. Set {scheme} to http"
# One for each layer. What else can stand behind an address is told by both libraries alike, and tested with them:
# tests/unit/plugins/module_utils/_wsman/test_transports.py. Key: the endpoint; status; layer; what the message says.
ENDPOINTS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "off": ({"profile": "switched_off"}, "unreachable", "port", "refused"),
    "wrong password": ({"profile": "wrong_password"}, "unreachable", "login", "rejected the login"),
    "no TLS": ({}, "unreachable", "tls", "speaks plain HTTP, and was asked for TLS. Set {scheme} to http"),
    "no TLS, not validated": (
        {},
        "unreachable",
        "tls",
        "speaks plain HTTP, and was asked for TLS. Set {scheme} to http",
    ),
    "no TLS for basic": ({}, "unreachable", "tls", "TLS. Set ansible_port to that of its listener for https"),
    "TLS": ({}, "unreachable", "http", "speaks TLS, and was asked in plain HTTP. Set {scheme} to https"),
    "no such name": ({}, "unreachable", "dns", "no-such-host.invalid"),
    "first answer dropped": (planted("drop"), "unreachable", "http", "cannot be reached"),
    "HTML": (planted("html"), "failed", "protocol", "WinRM"),
    "dropped later": (planted("drop", nth="4+"), "failed", "connection", "answered before"),
    # What was asked has been asked: only a host that was never asked anything is unreachable.
    "switched off later": (lost(nth=3), "failed", "connection", "answered before"),
    "login refused later": (planted("http_401", nth="3+"), "failed", "login", "let this account in before"),
    "forbidden later": (planted("http_403", nth="3+"), "failed", "login", "let this account in before"),
    "access denied": ({"profile": "access_denied"}, "failed", "permission", "local administrator"),
    "silent endpoint": (planted("hang 3600", nth="2"), "failed", "timeout", "deadline of 2 s"),
}
PORT_OF_HTTPS = "the simulator's port for https"
VARIABLES: dict[str, dict[str, Any]] = {
    "no TLS": {"scheme": "https"},
    "no TLS, not validated": {"scheme": "https", "validation": "ignore"},
    "no TLS for basic": BASIC,
    "TLS": {"ansible_port": PORT_OF_HTTPS},
    "no such name": {"ansible_host": "no-such-host.invalid"},
}
VERDICTS = {
    "client's namespace denied": (planted("wmi_access_denied", namespace="root/ccm"), "unknown"),
    "cimv2 denied": (planted("wmi_access_denied", namespace="root/cimv2"), "unknown"),
    "endless time": (
        {
            "profile": "stuck",
            "registry": {
                "HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec": {
                    "ProvisioningEnabledTime": {"type": "qword", "data": 10**11}
                }
            },
        },
        "stuck",
    ),
}


@pytest.fixture(scope="module")
def outcomes(lab: Lab) -> dict[str, Outcome]:
    cases = {f"not sent: {key}": case for key, (case, _) in NOT_SENT.items()}
    for connection, key in on_each(ENDPOINTS):
        variables = dict(VARIABLES.get(key, {}))
        if variables.get("ansible_port") == PORT_OF_HTTPS:
            variables["ansible_port"] = lab.simulator.https_port
        short = {"deadline": 2, "wait_timeout": 1} if key.startswith("silent") else {"wait_timeout": 1}
        cases[f"{connection}: {key}"] = Case(
            "provisioning_mode", {**MODE, **short}, ENDPOINTS[key][0], spelled(connection, **variables)
        )
    for key, (spec, _) in VERDICTS.items():
        cases[f"verdict: {key}"] = Case(spec=spec)
    return lab.play(cases, env={"PASSWORD_IN_LATIN_1": os.fsdecode(f"{WRONG_PASSWORD}ü".encode("latin-1"))})


@pytest.mark.parametrize("key", NOT_SENT)
def test_refused_before_anything_is_sent(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[f"not sent: {key}"]
    one(outcome)
    outcome.assert_refused(*NOT_SENT[key][1])


@pytest.mark.parametrize(("connection", "key"), on_each(ENDPOINTS))
def test_what_is_wrong_with_the_endpoint_is_named(outcomes: dict[str, Outcome], connection: str, key: str) -> None:
    _, status, layer, said = ENDPOINTS[key]
    outcome = outcomes[f"{connection}: {key}"]
    one(outcome)
    assert (outcome.status, outcome.result["error_layer"]) == (status, layer), outcome.msg
    assert said.format_map(SPELLINGS[connection]) in outcome.msg


CALL = {"method": "SetClientProvisioningMode"}
LOST = {
    "switched off": (lost(**CALL), "connection", "Whether its last request was carried out is not known"),
    "forbidden": (planted({"do": "http_403", "executed": True}, **CALL), "login", "Check ansible_user"),
}
"""An endpoint that is lost when it has been changed: its spec, the layer, and what the message says as well."""


def test_what_is_lost_after_a_change_failed_and_tells_of_it(lab: Lab) -> None:
    cases = {
        f"{connection}: {key}": Case("provisioning_mode", WRITE, LOST[key][0], spelled(connection))
        for connection, key in on_each(LOST)
    }
    for key, outcome in lab.play(cases).items():
        _spec, layer, said = LOST[key.partition(": ")[2]]
        assert (outcome.status, outcome.result["error_layer"], outcome.changed) == ("failed", layer, True), outcome.msg
        assert len(outcome.writes) == 1
        assert said in outcome.msg


@pytest.mark.parametrize("key", VERDICTS)
def test_what_is_strange_gets_a_documented_verdict(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[f"verdict: {key}"]
    assert (outcome.status, outcome.result["verdict"]) == ("ok", VERDICTS[key][1])


@pytest.mark.parametrize("connection", SPELLINGS)
def test_a_wrong_password_is_tried_once(outcomes: dict[str, Outcome], connection: str) -> None:
    outcome = outcomes[f"{connection}: wrong password"]
    assert outcome.traffic["login_requests"] == 3
    assert outcome.traffic["calls"] == []


# -- an account that keeps being rejected ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connections", "auth", "tried"),
    [
        (["psrp", "winrm"] * 3, "ntlm", 3),
        # With Kerberos it may try twice, so that a second host could make four.
        (["psrp"] * 6, "negotiate", 1 if find_spec("gssapi") else 3),
    ],
    ids=["both", "psrp, which may try twice"],
)
def test_a_rejected_account_is_not_tried_on_every_host(lab: Lab, connections: list[str], auth: str, tried: int) -> None:
    """One host after the other: three rejections, then no more logins in this run."""
    wrong = {"ansible_user": "CORP\\locked", "ansible_password": WRONG_PASSWORD, "auth": auth}
    cases = {f"host {number}": Case(vars=spelled(each, **wrong)) for number, each in enumerate(connections)}
    outcomes = lab.play(cases, "--forks", "1")
    assert [each.status for each in outcomes.values()] == ["unreachable"] * 6
    assert [each.result["error_layer"] for each in outcomes.values()] == ["login"] * 6
    assert [each.traffic["login_requests"] for each in outcomes.values()] == [3] * tried + [0] * (6 - tried)
    assert all("No login was tried" in outcomes[f"host {number}"].msg for number in range(tried, 6))


def test_an_endpoint_that_rejects_nobody_does_not_count(lab: Lab) -> None:
    """No password was tried where the login method is not offered, so none is at risk."""
    no_ntlm = {"auth": ["kerberos"]}
    cases = {
        f"no ntlm {each}": Case(spec=no_ntlm, vars=spelled(each.split()[0])) for each in ("winrm 1", "psrp", "winrm 2")
    }
    outcomes = lab.play({**cases, "healthy": Case()}, "--forks", "1")
    assert [each.result.get("error_layer") for each in outcomes.values()] == ["login", "login", "login", None]
    assert outcomes["healthy"].status == "ok", outcomes["healthy"].msg


# -- libraries that are missing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocked", "library", "connection"),
    [
        ("winrm", "pywinrm", "winrm"),
        ("pypsrp", "pypsrp", "psrp"),
        ("defusedxml", "defusedxml", "winrm"),
    ],
)
def test_a_missing_library_is_named(lab: Lab, tmp_path: Path, blocked: str, library: str, connection: str) -> None:
    way = spelled(connection)
    endpoint = {"host": "127.0.0.1", "username": "nobody", "password": WRONG_PASSWORD}
    cases = {
        "in process": Case("provisioning_mode", MODE, vars=way),
        "info": Case(vars=way),
        "timeout": Case("provisioning_timeout", {"max_minutes": 720}, vars=way),
        "dependency": Case("smstsmgr_dependency", vars=way),
    }
    if connection == "winrm":
        cases["as a module"] = Case(options={"endpoint": endpoint}, vars={"ansible_connection": "local"})
    outcomes = lab.play(cases, env=without_package(tmp_path, blocked))
    for key, outcome in outcomes.items():
        assert outcome.status == "failed", (key, outcome.result)
        assert library in outcome.msg and "Failed to import" in outcome.msg, (key, outcome.msg)
        assert outcome.traffic["connections"] == 0, key


@pytest.mark.parametrize(("blocked", "connection"), [("winrm", "psrp"), ("pypsrp", "winrm")])
def test_the_library_of_the_other_connection_may_be_missing(
    lab: Lab, tmp_path: Path, blocked: str, connection: str
) -> None:
    outcomes = lab.play({"only": Case(vars=spelled(connection))}, env=without_package(tmp_path, blocked))
    assert outcomes["only"].result.get("verdict") == "normal", outcomes["only"].msg


NEEDS_A_LIBRARY = {
    "kerberos": (
        "gssapi",
        {"auth": "kerberos", "ansible_user": "operator@CORP.TEST"},
        ["{auth}=kerberos needs", "pypsrp[kerberos]"],
    ),
    "negotiate without a password": (
        "gssapi",
        {"auth": "negotiate", "ansible_password": None},
        ["{auth}=negotiate without a password", "ansible_password"],
    ),
    "credssp": ("requests_credssp", {"auth": "credssp"}, ["requests-credssp"]),
}


@pytest.mark.parametrize("key", NEEDS_A_LIBRARY)
def test_a_library_that_a_login_method_needs_is_named_before_anything_is_sent(
    lab: Lab, tmp_path: Path, key: str
) -> None:
    blocked, settings, words = NEEDS_A_LIBRARY[key]
    cases = {key: Case("provisioning_mode", MODE, {"profile": "stuck"}, spelled("psrp", **settings))}
    outcome = lab.play(cases, env=without_package(tmp_path, blocked))[key]
    one(outcome)
    assert all(word.format_map(SPELLINGS["psrp"]) in outcome.msg for word in words), outcome.msg
    assert outcome.traffic["connections"] == 0
