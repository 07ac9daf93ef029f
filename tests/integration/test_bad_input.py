# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is wrong with the options, the settings, the network or the other side: one clear error, nothing changed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import PASSWORD, WRONG_PASSWORD, Case, Lab, Outcome

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
    "connection psrp": (Case(vars={"ansible_connection": "psrp"}), ["ansible_connection=psrp"]),
    "basic over http": (Case(vars={"ansible_winrm_transport": "basic"}), ["basic over http", "unprotected"]),
    "plaintext over http": (Case(vars={"ansible_winrm_transport": "plaintext"}), ["basic over http"]),
    "unencrypted over http": (Case(vars={"ansible_winrm_message_encryption": "never"}), ["message_encryption"]),
    "certificate without files": (
        Case(vars={"ansible_winrm_transport": "certificate", "ansible_winrm_scheme": "https"}),
        ["cert_pem"],
    ),
    "transport": (Case(vars={"ansible_winrm_transport": "telepathy"}), ["telepathy"]),
    "scheme": (Case(vars={"ansible_winrm_scheme": "ftp"}), ["ftp"]),
    "port": (Case(vars={"ansible_port": 70000}), ["70000"]),
    "no user": (Case(vars={"ansible_user": ""}), ["ansible_user"]),
    "read timeout": (Case(vars={"ansible_winrm_read_timeout_sec": "long"}), ["ansible_winrm_read_timeout_sec", "long"]),
    "read timeout too short": (
        Case(vars={"ansible_winrm_read_timeout_sec": 5, "ansible_winrm_operation_timeout_sec": 10}),
        ["read_timeout_sec=5", "operation_timeout_sec=10"],
    ),
    "validation": (
        Case(vars={"ansible_winrm_server_cert_validation": "perhaps"}),
        ["ansible_winrm_server_cert_validation", "perhaps"],
    ),
    "send_cbt": (Case(vars={"ansible_winrm_send_cbt": "perhaps"}), ["ansible_winrm_send_cbt", "perhaps"]),
}

# -- the network and the other side ------------------------------------------------------------------------------------


def planted(then: Any, **match: Any) -> dict[str, Any]:
    return {"profile": "stuck", "faults": [{"match": match, "then": then}]}


def account(name: str) -> dict[str, Any]:
    """An account of its own: rejections are counted by account."""
    return {"credentials": {"username": f"CORP\\{name}", "password": PASSWORD}}


# Key: the endpoint; status; layer; what the message says.
ENDPOINTS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "off": ({"profile": "switched_off"}, "unreachable", "port", "refused"),
    "wrong password": ({"profile": "wrong_password"}, "unreachable", "login", "rejected the login"),
    "no ntlm": ({"auth": ["kerberos"], **account("kerberos")}, "unreachable", "login", "ntlm"),
    "first answer dropped": (planted("drop"), "unreachable", "http", "cannot be reached"),
    "first answer cut": (planted("truncate"), "unreachable", "http", "cannot be reached"),
    "not XML": (planted("garbage"), "failed", "protocol", "XML"),
    "HTML": (planted("html"), "failed", "protocol", "WinRM"),
    "document type": (planted("dtd"), "failed", "protocol", "XML"),
    "HTTP 404": (planted("http_404"), "unreachable", "http", "404"),
    "HTTP 403": ({**planted("http_403"), **account("forbidden")}, "unreachable", "login", "403"),
    "HTTP 413": (planted("http_413"), "unreachable", "http", "413"),
    "HTTP 500": (planted("http_500"), "unreachable", "http", "encrypted"),
    "HTTP 503": (planted("http_503"), "unreachable", "http", "503"),
    "dropped later": (planted("drop", nth="4+"), "failed", "connection", "closed"),
    "not XML later": (planted("garbage", nth="2"), "failed", "protocol", "XML"),
    "cut later": (planted("truncate", nth="2+"), "failed", "connection", "closed"),
    "access denied": ({"profile": "access_denied"}, "failed", "permission", "local administrator"),
    "access denied by provider": (
        {"profile": "access_denied", "wsman": {"access_denied": "provider"}},
        "failed",
        "permission",
        "local administrator",
    ),
    "access denied as 5": (
        {"profile": "access_denied", "wsman": {"access_denied": "win32"}},
        "failed",
        "permission",
        "local administrator",
    ),
    "quota": (planted("quota"), "failed", "quota", "limits"),
    "silent endpoint": (planted("hang 3600", nth="2"), "failed", "timeout", "deadline of 2 s"),
    "silent login": (planted("hang 3600"), "failed", "timeout", "deadline of 2 s"),
}
VERDICTS = {
    "no client": ({"profile": "no_client"}, "not_installed"),
    "client's namespace denied": (planted("wmi_access_denied", namespace="root/ccm"), "unknown"),
    "cimv2 denied": (planted("wmi_access_denied", namespace="root/cimv2"), "unknown"),
    "absent time": ({"profile": "no_timestamp"}, "stuck"),
    "zero time": ({"profile": "zero_timestamp"}, "stuck"),
    "future time": ({"profile": "future_timestamp"}, "stuck"),
    "text as time": ({"profile": "wrong_type_timestamp"}, "stuck"),
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


def serve(answer: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener, listener.getsockname()[1]


def says(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        with closing(connection):
            connection.recv(65536)
            connection.sendall(text)

    return answer


def silent(connection: socket.socket) -> None:
    with closing(connection):
        while connection.recv(65536):
            pass


def drips(connection: socket.socket) -> None:
    with closing(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 100000\r\n\r\n")
        stop = threading.Event()
        try:
            while not stop.wait(0.2):
                connection.sendall(b" ")
        except OSError:
            pass


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>hi</html>"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BASIC = (
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
)
# Key: what listens; whether https is tried; status; layers that say so.
SERVERS: dict[str, tuple[Callable[[socket.socket], None], bool, str, tuple[str, ...]]] = {
    "silent": (silent, False, "failed", ("timeout",)),
    "silent, https": (silent, True, "failed", ("timeout",)),
    "drips": (drips, False, "failed", ("timeout",)),
    "page": (says(PAGE), False, "failed", ("protocol",)),
    "redirect": (says(MOVED), False, "failed", ("protocol",)),
    "basic only": (says(BASIC), False, "unreachable", ("login",)),
    "no HTTP": (says(b"220 mail.example ESMTP\r\n"), False, "unreachable", ("http",)),
    "closes at once": (lambda connection: connection.close(), False, "unreachable", ("http", "port")),
    "no TLS": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), True, "unreachable", ("tls",)),
}


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    listeners = {key: serve(answer) for key, (answer, *_) in SERVERS.items()}
    yield {key: port for key, (_, port) in listeners.items()}
    for listener, _ in listeners.values():
        listener.close()


@pytest.fixture(scope="module")
def outcomes(lab: Lab, ports: dict[str, int]) -> dict[str, Outcome]:
    cases = {f"not sent: {key}": case for key, (case, _) in NOT_SENT.items()}
    for key, (spec, *_) in ENDPOINTS.items():
        short = {"deadline": 2, "wait_timeout": 1} if key.startswith("silent") else {"wait_timeout": 1}
        cases[f"endpoint: {key}"] = Case("provisioning_mode", {**MODE, **short}, spec)
    for key, (spec, _) in VERDICTS.items():
        cases[f"verdict: {key}"] = Case(spec=spec)
    for key, (_, https, *_) in SERVERS.items():
        scheme = {"ansible_winrm_scheme": "https" if https else "http"}
        cases[f"server: {key}"] = Case(
            "provisioning_mode",
            {**MODE, "deadline": 2, "wait_timeout": 1},
            vars={"ansible_host": "127.0.0.1", "ansible_port": ports[key], "ansible_user": key, **scheme},
        )
    cases["dns"] = Case(vars={"ansible_host": "no-such-host.invalid"})
    return lab.play(cases)


@pytest.mark.parametrize("key", NOT_SENT)
def test_refused_before_anything_is_sent(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[f"not sent: {key}"]
    one(outcome)
    outcome.assert_refused(*NOT_SENT[key][1])


@pytest.mark.parametrize("key", ENDPOINTS)
def test_what_is_wrong_with_the_endpoint_is_named(outcomes: dict[str, Outcome], key: str) -> None:
    _, status, layer, said = ENDPOINTS[key]
    outcome = outcomes[f"endpoint: {key}"]
    one(outcome)
    assert (outcome.status, outcome.result["error_layer"]) == (status, layer), outcome.msg
    assert said in outcome.msg


@pytest.mark.parametrize("key", SERVERS)
def test_what_is_no_winrm_is_named(outcomes: dict[str, Outcome], key: str) -> None:
    _, _, status, layers = SERVERS[key]
    outcome = outcomes[f"server: {key}"]
    one(outcome)
    assert outcome.status == status, outcome.msg
    assert outcome.result["error_layer"] in layers, outcome.msg


@pytest.mark.parametrize("key", VERDICTS)
def test_what_is_strange_gets_a_documented_verdict(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[f"verdict: {key}"]
    assert (outcome.status, outcome.result["verdict"]) == ("ok", VERDICTS[key][1])


def test_a_name_that_does_not_resolve(outcomes: dict[str, Outcome]) -> None:
    one(outcomes["dns"])
    assert (outcomes["dns"].status, outcomes["dns"].result["error_layer"]) == ("unreachable", "dns")


def test_a_wrong_password_is_tried_once(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["endpoint: wrong password"].traffic["login_requests"] == 3
    assert outcomes["endpoint: wrong password"].traffic["calls"] == []


# -- an account that keeps being rejected ------------------------------------------------------------------------------


def test_a_rejected_account_is_not_tried_on_every_host(lab: Lab) -> None:
    """One host after the other: three rejections, then no more logins in this run."""
    wrong = {"ansible_user": "CORP\\locked", "ansible_password": WRONG_PASSWORD}
    cases = {f"host {number}": Case(vars=wrong) for number in range(6)}
    outcomes = lab.play(cases, "--forks", "1")
    assert [each.status for each in outcomes.values()] == ["unreachable"] * 6
    assert [each.result["error_layer"] for each in outcomes.values()] == ["login"] * 6
    assert [each.traffic["login_requests"] for each in outcomes.values()] == [3, 3, 3, 0, 0, 0]
    assert all("No login was tried" in outcomes[f"host {number}"].msg for number in (3, 4, 5))


def test_an_endpoint_that_rejects_nobody_does_not_count(lab: Lab) -> None:
    """No password was tried where the login method is not offered, so none is at risk."""
    cases = {f"no ntlm {number}": Case(spec={"auth": ["kerberos"]}) for number in range(3)}
    outcomes = lab.play({**cases, "healthy": Case()}, "--forks", "1")
    assert [each.result.get("error_layer") for each in outcomes.values()] == ["login", "login", "login", None]
    assert outcomes["healthy"].status == "ok", outcomes["healthy"].msg


# -- libraries that are missing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("blocked", "library"), [("winrm", "pywinrm"), ("defusedxml", "defusedxml")])
def test_a_missing_library_is_named(lab: Lab, tmp_path: Path, blocked: str, library: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {blocked!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    endpoint = {"host": "127.0.0.1", "username": "nobody", "password": WRONG_PASSWORD}
    cases = {
        "in process": mode(),
        "info": Case(),
        "timeout": Case("provisioning_timeout", {"max_minutes": 720}),
        "dependency": Case("smstsmgr_dependency"),
        "as a module": Case(options={"endpoint": endpoint}, vars={"ansible_connection": "local"}),
    }
    outcomes = lab.play(cases, env={"PYTHONPATH": str(tmp_path)})
    for key, outcome in outcomes.items():
        assert outcome.status == "failed", (key, outcome.result)
        assert library in outcome.msg and "Failed to import" in outcome.msg, (key, outcome.msg)
        assert outcome.traffic["connections"] == 0, key
