# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the files that the settings name can be used: said before anything is sent."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from .errors import SettingsError
from .settings import Settings


def check_files(settings: Settings) -> None:
    """Raises SettingsError, naming the setting, for a file that is missing, unreadable or of no use."""
    if settings.scheme == "https" and settings.validate_certificate:
        name, path = trust_of(settings)
        if path:
            _check_trust(name, path)
    if settings.auth == "certificate" and settings.cert_pem and settings.cert_key_pem:
        _check_certificate(settings, settings.cert_pem, settings.cert_key_pem)


_OF_ENVIRONMENT = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where requests looks for trusted CAs when nothing else is said, the first one first."""


def trust_of(settings: Settings) -> tuple[str, str | None]:
    """The name of the option or the variable that says whom to trust, and what it says."""
    if settings.ca_trust_path:
        return settings.names["ca_trust_path"], settings.ca_trust_path
    given = ((name, os.environ.get(name)) for name in _OF_ENVIRONMENT)
    return next(((name, path) for name, path in given if path), ("", None))


def _check_trust(name: str, path: str) -> None:
    if Path(path).is_dir():
        return
    _check_readable(name, path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:
        raise SettingsError(
            f"{name}={path} does not contain a certificate: give a file of CA certificates in PEM"
        ) from error


def _check_certificate(settings: Settings, certificate: str, key: str) -> None:
    named = settings.names
    _check_readable(named["cert_pem"], certificate)
    _check_readable(named["cert_key_pem"], key)
    try:
        # Without a password, OpenSSL would ask for one on the terminal.
        password = settings.cert_key_password or ""
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        encrypted = f", and {named['cert_key_password']} where the key is encrypted"
        if "cert_key_password" not in named:  # this way has no option for it
            encrypted = ", the key not encrypted"
        raise SettingsError(
            f"{named['cert_pem']}={certificate} and {named['cert_key_pem']}={key} cannot be used ({reason}): give a"
            f" certificate and its own key in PEM{encrypted}"
        ) from error


def _check_readable(name: str, path: str) -> None:
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise SettingsError(f"{name}={path} cannot be read: {error.strerror}") from error
