# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told of a WinRM listener without a login: its addresses, its port, its certificate."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from .._wsman.errors import EndpointUnreachable
from .._wsman.settings import Settings
from .._wsman.transport.adapter import diagnose
from .._wsman.transport.listener import speaks_the_other

try:
    import requests
    from cryptography import x509
except ImportError:  # they come with pywinrm, whose absence is reported
    requests = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Certificate:
    """``distrust`` is why it is not trusted, empty where it is."""

    subject: str
    issuer: str
    not_after: dt.datetime
    distrust: str


def resolve(settings: Settings) -> list[str]:
    """The addresses of the host, each once."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EndpointUnreachable(f"{settings.host} does not resolve: {reason}", "dns") from error
    return list(dict.fromkeys(str(address[0]) for *_kind, address in found))


def open_port(settings: Settings) -> socket.socket:
    """A connection, over which nothing has been sent yet."""
    try:
        return socket.create_connection((settings.host, settings.port), settings.connect_timeout)
    except OSError as error:
        reason = "nothing answered in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise EndpointUnreachable(f"{settings.host} port {settings.port}: {reason}", "port") from error


def certificate(settings: Settings) -> Certificate:
    """The listener's certificate, and whether it is trusted; what is not trusted is read all the same."""
    try:
        return _certificate(settings, _trusting(settings), "")
    except EndpointUnreachable as error:
        if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise
        untrusted = ssl.create_default_context()
        untrusted.check_hostname = False
        untrusted.verify_mode = ssl.CERT_NONE
        return _certificate(settings, untrusted, error.__cause__.verify_message)


def _certificate(settings: Settings, context: ssl.SSLContext, distrust: str) -> Certificate:
    with open_port(settings) as opened:
        try:
            with context.wrap_socket(opened, server_hostname=settings.host) as secured:
                octets = secured.getpeercert(binary_form=True) or b""
        except OSError as error:
            raise _no_tls(settings, error) from error
    try:
        found = x509.load_der_x509_certificate(octets)
        # cryptography 42 and later; before, the same in UTC without saying so.
        not_after = getattr(found, "not_valid_after_utc", None) or found.not_valid_after.replace(tzinfo=dt.timezone.utc)
        return Certificate(found.subject.rfc4514_string(), found.issuer.rfc4514_string(), not_after, distrust)
    except ValueError as error:
        raise EndpointUnreachable(f"{settings.host}: its certificate cannot be read: {error}", "tls") from error


def _no_tls(settings: Settings, error: OSError) -> EndpointUnreachable:
    where = f"{settings.host} port {settings.port}"
    if isinstance(error, TimeoutError):
        return EndpointUnreachable(f"{where}: it stayed silent", "tls")
    _layer, reason, remedy = diagnose(error)
    if not remedy and speaks_the_other(settings, settings.connect_timeout):
        return EndpointUnreachable(f"{where} speaks HTTP without TLS", "tls", "speaks_http")
    return EndpointUnreachable(f"{where}: {reason}", "tls", remedy)


def _trusting(settings: Settings) -> ssl.SSLContext:
    """Trusts whom the transport trusts, which takes its store from requests and from the environment."""
    with requests.Session() as session:
        merged = session.merge_environment_settings(settings.url, {}, None, settings.ca_trust_path or True, None)
    trust = merged["verify"]
    path = requests.utils.DEFAULT_CA_BUNDLE_PATH if trust is True else str(trust)
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise EndpointUnreachable(f"the file of trusted CAs {path} cannot be used: {error.strerror}", "tls") from error
