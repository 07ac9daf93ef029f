# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops a wrong password from locking its account: in a run, no more than three logins of an account are rejected.

What is under way counts as well, since each such login may be rejected: a login takes a place before it begins. It
gives the place back when the password was right, or was never judged. Once a password was accepted, logins with it need
no place, until one of the account is rejected.

Hosts are worked on by processes and by threads, so what they share are files: in Ansible's temporary directory of the
run, which ends with it. Their locks belong to an open file, not to a process: so they hold between threads as well, and
the lock of a process that was killed is gone. A place that nobody holds a lock on is that of a login whose end nobody
told: it counts as rejected until that password is accepted.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

from ...module_utils._wsman.errors import LoginWithheld
from ...module_utils._wsman.login.kerberos import GSSAPI_IMPORT_ERROR
from ...module_utils._wsman.settings import Settings

MOST_REJECTIONS = 3
"""Below the lockout thresholds that Active Directory domains commonly set."""

_KEY = secrets.token_bytes(32)
"""Made before Ansible forks, so that all processes of a run have it and none writes it anywhere."""
_ACCEPTED: dict[tuple[str, str, str], int] = {}
"""What this process knows to be accepted: how many logins of the account were rejected by then."""
_NO_DOMAIN = ""
_NETBIOS_LENGTH = 15
_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 0.25


class Lockout:
    """The brake for the account of *settings* on their host."""

    def __init__(self, directory: str, settings: Settings) -> None:
        user, self._domain = _account(settings)
        self._settings = settings
        # Negotiate may try a wrong password twice, with Kerberos and with NTLM.
        self._weight = 2 if settings.auth == "negotiate" and GSSAPI_IMPORT_ERROR is None else 1
        kind = "ticket" if settings.auth == "kerberos" else "login"  # a ticket for all may come of another password
        proof = f"{kind} {self._domain} {settings.password}".encode()
        self._password = hmac.new(_KEY, proof, hashlib.sha256).hexdigest()[:16]
        digest = hashlib.sha256(user.encode()).hexdigest()[:32]
        self._directory = Path(directory, f"configmgr-client-logins-{digest}")
        self._rejections = os.path.join(self._directory, "rejections")
        self._proof = str(self._directory), self._domain, self._password

    def check(self) -> None:
        """Raises LoginWithheld where no login may be tried any more."""
        if not self._is_still_accepted():
            with self._record() as record:
                self._refuse(record)

    def knows_password(self) -> bool:
        """Whether it was accepted, so that no login with it needs a turn."""
        if self._is_still_accepted():
            return True
        with self._record() as record:
            return self._is_accepted(record)

    def begin(self, patience: float) -> Attempt | None:
        """A login's turn; None where it did not come within *patience* seconds. Raises LoginWithheld."""
        if self._is_still_accepted():
            return Attempt(self, None)
        until = time.monotonic() + patience
        wait = _SHORTEST_WAIT
        while True:
            with self._record() as record:
                self._refuse(record)
                if self._is_accepted(record):
                    return Attempt(self, None)
                if record.used(self._domain) + self._weight <= MOST_REJECTIONS:
                    return Attempt(self, record.take(self._domain, self._password, self._weight))
            left = until - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(wait, left))
            wait = min(wait * 2, _LONGEST_WAIT)

    def rejected(self) -> None:
        """A login was rejected that needed no turn of its own."""
        self.ended(None, "rejected")

    def ended(self, place: Place | None, how: str) -> None:
        if place is None and how == "accepted" and self._is_still_accepted():
            return
        with self._record() as record:
            if place is not None:
                record.give_back(place)
            if how == "rejected":
                record.reject(self._domain, self._weight)
            elif how == "accepted":
                record.accept(self._domain, self._password)
                self._is_accepted(record)
            elif place is not None and how == "unanswered":
                record.doubt(self._domain, self._password, self._weight)

    def _is_accepted(self, record: _Record) -> bool:
        if not record.is_accepted(self._domain, self._password):
            return False
        _ACCEPTED[self._proof] = record.rejected
        return True

    def _is_still_accepted(self) -> bool:
        """No login of the account was rejected since. By a look at one file: a sweep asks it of each endpoint."""
        rejected = _ACCEPTED.get(self._proof)
        return rejected is not None and rejected == _size(self._rejections)

    def _refuse(self, record: _Record) -> None:
        rejected, unanswered = record.spent(self._domain)
        if rejected + unanswered + self._weight <= MOST_REJECTIONS:
            return
        name = self._settings.cert_pem if self._settings.auth == "certificate" else self._settings.username
        counted = []
        if rejected:
            counted.append(f"rejected {_times(rejected)}")
        if unanswered:
            counted.append(f"sent {_times(unanswered)} without an answer, which counts as well")
        said = [f"No login was tried: in this run the login of {name} was {' and '.join(counted)}"]
        if self._settings.auth != "certificate":
            said.append("One more could lock the account")
        if self._weight > 1:
            said.append(f"With {self._settings.names['auth']}=negotiate each may be tried twice, and counts so")
        if self._domain == _NO_DOMAIN and self._settings.auth != "kerberos":
            named = self._settings.names["username"]
            said.append(
                "A name without a domain counts as one account for all hosts, because Windows may take it for the"
                f" domain's. If each host has an account of its own, set {named} to .\\{name}"
            )
        raise LoginWithheld(". ".join(said))

    @contextmanager
    def _record(self) -> t.Iterator[_Record]:
        """What is known of the account, for this process and thread alone."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        with _opened(self._directory / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            record = _Record(self._directory)
            yield record
            record.save()


class Attempt:
    """One login. Left without a word on how it ended, it counts as rejected until its password is accepted."""

    def __init__(self, lockout: Lockout, place: Place | None) -> None:
        self._lockout = lockout
        self._place = place
        self._ended = False

    def accepted(self) -> None:
        self._end("accepted")

    def rejected(self) -> None:
        self._end("rejected")

    def untried(self) -> None:
        """No credentials were judged."""
        self._end("untried")

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, *exception: object) -> None:
        self._end("unanswered")

    def _end(self, how: str) -> None:
        if not self._ended:
            self._ended = True
            self._lockout.ended(self._place, how)


class Place(t.NamedTuple):
    """A file that is locked for as long as its login is under way."""

    path: Path
    file: t.IO[bytes]


class _Account(t.TypedDict):
    """Of one user name with one domain: how often it was rejected, and what is known of its passwords.

    ``accepted`` is what was accepted when so many logins of the name, with whatever domain, were ``rejected_by_then``.
    """

    domain: str
    rejected: int
    unanswered: dict[str, int]
    accepted: list[str]
    rejected_by_then: int


class _Record:
    """What is known of a user name, by domain. Only whoever holds the lock of the directory may have one.

    Each domain has a file: a name such as ``.\\Administrator`` has one of each host, and a login is to cost the same
    however many hosts there are.
    """

    def __init__(self, directory: Path) -> None:
        self._places = directory / "under_way"
        self._files = directory / "accounts"
        for each in (self._places, self._files):
            each.mkdir(mode=0o700, exist_ok=True)
        self._rejections = directory / "rejections"
        self.rejected = _size(self._rejections)
        self._accounts: dict[str, _Account] = {}
        self._under_way: dict[str, int] = {}
        self._changed: set[str] = set()
        self._look_at_places()

    def _look_at_places(self) -> None:
        for path in self._places.iterdir():
            with _opened(path) as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    domain, _password, weight = _place_of(path)
                    self._under_way[domain] = self._under_way.get(domain, 0) + weight
                else:  # whoever held it was killed
                    if path.stat().st_size:
                        self.doubt(*_place_of(path))
                    path.unlink()

    def save(self) -> None:
        for domain in self._changed:
            path = self._file_of(domain)
            partial = path.with_suffix(".new")
            with _opened(partial) as file:
                file.truncate()
                file.write(json.dumps(self._accounts[domain]).encode())
            partial.replace(path)

    def is_accepted(self, domain: str, password: str) -> bool:
        return password in self._of(domain)["accepted"]

    def spent(self, domain: str) -> tuple[int, int]:
        """How many logins were rejected, and how many are not known to have been."""
        return (
            self._reckon(domain, lambda each: self._of(each)["rejected"]),
            self._reckon(domain, lambda each: sum(self._of(each)["unanswered"].values())),
        )

    def used(self, domain: str) -> int:
        """That, and what is under way."""
        return sum(self.spent(domain)) + self._reckon(domain, lambda each: self._under_way.get(each, 0))

    def _reckon(self, domain: str, number: t.Callable[[str], int]) -> int:
        """A name without a domain may be any domain's, and any domain's may have been tried without it."""
        without = number(_NO_DOMAIN)
        if domain != _NO_DOMAIN:
            return number(domain) + without
        return without + max(map(number, self._domains() - {_NO_DOMAIN}), default=0)

    def _domains(self) -> set[str]:
        for path in self._files.glob("*.json"):
            account: _Account = json.loads(path.read_bytes())
            self._accounts.setdefault(account["domain"], self._current(account))
        return {*self._accounts, *self._under_way}

    def take(self, domain: str, password: str, weight: int) -> Place:
        path = self._places / secrets.token_hex(8)
        file = _opened(path)
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps([domain, password, weight]).encode())
        file.flush()
        return Place(path, file)

    def give_back(self, place: Place) -> None:
        place.path.unlink()
        place.file.close()

    def reject(self, domain: str, weight: int) -> None:
        """What any domain of the name had accepted is to be proven anew: the name without one may be any of them."""
        with open(os.open(self._rejections, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
            file.write(b".")
        self.rejected += 1
        for each in self._accounts.values():
            each["accepted"].clear()
        self._of(domain)["rejected"] += weight
        self._changed.add(domain)

    def accept(self, domain: str, password: str) -> None:
        account = self._of(domain)
        if password not in account["accepted"]:
            account["accepted"].append(password)
            account["rejected_by_then"] = self.rejected
            account["unanswered"].pop(password, None)
            self._changed.add(domain)

    def doubt(self, domain: str, password: str, weight: int) -> None:
        account = self._of(domain)
        if password not in account["accepted"]:
            account["unanswered"][password] = account["unanswered"].get(password, 0) + weight
            self._changed.add(domain)

    def _of(self, domain: str) -> _Account:
        if domain not in self._accounts:
            path = self._file_of(domain)
            account = _Account(domain=domain, rejected=0, unanswered={}, accepted=[], rejected_by_then=0)
            self._accounts[domain] = self._current(json.loads(path.read_bytes())) if path.exists() else account
        return self._accounts[domain]

    def _current(self, account: _Account) -> _Account:
        if account["rejected_by_then"] < self.rejected:
            account["accepted"] = []
        return account

    def _file_of(self, domain: str) -> Path:
        return self._files / f"{hashlib.sha256(domain.encode()).hexdigest()[:32]}.json"


def _place_of(path: Path) -> tuple[str, str, int]:
    domain, password, weight = json.loads(path.read_bytes())
    return domain, password, weight


def _size(path: str | Path) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _opened(path: Path) -> t.IO[bytes]:
    return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _account(settings: Settings) -> tuple[str, str]:
    """The user, and the domain it belongs to; a host stands for a domain where the account is the host's own.

    ``CORP\\op`` and ``op@corp.example`` are one account. Domains whose names begin alike are taken for one: it is safe
    to count two accounts as one.
    """
    host = _first_label(settings.host)
    if settings.auth == "certificate":
        return f"certificate {settings.cert_pem}", f"host {settings.host.casefold()}"
    name = (settings.username or "").casefold()
    domain, separator, user = name.rpartition("\\")
    if not separator:
        user, _at, domain = name.partition("@")
    if domain == ".":
        return f"user {user}", host
    return f"user {user}", _first_label(domain)[:_NETBIOS_LENGTH]


def _first_label(name: str) -> str:
    name = name.casefold()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.partition(".")[0]
