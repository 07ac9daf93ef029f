# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries envelopes with pywinrm's Transport, which does the logins and the message encryption."""

from __future__ import annotations

import typing as t

from ..deadline import Deadline
from ..errors import SettingsError
from ..login.kerberos import default_cache
from ..settings import Settings
from .adapter import BoundedAdapter
from .over_requests import RequestsTransport

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
        self.adapter.mount_on(session)
        super().setup_encryption(session)

    def build_session(self) -> requests.Session:
        session: requests.Session = super().build_session()
        self.adapter.mount_on(session)
        return session


class PywinrmTransport(RequestsTransport):
    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        super().__init__(settings, deadline)
        self._credential = self._login.credential()
        try:
            self._transport = _BoundedTransport(
                settings.url,
                username=self._credential.username,
                password=self._credential.password,
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
                credssp_disable_tlsv1_2=settings.credssp_disable_tlsv1_2,
                proxy=None if settings.ignore_proxy else settings.proxy or "legacy_requests",
            )
            self._transport.adapter = self._adapter
        except Exception as error:  # pywinrm raises its own, and bare ones, for settings that it cannot use
            raise SettingsError(str(error)) from error

    def on_open(self, opened: t.Callable[[], None]) -> None:
        self._transport.adapter.opened = opened

    def _exchange(self, message: bytes, read_timeout: float) -> bytes:
        self._transport.read_timeout_sec = t.cast(int, read_timeout)  # a float does as well
        with default_cache(self._credential.cache):
            return self._transport.send_message(message)

    def _translate_error(self, error: Exception) -> bytes:
        if isinstance(error, InvalidCredentialsError):
            raise self._refused(error) from error
        if isinstance(error, WinRMTransportError):
            return self._reply_of_status(error.code, error.response_text)
        if isinstance(error, PermissionError):  # requests_ntlm: the server did not answer with a challenge
            raise self._login.not_offered() from error
        return super()._translate_error(error)

    def _disconnect(self) -> None:
        self._transport.close_session()
