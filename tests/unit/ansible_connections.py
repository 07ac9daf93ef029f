# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own connection plugins, set up as its task executor does it, and asked what they would do."""

from __future__ import annotations

import os
import sys
import typing as t

from ansible import constants as C
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader


def plugin(kind: str, variables: t.Mapping[str, t.Any]) -> t.Any:
    """The connection plugin of that *kind* with these variables of a host."""
    connection = connection_loader.get(kind, PlayContext(), os.devnull)
    known = C.config.get_plugin_vars("connection", kind)
    extras = {name: value for name, value in variables.items() if name not in known and kind in name}
    connection.set_options(var_options={**{n: v for n, v in variables.items() if n in known}, "_extras": extras})
    return connection


def pywinrm_of(connection: t.Any) -> t.Any:
    """The Protocol of pywinrm that the ``winrm`` plugin makes; nothing is sent, and no ticket is got."""
    connection.shell_id = "has been opened"
    connection._kerb_auth = lambda *_credentials: None
    sys.modules[type(connection).__module__].HAVE_KERBEROS = True  # type: ignore[attr-defined]
    connection._build_winrm_kwargs()
    return connection._winrm_connect()


def pypsrp_of(connection: t.Any) -> dict[str, t.Any]:
    """What the ``psrp`` plugin gives to pypsrp."""
    connection._build_kwargs()
    return dict(connection._psrp_conn_kwargs)
