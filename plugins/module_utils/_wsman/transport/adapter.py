# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps HTTP within bounds that requests alone does not keep: size, redirects, and one deadline over all."""

from __future__ import annotations

import socket
import ssl
import threading
import typing as t
from contextlib import contextmanager, suppress

from ..deadline import Deadline
from ..errors import ProtocolError, StaleConnection
from ..settings import Settings
from ..xml import MAX_BYTES

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.util.retry import Retry
except ImportError:  # they come with pywinrm and pypsrp, whose absence is reported
    HTTPAdapter = object  # type: ignore[assignment, misc]
    Retry = object  # type: ignore[assignment, misc]


class BoundedAdapter(HTTPAdapter):
    """An HTTPAdapter whose exchanges end with the *deadline*, however slowly the other side drips."""

    def __init__(self, deadline: Deadline, settings: Settings) -> None:
        self._deadline = deadline
        self._connect_timeout = settings.connect_timeout
        self._tls: dict[str, t.Any] = {"key_password": settings.cert_key_password} if settings.cert_key_password else {}
        self._watchdog: threading.Timer | None = None
        self._handle: socket.socket | None = None
        self._url = settings.url
        self.single = self._used = False
        self._pool_classes = {
            "http": _pool_class(HTTPConnectionPool, HTTPConnection, self._before_opening, self._keep),
            "https": _pool_class(HTTPSConnectionPool, HTTPSConnection, self._before_opening, self._keep),
        }
        retries = settings.connect_retries
        super().__init__(max_retries=_connect_retry(deadline, retries, settings.connect_backoff) if retries else 0)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **{**kwargs, **self._tls})
        self.poolmanager.pool_classes_by_scheme = self._pool_classes

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        manager = super().proxy_manager_for(*args, **{**kwargs, **self._tls})
        manager.pool_classes_by_scheme = self._pool_classes
        return manager

    @contextmanager
    def single_exchange(self) -> t.Iterator[None]:
        """Inside, one request goes out over the connection that is open; whatever takes more is StaleConnection."""
        self.single, self._used = True, False
        try:
            yield
        finally:
            self.single = False

    def send(self, request: requests.PreparedRequest, *args: t.Any, **kwargs: t.Any) -> requests.Response:
        if self.single and self._used:
            raise self._wants_login()
        self._used = True
        remaining = self._deadline.remaining()
        if self._watchdog is None:
            # Socket time-outs count each byte anew; only closing the socket ends a slow drip.
            self._watchdog = threading.Timer(remaining, self._abort)
            self._watchdog.daemon = True
            self._watchdog.start()
        asked = kwargs.get("timeout")
        silence = asked[1] if isinstance(asked, tuple) else asked  # pypsrp gives both time-outs
        read_timeout = min(t.cast(float, silence or remaining), remaining)
        kwargs["timeout"] = (min(self._connect_timeout, remaining), read_timeout)
        response = super().send(request, *args, **kwargs)
        if response.is_redirect:
            raise ProtocolError(
                f"the server redirects to {response.headers.get('location', 'nowhere')!r}:"
                " WinRM never does, and credentials are not sent elsewhere"
            )
        if self.single and response.status_code in (401, 407):
            raise self._wants_login()  # before the library hears of it, which would log in and send once more
        if response.status_code == 200 and _is_sealed(request) and not (_is_sealed(response) or _is_empty(response)):
            raise ProtocolError(
                "the answer to a sealed message is not sealed: anybody on the way could have written it"
            )
        raw: t.Any = response.raw  # read later: requests_ntlm takes the certificate from its open socket
        raw.stream = _bounded(raw.stream)
        return response

    def close(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        self._forget()
        super().close()

    def _wants_login(self) -> StaleConnection:
        return StaleConnection(f"{self._url} wants a new login")

    def _before_opening(self) -> None:
        if self.single:
            raise StaleConnection(f"the connection to {self._url} was closed")

    def _keep(self, opened: socket.socket) -> None:
        """One endpoint, one connection at a time: keeps a second handle on it, whatever TLS and urllib3 make of it."""
        self._forget()
        self._handle = opened.dup()
        self._deadline.remaining()

    def _forget(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _abort(self) -> None:
        handle = self._handle
        if handle is not None:
            with suppress(OSError):  # closed already: that is all that was wanted
                handle.shutdown(socket.SHUT_RDWR)


def _is_sealed(message: requests.PreparedRequest | requests.Response) -> bool:
    content_type = message.headers.get("Content-Type") or b""
    text = content_type.decode("latin-1") if isinstance(content_type, bytes) else content_type
    return text.startswith("multipart/")


def _is_empty(response: requests.Response) -> bool:
    return response.headers.get("Content-Length") == "0"


def _connect_retry(deadline: Deadline, retries: int, backoff: float) -> Retry:
    """Tries again where no connection came about, so that nothing was asked yet; waits no longer than the deadline."""

    class ConnectRetry(Retry):
        def get_backoff_time(self) -> float:
            return min(super().get_backoff_time(), deadline.remaining())

        def sleep(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().sleep(*args, **kwargs)
            deadline.remaining()

    return ConnectRetry(total=None, connect=retries, read=0, redirect=0, status=0, other=0, backoff_factor=backoff)


def _pool_class(
    pool: t.Any, connection: t.Any, before: t.Callable[[], None], keep: t.Callable[[socket.socket], None]
) -> t.Any:
    class Kept(connection):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            before()
            opened: socket.socket = super()._new_conn()
            keep(opened)
            return opened

    return type("KeptPool", (pool,), {"ConnectionCls": Kept})


def _bounded(stream: t.Callable[..., t.Iterator[bytes]]) -> t.Callable[..., t.Iterator[bytes]]:
    def bounded(*args: t.Any, **kwargs: t.Any) -> t.Iterator[bytes]:
        total = 0
        for chunk in stream(*args, **kwargs):
            total += len(chunk)
            if total > MAX_BYTES:
                raise ProtocolError(f"the answer is larger than the {MAX_BYTES} bytes that are accepted")
            yield chunk

    return bounded


def diagnose(error: BaseException) -> tuple[str, str]:
    """Layer (dns, port, proxy, tls, timeout or http) and reason, in a few words, of a requests exception."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls", f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy", "the proxy refused or could not be reached"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return "tls", f"TLS failed: {cause.reason or cause}"
        if isinstance(cause, socket.gaierror):
            return "dns", f"its name does not resolve: {cause.strerror}"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "port", "nothing answered the connection request in time"
    if isinstance(error, requests.exceptions.ReadTimeout):
        return "timeout", "it accepted the connection and stayed silent"
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno is not None:
            return ("port" if isinstance(cause, ConnectionRefusedError) else "http"), f"{cause.strerror}"
    return "http", f"the connection broke ({type(causes[-1]).__name__}: {causes[-1]})"


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """*error* and what it wraps: requests and urllib3 keep causes in ``args`` and ``reason`` as well."""
    seen: list[BaseException] = []
    queue: list[t.Any] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            yield item
            queue.extend([item.__cause__, item.__context__, getattr(item, "reason", None), *item.args])
