# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind every module: runs the module's ``run`` in Ansible's own process, over the host's connection.

Everything that is imported here is imported once, in the parent, before Ansible forks a process for each host.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils import _module
from ..module_utils._wsman.certificates import check_files
from ..module_utils._wsman.errors import LoginRejected
from ..module_utils._wsman.settings import Settings
from ._connection.lockout import Lockout
from ._connection.psrp import psrp_settings
from ._connection.winrm import GetOption, winrm_settings

display = Display()

_WINDOWS_CONNECTIONS: dict[str, t.Callable[[GetOption, float, str], Settings]] = {
    "winrm": winrm_settings,
    "psrp": psrp_settings,
}
"""Who reads the options of Ansible's connection."""


class ModuleAction(ActionBase):  # type: ignore[misc]
    """Subclasses name the module: its ARGUMENT_SPEC and run, and its ARGUMENT_RULES and check where it has some."""

    MODULE: t.Any

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp  # unused since long, and still part of the signature
        rules = getattr(self.MODULE, "ARGUMENT_RULES", {})
        _validation, params = self.validate_argument_spec(self.MODULE.ARGUMENT_SPEC, **rules)
        wrong = _module.problem(params, getattr(self.MODULE, "check", None))
        if wrong:
            raise AnsibleActionFail(wrong)
        if params["endpoint"]:
            if self._connection.transport in _WINDOWS_CONNECTIONS:
                raise AnsibleActionFail(
                    "endpoint names the Windows endpoint for a task that runs on a Linux host: add delegate_to with"
                    " that host, or leave endpoint out to use the connection settings of this host"
                )
            result.update(self._execute_module(task_vars=task_vars))
            if result.get("unreachable"):
                result.pop("failed", None)  # a module can only say that it failed
            return result
        host = (task_vars or {}).get("inventory_hostname", "")
        if "computer_name" in params:
            params["computer_name"] = params["computer_name"] or host

        quiet = bool(self._task.no_log)  # what is written to an endpoint comes from the task's options

        def log(line: str) -> None:
            if not quiet:
                display.v(f"<{host}> {line}")

        def trace(line: str) -> None:
            if not quiet:
                display.vvv(line, host=host)

        try:
            result.update(self._work(params, task_vars or {}, log, trace))
        except _module.TaskUnreachable as error:
            # Not AnsibleConnectionFailure, which would drop all but the message.
            result.update(error.result, unreachable=True, msg=str(error))
        except _module.TaskFailed as error:
            result.update(error.result, failed=True, msg=str(error))
        return result

    def _work(
        self, params: _module.Result, task_vars: dict[str, t.Any], log: _module.Log, trace: _module.Log
    ) -> _module.Result:
        """The module's result over the host's connection; raises TaskFailed."""
        with _module.failures():
            settings = self._settings(params["connect_timeout"])
        missing = _module.missing_library(settings.library)
        if missing:
            raise AnsibleActionFail(missing)
        brake = Lockout(C.DEFAULT_LOCAL_TMP, settings)
        problem = brake.problem()
        if problem:
            raise _module.TaskUnreachable(problem, {"error_layer": "login"})
        try:
            return _module.execute(self.MODULE.run, settings, params, bool(self._task.check_mode), log, trace)
        except _module.TaskUnreachable as error:
            if isinstance(error.__cause__, LoginRejected):
                brake.rejected()
            raise

    def _settings(self, connect_timeout: float) -> Settings:
        kind = self._connection.transport
        if kind not in _WINDOWS_CONNECTIONS:
            raise AnsibleActionFail(
                f"ansible_connection={kind} cannot carry WS-Management: use winrm or psrp, or name the Windows endpoint"
                " in the option 'endpoint' to reach it from the host where this task runs"
            )
        settings = _WINDOWS_CONNECTIONS[kind](self._connection.get_option, connect_timeout, C.DEFAULT_LOCAL_TMP)
        check_files(settings)
        return settings
