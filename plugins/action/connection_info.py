# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name in Ansible's own process.

Unlike the other actions it takes whatever connection the host has: that one cannot be used is a finding.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail

from ..module_utils import _module
from ..module_utils._doctor.examination import Target
from ..module_utils._wsman.errors import LoginWithheld, SettingsError
from ..modules import connection_info
from ..plugin_utils._action import ModuleAction
from ..plugin_utils._connection.lockout import Lockout
from ..plugin_utils._connection.origins import describe, describe_psrp
from ..plugin_utils._connection.psrp import without_effect


class ActionModule(ModuleAction):
    MODULE = connection_info

    def _work(
        self, params: _module.Result, task_vars: dict[str, t.Any], log: _module.Log, trace: _module.Log
    ) -> _module.Result:
        connection = self._connection
        given: list[str] = []

        def with_origin(name: str) -> tuple[t.Any, t.Any]:
            origin: tuple[t.Any, t.Any] = connection.get_option_and_origin(name, task_vars)
            return origin

        if connection.transport == "winrm":
            options = describe(connection.get_option, with_origin)
        elif connection.transport == "psrp":
            options, given = describe_psrp(connection.option_definitions, connection.get_option, with_origin)
        else:
            options = f"connection {connection.transport}"
        library = "pypsrp" if connection.transport == "psrp" else "pywinrm"
        try:
            settings = self._settings(params["connect_timeout"], task_vars)
        except (AnsibleActionFail, SettingsError) as error:
            target = Target(options, None, str(error), library=library)
        else:
            useless = {}
            if connection.transport == "psrp":
                useless = without_effect(settings, given) | self._unknown_variables(task_vars)
            said = ", ".join(f"{name} ({reason})" for name, reason in useless.items())
            brake = Lockout(C.DEFAULT_LOCAL_TMP, settings)
            target = Target(options, settings, brake=brake, library=library, without_effect=said)
        return connection_info.examine(target, params, bool(self._task.check_mode), trace)

    def _withheld(self, error: LoginWithheld) -> _module.Result:
        """Not a failure here, but a finding."""
        return connection_info.withheld(str(error))

    def _unknown_variables(self, task_vars: dict[str, t.Any]) -> dict[str, str]:
        """Variables that look as if they were options of the ``psrp`` connection, misspelled perhaps."""
        options = self._connection.option_definitions.values()
        known = {variable["name"] for option in options for variable in option.get("vars", ())}
        names = (name for name in self._variables(task_vars) if name.startswith("ansible_psrp_"))
        return dict.fromkeys(sorted(set(names) - known), "no such option")
