# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What transports have in common whose library carries the messages with requests."""

from __future__ import annotations

from ..deadline import Deadline
from ..errors import ProtocolError, SettingsError, WSManError
from ..settings import Settings
from .adapter import BoundedAdapter, diagnose
from .base import HttpTransport, proves

try:
    import requests
except ImportError:  # it comes with pywinrm and pypsrp, whose absence is reported
    pass


class RequestsTransport(HttpTransport):
    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        super().__init__(settings, deadline)
        self._adapter = BoundedAdapter(deadline, settings)

    def _exchange(self, message: bytes, read_timeout: float) -> bytes:
        """The reply to *message*; raises what the library raises."""
        raise NotImplementedError

    def _translate_error(self, error: Exception) -> bytes:
        """The reply that the library's own *error* carries, or what it means, raised."""
        # They let out whatever their parsing trips over (KeyError, struct.error, BadMICError, ...) when the other side
        # does not speak WinRM's HTTP.
        raise ProtocolError(
            f"{self._settings.url} does not answer as WinRM does ({type(error).__name__}: {error})"
        ) from error

    def _exchanged(self, message: bytes, read_timeout: float, single: bool) -> bytes:
        if not single:
            return self._send(message, read_timeout)
        with self._adapter.single_exchange():
            return self._send(message, read_timeout)

    def _send(self, message: bytes, read_timeout: float) -> bytes:
        try:
            return self._exchange(message, read_timeout)
        except WSManError:
            raise
        except Exception as error:
            of_login = self._login.explain(error)
            if of_login:
                raise of_login from error
            # ValueErrors are what requests cannot make a request of.
            if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
                raise self._broken(*diagnose(error), self._adapter.single) from error
            if not self._adapter.connected and not isinstance(error, ImportError):
                raise self._not_sent(error) from error
            return self._translate_error(error)

    def _not_sent(self, error: Exception) -> SettingsError:
        """Of an *error* before a connection was open: it is ours, whatever it is, and never the endpoint's."""
        # Without texts that may hold a part of a password, or a proxy's address and its login.
        told = f": {error}" if isinstance(error, requests.exceptions.InvalidSchema) else ""
        named = self._settings.names
        return SettingsError(
            f"nothing was sent to {self._settings.url}: no request can be made of {named['host']}, {named['path']},"
            f" {named['username']}, {named['proxy']}, or the proxy of the environment ({type(error).__name__}{told})"
        )

    def _refused(self, error: BaseException) -> WSManError:
        """What the 401 means that made the library raise *error*: credentials judged, or no login offered to try."""
        response = getattr(error.__context__, "response", None)
        if response is not None and not proves(response.request.headers.get("Authorization")):
            return self._login.not_offered()
        return self._login.refused()
