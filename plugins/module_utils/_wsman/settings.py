# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an endpoint is and how to log in there: plain values, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import SettingsError

AUTH_METHODS = ("ntlm", "kerberos", "basic", "certificate", "credssp")
"""Login methods by their own names; Ansible's ``plaintext`` and ``ssl`` are spellings of basic or certificate."""


@dataclass(frozen=True)
class Settings:
    """Times are in seconds. ``ca_trust_path`` None means the trust store that requests uses.

    Kerberos logs in with a ticket for ``username`` from ``password``, or without a password with one from the cache of
    the environment. ``ticket_directory`` is where processes share theirs; None is for a process on its own.
    """

    host: str
    port: int = 5986
    scheme: str = "https"
    path: str = "wsman"
    auth: str = "ntlm"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    validate_certificate: bool = True
    ca_trust_path: str | None = None
    cert_pem: str | None = None
    cert_key_pem: str | None = None
    message_encryption: str = "auto"
    service: str = "HTTP"
    send_cbt: bool = True
    kerberos_delegation: bool = False
    kerberos_hostname_override: str | None = None
    ticket_directory: str | None = None
    proxy: str | None = None
    operation_timeout: float = 20.0
    read_timeout: float = 30.0
    connect_timeout: float = 5.0

    def __post_init__(self) -> None:
        if self.auth not in AUTH_METHODS:
            raise SettingsError(f"login method {self.auth!r} is not one of {', '.join(AUTH_METHODS)}")
        if self.scheme not in ("http", "https"):
            raise SettingsError(f"scheme {self.scheme!r} is neither http nor https")
        if not 0 < self.port < 65536:
            raise SettingsError(f"port {self.port} is not between 1 and 65535")
        if self.scheme == "http" and self.auth in ("basic", "certificate"):
            raise SettingsError(
                f"login method {self.auth} over http would send everything unprotected:"
                " use https, or ntlm or kerberos, which encrypt their messages"
            )
        if self.scheme == "http" and self.message_encryption == "never":
            raise SettingsError("message_encryption never over http would send everything unprotected: use https")
        if self.auth == "certificate" and not (self.cert_pem and self.cert_key_pem):
            raise SettingsError("login method certificate needs both cert_pem and cert_key_pem")
        if self.auth in ("ntlm", "basic", "credssp"):
            if not self.username:
                raise SettingsError(f"login method {self.auth} needs a user name (ansible_user)")
            if self.password is None:
                raise SettingsError(f"login method {self.auth} needs a password (ansible_password)")
        if self.auth == "kerberos" and "\\" in (self.username or ""):
            raise SettingsError(f"user name {self.username} is not one of Kerberos: write user@REALM")
        if self.auth == "kerberos" and self.password and not self.username:
            raise SettingsError("login method kerberos needs a user name (ansible_user) for its password")
        if self.read_timeout <= self.operation_timeout:
            raise SettingsError(
                f"read timeout {self.read_timeout:g} s must be longer than"
                f" operation timeout {self.operation_timeout:g} s"
            )

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.path.lstrip('/')}"
