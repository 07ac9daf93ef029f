# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries envelopes with Python's own HTTP client, and has pyspnego do the login and the seals.

For NTLM over HTTP without a proxy alone, where it takes half the work of the others: it says at once that it wants to
log in with NTLM, computes nothing that only older NTLM needs, and looks nowhere for proxies, cookies or redirects.
"""

from __future__ import annotations

import base64
import functools
import re
import socket
import typing as t
from http.client import HTTPConnection, HTTPException, HTTPResponse

from ..deadline import Deadline
from ..errors import ProtocolError, SettingsError, StaleConnection, WSManError
from ..settings import Settings
from ..xml import MAX_BYTES
from .adapter import diagnose, keep_to, limit, redirected
from .base import CredentialsUnanswered, HttpTransport
from .sealing import CONTENT_TYPE, is_sealed, seal, unseal

try:
    import spnego
except ImportError as error:
    PYSPNEGO_IMPORT_ERROR: ImportError | None = error
else:
    PYSPNEGO_IMPORT_ERROR = None

_REDIRECTS = (301, 302, 303, 307, 308)
_CHALLENGE = r"(?:^|,)[ \t]*{scheme}[ \t]+([A-Za-z0-9+/=]+)"
_SCHEMES = ("Negotiate", "NTLM")
"""In which NTLM's messages go as they are; services with the first turned off offer the second."""


class Answer(t.NamedTuple):
    status: int
    headers: t.Any
    body: bytes


class PyspnegoTransport(HttpTransport):
    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        super().__init__(settings, deadline)
        if settings.scheme != "http" or settings.proxy:
            raise SettingsError(f"{settings.url}: over https or a proxy, pywinrm or pypsrp carry the messages")
        self._path = "/" + settings.path.lstrip("/")
        self._connection: _Connection | None = None
        self._context: t.Any = None
        self._opened: t.Callable[[], None] = lambda: None

    def on_open(self, opened: t.Callable[[], None]) -> None:
        self._opened = opened

    def _exchanged(self, message: bytes, read_timeout: float, single: bool) -> bytes:
        try:
            if self._connection is None:
                self._log_in(read_timeout)
            sealed = seal(self._context, message)
            answer = self._post(sealed, {"Content-Type": CONTENT_TYPE}, read_timeout)
        except (OSError, HTTPException) as error:
            raise self._broken(*_diagnosis(error), single) from error
        if answer.status == 401:
            if self._logged_in:
                raise StaleConnection(f"{self._settings.url} wants a new login")
            raise self._login.refused()
        return self._message(answer)

    def _message(self, answer: Answer) -> bytes:
        body = answer.body
        if is_sealed(answer.headers.get("Content-Type", "")):
            body = unseal(self._context, body)
        elif answer.status == 200 and body:
            raise ProtocolError(
                "the answer to a sealed message is not sealed: anybody on the way could have written it"
            )
        if answer.status == 200:
            return body
        return self._reply_of_status(answer.status, body.decode("utf-8", "replace"))

    def _log_in(self, read_timeout: float) -> None:
        self._connection = _Connection(self._settings, self._deadline)
        self._connection.connect()
        self._opened()
        self._context = spnego.client(
            _credential(self._settings.username or "", self._settings.password or ""),
            hostname=self._settings.host,
            service=self._settings.service,
            protocol="ntlm",
            options=spnego.NegotiateOptions.wrapping_winrm,
        )
        negotiate = self._context.step()
        for scheme in _SCHEMES:
            answer = self._post(b"", {"Authorization": _token(scheme, negotiate)}, read_timeout)
            self._refuse_what_is_no_challenge(answer)
            challenge = _challenge(answer.headers, scheme)
            if challenge is not None:
                break
        else:
            raise self._login.not_offered()
        try:
            proof = self._context.step(challenge)
        except Exception as error:  # pyspnego raises whatever its parsing trips over
            raise ProtocolError(f"{self._settings.url} sent no challenge of NTLM ({type(error).__name__})") from error
        self._prove(_token(scheme, proof), read_timeout)

    def _refuse_what_is_no_challenge(self, answer: Answer) -> None:
        if answer.status == 200:
            raise ProtocolError(f"{self._settings.url} does not answer as WinRM does: it asks for no login")
        if answer.status != 401:
            self._message_of_nobody(answer)

    def _prove(self, authorization: str, read_timeout: float) -> None:
        try:
            answer = self._post(b"", {"Authorization": authorization}, read_timeout)
        except (WSManError, OSError, HTTPException) as error:
            raise error from CredentialsUnanswered()
        if answer.status == 401:
            raise self._login.refused()
        if answer.status != 200:
            self._message_of_nobody(answer)

    def _message_of_nobody(self, answer: Answer) -> None:
        """Raises what the status means where nobody is logged in yet, whatever is said with it."""
        self._reply_of_status(answer.status, None)

    def _post(self, body: bytes, headers: dict[str, str], read_timeout: float) -> Answer:
        connection = t.cast(_Connection, self._connection)
        connection.wait_at_most(read_timeout)
        connection.request("POST", self._path, body, {"User-Agent": "configmgr.client", **headers})
        response = connection.getresponse()
        if response.status in _REDIRECTS:
            raise redirected(response.headers.get("location"))
        content = response.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ProtocolError(f"the answer is larger than the {MAX_BYTES} bytes that are accepted")
        if response.length:
            raise ConnectionResetError("the connection broke in the middle of the answer")
        return Answer(response.status, response.headers, content)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Connection(HTTPConnection):
    """Keeps to the *deadline*, and never opens itself anew."""

    auto_open = 0

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        connect_timeout = min(settings.connect_timeout, deadline.remaining())
        super().__init__(settings.host, settings.port, timeout=connect_timeout)
        self._deadline = deadline
        self.response_class = self._response  # type: ignore[assignment]

    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as error:
            raise _NothingAnswered() from error

    def _response(self, sock: socket.socket, *args: t.Any, **kwargs: t.Any) -> HTTPResponse:
        response = HTTPResponse(sock, *args, **kwargs)
        keep_to(self._deadline, response.fp.raw)
        return response

    def wait_at_most(self, seconds: float) -> None:
        if self.sock is None:
            raise ConnectionResetError("the other side closed the connection")
        self.sock.settimeout(seconds)
        limit(self.sock, self._deadline)


class _NothingAnswered(TimeoutError):
    """No connection came about."""


def _diagnosis(error: Exception) -> tuple[str, str, str]:
    if isinstance(error, _NothingAnswered):
        return "port", "nothing answered the connection request in time", ""
    if isinstance(error, TimeoutError):
        return "timeout", "it accepted the connection and stayed silent", ""
    return diagnose(error)


def _token(scheme: str, token: bytes) -> str:
    return f"{scheme} {base64.b64encode(token).decode()}"


def _challenge(headers: t.Any, scheme: str) -> bytes | None:
    pattern = _CHALLENGE.format(scheme=scheme)
    for value in headers.get_all("WWW-Authenticate") or ():
        match = re.search(pattern, value, re.IGNORECASE)
        if match:
            return base64.b64decode(match[1] + "==")
    return None


@functools.lru_cache(maxsize=256)
def _credential(username: str, password: str) -> t.Any:
    """For pyspnego. From a password it computes LM's hash for each login, which NTLM in version 2 has no use for."""
    try:
        from spnego._ntlm_raw.crypto import ntowfv1  # no public way leads there
    except ImportError:
        return spnego.Password(username, password)
    return spnego.NTLMHash(username, nt_hash=ntowfv1(password).hex())
