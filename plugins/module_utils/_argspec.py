# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules share, and the Windows endpoint that a module reaches from where it runs."""

from __future__ import annotations

import typing as t

from ._wsman.certificates import check_files
from ._wsman.login.methods import AUTH_METHODS, checked
from ._wsman.settings import OptionNames, Settings

_ENDPOINT: dict[str, t.Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "scheme": {"type": "str", "choices": ["http", "https"], "default": "https"},
    "path": {"type": "str", "default": "wsman"},
    "transport": {"type": "str", "choices": list(AUTH_METHODS), "default": "ntlm"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "server_cert_validation": {"type": "str", "choices": ["validate", "ignore"], "default": "validate"},
    "ca_trust_path": {"type": "path"},
    "cert_pem": {"type": "path"},
    "cert_key_pem": {"type": "path", "no_log": False},
    "message_encryption": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "service": {"type": "str", "default": "HTTP"},
    "kerberos_delegation": {"type": "bool", "default": False},
    "kerberos_hostname_override": {"type": "str"},
}

ENDPOINT_NAMES = OptionNames({name: f"endpoint.{name}" for name in _ENDPOINT}, auth="endpoint.transport")

CONNECTION_SPEC: dict[str, t.Any] = {
    "connect_timeout": {"type": "int", "default": 5},
    "deadline": {"type": "int", "default": 300},
    "endpoint": {"type": "dict", "options": _ENDPOINT},
}

OFFLINE_SPEC: dict[str, t.Any] = {
    "offline_action": {"type": "str", "choices": ["unreachable", "fail", "report"], "default": "unreachable"},
}

AUDIT_SPEC: dict[str, t.Any] = {
    "audit_path": {"type": "path"},
}

NAME_SPEC: dict[str, t.Any] = {
    "computer_name": {"type": "str"},
    "name_check": {"type": "str", "choices": ["short", "fqdn", "off"], "default": "short"},
}


_LEAST = {
    "answer_timeout": 1,
    "concurrency": 1,
    "confirm_changes": 0,
    "connect_timeout": 1,
    "deadline": 1,
    "max_changes": 0,
    "max_consecutive_failures": 0,
    "max_failed_share": 0,
    "max_login_rejections": 0,
    "min_attempts": 1,
    "minimum_age": 0,
    "pause": 0,
    "policy_interval": 1,
    "policy_intervals": 1,
    "processes": 1,
    "read_timeout": 1,
    "sweep_deadline": 1,
    "wait_timeout": 1,
}
"""The least that a number may be, of the options of that name, whichever module has them."""


def range_problem(params: t.Mapping[str, t.Any]) -> str | None:
    """Which number is too small by itself."""
    for name, least in _LEAST.items():
        if params.get(name) is not None and params[name] < least:
            return f"{name}={params[name]} is too small: give {least} or more"
    return None


def wait_problem(params: t.Mapping[str, t.Any]) -> str | None:
    """Why ``wait_timeout`` and ``deadline`` do not go together."""
    if params["wait_timeout"] < params["deadline"]:
        return None
    return f"wait_timeout={params['wait_timeout']} must be shorter than deadline={params['deadline']} (seconds)"


def endpoint_settings(endpoint: t.Mapping[str, t.Any], connect_timeout: float) -> Settings:
    """Settings from the ``endpoint`` option, where its files are; raises SettingsError."""
    settings = given_settings(endpoint, connect_timeout)
    check_files(settings)
    return settings


def given_settings(endpoint: t.Mapping[str, t.Any], connect_timeout: float) -> Settings:
    """As endpoint_settings, on any host: its files are not looked at."""
    scheme = endpoint["scheme"]
    settings = Settings(
        host=endpoint["host"],
        port=endpoint["port"] or (5985 if scheme == "http" else 5986),
        scheme=scheme,
        path=endpoint["path"],
        auth=endpoint["transport"],
        username=endpoint["username"],
        password=endpoint["password"],
        validate_certificate=endpoint["server_cert_validation"] == "validate",
        ca_trust_path=endpoint["ca_trust_path"],
        cert_pem=endpoint["cert_pem"],
        cert_key_pem=endpoint["cert_key_pem"],
        message_encryption=endpoint["message_encryption"],
        service=endpoint["service"],
        kerberos_delegation=endpoint["kerberos_delegation"],
        kerberos_hostname_override=endpoint["kerberos_hostname_override"],
        connect_timeout=connect_timeout,
        names=ENDPOINT_NAMES,
    )
    return checked(settings)
