# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options of the connection are in force, and where each comes from, in words without secrets."""

from __future__ import annotations

import typing as t

from .winrm import GetOption

_SHOWN = ("remote_addr", "port", "scheme", "path", "transport", "kerberos_mode", "remote_user")
_SHOWN_OF_PSRP = ("remote_addr", "port", "protocol", "path", "auth", "remote_user")
_HIDDEN = "remote_password"
_HIDDEN_OF_PSRP = (_HIDDEN, "proxy", "certificate_key_password")
"""A proxy's address may hold a password."""

_SHOWN_EXTRAS = (
    *("server_cert_validation", "ca_trust_path", "cert_pem", "cert_key_pem", "message_encryption", "service"),
    *("send_cbt", "kerberos_delegation", "kerberos_hostname_override", "operation_timeout_sec", "read_timeout_sec"),
)
"""Of the others, a proxy's address for one may hold a password."""


WithOrigin = t.Callable[[str], tuple[t.Any, t.Any]]
"""A value and its origin, as AnsiblePlugin's ``get_option_and_origin`` gives them."""


def describe(get_option: GetOption, with_origin: WithOrigin) -> str:
    """Of the ``winrm`` connection. *get_option* gives what is in force."""
    parts = [_part(name, get_option, with_origin, name != _HIDDEN) for name in (*_SHOWN, _HIDDEN)]
    extras: t.Mapping[str, t.Any] = get_option("_extras") or {}
    for name, value in sorted(extras.items()):
        shown = value if name.removeprefix("ansible_winrm_") in _SHOWN_EXTRAS else "set"
        parts.append(f"{name}={shown} (variable)")
    return ", ".join(filter(None, parts))


def describe_psrp(names: t.Iterable[str], get_option: GetOption, with_origin: WithOrigin) -> tuple[str, list[str]]:
    """Of the ``psrp`` connection, whose options are *names*: also which of them somebody has given.

    What is left at its default is told of the most important ones only.
    """
    given = [name for name in names if _is_given(get_option(name), *with_origin(name))]
    told = [*_SHOWN_OF_PSRP, _HIDDEN, *sorted(set(given).difference(_SHOWN_OF_PSRP, [_HIDDEN]))]
    parts = [_part(name, get_option, with_origin, name not in _HIDDEN_OF_PSRP) for name in told]
    return ", ".join(filter(None, parts)), given


def _part(name: str, get_option: GetOption, with_origin: WithOrigin, open_: bool) -> str:
    value = get_option(name)
    if value is None:
        return f"{name} not set" if name == _HIDDEN else ""
    return f"{name}={_shown(value) if open_ else 'set'} ({_source(value, *with_origin(name))})"


def _is_given(value: t.Any, found: t.Any, origin: t.Any) -> bool:
    return value is not None and not (str(origin) == "default" and found == value)


def _shown(value: t.Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _source(value: t.Any, found: t.Any, origin: t.Any) -> str:
    kind, _colon, name = str(origin or "").partition(":")
    if kind == "var":
        return f"variable {name.strip()}"
    if kind == "default" and found == value:
        return "default"
    if kind in ("env", "keyword", "cli"):
        return f"{kind} {name.strip()}"
    # ansible-core before 2.19 does not note what came from keywords and the command line.
    return "configuration file" if "/" in str(origin) else "play, task or command line"
