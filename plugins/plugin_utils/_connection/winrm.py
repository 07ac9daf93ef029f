# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of Ansible's ``winrm`` connection plugin, as settings.

Takes anything that answers ``get_option``, so that it is tested with a dictionary. The rules are those of the plugin
itself: see its documentation, and ``_build_winrm_kwargs`` in ansible-core.
"""

from __future__ import annotations

import math
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._wsman.errors import SettingsError
from ...module_utils._wsman.login.methods import AUTH_METHODS, checked
from ...module_utils._wsman.settings import OptionNames, Settings

GetOption = t.Callable[[str], t.Any]


_EXTRAS = (
    *("ca_trust_path", "cert_pem", "cert_key_pem", "message_encryption", "service", "send_cbt"),
    *("kerberos_delegation", "kerberos_hostname_override", "proxy"),
)
COMMON_NAMES = {
    "host": "ansible_host",
    "port": "ansible_port",
    "username": "ansible_user",
    "password": "ansible_password",
}
NAMES = OptionNames(
    {name: f"ansible_winrm_{name}" for name in _EXTRAS} | COMMON_NAMES,
    scheme="ansible_winrm_scheme",
    path="ansible_winrm_path",
    auth="ansible_winrm_transport",
    operation_timeout="ansible_winrm_operation_timeout_sec",
    read_timeout="ansible_winrm_read_timeout_sec",
)


def winrm_settings(get_option: GetOption, connect_timeout: float, ticket_directory: str) -> Settings:
    """Raises SettingsError, naming the variable, for a value that cannot be used."""
    extras: t.Mapping[str, t.Any] = get_option("_extras") or {}

    def extra(name: str) -> str | None:
        value = extras.get(f"ansible_winrm_{name}")
        return None if value is None else str(value)

    def seconds(name: str, default: float) -> float:
        value = extra(name)
        try:
            number = default if value is None else float(value)
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            raise SettingsError(f"ansible_winrm_{name}={value!r} is not a number of seconds")
        return number

    def choice(name: str, default: str, *others: str) -> str:
        value = extra(name) or default
        if value not in (default, *others):
            raise SettingsError(f"ansible_winrm_{name}={value!r} is not one of {', '.join((default, *others))}")
        return value

    def truth(name: str, default: bool) -> bool:
        value = extra(name)
        try:
            return default if value is None else bool(boolean(value))
        except TypeError:
            raise SettingsError(f"ansible_winrm_{name}={value!r} is neither true nor false") from None

    port = int(get_option("port") or 5986)
    scheme = _text(get_option("scheme")) or ("http" if port == 5985 else "https")
    username = _text(get_option("remote_user"))
    auth = _auth(get_option("transport"), scheme, username, bool(extra("cert_pem")))
    password = _text(get_option("remote_password"))
    ca_trust_path = extra("ca_trust_path")
    timeout = get_option("connection_timeout")
    operation_timeout = seconds("operation_timeout_sec", float(timeout) if timeout else 20.0)
    read_timeout = seconds("read_timeout_sec", operation_timeout + 10)
    settings = Settings(
        host=str(get_option("remote_addr")),
        port=port,
        scheme=scheme,
        path=str(get_option("path") or "wsman"),
        auth=auth,
        username=username,
        password=_kerberos_password(get_option, password) if auth == "kerberos" else password,
        validate_certificate=choice("server_cert_validation", "validate", "ignore") == "validate",
        ca_trust_path=None if ca_trust_path == "legacy_requests" else ca_trust_path,
        cert_pem=extra("cert_pem"),
        cert_key_pem=extra("cert_key_pem"),
        message_encryption=choice("message_encryption", "auto", "always", "never"),
        service=extra("service") or "HTTP",
        send_cbt=truth("send_cbt", True),
        kerberos_delegation=truth("kerberos_delegation", False),
        kerberos_hostname_override=extra("kerberos_hostname_override"),
        ticket_directory=ticket_directory,
        proxy=extra("proxy"),
        operation_timeout=operation_timeout,
        read_timeout=read_timeout,
        connect_timeout=connect_timeout,
        names=NAMES,
    )
    return checked(settings)


def _auth(transport: t.Any, scheme: str, username: str | None, has_certificate: bool) -> str:
    first = _text(transport[0] if isinstance(transport, (list, tuple)) and transport else transport)
    if first is None and username and "@" in username:
        return "kerberos"
    if first is None:
        first = "ssl" if scheme == "https" else "plaintext"
    if first not in (*AUTH_METHODS, "ssl", "plaintext"):
        raise SettingsError(
            f"ansible_winrm_transport={first!r} is not one of {', '.join(AUTH_METHODS)}, ssl (basic or certificate)"
        )
    if first == "ssl" and has_certificate:
        return "certificate"
    return "basic" if first in ("ssl", "plaintext") else first


def _kerberos_password(get_option: GetOption, password: str | None) -> str | None:
    """What to get a ticket with; None for one from the cache. Ansible manages tickets where there is a password."""
    mode = _text(get_option("kerberos_mode"))
    if mode == "manual":
        return None
    if not password:
        if mode == "managed":
            raise SettingsError("ansible_winrm_kinit_mode=managed needs a password (ansible_password)")
        return None
    command, arguments = _text(get_option("kerberos_command")), _text(get_option("kinit_args"))
    for name, value in (("cmd", command if command != "kinit" else None), ("args", arguments)):
        if value:
            raise SettingsError(
                f"ansible_winrm_kinit_{name}={value!r} is not supported: tickets are obtained without kinit. Leave it"
                " out, or run that command before and set ansible_winrm_kinit_mode to manual"
            )
    return password


def _text(value: t.Any) -> str | None:
    """Plain text: ansible-core 2.19 and later tag their strings, which C libraries do not take."""
    return None if value is None else str(value)
