# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries envelopes with pywinrm's Transport, which does the logins and the message encryption."""

from __future__ import annotations

import typing as t

from .deadline import Deadline
from .errors import (
    ConnectionLost,
    EndpointUnreachable,
    LoginRejected,
    LoginUnavailable,
    ProtocolError,
    SettingsError,
    StaleConnection,
    TicketUnavailable,
    WSManError,
)
from .http import BoundedAdapter, diagnose
from .kerberos import login_problem, service_name, use_ticket
from .settings import Settings

try:
    import requests
    from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
    from winrm.transport import Transport as WinRMTransport
except ImportError as error:
    PYWINRM_IMPORT_ERROR: ImportError | None = error
    WinRMTransport = object  # type: ignore[assignment, misc]
else:
    PYWINRM_IMPORT_ERROR = None


class _BoundedTransport(WinRMTransport):
    """pywinrm's transport over our adapter, which must be in place before the login that build_session does."""

    adapter: BoundedAdapter

    def setup_encryption(self, session: requests.Session) -> None:
        session.mount("http://", self.adapter)
        session.mount("https://", self.adapter)
        super().setup_encryption(session)

    def build_session(self) -> requests.Session:
        session: requests.Session = super().build_session()
        session.mount("http://", self.adapter)
        session.mount("https://", self.adapter)
        return session


class PywinrmTransport:
    """One connection to the endpoint of *settings*; whatever it does ends with *deadline*."""

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._logged_in = False
        ticket_from_password = settings.auth == "kerberos" and bool(settings.password)
        if settings.auth == "kerberos":
            use_ticket(settings)
        try:
            self._transport = _BoundedTransport(
                settings.url,
                # With Kerberos the principal to look for in a cache: in one of ours there is no other.
                username=None if ticket_from_password else settings.username,
                password=settings.password,
                auth_method=t.cast(t.Any, settings.auth),
                server_cert_validation="validate" if settings.validate_certificate else "ignore",
                ca_trust_path=settings.ca_trust_path or "legacy_requests",
                cert_pem=settings.cert_pem,
                cert_key_pem=settings.cert_key_pem,
                message_encryption=t.cast(t.Any, settings.message_encryption),
                service=settings.service,
                send_cbt=settings.send_cbt,
                kerberos_delegation=settings.kerberos_delegation,
                kerberos_hostname_override=settings.kerberos_hostname_override,
                proxy=settings.proxy or "legacy_requests",
            )
            self._transport.adapter = BoundedAdapter(deadline, settings.connect_timeout)
        except Exception as error:  # pywinrm raises its own, and bare ones, for settings that it cannot use
            raise SettingsError(str(error)) from error

    def send(self, message: bytes, read_timeout: float) -> bytes:
        self._transport.read_timeout_sec = t.cast(int, read_timeout)  # a float does as well
        try:
            reply = self._send(message)
            self._deadline.remaining()  # an answer that the watchdog cut off may look like a short one
        except WSManError:
            # pywinrm would go on with a half-built session, unencrypted.
            self.close()
            self._deadline.remaining()  # where this is over, that is what happened
            raise
        self._logged_in = True
        return reply

    def _send(self, message: bytes) -> bytes:
        url = self._settings.url
        try:
            return self._transport.send_message(message)
        except WSManError:
            raise
        except InvalidCredentialsError as error:
            if not _credentials_were_sent(error):
                raise LoginUnavailable(f"{url} does not offer {self._settings.auth} logins") from error
            if self._settings.auth == "kerberos":  # no password was judged: the KDC had done that before
                raise TicketUnavailable(
                    f"{url} refused the ticket for {service_name(self._settings)}: have Kerberos enabled in its WinRM"
                    " service, correct its clock, and make sure that this name is its own and not one that DNS still"
                    " has of another machine"
                ) from error
            raise LoginRejected(
                f"{url} rejected the login of {self._settings.username} with {self._settings.auth}"
            ) from error
        except WinRMTransportError as error:
            return self._reply_of_http_error(error)
        except requests.RequestException as error:
            of_ticket = login_problem(error, self._settings)
            if of_ticket:
                raise of_ticket from error
            layer, reason = diagnose(error)
            if not self._logged_in:
                raise EndpointUnreachable(f"{url} cannot be reached: {reason}", layer) from error
            if layer == "timeout":
                raise ConnectionLost(f"{url} stopped answering: {reason}") from error
            raise StaleConnection(f"the connection to {url} was closed: {reason}") from error
        except PermissionError as error:  # requests_ntlm: the server did not answer with a challenge
            raise LoginUnavailable(f"{url} does not offer {self._settings.auth} logins") from error
        except Exception as error:
            # pywinrm, requests_ntlm and pyspnego let out whatever their parsing trips over (KeyError, struct.error,
            # BadMICError, ...) when the other side does not speak WinRM's HTTP.
            raise ProtocolError(f"{url} does not answer as WinRM does ({type(error).__name__}: {error})") from error

    def _reply_of_http_error(self, error: WinRMTransportError) -> bytes:
        """SOAP faults come with status 500; every other status has a meaning of its own."""
        url, status = self._settings.url, error.code
        if status == 500 and error.response_text:
            return error.response_text.encode()
        if status == 400 and self._logged_in:
            raise StaleConnection(f"{url} no longer knows this connection (HTTP 400)") from error
        if status == 403:
            raise LoginUnavailable(f"{url} forbids this login (HTTP 403)") from error
        meanings = {
            404: "there is no WinRM service at this path",
            413: "the message is larger than the service accepts",
            500: "the service refuses messages that are not encrypted",
            503: "the service is not available",
        }
        meaning = meanings.get(status, "this is not a WinRM service")
        raise EndpointUnreachable(f"{url} answered HTTP {status}: {meaning}", "http") from error

    def close(self) -> None:
        self._transport.close_session()
        self._logged_in = False


def _credentials_were_sent(error: BaseException) -> bool:
    """pywinrm says the same of a 401 that judged credentials and of one that offered no login to try."""
    response = getattr(error.__context__, "response", None)
    return response is None or "Authorization" in response.request.headers
