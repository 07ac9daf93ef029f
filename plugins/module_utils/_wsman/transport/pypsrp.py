# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries envelopes with pypsrp's WSMan transport, which does the logins and the message encryption.

Of pypsrp only that: no runspace is opened, and no PowerShell starts on the endpoint.
"""

from __future__ import annotations

import logging
import typing as t

from ..deadline import Deadline
from ..errors import LoginRejected, LoginUnavailable, SettingsError
from ..settings import Settings
from .over_requests import RequestsTransport

try:
    import requests
    from pypsrp.exceptions import AuthenticationError, WinRMTransportError
    from pypsrp.wsman import WSMan
    from spnego import KerberosCCache
    from spnego.exceptions import SpnegoError
except ImportError as error:
    PYPSRP_IMPORT_ERROR: ImportError | None = error
else:
    PYPSRP_IMPORT_ERROR = None
    # pypsrp logs the errors that it raises; without a handler, Python prints them.
    logging.getLogger("pypsrp").addHandler(logging.NullHandler())


class PypsrpTransport(RequestsTransport):
    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        super().__init__(settings, deadline)
        username, password, cache = self._login.credential()
        try:
            connection = WSMan(
                settings.host,
                port=settings.port,
                # Which it hands on to pyspnego, that takes either.
                username=t.cast(str, KerberosCCache(cache)) if cache else username,
                password=password,
                ssl=settings.scheme == "https",
                path=settings.path.lstrip("/"),
                auth=settings.auth,
                cert_validation=t.cast(bool, settings.validate_certificate and (settings.ca_trust_path or True)),
                encryption=settings.message_encryption,
                proxy=settings.proxy,
                no_proxy=settings.ignore_proxy,
                certificate_pem=settings.cert_pem,
                certificate_key_pem=settings.cert_key_pem,
                credssp_auth_mechanism=settings.credssp_auth_mechanism,
                credssp_disable_tlsv1_2=settings.credssp_disable_tlsv1_2,
                credssp_minimum_version=settings.credssp_minimum_version,
                negotiate_delegate=settings.kerberos_delegation,
                negotiate_hostname_override=settings.kerberos_hostname_override,
                negotiate_send_cbt=settings.send_cbt,
                negotiate_service=settings.service,
            )
        except Exception as error:  # pypsrp raises bare ones for settings that it cannot use
            raise SettingsError(str(error)) from error

        self._transport = t.cast(t.Any, connection.transport)
        # Its session is built by the first message, and logs in at once: our adapter must be in place by then.
        self._build_session = self._transport._build_session
        self._transport._build_session = self._bounded_session

    def _bounded_session(self) -> requests.Session:
        session: requests.Session = self._build_session()
        self._adapter.mount_on(session)
        return session

    def on_open(self, opened: t.Callable[[], None]) -> None:
        self._adapter.opened = opened

    def _exchange(self, message: bytes, read_timeout: float) -> bytes:
        self._transport.read_timeout = read_timeout
        reply: bytes = self._transport.send(message)
        return reply

    def _translate_error(self, error: Exception) -> bytes:
        if isinstance(error, ImportError):  # nothing was sent: a login method needs a library of its own
            raise SettingsError(str(error)) from error
        if isinstance(error, AuthenticationError):
            if error.__context__ is None:  # it found no scheme in the offers that it knows, and sent nothing
                raise self._login.not_offered() from error
            raise self._refused(error) from error
        # It was offered another scheme than the one asked for; a subclass, such as of Unicode, is something else.
        if type(error) is ValueError and not self._logged_in:  # pylint: disable=unidiomatic-typecheck
            raise self._login.not_offered() from error
        if isinstance(error, WinRMTransportError):
            return self._reply_of_status(error.code, error.response_text)
        if isinstance(error, SpnegoError) and self._transport.encryption is None and not self._logged_in:
            # The KDC may have judged a password, and the error does not say: it counts, lest an account get locked.
            kind = LoginUnavailable if self._settings.password is None else LoginRejected
            raise kind(f"no {self._settings.auth} login to {self._settings.url}: {error}") from error
        return super()._translate_error(error)

    def _disconnect(self) -> None:
        self._transport.close()
        self._transport.session = self._transport.encryption = None
