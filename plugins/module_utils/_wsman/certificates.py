# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the files that the settings name can be used: said before anything is sent."""

from __future__ import annotations

import ssl
from pathlib import Path

from .errors import SettingsError
from .settings import Settings


def check_files(settings: Settings) -> None:
    """Raises SettingsError, naming the setting, for a file that is missing, unreadable or of no use."""
    if settings.scheme == "https" and settings.validate_certificate and settings.ca_trust_path:
        _check_trust(settings.names["ca_trust_path"], settings.ca_trust_path)
    if settings.auth == "certificate" and settings.cert_pem and settings.cert_key_pem:
        _check_certificate(settings, settings.cert_pem, settings.cert_key_pem)


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
        raise SettingsError(
            f"{named['cert_pem']}={certificate} and {named['cert_key_pem']}={key} cannot be used ({reason}): give a"
            f" certificate and its own key in PEM, and {named['cert_key_password']} where the key is encrypted"
        ) from error


def _check_readable(name: str, path: str) -> None:
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise SettingsError(f"{name}={path} cannot be read: {error.strerror}") from error
