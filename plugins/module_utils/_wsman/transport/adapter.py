# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps HTTP within bounds that requests alone does not keep: size, redirects, and one deadline over all.

A time-out of a socket counts anew with each call, and a slow drip makes many of them. So it is lowered to what is left
of the deadline before and after each: after as well, since a TLS handshake begins with what it finds. Within one call
Python itself keeps to it: for TLS it holds for the whole handshake, read or write.
"""

from __future__ import annotations

import errno
import socket
import ssl
import typing as t
from contextlib import contextmanager
from http.client import HTTPResponse

from ..deadline import Deadline
from ..errors import ProtocolError, StaleConnection
from ..settings import Settings
from ..xml import MAX_BYTES

try:
    import requests
    from requests.adapters import HTTPAdapter
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
        self._url = settings.url
        self.single = self._used = self.connected = False
        self.opened: t.Callable[[], None] = lambda: None
        retries = settings.connect_retries
        super().__init__(max_retries=_connect_retry(deadline, retries, settings.connect_backoff) if retries else 0)

    def mount_on(self, session: requests.Session) -> None:
        session.mount("http://", self)
        session.mount("https://", self)
        # The library has looked there for proxies; requests would again with each message, and for logins in .netrc.
        session.trust_env = False

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **{**kwargs, **self._tls})
        self.bind(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        bound = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **{**kwargs, **self._tls})
        if not bound:
            self.bind(manager)
        return manager

    def bind(self, manager: t.Any) -> None:
        """Has all its connections keep to the deadline, of whatever kind they are: those to SOCKS are of their own."""
        manager.pool_classes_by_scheme = {
            scheme: _pool_class(pool, self._deadline, self._before_opening, self._after_opening)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }

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
        asked = kwargs.get("timeout")
        silence = asked[1] if isinstance(asked, tuple) else asked  # pypsrp gives both time-outs
        read_timeout = min(t.cast(float, silence or remaining), remaining)
        kwargs["timeout"] = (min(self._connect_timeout, remaining), read_timeout)
        response = super().send(request, *args, **kwargs)
        if response.is_redirect:
            raise redirected(response.headers.get("location"))
        if self.single and response.status_code in (401, 407):
            raise self._wants_login()  # before the library hears of it, which would log in and send once more
        if response.status_code == 200 and _is_sealed(request) and not (_is_sealed(response) or _is_empty(response)):
            raise ProtocolError(
                "the answer to a sealed message is not sealed: anybody on the way could have written it"
            )
        raw: t.Any = response.raw  # read later: requests_ntlm takes the certificate from its open socket
        raw.stream = _bounded(raw.stream)
        return response

    def _wants_login(self) -> StaleConnection:
        return StaleConnection(f"{self._url} wants a new login")

    def _before_opening(self) -> None:
        if self.single:
            raise StaleConnection(f"the connection to {self._url} was closed")

    def _after_opening(self) -> None:
        self.connected = True
        self.opened()


def redirected(location: str | None) -> ProtocolError:
    return ProtocolError(
        f"the server redirects to {location or 'nowhere'!r}: this service never does, and credentials are not sent"
        " elsewhere"
    )


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
    pool: t.Any, deadline: Deadline, before_opening: t.Callable[[], None], after_opening: t.Callable[[], None]
) -> t.Any:
    """*pool* with connections that keep to the *deadline*: all that they send and read goes through what is here."""

    class Response(HTTPResponse):  # also of a proxy to CONNECT
        def __init__(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
            super().__init__(sock, *args, **kwargs)
            keep_to(deadline, self.fp.raw)

    class Connection(pool.ConnectionCls):  # type: ignore[misc]
        response_class = Response

        def _new_conn(self) -> socket.socket:
            before_opening()
            opened: socket.socket = super()._new_conn()
            limit(opened, deadline)
            after_opening()
            return opened

        def _connect_tls_proxy(self, *args: t.Any) -> t.Any:
            """TLS to an endpoint through this is made by urllib3, of as many calls as it takes."""
            opened = super()._connect_tls_proxy(*args)
            limit(opened, deadline)
            _keep_as(_TlsToProxy, opened, deadline)
            return opened

        def send(self, data: t.Any) -> None:
            if self.sock is not None:
                limit(self.sock, deadline)
            super().send(data)

    return type("Pool", (pool,), {"ConnectionCls": Connection})


def limit(sock: t.Any, deadline: Deadline) -> None:
    """Lowers the time-out of *sock* to what is left of the *deadline*."""
    remaining = deadline.remaining()
    timeout = sock.gettimeout()
    if timeout is None or timeout > remaining:
        sock.settimeout(remaining)


def keep_to(deadline: Deadline, raw: t.Any) -> None:
    """Has *raw*, the stream of a socket, read no longer than the *deadline* lasts, however slowly it drips."""
    _keep_as(_Stream, raw, deadline)


def _keep_as(kind: type[_Stream | _TlsToProxy], opened: t.Any, deadline: Deadline) -> None:
    # As its own class, and no wrapper around it: login libraries look for the socket and its certificate inside.
    opened.__class__ = kind
    opened.deadline = deadline


class _Stream(socket.SocketIO):
    deadline: Deadline

    def readinto(self, b: t.Any) -> int | None:
        sock = self._sock  # type: ignore[attr-defined]
        limit(sock, self.deadline)
        count = super().readinto(b)
        limit(sock, self.deadline)
        return count


class _TlsToProxy(ssl.SSLSocket):
    deadline: Deadline

    def recv(self, *args: t.Any) -> bytes:
        limit(self, self.deadline)
        received = super().recv(*args)
        limit(self, self.deadline)
        return received


def _bounded(stream: t.Callable[..., t.Iterator[bytes]]) -> t.Callable[..., t.Iterator[bytes]]:
    def bounded(*args: t.Any, **kwargs: t.Any) -> t.Iterator[bytes]:
        total = 0
        for chunk in stream(*args, **kwargs):
            total += len(chunk)
            if total > MAX_BYTES:
                raise ProtocolError(f"the answer is larger than the {MAX_BYTES} bytes that are accepted")
            yield chunk

    return bounded


def diagnose(error: BaseException) -> tuple[str, str, str]:
    """Layer (dns, port, proxy, tls, timeout or http), reason and remedy, in a few words, of a requests exception.

    The remedy is a key of the advice to give, empty where the layer says enough.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            remedy = _OF_CERTIFICATES.get(cause.verify_code, "certificate")
            return "tls", f"its certificate is not trusted: {cause.verify_message}", remedy
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy", "the proxy refused or could not be reached", ""
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return "tls", f"TLS failed: {cause.reason or cause}", ""
        if isinstance(cause, socket.gaierror):
            return "dns", f"its name does not resolve: {cause.strerror}", ""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "port", "nothing answered the connection request in time", ""
    if isinstance(error, requests.exceptions.ReadTimeout):
        return "timeout", "it accepted the connection and stayed silent", ""
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno is not None:
            return ("port" if cause.errno in _NO_LISTENER else "http"), f"{cause.strerror}", ""
    return "http", f"the connection broke ({type(causes[-1]).__name__}: {causes[-1]})", ""


_NO_LISTENER = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
_OF_CERTIFICATES = {
    **dict.fromkeys((9, 10), "certificate_time"),
    **dict.fromkeys((62, 64), "certificate_name"),
}
"""By OpenSSL's numbers (X509_V_ERR_): not yet valid, expired; made for another name, another address."""


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
