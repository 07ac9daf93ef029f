# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets from a password: how long one serves, and what is done where none comes. A KDC of its own gives them."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import kdc
import pytest

with suppress(ImportError):
    import krb5

from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import (
    LibraryMissing,
    LoginRejected,
    TicketUnavailable,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.login import kerberos, methods
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import OptionNames, Settings

PASSWORD = "correct horse battery staple"
needs_kdc = pytest.mark.skipif(bool(kdc.missing()), reason=kdc.missing())


def settings(username: str | None, password: str | None = PASSWORD, **options: t.Any) -> Settings:
    return Settings(**{"host": "pc-1.corp.test", **options}, auth="kerberos", username=username, password=password)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/own")
    return tmp_path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdc.Kdc]:
    realm = kdc.Kdc(tmp_path_factory.mktemp("realm"))
    with realm.running():
        yield realm


@pytest.fixture
def realm(running: kdc.Kdc, monkeypatch: pytest.MonkeyPatch) -> kdc.Kdc:
    monkeypatch.setenv("KRB5_CONFIG", running.config()["KRB5_CONFIG"])
    return running


def missing(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    for name in ("PYKERBEROS", "KRB5"):
        error = ImportError(f"no {name}") if name in libraries else None
        monkeypatch.setattr(kerberos, f"{name}_IMPORT_ERROR", error)


def test_the_library_for_logins_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "PYKERBEROS", "KRB5")
    with pytest.raises(LibraryMissing, match=r"pip install 'pywinrm\[kerberos\]'"):
        methods.login_of(settings(None, None)).credential()


def test_the_library_for_tickets_is_named_and_a_way_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "KRB5")
    names = OptionNames(password="my_password")
    with pytest.raises(LibraryMissing, match=r"pip install krb5; .*kinit and leave my_password out"):
        methods.login_of(settings("admin@CORP.TEST", names=names)).credential()


def test_without_a_password_the_cache_of_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "KRB5")
    assert methods.login_of(settings("admin@CORP.TEST", None)).credential() == ("admin@CORP.TEST", None, None)


@needs_kdc
def test_a_ticket_serves_until_it_has_aged(realm: kdc.Kdc, tmp_path: Path) -> None:
    principal = realm.add_user("ageing", PASSWORD, "-maxlife", '"1 hour"')
    directory = str(tmp_path)

    def use(host: str) -> int:
        kerberos.ticket_cache(settings(principal, ticket_directory=directory, host=host))
        return realm.requests("AS_REQ", principal)

    assert [use("pc-1"), use("pc-2"), use("pc-1")] == [1, 1, 1]
    for minutes, tickets in ((49, 1), (2, 2), (0, 2)):
        for path in tmp_path.iterdir():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - minutes * 60))
        assert use("pc-1") == tickets


@needs_kdc
def test_a_short_ticket_serves_for_half_its_life(realm: kdc.Kdc, tmp_path: Path) -> None:
    principal = realm.add_user("hasty", PASSWORD, "-maxlife", '"2 minutes"')
    for _ in range(3):
        kerberos.ticket_cache(settings(principal, ticket_directory=str(tmp_path)))
    assert realm.requests("AS_REQ", principal) == 1


@needs_kdc
def test_what_processes_share_is_theirs_alone(realm: kdc.Kdc, tmp_path: Path) -> None:
    principal = realm.add_user("private", PASSWORD)
    old = os.umask(0)
    try:
        cache = kerberos.ticket_cache(settings(principal, ticket_directory=str(tmp_path)))
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert cache.startswith(f"FILE:{tmp_path}/")


@needs_kdc
def test_a_process_of_its_own_leaves_no_file(realm: kdc.Kdc, tmp_path: Path) -> None:
    cache = kerberos.ticket_cache(settings(realm.add_user("passing", PASSWORD)))
    assert cache.startswith("MEMORY:")
    assert list(tmp_path.iterdir()) == []


@needs_kdc
def test_threads_of_a_process_share_a_ticket_of_each_account(realm: kdc.Kdc) -> None:
    accounts = [settings(realm.add_user(name, PASSWORD)) for name in ("first", "second")]
    with ThreadPoolExecutor(8) as pool:
        caches = list(pool.map(kerberos.ticket_cache, accounts * 8))
    assert len(set(caches)) == 2
    assert [realm.requests("AS_REQ", each.username or "") for each in accounts] == [1, 1]


@needs_kdc
def test_a_ticket_of_this_process_is_replaced_when_it_has_aged(realm: kdc.Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = settings(realm.add_user("brief", PASSWORD, "-maxlife", '"2 minutes"'))
    now = time.monotonic()
    caches = []
    for seconds in (0, 50, 70):
        monkeypatch.setattr(kerberos.time, "monotonic", lambda seconds=seconds: now + seconds)
        caches.append(kerberos.ticket_cache(wanted))
    assert caches[0] == caches[1] != caches[2]


@needs_kdc
def test_a_rejected_password_is_never_sent_again(realm: kdc.Kdc, tmp_path: Path) -> None:
    principal = realm.add_user("mistaken", PASSWORD)
    for _ in range(3):
        with pytest.raises(LoginRejected, match=principal):
            kerberos.ticket_cache(settings(principal, "another", ticket_directory=str(tmp_path)))
        age(tmp_path, "failed", 3600)
    assert realm.requests("AS_REQ", principal, "PREAUTH_FAILED") == 1


@needs_kdc
def test_any_other_failure_is_shared_for_a_while(realm: kdc.Kdc, tmp_path: Path) -> None:
    wanted = settings("nobody@CORP.TEST", ticket_directory=str(tmp_path))
    asked = []
    for seconds in (0, 30, 31):
        age(tmp_path, "failed", seconds)
        with pytest.raises(TicketUnavailable, match="the KDC does not know nobody"):
            kerberos.ticket_cache(wanted)
        asked.append(realm.requests("AS_REQ", "nobody@CORP.TEST", "CLIENT_NOT_FOUND"))
    assert asked == [1, 1, 2]


@needs_kdc
def test_a_shared_failure_is_told_in_the_same_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    generic = -1765328324

    def fail(*arguments: object) -> None:
        raise krb5.Krb5Error(krb5.init_context(), generic)

    monkeypatch.setattr(kerberos, "_get_ticket", fail)
    told = []
    for _ in range(2):
        with pytest.raises(TicketUnavailable) as error:
            kerberos.ticket_cache(settings("admin@CORP.TEST", ticket_directory=str(tmp_path)))
        told.append(str(error.value))
        monkeypatch.setattr(kerberos, "_get_ticket", None)
    assert told[0] == told[1]
    assert "Generic error" in told[0]


def age(directory: Path, suffix: str, seconds: int) -> None:
    for path in directory.glob(f"*.{suffix}"):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))
