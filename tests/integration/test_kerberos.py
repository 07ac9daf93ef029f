# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos logins through playbooks, against a KDC of the test's own; its log and the simulator say what happened."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.connect import transport
from tests import kdc
from tests.integration.harness import PASSWORD, WRONG_PASSWORD, Case, Lab, Outcome, spelled

if kdc.missing():
    pytest.skip(kdc.missing(), allow_module_level=True)

OPERATOR = f"operator@{kdc.REALM}"
Vars = Mapping[str, Any]


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> kdc.Kdc:
    realm = kdc.Kdc(tmp_path_factory.mktemp("realm"))
    realm.add_user("operator", PASSWORD)
    return realm


@pytest.fixture(scope="module")
def kinit(realm: kdc.Kdc) -> Path:
    """A kinit that notes that it was called: nothing here is to start one."""
    program = realm.directory / "bin" / "kinit"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >>"$0.called"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def controller(realm: kdc.Kdc, kinit: Path) -> Iterator[dict[str, str]]:
    """The environment of a controller of this realm, without any ticket."""
    with realm.running() as environment:
        path = f"{kinit.parent}:{os.environ['PATH']}"
        yield {**environment, "PATH": path, "KRB5CCNAME": f"FILE:{realm.directory}/empty"}
    assert not kinit.with_name("kinit.called").exists()


@pytest.fixture(scope="module")
def machine(realm: kdc.Kdc) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """A machine of the domain: what the simulator, and what the inventory is to know of it."""
    numbers = iter(range(1, 10_000))

    def joined(*services: str, name: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
        name = name or f"pc-{next(numbers)}.corp.test"
        keytabs = realm.add_machines([name], services or ("HTTP",))
        variables = {
            "ansible_user": OPERATOR,
            "ansible_password": PASSWORD,
            "ansible_winrm_transport": "kerberos",
            "ansible_winrm_kerberos_hostname_override": name,
        }
        return {"keytab": keytabs[name]}, variables

    return joined


Machine = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


# -- with a password ---------------------------------------------------------------------------------------------------

# Key: options of the endpoint, variables of the host (None takes one away), scheme.
LOGINS: dict[str, tuple[Vars, Vars, str]] = {
    "http": ({}, {}, "http"),
    "https": ({}, {}, "https"),
    "https, encrypted twice": ({}, {"ansible_winrm_message_encryption": "always"}, "https"),
    "delegation": ({}, {"ansible_winrm_kerberos_delegation": True}, "http"),
    "service": ({}, {"ansible_winrm_service": "WSMAN"}, "http"),
    "the user's name decides": ({}, {"ansible_winrm_transport": None}, "https"),
    "default realm": ({}, {"ansible_user": "operator"}, "http"),
    "managed": ({}, {"ansible_winrm_kinit_mode": "managed"}, "http"),
    "kinit by its own name": ({}, {"ansible_winrm_kinit_cmd": "kinit"}, "http"),
    "nothing overridden": ({}, {"ansible_winrm_kerberos_hostname_override": None}, "http"),
}


def given(lab: Lab, variables: Vars, changes: Vars, scheme: str) -> dict[str, Any]:
    https = {
        "ansible_winrm_scheme": "https",
        "ansible_port": lab.simulator.https_port,
        "ansible_winrm_ca_trust_path": lab.simulator.ca_file,
    }
    return {**variables, **(https if scheme == "https" else {}), **changes}


@pytest.fixture(scope="module")
def logins(lab: Lab, machine: Machine, controller: dict[str, str]) -> dict[str, Outcome]:
    cases = {}
    for key, (options, changes, scheme) in LOGINS.items():
        _, address = lab.address()
        name = address if "ansible_winrm_kerberos_hostname_override" in changes else ""
        spec, variables = machine(str(changes.get("ansible_winrm_service", "HTTP")), name=name)
        host = given(lab, variables, changes, scheme)
        host = {name: value for name, value in host.items() if value is not None}
        if key == "the user's name decides":
            host["ansible_winrm_transport"] = "{{ omit }}"
        cases[key] = Case(spec={**spec, **options, "address": address}, vars=host)
    return lab.play(cases, env=controller)


@pytest.mark.parametrize("key", LOGINS)
def test_logs_in_with_a_password(logins: dict[str, Outcome], key: str) -> None:
    outcome = logins[key]
    assert (outcome.status, outcome.result.get("verdict")) == ("ok", "normal"), outcome.msg
    assert outcome.traffic["logins"] == [
        {"scheme": "negotiate", "principal": OPERATOR, "delegated": key == "delegation"}
    ]


@pytest.mark.parametrize("key", LOGINS)
def test_no_more_round_trips_than_kerberos_takes(logins: dict[str, Outcome], key: str) -> None:
    """One message without content before the first sealed one; where nothing is sealed, none."""
    sealed = key not in ("https", "the user's name decides")
    assert (logins[key].traffic["connections"], logins[key].traffic["login_requests"]) == (1, int(sealed))


def test_a_channel_that_has_to_be_bound(lab: Lab, machine: Machine, controller: dict[str, str]) -> None:
    cases = {}
    for key, send in (("bound", True), ("not bound", False)):
        spec, variables = machine()
        host = given(lab, variables, {"ansible_winrm_send_cbt": send}, "https")
        cases[key] = Case(spec={**spec, "channel_binding": "strict"}, vars=host)
    outcomes = lab.play(cases, env=controller)
    assert [outcomes[key].status for key in cases] == ["ok", "unreachable"]


# -- one ticket for all ------------------------------------------------------------------------------------------------

FLEET = 200
SECOND_LOOK = 20


def test_one_ticket_for_all_hosts_of_a_run(lab: Lab, realm: kdc.Kdc, controller: dict[str, str]) -> None:
    principal = realm.add_user("fleet.operator", PASSWORD)
    spns = [f"fleet-{number}.corp.test" for number in range(FLEET)]
    keytabs = realm.add_machines(spns)
    account = {"username": principal, "password": PASSWORD}
    names = lab.add({spn: {"keytab": keytabs[spn], "credentials": account} for spn in spns})
    hosts = {
        names[spn]: lab.host_vars(
            names[spn],
            ansible_password=PASSWORD,
            ansible_winrm_transport="kerberos",
            ansible_winrm_kerberos_hostname_override=spn,
        )
        for spn in spns
    }
    local_tmp = realm.directory / "local-tmp"
    look = {"name": "Look", "configmgr.client.provisioning_mode_info": {}}
    find = ["find", local_tmp, "-name", "configmgr-client*", "-type", "f", "-printf", "%m %U\n"]
    caches = {"name": "Caches", "ansible.builtin.command": {"argv": [str(part) for part in find]}}
    first = list(hosts)[:SECOND_LOOK]
    plays = [
        {"name": "All", "hosts": "windows", "gather_facts": False, "tasks": [look]},
        {"name": "Some, again", "hosts": first, "gather_facts": False, "tasks": [look]},
        {"name": "Meanwhile", "hosts": "localhost", "gather_facts": False, "tasks": [caches]},
    ]
    inventory = lab.inventory(hosts)
    environment = {**controller, "ANSIBLE_LOCAL_TEMP": str(local_tmp)}
    run = lab.ansible("ansible-playbook", "-i", inventory, lab.file("play.yml", plays), env=environment)

    looks = [event for host in hosts for event in run.of(host, "configmgr.client")]
    assert [event.status for event in looks] == ["ok"] * (FLEET + SECOND_LOOK), looks[0].result
    assert (realm.requests("AS_REQ", principal), realm.requests("TGS_REQ", principal)) == (1, FLEET)
    (found,) = run.of("localhost", "command")
    assert set(found.result["stdout"].splitlines()) == {f"600 {os.getuid()}"}
    assert list(local_tmp.iterdir()) == []


def test_a_rejected_password_is_sent_once(
    lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]
) -> None:
    principal = realm.add_user("forgetful", PASSWORD)
    spec, variables = machine()
    names = lab.add({str(number): spec for number in range(8)})
    variables.update(ansible_user=principal, ansible_password=WRONG_PASSWORD)
    hosts = {name: lab.host_vars(name, **variables) for name in names.values()}
    look = {"name": "Look", "configmgr.client.provisioning_mode_info": {}, "ignore_unreachable": True}
    play = {"name": "Twice", "hosts": "windows", "gather_facts": False, "tasks": [look, look]}
    run = lab.ansible("ansible-playbook", "-i", lab.inventory(hosts), lab.file("play.yml", [play]), env=controller)
    results = [[event.result for event in run.of(host, "configmgr.client")] for host in hosts]
    assert {result["error_layer"] for both in results for result in both} == {"login"}
    assert all("No login was tried" in second["msg"] for _, second in results)
    assert realm.requests("AS_REQ", principal, "PREAUTH_FAILED") == 1
    assert all(lab.simulator.traffic(name)["connections"] == 0 for name in hosts)


# -- with a ticket that is there already -------------------------------------------------------------------------------

CACHED: dict[str, Vars] = {
    "no password": {"ansible_password": None},
    "no user": {"ansible_user": None, "ansible_password": None},
    "manual": {"ansible_password": WRONG_PASSWORD, "ansible_winrm_kinit_mode": "manual"},
    "manual, with what is refused otherwise": {
        "ansible_winrm_kinit_mode": "manual",
        "ansible_winrm_kinit_cmd": "/opt/vault/kinit",
        "ansible_winrm_kinit_args": "-k",
    },
}


def without(variables: Vars, changes: Vars) -> dict[str, Any]:
    """Ansible takes a variable that comes to `omit` for one that is not set."""
    return {**variables, **{name: "{{ omit }}" if value is None else value for name, value in changes.items()}}


@pytest.fixture(scope="module")
def cached(lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]) -> dict[str, Outcome]:
    ticket = realm.ticket(OPERATOR, PASSWORD)
    first_tickets = realm.requests("AS_REQ", OPERATOR)
    cases = {}
    for key, changes in {**CACHED, "another's": {"ansible_user": "other@CORP.TEST", "ansible_password": None}}.items():
        spec, variables = machine()
        cases[key] = Case(spec=spec, vars=without(variables, changes))
    outcomes = lab.play(cases, env={**controller, **ticket})
    assert realm.requests("AS_REQ", OPERATOR) == first_tickets
    return outcomes


@pytest.mark.parametrize("key", CACHED)
def test_logs_in_with_a_ticket_from_the_cache(cached: dict[str, Outcome], key: str) -> None:
    outcome = cached[key]
    assert outcome.status == "ok", outcome.msg
    assert [login["principal"] for login in outcome.traffic["logins"]] == [OPERATOR]


def test_a_ticket_of_another_is_not_taken(cached: dict[str, Outcome]) -> None:
    outcome = cached["another's"]
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", "kerberos")
    assert "no ticket for other@CORP.TEST" in outcome.msg
    assert outcome.traffic["connections"] == 0


# -- what fails, and what it says --------------------------------------------------------------------------------------

# Key: variables, layer, part of the message. Users of these names are made with the options of USERS.
USERS: dict[str, tuple[str, ...]] = {
    "mistyped": (),
    "locked": ("-allow_tix",),
    "expired": ('-expire "2020-01-01"',),
    "aged": ('-pwexpire "2020-01-01"',),
}
REFUSED: dict[str, tuple[Vars, str, str]] = {
    "wrong password": (
        {"ansible_user": "mistyped@CORP.TEST", "ansible_password": WRONG_PASSWORD},
        "login",
        "rejected the password of mistyped@CORP.TEST",
    ),
    "unknown principal": ({"ansible_user": "nobody@CORP.TEST"}, "kerberos", "does not know nobody@CORP.TEST"),
    "locked account": ({"ansible_user": "locked@CORP.TEST"}, "kerberos", "locked or disabled"),
    "expired account": ({"ansible_user": "expired@CORP.TEST"}, "kerberos", "has expired. Have it extended"),
    "expired password": ({"ansible_user": "aged@CORP.TEST"}, "kerberos", "password of aged@CORP.TEST has expired"),
    "no KDC for the realm": ({"ansible_user": "operator@ELSE.TEST"}, "kerberos", "no KDC is known"),
    "realm in small letters": ({"ansible_user": "operator@corp.test"}, "kerberos", "in capitals"),
    "unknown service": (
        {"ansible_winrm_kerberos_hostname_override": "alias.corp.test"},
        "kerberos",
        "to HTTP/alias.corp.test: the KDC does not know this service",
    ),
    "no ticket, no password": ({"ansible_password": None}, "kerberos", "there is no ticket for operator@CORP.TEST"),
    "manual without a ticket": ({"ansible_winrm_kinit_mode": "manual"}, "kerberos", "run kinit"),
    "managed without a password": (
        {"ansible_winrm_kinit_mode": "managed", "ansible_password": None},
        "settings",
        "ansible_password",
    ),
    "a command": ({"ansible_winrm_kinit_cmd": "/opt/vault/kinit"}, "settings", "ansible_winrm_kinit_cmd="),
    "arguments": ({"ansible_winrm_kinit_args": "-C"}, "settings", "ansible_winrm_kinit_args="),
    "name of NTLM": ({"ansible_user": "CORP\\operator"}, "settings", "user@REALM"),
    "another machine's key": ({}, "kerberos", "refused the ticket for HTTP/"),
}


@pytest.fixture(scope="module")
def refused(lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]) -> dict[str, Outcome]:
    for name, options in USERS.items():
        realm.add_user(name, PASSWORD, *options)
    cases = {}
    for key, (changes, _, _) in REFUSED.items():
        spec, variables = machine()
        if key == "another machine's key":
            spec, _ = machine()
        cases[key] = Case(spec=spec, vars=without(variables, changes))
    return lab.play(cases, env=controller)


@pytest.mark.parametrize("key", REFUSED)
def test_a_failure_is_one_line_that_says_what_to_do(refused: dict[str, Outcome], key: str) -> None:
    _, layer, text = REFUSED[key]
    outcome = refused[key]
    assert (outcome.status, outcome.result["error_layer"]) == (
        "failed" if layer == "settings" else "unreachable",
        layer,
    ), outcome.msg
    assert text in outcome.msg
    assert "\n" not in outcome.msg
    assert outcome.calls == []


@pytest.mark.parametrize("key", [key for key in REFUSED if key != "another machine's key"])
def test_without_a_ticket_nothing_is_sent(refused: dict[str, Outcome], key: str) -> None:
    assert refused[key].traffic["login_requests"] == 0


def one(lab: Lab, machine: Machine, environment: Mapping[str, str], **changes: Any) -> Outcome:
    spec, variables = machine()
    return lab.play({"one": Case(spec=spec, vars=without(variables, changes))}, env=environment)["one"]


def test_an_expired_ticket(lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]) -> None:
    ticket = realm.ticket(OPERATOR, PASSWORD)
    kdc.expire(ticket)
    outcome = one(lab, machine, {**controller, **ticket}, ansible_password=None)
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", "kerberos")
    assert "ticket of operator@CORP.TEST has expired" in outcome.msg


def test_clocks_that_differ(lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]) -> None:
    ticket = realm.ticket(OPERATOR, PASSWORD)
    with realm.running(clock=timedelta(hours=1)) as ahead:
        outcome = one(lab, machine, {**controller, **ticket, **ahead}, ansible_password=None)
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", "kerberos")
    assert "clocks" in outcome.msg


def test_a_kdc_that_is_down(lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]) -> None:
    outcome = one(lab, machine, {**controller, **realm.config("down.conf", port=kdc.free_port())})
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", "kerberos")
    assert "no KDC answers" in outcome.msg


@pytest.mark.parametrize(
    ("library", "changes", "text"),
    [
        ("kerberos", {"ansible_password": None}, "pip install 'pywinrm[kerberos]'"),
        ("krb5", {}, "pip install krb5"),
    ],
)
def test_a_library_that_is_missing(
    lab: Lab, machine: Machine, controller: dict[str, str], tmp_path: Path, library: str, changes: Vars, text: str
) -> None:
    (tmp_path / f"{library}.py").write_text("raise ImportError('not here')", encoding="utf-8")
    outcome = one(lab, machine, {**controller, "PYTHONPATH": str(tmp_path)}, **changes)
    assert (outcome.status, outcome.result["error_layer"]) == ("failed", "library"), outcome.msg
    assert text in outcome.msg
    assert outcome.traffic["connections"] == 0


class Impostor(BaseHTTPRequestHandler):
    """Lets everybody in, and cannot prove who it is."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


def test_an_endpoint_that_does_not_prove_its_name(lab: Lab, machine: Machine, controller: dict[str, str]) -> None:
    Impostor.bodies = []
    with HTTPServer(("127.0.0.1", 0), Impostor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"ansible_host": "127.0.0.1", "ansible_port": server.server_port}
        outcome = one(lab, machine, controller, **place)
        server.shutdown()
    assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", "kerberos")
    assert "did not prove" in outcome.msg
    assert Impostor.bodies == [b""]


# -- doctor, and another host ------------------------------------------------------------------------------------------


def test_doctor_looks_at_kerberos(lab: Lab, machine: Machine, controller: dict[str, str]) -> None:
    cases = {}
    for key, changes in (("fine", {}), ("alias", {"ansible_winrm_kerberos_hostname_override": "alias.corp.test"})):
        spec, variables = machine()
        cases[key] = Case("connection_info", spec=spec, vars={**variables, **changes})
    outcomes = lab.play(cases, env=controller)
    login = {
        key: next(check for check in outcome.result["checks"] if check["check"] == "login")
        for key, outcome in outcomes.items()
    }
    assert (login["fine"]["status"], login["alias"]["status"]) == ("ok", "failed")
    assert "does not know this service" in login["alias"]["found"]
    assert "guide on connections" in login["alias"]["advice"]


@pytest.mark.parametrize("password", [True, False])
def test_from_another_host(
    lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str], password: bool
) -> None:
    spec, variables = machine()
    name = lab.add({"one": spec})["one"]
    endpoint = {
        "host": lab.host_vars(name)["ansible_host"],
        "port": lab.simulator.http_port,
        "scheme": "http",
        "transport": "kerberos",
        "username": OPERATOR,
        "kerberos_hostname_override": variables["ansible_winrm_kerberos_hostname_override"],
    }
    environment = dict(controller)
    if password:
        endpoint["password"] = PASSWORD
    else:
        environment |= realm.ticket(OPERATOR, PASSWORD)
    case = Case(options={"endpoint": endpoint}, vars=lab.local_vars())
    outcome = lab.again({"one": name}, {"one": case}, env=environment)["one"]
    assert (outcome.status, outcome.result.get("verdict")) == ("ok", "normal"), outcome.msg
    assert [login["principal"] for login in outcome.traffic["logins"]] == [OPERATOR]


# -- over psrp ---------------------------------------------------------------------------------------------------------

OVER_PSRP: dict[str, tuple[Vars, str]] = {
    "http": ({}, "http"),
    "https": ({}, "https"),
    "https, encrypted twice": ({"encryption": "always"}, "https"),
    "delegation": ({"ansible_psrp_negotiate_delegate": True}, "http"),
    "service": ({"ansible_psrp_negotiate_service": "HTTP"}, "http"),
    "negotiate": ({"auth": "negotiate"}, "http"),
}
REFUSED_OVER_PSRP: dict[str, tuple[Vars, str, str]] = {
    "wrong password": (
        {"ansible_user": "psrp-mistyped@CORP.TEST", "ansible_password": WRONG_PASSWORD},
        "login",
        "rejected the password of psrp-mistyped@CORP.TEST",
    ),
    "unknown service": (
        {"ansible_psrp_negotiate_hostname_override": "alias.corp.test"},
        "kerberos",
        "/alias.corp.test: the KDC does not know this service",
    ),
    "no ticket, no password": ({"ansible_password": None}, "kerberos", "there is no ticket for operator@CORP.TEST"),
    "name of NTLM": ({"ansible_user": "CORP\\operator"}, "settings", "user@REALM"),
    "another machine's key": ({}, "kerberos", "refused the ticket for "),
}


@pytest.fixture(scope="module")
def over_psrp(lab: Lab, realm: kdc.Kdc, machine: Machine, controller: dict[str, str]) -> tuple[dict[str, Outcome], int]:
    """What came of all, and how many tickets for tickets the operator got."""
    realm.add_user("psrp-mistyped", PASSWORD)
    cases = {}
    for key, (changes, scheme) in {
        **OVER_PSRP,
        **{each: (row[0], "http") for each, row in REFUSED_OVER_PSRP.items()},
    }.items():
        services = ("HTTP", "WSMAN", "host")  # ansible-core 2.21 has another default than those before
        spec, variables = machine(*services)
        if key == "another machine's key":
            spec, _ = machine(*services)
        https = {"ansible_port": lab.simulator.https_port, "ca": str(lab.simulator.ca_file)}
        settings = {
            "auth": "kerberos",
            "scheme": scheme,
            "ansible_user": OPERATOR,
            "ansible_psrp_negotiate_hostname_override": variables["ansible_winrm_kerberos_hostname_override"],
            **(https if scheme == "https" else {}),
            **changes,
        }
        cases[key] = Case(spec=spec, vars=spelled("psrp", **settings))
    before = realm.requests("AS_REQ", OPERATOR)
    outcomes = lab.play(cases, env=controller)
    return outcomes, realm.requests("AS_REQ", OPERATOR) - before


@pytest.mark.parametrize("key", OVER_PSRP)
def test_logs_in_over_psrp(over_psrp: tuple[dict[str, Outcome], int], key: str) -> None:
    outcome = over_psrp[0][key]
    assert (outcome.status, outcome.result.get("verdict")) == ("ok", "normal"), outcome.msg
    assert [(login["principal"], login["delegated"]) for login in outcome.traffic["logins"]] == [
        (OPERATOR, key == "delegation")
    ]


@pytest.mark.parametrize("key", REFUSED_OVER_PSRP)
def test_a_failure_over_psrp_says_what_to_do(over_psrp: tuple[dict[str, Outcome], int], key: str) -> None:
    _, layer, text = REFUSED_OVER_PSRP[key]
    outcome = over_psrp[0][key]
    status = "failed" if layer == "settings" else "unreachable"
    assert (outcome.status, outcome.result["error_layer"]) == (status, layer), outcome.msg
    assert text in outcome.msg and "\n" not in outcome.msg
    assert outcome.calls == []


def test_hosts_of_psrp_share_a_ticket(over_psrp: tuple[dict[str, Outcome], int]) -> None:
    """One for all, one that may be delegated, and one that `negotiate` gets by itself."""
    assert over_psrp[1] == 3


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False], ids=["directory", "memory"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("library", ["pywinrm", "pypsrp"])
def test_accounts_in_threads_of_one_process(
    lab: Lab,
    realm: kdc.Kdc,
    machine: Machine,
    controller: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    library: str,
    scheme: str,
    shared: bool,
) -> None:
    """Two accounts, eight endpoints, at once: each login is of its own account, and the environment stays."""
    for name in ("KRB5_CONFIG", "KRB5CCNAME"):
        monkeypatch.setenv(name, controller[name])
    accounts = [realm.add_user(f"{library}-{scheme}-{shared}-{number}", PASSWORD) for number in (1, 2)]
    specs: dict[str, dict[str, Any]] = {}
    names = {}
    for key in range(8):
        spec, variables = machine()
        account = {"username": accounts[key % 2], "password": PASSWORD}
        specs[str(key)] = {**spec, "credentials": account}
        names[str(key)] = variables["ansible_winrm_kerberos_hostname_override"]
    hosts = lab.add(specs)
    everybody = threading.Barrier(len(hosts))
    before = dict(os.environ)

    def work(key: str) -> str:
        settings = Settings(
            host=lab.host_vars(hosts[key])["ansible_host"],
            port=lab.simulator.http_port if scheme == "http" else lab.simulator.https_port,
            scheme=scheme,
            ca_trust_path=str(lab.simulator.ca_file),
            auth="kerberos",
            username=accounts[int(key) % 2],
            password=PASSWORD,
            kerberos_hostname_override=names[key],
            ticket_directory=str(tmp_path) if shared else None,
            library=library,
        )
        deadline = Deadline(60)
        made = transport(settings, deadline)
        everybody.wait(60)
        with Session(settings, lambda: made, deadline) as session:
            for _ in range(3):
                session.query("root/cimv2", "SELECT Caption FROM Win32_OperatingSystem")
        return str(lab.simulator.traffic(hosts[key])["logins"][0]["principal"])

    with ThreadPoolExecutor(len(hosts)) as pool:
        assert list(pool.map(work, hosts)) == [accounts[int(key) % 2] for key in hosts]
    assert dict(os.environ) == before
    assert [realm.requests("AS_REQ", account) for account in accounts] == [1, 1]


# -- playbooks ---------------------------------------------------------------------------------------------------------


def test_the_same_playbooks_from_one_inventory(lab: Lab, machine: Machine, controller: dict[str, str]) -> None:
    """Kerberos over both connections, beside a host of NTLM."""
    specs: dict[str, dict[str, Any]] = {"ntlm": {}}
    variables: dict[str, dict[str, Any]] = {"ntlm": {}}
    for connection in ("winrm", "psrp"):
        for scheme in ("http", "https"):
            key = f"{connection} over {scheme}"
            specs[key], found = machine("HTTP", "WSMAN", "host")
            name = found["ansible_winrm_kerberos_hostname_override"]
            https = {"ansible_port": lab.simulator.https_port, "ca": str(lab.simulator.ca_file)}
            variables[key] = {
                **spelled(connection, auth="kerberos", scheme=scheme, **(https if scheme == "https" else {})),
                "ansible_user": OPERATOR,
                "ansible_password": PASSWORD,
                "ansible_winrm_kerberos_hostname_override": name,
                "ansible_psrp_negotiate_hostname_override": name,
            }
    names = lab.add({key: {"profile": "stuck", **spec} for key, spec in specs.items()})
    hosts = {
        names[key]: lab.host_vars(names[key], own.get("ansible_connection", "winrm")) | own
        for key, own in variables.items()
    }
    inventory = lab.inventory(hosts)
    for playbook, line in (("survey", "stuck"), ("remediate", "released"), ("remediate", "as_wanted")):
        run = lab.ansible(
            *("ansible-playbook", "-i", inventory, f"configmgr.client.{playbook}"),
            *("-e", "configmgr_client_hosts=windows"),
            env=controller,
        )
        assert run.rc == 0 and f"{len(hosts)} hosts: {len(hosts)} {line}\n" in run.output, run.output
    assert {lab.simulator.endpoint(name)["mode"] for name in hosts} == {"normal"}
    principals = {key: lab.simulator.traffic(names[key])["logins"][-1]["principal"] for key in names}
    assert {principals[key] for key in names if key != "ntlm"} == {OPERATOR}
