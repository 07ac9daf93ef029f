# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options with which modules and the inventory plugin reach a site's service, and the settings that they mean."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback

from .._adminservice.service import TOKEN
from .._wsman.certificates import check_files
from .._wsman.errors import SettingsError
from .._wsman.login.methods import checked
from .._wsman.settings import OptionNames, Settings

_PATH, _PATH_FOR_TOKENS = "AdminService", "AdminService_TokenAuth"
_READ_BEFORE = 0.001  # of the settings, which know of operations that end before reading does


def _from(variable: str) -> dict[str, t.Any]:
    return {"fallback": (env_fallback, [variable])}


SITE_SPEC: dict[str, t.Any] = {
    "provider": {"type": "str", "required": True, **_from("CONFIGMGR_PROVIDER")},
    "port": {"type": "int", "default": 443},
    "path": {"type": "str"},
    "auth": {"type": "str", "choices": ["kerberos", "ntlm", TOKEN], "default": "kerberos", **_from("CONFIGMGR_AUTH")},
    "username": {"type": "str", **_from("CONFIGMGR_USERNAME")},
    "password": {"type": "str", "no_log": True, **_from("CONFIGMGR_PASSWORD")},
    "token": {"type": "str", "no_log": True, **_from("CONFIGMGR_TOKEN")},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", **_from("CONFIGMGR_CA_PATH")},
    "connect_timeout": {"type": "int", "default": 5},
    "read_timeout": {"type": "int", "default": 60},
    "deadline": {"type": "int", "default": 600},
}

NAMES = OptionNames(host="provider", ca_trust_path="ca_path", validate_certificate="validate_certs")


def site_settings(options: t.Mapping[str, t.Any], ticket_directory: str | None = None) -> Settings:
    """Raises SettingsError, naming the option, for what cannot work; nothing is sent then."""
    with_token = options["auth"] == TOKEN
    if with_token and not options["token"]:
        raise SettingsError("auth=token needs a token: set token, or the variable CONFIGMGR_TOKEN of the environment")
    if options["token"] and any(not " " < each < "\x7f" for each in options["token"]):
        raise SettingsError("token holds a blank, a line break or another character that no token has")
    settings = Settings(
        host=options["provider"],
        port=options["port"],
        path=(options["path"] or (_PATH_FOR_TOKENS if with_token else _PATH)).strip("/"),
        auth="kerberos" if with_token else options["auth"],
        username=None if with_token else options["username"],
        password=None if with_token else options["password"],
        validate_certificate=options["validate_certs"],
        ca_trust_path=options["ca_path"],
        connect_timeout=options["connect_timeout"],
        read_timeout=options["read_timeout"],
        operation_timeout=options["read_timeout"] - _READ_BEFORE,
        library="requests",
        ticket_directory=ticket_directory,
        names=NAMES,
    )
    check_files(settings)
    return settings if with_token else checked(settings)
