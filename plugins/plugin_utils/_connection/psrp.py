# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of Ansible's ``psrp`` connection plugin, as settings.

Takes anything that answers ``get_option``, so that it is tested with a dictionary. The rules are those of the plugin
itself: see its documentation, and ``_build_kwargs`` in ansible-core.
"""

from __future__ import annotations

import typing as t

from ...module_utils._wsman.errors import SettingsError
from ...module_utils._wsman.login.methods import checked, login_of
from ...module_utils._wsman.settings import LEAST_ENVELOPE_SIZE, OptionNames, Settings
from . import winrm
from .winrm import COMMON_NAMES, GetOption

_FIELDS = {
    "protocol": "scheme",
    "path": "path",
    "auth": "auth",
    "ca_cert": "ca_trust_path",
    "certificate_pem": "cert_pem",
    "certificate_key_pem": "cert_key_pem",
    "certificate_key_password": "cert_key_password",
    "message_encryption": "message_encryption",
    "negotiate_service": "service",
    "negotiate_hostname_override": "kerberos_hostname_override",
    "proxy": "proxy",
    "operation_timeout": "operation_timeout",
    "read_timeout": "read_timeout",
    "reconnection_backoff": "connect_backoff",
}
NAMES = OptionNames({field: f"ansible_psrp_{option}" for option, field in _FIELDS.items()} | COMMON_NAMES)
OPTIONS = winrm.OPTIONS | {"ca_cert": "ca_trust_path", "reconnection_backoff": "connect_backoff"}
"""The settings that come of the options which have several variables."""

_USUAL_CONNECTION_TIMEOUT = 30
"""Seconds; the plugin's default, which for a host that is switched off is too long a wait."""

_KERBEROS = ("negotiate_delegate", "negotiate_hostname_override", "negotiate_service")
_CREDSSP = ("credssp_auth_mechanism", "credssp_disable_tlsv1_2", "credssp_minimum_version")
_CERTIFICATE = ("certificate_pem", "certificate_key_pem", "certificate_key_password")


def psrp_settings(
    get_option: GetOption, connect_timeout: float, ticket_directory: str | None = None, names: OptionNames = NAMES
) -> Settings:
    """Raises SettingsError, with the variable as *names* spells it, for a value that cannot be used.

    On purpose not as the plugin, with which a path that begins with a slash gets two, and a CA file with an empty name
    switches the validation off.
    """
    option = _reader(get_option)

    def number(name: str, least: float, unit: str) -> float:
        value = option(name)
        if value < least:
            named = names.get(_FIELDS.get(name, ""), f"ansible_psrp_{name}")
            raise SettingsError(f"{named}={value} is too small: give {least:g} {unit} or more")
        return float(value)

    port, protocol = option("port"), option("protocol")
    scheme = str(protocol or ("http" if port == 5985 else "https"))
    proxy = option("proxy")
    validate = option("cert_validation") != "ignore"
    connection_timeout = number("connection_timeout", 1, "s")
    settings = Settings(
        host=str(option("remote_addr")),
        port=int(port) if port is not None else 5985 if scheme == "http" else 5986,
        scheme=scheme,
        path=str(option("path")),
        auth=str(option("auth")),
        username=_text(option("remote_user")),
        password=_text(option("remote_password")),
        validate_certificate=validate,
        ca_trust_path=_text(option("ca_cert")) if validate else None,
        cert_pem=_text(option("certificate_pem")),
        cert_key_pem=_text(option("certificate_key_pem")),
        cert_key_password=_text(option("certificate_key_password")),
        message_encryption=str(option("message_encryption")),
        service=str(option("negotiate_service")),
        send_cbt=bool(option("negotiate_send_cbt")),
        kerberos_delegation=bool(option("negotiate_delegate")),
        kerberos_hostname_override=_text(option("negotiate_hostname_override")),
        ticket_directory=ticket_directory,
        credssp_auth_mechanism=str(option("credssp_auth_mechanism")),
        credssp_disable_tlsv1_2=bool(option("credssp_disable_tlsv1_2")),
        credssp_minimum_version=int(number("credssp_minimum_version", 2, "")),
        proxy=_text(proxy),
        ignore_proxy=bool(option("ignore_proxy")),
        operation_timeout=number("operation_timeout", 1, "s"),
        read_timeout=number("read_timeout", 1, "s"),
        connect_timeout=connect_timeout if connection_timeout == _USUAL_CONNECTION_TIMEOUT else connection_timeout,
        connect_retries=int(number("reconnection_retries", 0, "retries")),
        connect_backoff=number("reconnection_backoff", 0, "s"),
        max_envelope_size=int(number("max_envelope_size", LEAST_ENVELOPE_SIZE, "octets")),
        library="pypsrp",
        names=names,
    )
    return checked(settings)


def without_effect(settings: Settings, given: t.Iterable[str]) -> dict[str, str]:
    """Of the options that are *given*, those that change nothing, and why. Both as the user spells them."""
    reasons = dict.fromkeys(("configuration_name", "no_profile"), "no PowerShell is started")
    if settings.scheme == "http":
        reasons |= dict.fromkeys(("cert_validation", "ca_cert", "negotiate_send_cbt"), f"{NAMES['scheme']} is http")
    elif not settings.validate_certificate:
        reasons["ca_cert"] = "ansible_psrp_cert_validation is ignore"
    auth = f"{NAMES['auth']} is {settings.auth}"
    if settings.auth not in ("negotiate", "kerberos"):
        reasons |= dict.fromkeys(_KERBEROS, auth)
    if not login_of(settings).seals:
        reasons["negotiate_send_cbt"] = auth
    if settings.auth != "credssp":
        reasons |= dict.fromkeys(_CREDSSP, auth)
    if settings.auth != "certificate":
        reasons |= dict.fromkeys(_CERTIFICATE, auth)
    if settings.proxy is not None:
        reasons["ignore_proxy"] = f"{NAMES['proxy']} is set"
    if not settings.connect_retries:
        reasons["reconnection_backoff"] = "ansible_psrp_reconnection_retries is 0"
    return {f"ansible_psrp_{name}": reasons[name] for name in given if name in reasons}


def _reader(get_option: GetOption) -> GetOption:
    """Options that an ansible-core is too old to know are None; 2.16 hands them on as extras."""

    def option(name: str) -> t.Any:
        try:
            return get_option(name)
        except KeyError:
            pass
        try:
            extras = get_option("_extras") or {}
        except KeyError:
            return None
        return extras.get(f"ansible_psrp_{name}")

    return option


def _text(value: t.Any) -> str | None:
    """Plain text: ansible-core 2.19 and later tag their strings, which C libraries do not take."""
    return None if value is None else str(value)
