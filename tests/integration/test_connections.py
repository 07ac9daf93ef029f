# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way into an endpoint, over each of Ansible's connections to Windows; and where credentials come from."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.certificates import ClientAuthority
from tests.integration.harness import (
    PASSWORD,
    SPELLINGS,
    USERNAME,
    WRONG_PASSWORD,
    Case,
    Lab,
    Outcome,
    Run,
    on_each,
    spelled,
)
from tests.integration.proxy import Proxy

CONNECTIONS = tuple(SPELLINGS)
CA_FILE, CERTIFICATE, KEY = "the simulator's CA", "client certificate", "its key"
FOREIGN_CERTIFICATE, FOREIGN_KEY = "another's certificate", "another's key"
CLIENTS_CA, PROXY, REFUSING_PROXY = "the clients' CA", "a proxy", "a proxy that refuses"

HTTPS = {"scheme": "https", "ca": CA_FILE}
MAPPED = {"certificate_mapping": {"subject": "operator@localhost", "issuer": CLIENTS_CA}}
WITH_CERTIFICATE = {**HTTPS, "auth": "certificate", "certificate": CERTIFICATE, "key": KEY}


def account(name: str) -> dict[str, Any]:
    """An account of its own: rejections are counted by account."""
    return {"credentials": {"username": f"CORP\\{name}", "password": PASSWORD}}


@dataclass(frozen=True)
class Way:
    """How an endpoint is set up, and how the inventory says to reach it; `only` for one of the connections.

    `legs` are the requests of the login alone: what the scheme demands, and none more.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    legs: int = 0
    only: str = ""


SEALED, BOUND, DELEGATED = 3, 2, 5
CREDSSP = {"auth": ["negotiate", "kerberos", "credssp"]}
LOGINS = {
    "ntlm over http": Way(legs=SEALED),
    "ntlm over http, encryption asked for": Way({"encryption": "always"}, legs=SEALED),
    "ntlm over https": Way(HTTPS, legs=BOUND),
    "ntlm over https, encryption asked for": Way({**HTTPS, "encryption": "always"}, legs=SEALED),
    "ntlm over https, no encryption": Way({**HTTPS, "encryption": "never"}, legs=BOUND),
    "ntlm over https, strict binding": Way(HTTPS, {"channel_binding": "strict"}, legs=BOUND),
    "ntlm over https, no binding looked at": Way(HTTPS, {"channel_binding": "none"}, legs=BOUND),
    "ntlm over https, nothing bound": Way({**HTTPS, "binding": False}, legs=BOUND),
    "basic over https": Way({**HTTPS, "auth": "basic"}),
    "credssp over http": Way({"auth": "credssp"}, CREDSSP, legs=DELEGATED + 1),
    "credssp over https": Way({**HTTPS, "auth": "credssp"}, CREDSSP, legs=DELEGATED),
    "certificate": Way(WITH_CERTIFICATE, MAPPED),
    "certificate not checked": Way({"scheme": "https", "validation": "ignore"}, legs=BOUND),
    "path of its own": Way({"path": "gateway/wsman"}, {"url_prefix": "gateway/wsman"}, legs=SEALED),
    "http through a proxy": Way({"proxy": PROXY}, legs=SEALED),
    "https through a proxy": Way({**HTTPS, "proxy": PROXY}, legs=BOUND),
    "ssl is basic over https": Way({**HTTPS, "auth": "ssl"}, only="winrm"),
    "ssl with a certificate": Way({**WITH_CERTIFICATE, "auth": "ssl"}, MAPPED, only="winrm"),
    "the first of several": Way({**HTTPS, "auth": ["ntlm", "basic"]}, legs=BOUND, only="winrm"),
    "negotiate over http": Way({"auth": "negotiate"}, legs=SEALED, only="psrp"),
    "negotiate over https": Way({**HTTPS, "auth": "negotiate"}, {"channel_binding": "strict"}, legs=BOUND, only="psrp"),
}


@dataclass(frozen=True)
class Refusal:
    """A way that does not lead in: the layer where it ends, and what the message says. In braces stands a setting."""

    way: Way
    layer: str
    says: str


REFUSED = {
    "untrusted certificate": Refusal(Way({"scheme": "https"}), "tls", "certificate is not trusted.*Set {ca} to"),
    "no basic offered": Refusal(
        Way({**HTTPS, "auth": "basic"}, {"auth": ["negotiate"], **account("basic-user")}), "login", "Check .*{auth}"
    ),
    "no ntlm offered": Refusal(Way(spec={"auth": ["kerberos"], **account("ntlm-user")}), "login", "ntlm"),
    "wrong password": Refusal(
        Way({"ansible_password": WRONG_PASSWORD}, account("mistyped")), "login", "rejected the login of CORP.mistyped"
    ),
    "wrong password over https": Refusal(
        Way({**HTTPS, "ansible_password": WRONG_PASSWORD}, account("also-mistyped")), "login", "rejected the login"
    ),
    "no credssp offered": Refusal(
        Way({"auth": "credssp"}, account("credssp-user")), "login", "does not offer credssp logins"
    ),
    "wrong password over credssp": Refusal(
        Way({"auth": "credssp", "ansible_password": WRONG_PASSWORD}, {**CREDSSP, **account("mistyped-credssp")}),
        "login",
        "rejected the login of CORP.mistyped-credssp with credssp",
    ),
    "unbound where binding is demanded": Refusal(
        Way({**HTTPS, "binding": False}, {"channel_binding": "strict", **account("unbound")}), "login", "rejected"
    ),
    "certificate of nobody known": Refusal(
        Way({**WITH_CERTIFICATE, "certificate": FOREIGN_CERTIFICATE, "key": FOREIGN_KEY}, MAPPED), "login", "rejected"
    ),
    "certificate where none is mapped": Refusal(Way(WITH_CERTIFICATE), "login", "rejected"),
    "another path": Refusal(Way({"path": "elsewhere"}), "http", "HTTP 404.*Check ansible_port.*{path}"),
    "https through a proxy that refuses": Refusal(Way({**HTTPS, "proxy": REFUSING_PROXY}), "proxy", "Check {proxy}"),
    "http through a proxy that refuses": Refusal(Way({"proxy": REFUSING_PROXY}), "proxy", "Check {proxy}"),
}


LOGINS_ON_EACH = [(connection, key) for connection, key in on_each(LOGINS) if LOGINS[key].only in ("", connection)]


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def actual(lab: Lab, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What stands in the tables for values that are known only now."""
    clients = ClientAuthority(tmp_path_factory.mktemp("clients"))
    certificate, key = clients.issue("operator@localhost")
    foreign_certificate, foreign_key = clients.issue("somebody@localhost")
    with Proxy(refuses=True) as refusing:
        yield {
            CA_FILE: str(lab.simulator.ca_file),
            CLIENTS_CA: str(clients.ca),
            CERTIFICATE: str(certificate),
            KEY: str(key),
            FOREIGN_CERTIFICATE: str(foreign_certificate),
            FOREIGN_KEY: str(foreign_key),
            PROXY: proxy.url,
            REFUSING_PROXY: refusing.url,
        }


def filled(value: Any, actual: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(each, actual) for key, each in value.items()}
    return actual.get(value, value) if isinstance(value, str) else value


def case(lab: Lab, actual: dict[str, str], connection: str, way: Way) -> Case:
    port = {"ansible_port": lab.simulator.https_port} if way.settings.get("scheme") == "https" else {}
    settings = filled(way.settings, actual)
    return Case(spec=filled(way.spec, actual), vars=spelled(connection, **port, **settings))


@pytest.fixture(scope="module")
def outcomes(lab: Lab, actual: dict[str, str]) -> dict[tuple[str, str], Outcome]:
    ways = {each: LOGINS[each[1]] for each in LOGINS_ON_EACH}
    ways |= {each: REFUSED[each[1]].way for each in on_each(REFUSED)}
    played = lab.play({f"{each[0]}: {each[1]}": case(lab, actual, each[0], way) for each, way in ways.items()})
    return {(connection, key): played[f"{connection}: {key}"] for connection, key in ways}


Outcomes = dict[tuple[str, str], Outcome]


@pytest.mark.parametrize(("connection", "key"), LOGINS_ON_EACH)
def test_logs_in(outcomes: Outcomes, connection: str, key: str) -> None:
    outcome = outcomes[connection, key]
    assert (outcome.status, outcome.result.get("verdict")) == ("ok", "normal"), outcome.msg
    assert len(outcome.calls) >= 2


@pytest.mark.parametrize(("connection", "key"), LOGINS_ON_EACH)
def test_logs_in_once_and_asks_no_more_than_the_scheme_demands(outcomes: Outcomes, connection: str, key: str) -> None:
    traffic = outcomes[connection, key].traffic
    assert traffic["login_requests"] == LOGINS[key].legs
    # Windows closes the connection on which it offers logins, so that the login takes place on a second one.
    assert traffic["connections"] == (2 if LOGINS[key].legs else 1)


def test_one_inventory_for_all_ways(lab: Lab, actual: dict[str, str]) -> None:
    """The same playbooks, whichever way leads to a host."""
    cases = {each: case(lab, actual, each[0], LOGINS[each[1]]) for each in LOGINS_ON_EACH}
    names = lab.add({f"{each[0]}: {each[1]}": {"profile": "stuck", **cases[each].spec} for each in cases})
    hosts = {}
    for connection, key in cases:
        name = names[f"{connection}: {key}"]
        hosts[name] = lab.host_vars(name, connection) | dict(cases[connection, key].vars)
    inventory = lab.inventory(hosts)
    for playbook, line in (("survey", "stuck"), ("remediate", "released"), ("remediate", "as_wanted")):
        run = lab.ansible(
            *("ansible-playbook", "-i", inventory, f"configmgr.client.{playbook}"),
            *("-e", "configmgr_client_hosts=windows", "-e", "remediate_wave_pause=0"),
        )
        assert run.rc == 0 and f"{len(hosts)} hosts: {len(hosts)} {line}\n" in run.output, run.output
    assert {lab.simulator.endpoint(name)["mode"] for name in hosts} == {"normal"}


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_goes_through_the_proxy(outcomes: Outcomes, proxy: Proxy, connection: str) -> None:
    asked = [urlsplit(target if "//" in target else f"//{target}").hostname for _method, target in proxy.requested]
    for key in ("http through a proxy", "https through a proxy"):
        assert outcomes[connection, key].endpoint["address"] in asked


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_no_shell_is_opened(outcomes: Outcomes, connection: str) -> None:
    for each, key in LOGINS_ON_EACH:
        if each == connection:
            assert {call["operation"] for call in outcomes[each, key].calls} <= {"Get", "Enumerate", "Pull", "Invoke"}


@pytest.mark.parametrize(("connection", "key"), on_each(REFUSED))
def test_a_login_that_is_refused(outcomes: Outcomes, connection: str, key: str) -> None:
    outcome, refusal = outcomes[connection, key], REFUSED[key]
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", refusal.layer), outcome.msg
    assert outcome.calls == []
    assert re.search(refusal.says.format_map(SPELLINGS[connection]), outcome.msg)
    assert len(outcome.msg.splitlines()) == 1


IPV6 = [(connection, host) for host in ("::1", "[::1]", "0:0:0:0:0:0:0:1") for connection in CONNECTIONS]


@pytest.fixture(scope="module")
def over_ipv6(lab: Lab) -> dict[str, Outcome]:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on loopback")
    found = {}
    for connection, host in IPV6:  # one after the other: IPv6 has one loopback address
        key = f"{connection}: {host}"
        case = Case(spec={"address": "::1"}, vars=spelled(connection, ansible_host=host))
        found[key] = lab.play({key: case})[key]
        lab.simulator.remove(found[key].endpoint["name"])
    return found


@pytest.mark.needs_ipv6
@pytest.mark.parametrize(("connection", "host"), IPV6)
def test_logs_in_over_ipv6(over_ipv6: dict[str, Outcome], connection: str, host: str) -> None:
    outcome = over_ipv6[f"{connection}: {host}"]
    assert outcome.result.get("verdict") == "normal", outcome.msg


def test_proxy_of_the_environment_can_be_ignored(lab: Lab) -> None:
    with Proxy() as proxy:
        cases = {
            "followed": Case(vars=spelled("psrp")),
            "ignored": Case(vars=spelled("psrp", ansible_psrp_ignore_proxy=True)),
        }
        outcomes = lab.play(cases, env={"http_proxy": proxy.url})
        asked = {urlsplit(target).hostname for _method, target in proxy.requested}
    assert {outcome.result.get("verdict") for outcome in outcomes.values()} == {"normal"}
    assert asked == {outcomes["followed"].endpoint["address"]}


# -- where settings come from ------------------------------------------------------------------------------------------


def without(variables: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in names}


def without_login(variables: dict[str, Any]) -> dict[str, Any]:
    return without(variables, "ansible_user", "ansible_password")


@pytest.fixture(scope="module")
def endpoint(lab: Lab) -> str:
    return lab.add({"one": {}})["one"]


@pytest.fixture(params=CONNECTIONS)
def bare(request: pytest.FixtureRequest, lab: Lab, endpoint: str) -> dict[str, Any]:
    """Variables of the endpoint that lack a login."""
    return without_login(lab.host_vars(endpoint, request.param))


def look(lab: Lab, endpoint: str, variables: dict[str, Any], *options: Any, group: Any = None) -> Run:
    command = ("ansible", endpoint, "-i", lab.inventory({endpoint: variables}, group))
    return lab.ansible(*command, "-m", "configmgr.client.provisioning_mode_info", *options)


def test_credentials_of_the_command_line(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    password = lab.file("password", PASSWORD + "\n")
    run = look(lab, endpoint, bare, "-u", USERNAME, "--connection-password-file", password)
    assert run.module(endpoint).result["verdict"] == "normal"


def test_credentials_of_the_group(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    run = look(lab, endpoint, bare, group={"ansible_user": USERNAME, "ansible_password": PASSWORD})
    assert run.module(endpoint).result["verdict"] == "normal"


def test_credentials_of_the_vault(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    key = lab.file("vault-password", "open sesame\n")
    variables = lab.file("secret.yml", {"ansible_user": USERNAME, "ansible_password": PASSWORD})
    lab.ansible("ansible-vault", "encrypt", "--vault-password-file", key, variables)
    assert PASSWORD not in variables.read_text()
    run = look(lab, endpoint, bare, "-e", f"@{variables}", "--vault-password-file", key)
    assert run.module(endpoint).result["verdict"] == "normal"


def test_without_credentials_nothing_is_sent(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    lab.simulator.reset_traffic(endpoint)
    event = look(lab, endpoint, bare).module(endpoint)
    assert event.status == "failed"
    assert "ansible_user" in event.result["msg"]
    assert lab.simulator.traffic(endpoint)["connections"] == 0


LOOK = {"name": "Look", "configmgr.client.provisioning_mode_info": {}}
LOGIN = {"ansible_user": USERNAME, "hidden": PASSWORD, "ansible_password": "{{ hidden }}"}


def played(lab: Lab, hosts: dict[str, dict[str, Any]], on: str, task: dict[str, Any], **play: Any) -> Run:
    whole = {"name": "Look", "hosts": on, "gather_facts": False, "tasks": [task], **play}
    return lab.ansible("ansible-playbook", "-i", lab.inventory(hosts), lab.file("play.yml", [whole]))


def test_settings_of_the_play(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    """All of them, the connection included, where the inventory knows the host by its name alone."""
    run = played(lab, {endpoint: {}}, endpoint, LOOK, vars={**bare, **LOGIN})
    assert run.module(endpoint).result["verdict"] == "normal"


def test_settings_of_the_task(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    run = played(
        lab,
        {endpoint: without(bare, "ansible_port")},
        endpoint,
        {**LOOK, "vars": {**LOGIN, "ansible_port": f"{{{{ {bare['ansible_port']} + 0 }}}}"}},
    )
    assert run.module(endpoint).result["verdict"] == "normal"


def test_settings_of_a_loop(lab: Lab, endpoint: str, bare: dict[str, Any]) -> None:
    """Each item logs in as its own account."""
    mistyped = {"name": "CORP\\looped", "password": WRONG_PASSWORD}
    login = {"ansible_user": "{{ item.name }}", "ansible_password": "{{ item.password }}"}
    task = {
        **LOOK,
        "loop": [{"name": USERNAME, "password": PASSWORD}, mistyped],
        "loop_control": {"label": "{{ item.name }}"},
        "vars": login,
        "no_log": True,
    }
    lab.simulator.reset_traffic(endpoint)
    run = played(lab, {endpoint: bare}, endpoint, task)
    assert run.stats[endpoint]["unreachable"] or run.stats[endpoint]["failures"]
    assert {call["status"] for call in lab.simulator.traffic(endpoint)["calls"]} == {200}
    assert lab.simulator.traffic(endpoint)["login_requests"] == 2 * SEALED


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("to", CONNECTIONS)
def test_delegated_to_another_endpoint(lab: Lab, connection: str, to: str) -> None:
    """The settings are those of the endpoint that is asked, whatever connection the host itself has."""
    names = lab.add({"host": {"profile": "stuck"}, "asked": {}})
    hosts = {names["host"]: lab.host_vars(names["host"], connection, ansible_password=WRONG_PASSWORD)}
    hosts[names["asked"]] = lab.host_vars(names["asked"], to)
    task = {**LOOK, "delegate_to": names["asked"]}
    assert played(lab, hosts, names["host"], task).module(names["host"]).result["verdict"] == "normal"
    assert lab.simulator.traffic(names["host"])["connections"] == 0
    assert lab.simulator.traffic(names["asked"])["calls"]


def test_names_that_ansible_knows_as_well(lab: Lab, endpoint: str) -> None:
    """The plugin's own spellings of what every connection has."""
    usual = without(lab.host_vars(endpoint, "psrp"), "ansible_host", "ansible_port", "ansible_user", "ansible_password")
    own = {
        "ansible_psrp_host": lab.host_vars(endpoint)["ansible_host"],
        "ansible_psrp_port": lab.simulator.http_port,
        "ansible_psrp_user": USERNAME,
        "ansible_winrm_password": PASSWORD,
    }
    assert look(lab, endpoint, {**usual, **own}).module(endpoint).result["verdict"] == "normal"
