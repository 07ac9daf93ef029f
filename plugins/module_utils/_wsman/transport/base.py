# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What transports over HTTP have in common, whichever library carries the messages: what its failures mean."""

from __future__ import annotations

import base64
import typing as t

from ..deadline import Deadline
from ..errors import (
    ConnectionLost,
    EndpointUnreachable,
    LoginUnavailable,
    StaleConnection,
    WSManError,
)
from ..login.methods import login_of
from ..settings import Settings
from .listener import speaks_the_other

try:
    import requests
except ImportError:  # it comes with pywinrm and pypsrp, whose absence is reported
    pass


class HttpTransport:
    """One connection to the endpoint of *settings*; whatever it does ends with *deadline*."""

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._settings = settings
        self._login = login_of(settings)
        self._deadline = deadline
        self._logged_in = False

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        if single and not self._logged_in:
            raise StaleConnection(f"no connection to {self._settings.url} is open")
        try:
            reply = self._exchanged(message, read_timeout, single)
            self._deadline.remaining()
        except WSManError:
            # The libraries would go on with a half-built session, unencrypted.
            self.close()
            self._deadline.remaining()  # where this is over, that is what happened
            raise
        self._logged_in = True
        return reply

    def on_open(self, opened: t.Callable[[], None]) -> None:
        """Has *opened* called for each connection before anything is sent over it; what it raises ends the attempt."""
        raise NotImplementedError

    def close(self) -> None:
        self._disconnect()
        self._logged_in = False

    def _exchanged(self, message: bytes, read_timeout: float, single: bool) -> bytes:
        """The reply to *message*; raises WSManError and nothing else."""
        raise NotImplementedError

    def _disconnect(self) -> None:
        raise NotImplementedError

    def _broken(self, layer: str, reason: str, remedy: str, single: bool) -> WSManError:
        """What a failure of the connection means, of the layer and for the reason that ``diagnose`` tells."""
        url = self._settings.url
        if not self._logged_in:
            if layer in ("tls", "http") and not remedy:
                reason, remedy = self._spoken() or (reason, remedy)
            return EndpointUnreachable(f"{url} cannot be reached: {reason}", layer, remedy)
        if layer == "timeout":
            return ConnectionLost(f"{url} stopped answering: {reason}")
        if single:  # it was open when the message went out, which may have been carried out
            return ConnectionLost(f"the connection to {url} broke: {reason}")
        return StaleConnection(f"the connection to {url} was closed: {reason}")

    def _spoken(self) -> tuple[str, str] | None:
        """Reason and remedy where it is the wrong protocol that the port was asked in."""
        if not speaks_the_other(self._settings, self._deadline.available()):
            return None
        if self._settings.scheme == "http":
            return "this port speaks TLS, and was asked in plain HTTP", "speaks_tls"
        remedy = "speaks_http" if self._login.seals else "speaks_http_unsealed"
        return "this port speaks plain HTTP, and was asked for TLS", remedy

    def _reply_of_status(self, status: int, text: str | None) -> bytes:
        """SOAP faults come with status 500; every other status has a meaning of its own."""
        url = self._settings.url
        if status == 500 and text:
            return text.encode()
        if status == 400 and self._logged_in:
            raise StaleConnection(f"{url} no longer knows this connection (HTTP 400)")
        if status == 403 and self._settings.proxy and self._settings.scheme == "http":
            raise EndpointUnreachable(f"{url} cannot be reached: the proxy forbids it (HTTP 403)", "proxy")
        if status == 403:
            raise LoginUnavailable(f"{url} forbids this login (HTTP 403)")
        if status == 407:
            raise EndpointUnreachable(f"{url} cannot be reached: the proxy wants a login (HTTP 407)", "proxy")
        meaning = _MEANINGS.get(status, "this is not a WinRM service")
        raise EndpointUnreachable(f"{url} answered HTTP {status}: {meaning}", "http")


class CredentialsUnanswered(Exception):
    """Caused an error that came while credentials were under way, where the library's own errors do not tell."""


def credentials_sent(error: BaseException | None) -> bool:
    """Whether it was credentials that got no answer, where *error* ended a login: nobody knows what became of it."""
    while error is not None:
        if isinstance(error, CredentialsUnanswered):
            return True
        if isinstance(error, requests.RequestException) and error.response is None and error.request is not None:
            return proves(error.request.headers.get("Authorization"))
        error = error.__cause__ or error.__context__
    return False


def proves(authorization: str | bytes | None) -> bool:
    """Whether that header says more than that somebody wants to log in, as NTLM's first message does."""
    text = authorization.decode("latin-1") if isinstance(authorization, bytes) else authorization or ""
    scheme, _blank, token = text.partition(" ")
    if scheme.lower() not in ("negotiate", "ntlm"):
        return bool(text)
    return _NTLM_NEGOTIATE not in base64.b64decode(token)


_NTLM_NEGOTIATE = b"NTLMSSP\0\1\0\0\0"
"""How a NEGOTIATE_MESSAGE begins, by itself or in SPNEGO (MS-NLMP 2.2.1.1)."""

_MEANINGS: t.Final = {
    404: "there is no WinRM service at this path",
    413: "the message is larger than the service accepts",
    500: "the service refuses messages that are not encrypted",
    503: "the service is not available",
}
