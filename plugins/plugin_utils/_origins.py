# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options of the ``winrm`` connection are in force, and where each comes from, in words without secrets."""

from __future__ import annotations

import typing as t

from ._connection import GetOption

_SHOWN = ("remote_addr", "port", "scheme", "path", "transport", "kerberos_mode", "remote_user")
_HIDDEN = "remote_password"
_SHOWN_EXTRAS = (
    *("server_cert_validation", "ca_trust_path", "cert_pem", "cert_key_pem", "message_encryption", "service"),
    *("send_cbt", "kerberos_delegation", "kerberos_hostname_override", "operation_timeout_sec", "read_timeout_sec"),
)
"""Of the others, a proxy's address for one may hold a password."""


def describe(get_option: GetOption, with_origin: t.Callable[[str], tuple[t.Any, t.Any]]) -> str:
    """*get_option* gives what is in force; *with_origin* a value and its origin, as AnsiblePlugin's methods do."""
    parts = []
    for name in (*_SHOWN, _HIDDEN):
        value = get_option(name)
        if value is not None:
            shown = _shown(value) if name in _SHOWN else "set"
            parts.append(f"{name}={shown} ({_source(value, *with_origin(name))})")
        elif name == _HIDDEN:
            parts.append(f"{name} not set")
    extras: t.Mapping[str, t.Any] = get_option("_extras") or {}
    for name, value in sorted(extras.items()):
        shown = value if name.removeprefix("ansible_winrm_") in _SHOWN_EXTRAS else "set"
        parts.append(f"{name}={shown} (variable)")
    return ", ".join(parts)


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
