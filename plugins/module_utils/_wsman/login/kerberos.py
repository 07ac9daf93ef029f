# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos tickets from a password, without kinit: one for all processes of a run, or one for this process alone.

The login itself is made by the library that carries the messages. Several accounts may be used by the threads of one
process at the same time: the environment, which all threads share, is read and never written.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import hashlib
import os
import threading
import time
import typing as t
import zlib
from contextlib import contextmanager
from pathlib import Path

from ..errors import LibraryMissing, LoginRejected, LoginUnavailable, TicketUnavailable
from ..settings import Settings
from .kerberos_errors import problem

try:
    import krb5
except ImportError as error:
    KRB5_IMPORT_ERROR: ImportError | None = error
else:
    KRB5_IMPORT_ERROR = None
try:
    import kerberos
    from winrm.vendor.requests_kerberos import MutualAuthenticationError
except ImportError as error:
    PYKERBEROS_IMPORT_ERROR: ImportError | None = error
else:
    PYKERBEROS_IMPORT_ERROR = None
try:
    import gssapi  # noqa: F401  # pylint: disable=unused-import  # pyspnego logs in with it
except ImportError as error:
    GSSAPI_IMPORT_ERROR: ImportError | None = error
else:
    GSSAPI_IMPORT_ERROR = None

_SPARE_SECONDS = 600
"""A ticket is replaced when less is left of it: longer than most tasks take."""
_FAILURE_HOLDS_SECONDS = 60
"""Hosts whose turn comes while the KDC does not answer fail with the first one, instead of waiting one by one."""
_SHARDS = 256
"""Looking up a service's ticket reads a cache from its start, so that one cache for a whole fleet would be slow."""

_own: dict[str, tuple[str, float]] = {}
"""The caches of this process alone, and since when their tickets are there, by account."""
_own_lock = threading.Lock()


def require_library(settings: Settings) -> None:
    """Raises LibraryMissing where nothing here can log in with a ticket."""
    with_gssapi = settings.library in ("pypsrp", "requests")
    missing = GSSAPI_IMPORT_ERROR if with_gssapi else PYKERBEROS_IMPORT_ERROR
    if missing is not None:
        named, library = settings.names, "gssapi" if with_gssapi else "pykerberos"
        package = "requests-kerberos" if settings.library == "requests" else f"{settings.library}[kerberos]"
        raise LibraryMissing(
            f"{named['auth']}=kerberos needs {library}: pip install '{package}' ({missing})"
        )


def ticket_cache(settings: Settings) -> str:
    """The name of the cache with a ticket from the password, to log in with.

    Raises LibraryMissing, LoginRejected for a wrong password, else TicketUnavailable.
    """
    if KRB5_IMPORT_ERROR is not None:
        raise LibraryMissing(
            "Kerberos tickets from a password need krb5: pip install krb5; or get a ticket with kinit and leave"
            f" {settings.names['password']} out ({KRB5_IMPORT_ERROR})"
        )
    if settings.ticket_directory is None:
        return _own_ticket(settings)
    return _shared_ticket(settings, settings.ticket_directory)


@contextmanager
def default_cache(cache: str | None) -> t.Iterator[None]:
    """Inside, logins of pykerberos by this thread take tickets from *cache*; None leaves it to the environment.

    pykerberos takes them from the default cache and no other. GSSAPI keeps the name of that one by thread.
    """
    if cache is None:
        yield
        return
    _set_default_cache(cache.encode())
    try:
        yield
    finally:
        _set_default_cache(None)


def _set_default_cache(name: bytes | None) -> None:
    code = ctypes.c_uint32()
    if _gssapi().gss_krb5_ccache_name(ctypes.byref(code), name, None):  # else it would log in as somebody else
        raise TicketUnavailable(f"GSSAPI does not take {name!r} for its ticket cache (error {code.value})")


@functools.cache
def _gssapi() -> ctypes.CDLL:
    """Through pykerberos, so that it is the very library that pykerberos is linked to."""
    return ctypes.CDLL(kerberos.__file__)


def explain(error: BaseException, settings: Settings) -> LoginUnavailable | LoginRejected | None:
    """What a failure of a login means, where a Kerberos library is behind it."""
    code = getattr(getattr(error, "base_error", None), "min_code", None)  # pyspnego's, of gssapi
    if code is not None:
        return _problem(code - 2**32 if code >= 2**31 else code, str(error), settings)
    if PYKERBEROS_IMPORT_ERROR is not None:
        return None
    if isinstance(error, MutualAuthenticationError):
        return TicketUnavailable(
            f"{settings.url} did not prove that it is {service_name(settings)}: another machine may have answered."
            " Check its name in DNS and in the inventory"
        )
    if isinstance(error.__context__, kerberos.GSSError):
        _major, (text, code) = error.__context__.args  # each a text and its number
        return _problem(code, text, settings)
    return None


def _problem(code: int, text: str, settings: Settings) -> LoginUnavailable | LoginRejected:
    client = settings.username or "the owner of the ticket cache"
    return problem(code, text, client, service_name(settings), settings.names)


def service_name(settings: Settings) -> str:
    """Such as HTTP/pc-0001.corp.example."""
    return f"{settings.service}/{settings.kerberos_hostname_override or settings.host}"


def _kind(settings: Settings) -> str:
    return f"{settings.username} {settings.kerberos_delegation}"


def _own_ticket(settings: Settings) -> str:
    """A cache in the memory of this process, which its threads share."""
    kind = f"{_kind(settings)} {settings.password}"
    with _own_lock:
        cache, since = _own.get(kind, ("", 0.0))
        if not cache or not _is_young(cache, time.monotonic() - since):
            # A new one each time: another thread may be reading the old one.
            cache = f"MEMORY:configmgr-client-{len(_own)}-{time.monotonic_ns()}"
            try:
                _get_ticket(settings, cache)
            except krb5.Krb5Error as error:
                raise _problem(error.err_code, str(error), settings) from error
            _own[kind] = cache, time.monotonic()
    return cache


def _shared_ticket(settings: Settings, directory: str) -> str:
    """The cache, in *directory*, for this endpoint's login; whoever comes first gets the ticket for all."""
    kind = _kind(settings)
    base = Path(directory, f"configmgr-client-ticket-{hashlib.sha256(kind.encode()).hexdigest()[:32]}")
    shard = base.with_suffix(f".{zlib.crc32(settings.host.casefold().encode()) % _SHARDS}")
    with _locked(base.with_suffix(".lock")):
        if not (base.exists() and _is_young(f"FILE:{base}", _age(base))):
            _renew(base, settings)
        if not shard.exists() or shard.stat().st_mtime_ns < base.stat().st_mtime_ns:
            _write_private(shard, base.read_bytes())
    return f"FILE:{shard}"


def _renew(cache: Path, settings: Settings) -> None:
    """A ticket in *cache*, or the failure that the last one who asked for it met."""
    failure = cache.with_suffix(".failed")
    if failure.exists():
        code, _space, text = failure.read_text(encoding="utf-8").partition(" ")
        known = _problem(int(code), text, settings)
        # A rejected password is never tried again: that is what locks accounts.
        if isinstance(known, LoginRejected) or _age(failure) < _FAILURE_HOLDS_SECONDS:
            raise known
    partial = cache.with_suffix(".new")
    try:
        _get_ticket(settings, f"FILE:{partial}")
    except krb5.Krb5Error as error:
        _write_private(failure, f"{error.err_code} {error}".encode())
        raise _problem(error.err_code, str(error), settings) from error
    partial.replace(cache)


def _get_ticket(settings: Settings, cache: str) -> None:
    """Asks the KDC; raises Krb5Error."""
    context = krb5.init_context()
    principal = krb5.parse_name_flags(context, (settings.username or "").encode())
    options = krb5.get_init_creds_opt_alloc(context)
    if settings.kerberos_delegation:
        krb5.get_init_creds_opt_set_forwardable(options, True)
    password = (settings.password or "").encode()
    ticket = krb5.get_init_creds_password(context, principal, options, password=password)
    into = krb5.cc_resolve(context, cache.encode())
    krb5.cc_initialize(context, into, ticket.client)
    krb5.cc_store_cred(context, into, ticket)


def _is_young(cache: str, age: float) -> bool:
    """Whether enough is left of its ticket. Judged by age, since the KDC's clock may be another one."""
    times = [ticket.times for ticket in krb5.cc_resolve(krb5.init_context(), cache.encode())]
    life = float(max(each.endtime - each.authtime for each in times))
    return age < life - min(_SPARE_SECONDS, life / 2)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _write_private(path: Path, octets: bytes) -> None:
    """Others read the old file or the new one, and nobody but this user reads either."""
    partial = path.with_suffix(".part")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(octets)
    partial.replace(path)


@contextmanager
def _locked(path: Path) -> t.Iterator[None]:
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
