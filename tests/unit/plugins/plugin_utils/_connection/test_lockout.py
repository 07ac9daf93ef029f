# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import multiprocessing
import os
import random
import signal
import stat
import time
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import LoginWithheld
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import OptionNames, Settings
from ansible_collections.configmgr.client.plugins.plugin_utils._connection import lockout
from ansible_collections.configmgr.client.plugins.plugin_utils._connection.lockout import MOST_REJECTIONS, Lockout

FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Run:
    """What the tasks of one run of Ansible share."""

    directory: Path

    def brake(
        self, username: str = "CORP\\op", host: str = "pc-1", auth: str = "ntlm", password: str = "p", **more: t.Any
    ) -> Lockout:
        return Lockout(
            str(self.directory), Settings(host=host, auth=auth, username=username, password=password, **more)
        )

    def reject(self, *usernames: str, host: str = "pc-1", auth: str = "ntlm") -> None:
        for username in usernames:
            attempt = self.brake(username, host, auth).begin(0)
            assert attempt is not None
            attempt.rejected()

    def is_withheld(self, username: str = "CORP\\op", host: str = "pc-1", auth: str = "ntlm") -> bool:
        try:
            self.brake(username, host, auth).check()
        except LoginWithheld:
            return True
        return False


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def why(brake: Lockout) -> str:
    with pytest.raises(LoginWithheld) as caught:
        brake.check()
    return str(caught.value)


# -- which names are one account ---------------------------------------------------------------------------------------

SHARED = [
    ("ntlm", "CORP\\op"),
    ("ntlm", "op@corp.example"),
    ("kerberos", "op@CORP.EXAMPLE"),
    ("kerberos", "op"),
    ("credssp", "op"),
    ("basic", "op"),
]
ITS_OWN = [("ntlm", ".\\op"), ("certificate", "op")]


@pytest.mark.parametrize(("auth", "username", "shared"), [(*e, True) for e in SHARED] + [(*e, False) for e in ITS_OWN])
def test_what_may_be_of_a_domain_is_one_on_all_hosts(run: Run, auth: str, username: str, shared: bool) -> None:
    files = {"cert_pem": "/c.pem", "cert_key_pem": "/k.pem"} if auth == "certificate" else {}
    one, other = (run.brake(username, host, auth, **files) for host in ("pc-1.corp.example", "pc-2.corp.example"))
    for _ in range(MOST_REJECTIONS):
        one.check()
        one.rejected()
    assert "rejected 3 times" in why(one)
    if shared:
        assert why(other) == why(one)
    else:
        other.check()


@pytest.mark.parametrize(
    "spellings",
    [
        ("CORP\\op", "op@corp.example", "corp\\OP"),
        ("op@corp.example", "OP@CORP.EXAMPLE", "corp.example\\op"),
        ("CORP\\op", "op", "op@corp.example"),  # a bare name may be the domain's
        ("op", "CORP\\op", "op"),
        ("op@another.example", "op", "op"),
        ("A-LONG-NAME-OF-A\\op", "op@a-long-name-of-a-domain.example", "A-LONG-NAME-OF-\\op"),
    ],
)
def test_spellings_of_one_account(run: Run, spellings: tuple[str, ...]) -> None:
    run.reject(*spellings)
    assert [each for each in spellings if not run.is_withheld(each)] == []


def test_accounts_that_are_not_one(run: Run) -> None:
    run.reject(*["CORP\\op"] * 3)
    others = ("CORP\\another", "OTHER\\op", "op@other.example", ".\\op", "PC-1\\op")
    assert [each for each in others if run.is_withheld(each)] == []


def test_a_local_account_is_one_in_both_of_its_spellings(run: Run) -> None:
    run.reject(".\\op", "PC-1\\op", "pc-1\\OP", host="pc-1.corp.example")
    assert run.is_withheld(".\\op", "pc-1.corp.example")
    assert not run.is_withheld(".\\op", "pc-2.corp.example")


def test_local_accounts_of_many_hosts_leave_the_bare_name_alone(run: Run) -> None:
    for number in range(10):
        run.reject(".\\op", host=f"pc-{number}")
    assert not run.is_withheld("op")


def test_addresses_are_no_names(run: Run) -> None:
    run.reject(*[".\\op"] * 3, host="10.0.0.1")
    assert not run.is_withheld(".\\op", "10.0.0.2")


# -- what counts -------------------------------------------------------------------------------------------------------


def test_what_is_under_way_counts(run: Run) -> None:
    attempts = [run.brake(host=f"pc-{number}").begin(0) for number in range(MOST_REJECTIONS)]
    assert None not in attempts
    assert run.brake().begin(0.05) is None
    run.brake().check()  # its turn may come
    for attempt in attempts:
        assert attempt is not None
        attempt.untried()
    assert run.brake().begin(0) is not None


def test_a_place_that_gets_free_is_taken(run: Run) -> None:
    attempts = [run.brake().begin(0) for _ in range(MOST_REJECTIONS)]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run.brake().begin, 20)
        assert attempts[0] is not None
        attempts[0].untried()
        assert waiting.result() is not None


def test_nobody_waits_for_a_password_that_was_accepted(run: Run) -> None:
    first = run.brake().begin(0)
    assert first is not None
    first.accepted()
    under_way = [run.brake("op@corp.example").begin(0) for _ in range(20)]
    assert None not in under_way
    run.brake().rejected()
    places = [run.brake().begin(0) for _ in range(3)]  # one was rejected, two are under way
    assert [each is None for each in places] == [False, False, True]


def test_another_password_is_not_known_to_be_right(run: Run) -> None:
    first = run.brake().begin(0)
    assert first is not None
    first.accepted()
    wrong = [run.brake(password="another").begin(0) for _ in range(4)]
    assert [each is None for each in wrong] == [False, False, False, True]


def test_a_ticket_says_nothing_of_a_password(run: Run) -> None:
    """The first host's password got it for all."""
    first = run.brake("op@CORP.EXAMPLE", auth="kerberos").begin(0)
    assert first is not None
    first.accepted()
    ntlm = [run.brake("op@CORP.EXAMPLE").begin(0) for _ in range(4)]
    assert ntlm[-1] is None


def test_a_login_that_ended_without_a_word_counts(run: Run) -> None:
    for _ in range(MOST_REJECTIONS):
        attempt = run.brake().begin(0)
        assert attempt is not None
        with pytest.raises(ZeroDivisionError), attempt:
            _ = 1 / 0
    assert "sent 3 times without an answer" in why(run.brake())


def test_until_its_password_is_accepted(run: Run) -> None:
    first, second = run.brake().begin(0), run.brake().begin(0)
    assert first is not None and second is not None
    with first:
        pass
    second.accepted()
    run.reject("CORP\\op", "CORP\\op")
    run.brake().check()


def test_negotiate_counts_twice_where_it_may_try_kerberos(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "GSSAPI_IMPORT_ERROR", None)
    both = {"auth": "negotiate", "library": "pypsrp"}
    attempt = run.brake(**both).begin(0)
    assert attempt is not None
    assert run.brake(**both).begin(0) is None
    attempt.rejected()
    assert "each may be tried twice" in why(run.brake(**both, names=OptionNames(auth="ansible_psrp_auth")))
    run.reject("CORP\\op")  # with NTLM alone there is one left
    assert run.is_withheld()


def test_negotiate_counts_once_where_there_is_no_kerberos(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "GSSAPI_IMPORT_ERROR", ImportError())
    places = [run.brake(auth="negotiate", library="pypsrp").begin(0) for _ in range(4)]
    assert [each is None for each in places] == [False, False, False, True]


# -- what is said and kept ---------------------------------------------------------------------------------------------


def test_a_bare_name_is_told_how_to_do_better(run: Run) -> None:
    run.reject(*["op"] * 3)
    said = why(run.brake("op", names=OptionNames(username="ansible_user")))
    assert "without a domain counts as one account for all hosts" in said
    assert "set ansible_user to .\\op" in said
    run.reject(*["CORP\\other"] * 3)
    assert "without a domain" not in why(run.brake("CORP\\other"))


def test_nobody_else_can_read_what_is_kept_and_no_password_is(run: Run) -> None:
    first, second = (run.brake(password="Xk9-Pass").begin(0) for _ in range(2))
    assert first is not None and second is not None
    first.accepted()
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.directory.iterdir()} == {0o700}
    assert [path for path in files if b"Xk9" in path.read_bytes()] == []
    second.untried()
    assert len(list(run.directory.glob("*/under_way/*"))) == 0


def test_a_login_costs_the_same_however_many_hosts_there_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    parse = lockout.json.loads

    def counted(text: bytes) -> t.Any:
        read.append(len(text))
        return parse(text)

    monkeypatch.setattr(lockout.json, "loads", counted)
    costs = []
    for number in range(100, 140):
        brake = run.brake(".\\op", f"pc-{number}")
        for _login in range(2):
            attempt = brake.begin(0)
            assert attempt is not None
            attempt.accepted()
        costs.append(sum(read))
        read.clear()
    assert len(set(costs)) == 1


# -- processes and threads ---------------------------------------------------------------------------------------------

PROCESSES, THREADS = 4, 8
SPELLINGS = ("CORP\\op", "op@corp.example", "op", "corp\\Op")


def log_in(run: Run, number: int, right: bool, endings: Path) -> str:
    brake = run.brake(SPELLINGS[number % len(SPELLINGS)], f"pc-{number}")
    try:
        attempt = brake.begin(60)
    except LoginWithheld:
        return "withheld"
    if attempt is None:
        return "gave up"
    with attempt:
        time.sleep(random.random() / 50)
        if number % 3 == 0:
            attempt.untried()
            return "untried"
        with endings.open("ab") as file:
            file.write(b".")
        if right:
            attempt.accepted()
        else:
            attempt.rejected()
        return "judged"


def work(run: Run, first: int, right: bool, endings: Path) -> None:
    start = Barrier(THREADS)

    def one(number: int) -> str:
        start.wait()
        return log_in(run, number, right, endings)

    with ThreadPoolExecutor(THREADS) as pool:
        found = Counter(pool.map(one, range(first, first + THREADS)))
    (run.directory / f"found-{first}").write_text("\n".join(found.elements()))


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("_again", range(3))
def test_processes_and_threads_at_once(run: Run, right: bool, _again: int) -> None:
    endings = run.directory / "endings"
    workers = [FORK.Process(target=work, args=(run, index * THREADS, right, endings)) for index in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {worker.exitcode for worker in workers} == {0}
    found = Counter(each for path in run.directory.glob("found-*") for each in path.read_text().splitlines())
    assert found.total() == PROCESSES * THREADS
    assert found["gave up"] == 0
    judged = sum(1 for number in range(PROCESSES * THREADS) if number % 3)
    assert len(endings.read_bytes()) == found["judged"] == (judged if right else MOST_REJECTIONS)
    assert bool(found["withheld"]) is not right


def begin_and_wait(run: Run, ready: t.Any) -> None:
    attempt = run.brake().begin(0)
    ready.set()
    time.sleep(60)
    del attempt


def test_a_process_that_was_killed_blocks_nobody_and_counts(run: Run) -> None:
    for number in range(MOST_REJECTIONS):
        ready = FORK.Event()
        worker = FORK.Process(target=begin_and_wait, args=(run, ready))
        worker.start()
        assert ready.wait(30) and worker.pid
        assert not run.is_withheld(), number
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    assert "sent 3 times without an answer" in why(run.brake())
