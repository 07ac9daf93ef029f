# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name in Ansible's own process.

Unlike the other actions it takes whatever connection the host has: that one cannot be used is a finding.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail

from ..module_utils import _task
from ..module_utils._doctor.examination import Setup
from ..module_utils._wsman.errors import SettingsError
from ..modules import connection_info
from ..plugin_utils._action import ModuleAction
from ..plugin_utils._login_brake import LoginBrake
from ..plugin_utils._origins import describe


class ActionModule(ModuleAction):
    MODULE = connection_info

    def _work(
        self, params: _task.Result, task_vars: dict[str, t.Any], log: _task.Log, trace: _task.Log
    ) -> _task.Result:
        connection, brake = self._connection, None
        options = f"connection {connection.transport}"
        if connection.transport == "winrm":
            options = describe(connection.get_option, lambda name: connection.get_option_and_origin(name, task_vars))
        try:
            settings = self._settings(params["connect_timeout"])
        except (AnsibleActionFail, SettingsError) as error:
            setup = Setup(options, None, str(error))
        else:
            brake = LoginBrake(C.DEFAULT_LOCAL_TMP, settings)
            setup = Setup(options, settings, no_login=brake.problem() or "")
        result, login_rejected = connection_info.examine(setup, params, bool(self._task.check_mode), trace)
        if brake and login_rejected:
            brake.rejected()
        return result
