# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong password in the inventory: three logins at most, whatever the way in, the forks and the spelling.

The domain here locks an account after five, counts them itself, and keeps it locked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import PASSWORD, USERNAME, WRONG_PASSWORD, Case, Lab, Outcome, spelled
from tests.simulator.client import Simulator

HOSTS = 6
MOST = 3
THRESHOLD = 5
FORKS = (1, 2, 16)
WAYS: dict[str, dict[str, Any]] = {
    "winrm": spelled("winrm"),
    "psrp": spelled("psrp"),
    "negotiate": spelled("psrp", auth="negotiate"),
    "bastion": {},
}
SPELLINGS = {
    "domain": lambda user: [f"CORP\\{user}"],
    "upn": lambda user: [f"{user}@corp.example"],
    "bare": lambda user: [user],
    "letter case": lambda user: [f"CORP\\{user}", f"corp\\{user.upper()}", f"Corp\\{user.title()}"],
    "mixed": lambda user: [f"CORP\\{user}", user, f"{user.upper()}@CORP.EXAMPLE"],
}
ACCOUNTS = list(itertools.product(WAYS, SPELLINGS))


def user_of(username: str) -> str:
    return username.rpartition("\\")[2].partition("@")[0].lower()


def case(way: str, username: str, password: str, module: str = "provisioning_mode_info") -> Case:
    """The account is the domain's, however the inventory spells it."""
    spec = {"credentials": {"username": f"CORP\\{user_of(username)}", "password": PASSWORD}}
    login = {"ansible_user": username, "ansible_password": password}
    if way != "bastion":
        return Case(module, spec=spec, vars={**WAYS[way], **login})
    endpoint = {
        "host": "{{ ansible_host }}",
        "port": "{{ ansible_port }}",
        "scheme": "http",
        "username": "{{ ansible_user }}",
        "password": "{{ ansible_password }}",
    }
    return Case(module, {"endpoint": endpoint}, spec, login, delegate_to="localhost")


def account_of(way: str, spelling: str) -> str:
    return f"{way}-{spelling}".replace(" ", "-")


def cases(way: str, spelling: str, password: str, hosts: int) -> dict[str, Case]:
    names = SPELLINGS[spelling](account_of(way, spelling))
    return {
        f"{way} {spelling} {number}": case(way, name, password)
        for number, name in zip(range(hosts), itertools.cycle(names))
    }


def rejected(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Where a login was begun and none was granted."""
    return [each for each in outcomes if each.traffic["login_requests"] and not each.traffic["logins"]]


@pytest.fixture(scope="module")
def lab(installed: Path, worker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    fleet = {
        "lockout": {"threshold": THRESHOLD},
        "credentials": {"username": USERNAME, "password": PASSWORD},
        "endpoints": [],
    }
    with Simulator(fleet) as simulator:
        lab = Lab(simulator, tmp_path_factory.mktemp("controller"), 200 + worker % 50)
        yield lab
        assert "Traceback" not in simulator.log()
    assert not lab.complaints, "\n\n".join(lab.complaints)


@pytest.fixture(scope="module", params=FORKS)
def wrong(lab: Lab, request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """Every account in one run, each on hosts of its own."""
    lab.simulator.unlock_accounts()
    every = [cases(way, spelling, WRONG_PASSWORD, HOSTS) for way, spelling in ACCOUNTS]
    return lab.play({key: each for table in every for key, each in table.items()}, "--forks", str(request.param))


@pytest.mark.parametrize(("way", "spelling"), ACCOUNTS)
def test_a_wrong_password_is_rejected_three_times_at_most(wrong: dict[str, Outcome], way: str, spelling: str) -> None:
    outcomes = [wrong[f"{way} {spelling} {number}"] for number in range(HOSTS)]
    tried = rejected(outcomes)
    assert 1 <= len(tried) <= MOST
    if way != "negotiate":  # which may count twice
        assert len(tried) == MOST
    for outcome in outcomes:
        assert (outcome.status, outcome.result["error_layer"]) == ("unreachable", "login"), outcome.msg
        assert ("No login was tried" in outcome.msg) is (outcome not in tried), outcome.msg
        assert ("endpoint.password" if way == "bastion" else "ansible_password") in outcome.msg
        assert "_login" not in outcome.result
        if spelling == "bare" and outcome not in tried:
            assert "counts as one account for all hosts" in outcome.msg


@pytest.mark.parametrize(("way", "spelling"), [("winrm", "domain"), ("negotiate", "upn"), ("bastion", "bare")])
def test_a_right_password_reaches_all_hosts(lab: Lab, way: str, spelling: str) -> None:
    outcomes = lab.play(cases(way, spelling, PASSWORD, 12), "--forks", "16")
    assert [each.result.get("verdict", each.msg) for each in outcomes.values()] == ["normal"] * 12
    assert {each.traffic["connections"] for each in outcomes.values()} == {2}  # none was given up to wait


def test_one_wrong_password_among_right_ones_stops_nobody_else(lab: Lab) -> None:
    played = {f"right {number}": case("winrm", "CORP\\mostly", PASSWORD) for number in range(5)}
    played["wrong"] = case("winrm", "CORP\\mostly", WRONG_PASSWORD)
    outcomes = lab.play(played)
    assert {key for key, each in outcomes.items() if each.status != "ok"} == {"wrong"}


def test_hosts_that_let_nobody_try_take_nobodys_turn(lab: Lab) -> None:
    """Switched off, or without the login that was asked for: their passwords were never judged."""
    played = {f"off {number}": case("winrm", "CORP\\patient", PASSWORD) for number in range(4)}
    played = {key: Case(spec={"profile": "switched_off", **each.spec}, vars=each.vars) for key, each in played.items()}
    for number in range(4):
        each = case("winrm", "CORP\\patient", PASSWORD)
        played[f"kerberos {number}"] = Case(spec={"auth": ["kerberos"], **each.spec}, vars=each.vars)
    played["on"] = case("winrm", "CORP\\patient", PASSWORD)
    outcomes = lab.play(played, "--forks", "1")
    assert {key for key, each in outcomes.items() if each.status == "ok"} == {"on"}


def test_the_doctor_asks_as_well(lab: Lab) -> None:
    played = {
        f"{way} {number}": case(way, "CORP\\examined", WRONG_PASSWORD, "connection_info")
        for way in ("winrm", "bastion")
        for number in range(3)
    }
    outcomes = lab.play(played)
    assert {each.status for each in outcomes.values()} == {"ok"}
    assert len(rejected(outcomes.values())) == MOST
    for outcome in outcomes.values():
        statuses = {check["check"]: check["status"] for check in outcome.result["checks"]}
        assert (statuses["login"], statuses["rights"]) == ("failed", "skipped")
        assert ("No login was tried" in "".join(outcome.result["text"])) is (not rejected([outcome]))
        assert "_login" not in outcome.result
