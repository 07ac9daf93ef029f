# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an endpoint is and how to log in there: plain values, checked before anything is sent."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields
from urllib.parse import unquote, urlsplit

from .errors import SettingsError

MAX_ENVELOPE_SIZE = 153600
"""Octets; what Windows Server 2008 R2 and every later release accept."""

LEAST_ENVELOPE_SIZE = 8192
"""Octets; services refuse to work with less (DSP0226)."""


_SECRET = ("password", "cert_key_password", "proxy")
"""Whose values no message tells; a proxy's address may hold a password."""
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class OptionNames(dict[str, str]):
    """How the user spells the settings, for messages: a field's own name where nothing else is said."""

    def __missing__(self, field_name: str) -> str:
        return field_name


@dataclass(frozen=True)
class Settings:
    """Times are in seconds. ``ca_trust_path`` None means the trust store that requests uses.

    ``host`` is a name or an address; an IPv6 address may be given in brackets, and is kept without them.
    ``library`` carries the messages: pywinrm, pypsrp or pyspnego, and requests to the service of a site. Only pypsrp
    knows what is said of retries, a key's password, and the details of CredSSP but for ``credssp_disable_tlsv1_2``.
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
        _check_texts(self)
        object.__setattr__(self, "host", _bare(self.host))
        _check_host(named["host"], self.host)
        if self.proxy:
            _check_proxy(named["proxy"], self.proxy)
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
        host = f"[{self.host}]" if _is_ipv6(self.host) else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.path.lstrip('/')}"


def _check_texts(settings: Settings) -> None:
    """What no library can send is refused before one tries, since each would fail in a way of its own."""
    for name in (each.name for each in fields(settings)):
        value = getattr(settings, name)
        if not isinstance(value, str):
            continue
        named = settings.names[name]
        shown = named if name in _SECRET else f"{named}={value!r}"
        if any("\ud800" <= each <= "\udfff" for each in value):
            raise SettingsError(
                f"{shown} holds octets that are no text, as of a file or a variable of the environment in another"
                " encoding: give it in UTF-8"
            )
        # A password may hold what it likes, but no system has one with a NUL.
        if any(each == "\0" or (each < " " and name not in _SECRET) for each in value):
            raise SettingsError(f"{shown} holds a control character, such as a line break: take it out")


def _bare(host: str) -> str:
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    return inner if _is_ipv6(inner) else host


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _check_host(name: str, host: str) -> None:
    if _is_ipv6(host):
        return
    if any(each in " /\\:@?#[]%" for each in host):
        raise SettingsError(
            f"{name}={host!r} is neither a name nor an address: give it without scheme, port, path and user, which have"
            " options of their own"
        )
    try:
        labels = [label.encode("idna") for label in host.removesuffix(".").split(".")]
    except UnicodeError:
        labels = [b""]
    if not all(0 < len(label) < 64 for label in labels):
        raise SettingsError(f"{name}={host!r} is no host name: the parts between its dots have 1 to 63 characters")


def _check_proxy(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
        unquote(f"{parts.username}{parts.password}").encode("latin-1")
    except UnicodeError:
        raise SettingsError(f"{name} has a login with characters outside ISO 8859-1, which no proxy takes") from None
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{name} is not the URL of a proxy: write it as http://NAME:PORT")
