# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a host, from the options that its connection plugin has."""

from __future__ import annotations

import typing as t

import ansible.constants as C

from ...module_utils._wsman.settings import OptionNames, Settings
from . import psrp, winrm

CONNECTIONS: dict[str, tuple[t.Callable[..., Settings], OptionNames, t.Mapping[str, str]]] = {
    "winrm": (winrm.winrm_settings, winrm.NAMES, winrm.OPTIONS),
    "psrp": (psrp.psrp_settings, psrp.NAMES, psrp.OPTIONS),
}
"""Who reads the options of Ansible's connection, how users spell them, and which have several spellings."""


def settings_of(connection: t.Any, variables: t.Mapping[str, t.Any], connect_timeout: float) -> Settings:
    """What the options of *connection*, one of CONNECTIONS, say; it had them from *variables*. Raises SettingsError."""
    read, usual, spelled = CONNECTIONS[connection.transport]
    names = winrm.names_in_use(usual, spelled, connection.option_definitions, variables)
    return read(connection.get_option, connect_timeout, C.DEFAULT_LOCAL_TMP, names)
