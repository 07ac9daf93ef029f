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
    *("kerberos_delegation", "kerberos_hostname_override", "credssp_disable_tlsv1_2", "proxy"),
)
COMMON_NAMES = {
    "host": "ansible_host",
    "port": "ansible_port",
    "username": "ansible_user",
    "password": "ansible_password",
}
OPTIONS = {"remote_addr": "host", "port": "port", "remote_user": "username", "remote_password": "password"}
"""The settings that come of the options which have several variables."""
NAMES = OptionNames(
    {name: f"ansible_winrm_{name}" for name in _EXTRAS} | COMMON_NAMES,
    scheme="ansible_winrm_scheme",
    path="ansible_winrm_path",
    auth="ansible_winrm_transport",
    operation_timeout="ansible_winrm_operation_timeout_sec",
    read_timeout="ansible_winrm_read_timeout_sec",
)


_OPERATION_TIMEOUT, _READ_TIMEOUT, _MORE_FOR_READING = 20.0, 30.0, 10.0
"""Seconds: the defaults of pywinrm, and what the plugin adds to one time-out for the other."""


def winrm_settings(
    get_option: GetOption, connect_timeout: float, ticket_directory: str, names: OptionNames = NAMES
) -> Settings:
    """Raises SettingsError, with the variable as *names* spells it, for a value that cannot be used.

    On purpose not as the plugin, which hands on to pywinrm what is no choice, number or truth of Python's: there ``no``
    is true, and a validation that is null is none.
    """
    extras: t.Mapping[str, t.Any] = get_option("_extras") or {}

    def extra(name: str) -> str | None:
        value = extras.get(f"ansible_winrm_{name}")
        return None if value is None else str(value)

    def seconds(name: str, default: float) -> float:
        value = extra(name)
        return default if value is None else _seconds(f"ansible_winrm_{name}", value)

    def choice(name: str, default: str, *others: str) -> str:
        value = extra(name)
        value = default if value is None else value
        if value not in (default, *others):
            raise SettingsError(f"ansible_winrm_{name}={value!r} is not one of {', '.join((default, *others))}")
        return value

    def truth(name: str, default: bool) -> bool:
        value = extra(name)
        try:
            return default if value is None else bool(boolean(value))
        except TypeError:
            raise SettingsError(f"ansible_winrm_{name}={value!r} is neither true nor false") from None

    given_port = get_option("port")
    port = 5986 if given_port is None else int(given_port)
    scheme = _text(get_option("scheme")) or ("http" if port == 5985 else "https")
    username = _text(get_option("remote_user"))
    auth = _auth(get_option("transport"), scheme, username, bool(extra("cert_pem") or extra("cert_key_pem")))
    password = _text(get_option("remote_password"))
    ca_trust_path = extra("ca_trust_path")
    timeout = get_option("connection_timeout")
    if timeout:  # it takes the place of both others
        names = OptionNames(names, operation_timeout=_CONNECTION_TIMEOUT, read_timeout=_CONNECTION_TIMEOUT)
        operation_timeout = _seconds(_CONNECTION_TIMEOUT, str(timeout))
        read_timeout = operation_timeout + _MORE_FOR_READING
    else:
        operation_timeout = seconds("operation_timeout_sec", _OPERATION_TIMEOUT)
        # Where pywinrm would refuse its own default, the rule of the plugin holds.
        usual = _READ_TIMEOUT if operation_timeout < _READ_TIMEOUT else operation_timeout + _MORE_FOR_READING
        read_timeout = seconds("read_timeout_sec", usual)
    proxy = extra("proxy")
    no_proxy = "ansible_winrm_proxy" in extras and not proxy  # null, to pywinrm
    settings = Settings(
        host=str(get_option("remote_addr")),
        port=port,
        scheme=scheme,
        path=str(get_option("path") or "wsman"),
        auth=auth,
        username=username,
        password=_kerberos_password(get_option, password, names) if auth == "kerberos" else password,
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
        credssp_disable_tlsv1_2=truth("credssp_disable_tlsv1_2", False),
        proxy=None if no_proxy or proxy == "legacy_requests" else proxy,
        ignore_proxy=no_proxy,
        operation_timeout=operation_timeout,
        read_timeout=read_timeout,
        connect_timeout=connect_timeout,
        names=names,
    )
    return checked(settings)


_CONNECTION_TIMEOUT = "ansible_winrm_connection_timeout"


def _seconds(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise SettingsError(f"{name}={value!r} is not a number of seconds")
    return number


def names_in_use(
    usual: OptionNames,
    fields: t.Mapping[str, str],
    definitions: t.Mapping[str, t.Any],
    variables: t.Mapping[str, t.Any],
) -> OptionNames:
    """*usual*, but for the *fields*, by option, whose value comes from another of the option's *variables*.

    Of several the plugin takes the one that stands last in its *definitions*.
    """
    names = OptionNames(usual)
    for option, field in fields.items():
        for variable in definitions.get(option, {}).get("vars", ()):
            name = variable["name"]
            if name != "inventory_hostname" and variables.get(name) is not None:
                names[field] = name
    return names


def _auth(transport: t.Any, scheme: str, username: str | None, has_certificate: bool) -> str:
    listed = [_text(each) for each in (transport if isinstance(transport, (list, tuple)) else [transport])]
    if not listed or listed[0] is None:
        if username and "@" in username:
            return "kerberos"
        listed = ["ssl" if scheme == "https" else "plaintext"]
    for each in listed:  # the plugin, too, refuses one that it does not know in whatever place
        if each not in (*AUTH_METHODS, "ssl", "plaintext"):
            raise SettingsError(
                f"ansible_winrm_transport={each!r} is not one of {', '.join(AUTH_METHODS)}, ssl (basic or certificate)"
            )
    first = t.cast(str, listed[0])
    if first == "ssl" and has_certificate:
        return "certificate"
    return "basic" if first in ("ssl", "plaintext") else first


def _kerberos_password(get_option: GetOption, password: str | None, names: OptionNames) -> str | None:
    """What to get a ticket with; None for one from the cache. Ansible manages tickets where there is a password."""
    mode = _text(get_option("kerberos_mode"))
    if mode == "manual":
        return None
    if not password:
        if mode == "managed":
            raise SettingsError(f"ansible_winrm_kinit_mode=managed needs a password ({names['password']})")
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
