# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an endpoint is and how to log in there: plain values, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import SettingsError

MAX_ENVELOPE_SIZE = 153600
"""Octets; what Windows Server 2008 R2 and every later release accept."""

LEAST_ENVELOPE_SIZE = 8192
"""Octets; services refuse to work with less (DSP0226)."""


class OptionNames(dict[str, str]):
    """How the user spells the settings, for messages: a field's own name where nothing else is said."""

    def __missing__(self, field_name: str) -> str:
        return field_name


@dataclass(frozen=True)
class Settings:
    """Times are in seconds. ``ca_trust_path`` None means the trust store that requests uses.

    ``library`` is the library that carries the messages: pywinrm or pypsrp. Only pypsrp knows ``ignore_proxy``, what is
    said of retries, a key's password, and the details of CredSSP.
    ``ticket_directory`` is where processes share their Kerberos tickets; None is for a process on its own.
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
    cert_key_password: str | None = field(default=None, repr=False)
    message_encryption: str = "auto"
    service: str = "HTTP"
    send_cbt: bool = True
    kerberos_delegation: bool = False
    kerberos_hostname_override: str | None = None
    credssp_auth_mechanism: str = "auto"
    credssp_disable_tlsv1_2: bool = False
    credssp_minimum_version: int = 2
    ticket_directory: str | None = None
    proxy: str | None = None
    ignore_proxy: bool = False
    operation_timeout: float = 20.0
    read_timeout: float = 30.0
    connect_timeout: float = 5.0
    connect_retries: int = 0
    connect_backoff: float = 2.0
    max_envelope_size: int = MAX_ENVELOPE_SIZE
    library: str = "pywinrm"
    names: OptionNames = field(default_factory=OptionNames, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = self.names
        if self.scheme not in ("http", "https"):
            raise SettingsError(f"{named['scheme']}={self.scheme!r} is neither http nor https")
        if not 0 < self.port < 65536:
            raise SettingsError(f"{named['port']}={self.port} is not between 1 and 65535")
        if self.scheme == "http" and self.message_encryption == "never":
            raise SettingsError(
                f"{named['message_encryption']}=never over http would send everything unprotected:"
                f" set {named['scheme']} to https, or leave {named['message_encryption']} out"
            )
        if self.read_timeout <= self.operation_timeout:
            raise SettingsError(
                f"{named['read_timeout']}={self.read_timeout:g} s must be longer than"
                f" {named['operation_timeout']}={self.operation_timeout:g} s"
            )

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.path.lstrip('/')}"
