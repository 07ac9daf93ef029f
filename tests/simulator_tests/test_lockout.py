# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong passwords are counted over the whole fleet, and lock a domain's account out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pypsrp.exceptions import AuthenticationError
from pypsrp.wsman import WSMan
from requests_credssp.exceptions import AuthenticationException, NTStatusException
from simulator.client import Simulator
from simulator_tests.wire import Host, query

RIGHT = "Sim-Pass-1!"
WAYS = ["basic", "ntlm", "negotiate", "credssp"]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Simulator]:
    logins = {"auth": ["negotiate", "basic", "credssp"], "local_accounts": ["Administrator", "Helper"]}
    fleet = {
        "credentials": {"username": "CORP\\op", "password": RIGHT},
        "lockout": {"threshold": 5},
        "endpoints": [
            {"name": "PC-1", **logins},
            {"name": "PC-2", **logins},
            {"name": "PC-LOCAL", "credentials": {"username": "helper"}, **logins},
        ],
    }
    with Simulator(fleet) as simulator:
        yield simulator
        assert "Traceback" not in simulator.log()


@pytest.fixture
def domain(guarded: Simulator) -> Simulator:
    guarded.unlock_accounts()
    return guarded


def enters(fleet: Simulator, name: str, username: str, password: str, auth: str) -> bool:
    host = Host(fleet, name)
    options = {"port": fleet.https_port, "auth": auth, "ssl": True, "cert_validation": fleet.ca_file}
    if auth == "negotiate":
        options["negotiate_hostname_override"] = "no-kerberos-for-this.invalid"
    client = WSMan(host.address, username=username, password=password, **options)
    try:
        client.transport.send(query("SELECT Name FROM Win32_OperatingSystem").encode())
    except (AuthenticationError, AuthenticationException, NTStatusException):
        return False
    return True


@pytest.mark.parametrize("auth", WAYS)
def test_every_way_in_counts_and_ends_with_the_lockout(domain: Simulator, auth: str) -> None:
    for number, (name, username) in enumerate(
        [
            ("PC-1", "corp\\OP"),
            ("PC-2", "op@corp.example"),
            ("PC-1", "Op"),
            ("PC-2", "CORP\\op"),
            ("PC-1", "OP@CORP.EXAMPLE"),
        ]
    ):
        assert domain.accounts().get("CORP\\op", {"rejected": 0})["rejected"] == number
        assert not enters(domain, name, username, "Wrong-1!", auth)
    assert (domain.accounts()["CORP\\op"]["rejected"], domain.accounts()["CORP\\op"]["locked_out_after"]) == (5, 5)
    for way in WAYS:
        assert not enters(domain, "PC-2", "CORP\\op", RIGHT, way)
    assert domain.accounts()["CORP\\op"] == {"rejected": 9, "locked_out_after": 5, "in_a_row": 9}
    assert enters(domain, "PC-LOCAL", "helper", RIGHT, auth)
    domain.unlock_accounts()
    for username in ("CORP\\op", "op@corp.example", "op"):
        assert enters(domain, "PC-1", username, RIGHT, auth)
    assert domain.accounts() == {"CORP\\op": {"rejected": 0, "locked_out_after": None, "in_a_row": 0}}


def test_local_accounts_are_counted_where_they_are(domain: Simulator) -> None:
    for name in ("PC-1", "PC-2"):
        for username in ("helper", f"{name}\\Helper", ".\\helper"):
            assert not enters(domain, name, username, "Wrong-1!", "ntlm")
    assert not enters(domain, "PC-1", "stranger", RIGHT, "basic")
    counted = {name: standing["rejected"] for name, standing in domain.accounts().items()}
    assert counted == {"CORP\\stranger": 1, "PC-1\\helper": 3, "PC-2\\helper": 3}


def test_a_right_password_begins_the_count_anew_and_half_a_login_counts_nothing(domain: Simulator) -> None:
    for _ in range(2):
        for _ in range(4):
            assert not enters(domain, "PC-1", "op", "Wrong-1!", "basic")
        assert enters(domain, "PC-2", "op", RIGHT, "ntlm")
    host = Host(domain, "PC-1")
    first = "TlRMTVNTUAABAAAAt4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="
    for _ in range(9):
        assert b"WWW-Authenticate: Negotiate " in host.post(b"", f"Authorization: Negotiate {first}")
    assert domain.accounts()["CORP\\op"] == {"rejected": 8, "locked_out_after": None, "in_a_row": 0}
