# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind every module: runs the module's ``run`` in Ansible's own process, over the host's connection.

Everything that is imported here is imported once, in the parent, before Ansible forks a process for each host.
"""

from __future__ import annotations

import secrets
import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils import _module
from ..module_utils._argspec import ENDPOINT_NAMES, given_settings
from ..module_utils._trail_file import Origin
from ..module_utils._wsman.certificates import check_files
from ..module_utils._wsman.deadline import Deadline
from ..module_utils._wsman.errors import LoginWithheld, SettingsError
from ..module_utils._wsman.settings import Settings
from ..module_utils._wsman.transport.braked import begin, is_judged
from ._connection.lockout import Lockout
from ._connection.settings import CONNECTIONS, settings_of
from ._report.run import job, user

display = Display()

RUN = secrets.token_hex(8)
"""Made before Ansible forks, so that all tasks of a run have it."""

_NOT_STARTED = (126, 127)
"""What a shell returns where it could not start Python."""


class ModuleAction(ActionBase):  # type: ignore[misc]
    """Subclasses name the module: its ARGUMENT_SPEC and run, and its ARGUMENT_RULES and check where it has some."""

    MODULE: t.Any

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp  # unused since long, and still part of the signature
        rules = getattr(self.MODULE, "ARGUMENT_RULES", {})
        _validation, params = self.validate_argument_spec(self.MODULE.ARGUMENT_SPEC, **rules)
        wrong = _module.problem(params, getattr(self.MODULE, "check", None))
        if wrong:
            raise AnsibleActionFail(wrong)
        if params.get("check_only"):
            return {**result, "changed": False}
        if params["endpoint"]:
            if self._connection.transport in CONNECTIONS:
                raise AnsibleActionFail(
                    "endpoint names the Windows endpoint for a task that runs on a Linux host: add delegate_to with"
                    " that host, or leave endpoint out to use the connection settings of this host"
                )
            result.update(self._elsewhere(params, task_vars))
            if result.get("unreachable"):
                result.pop("failed", None)  # a module can only say that it failed
            return _offline(result, params)
        host = self._host(task_vars or {})
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
        return _offline(result, params)

    def _work(
        self, params: _module.Result, task_vars: dict[str, t.Any], log: _module.Log, trace: _module.Log
    ) -> _module.Result:
        """The module's result over the host's connection; raises TaskFailed."""
        with _module.failures():
            settings = self._settings(params["connect_timeout"], task_vars)
        missing = _module.missing_library(settings.library)
        if missing:
            raise AnsibleActionFail(missing)
        brake = Lockout(C.DEFAULT_LOCAL_TMP, settings)
        origin = Origin(job(task_vars) or RUN, user(task_vars), self._host(task_vars))
        check_mode = bool(self._task.check_mode)
        return _module.execute(self.MODULE.run, settings, params, check_mode, log, trace, brake, origin)

    def _elsewhere(self, params: _module.Result, task_vars: dict[str, t.Any] | None) -> _module.Result:
        """The module's result from the host where the task runs; the brake for its login is here."""
        result: _module.Result
        try:
            settings = given_settings(params["endpoint"], params["connect_timeout"])
            judged = is_judged(settings)
        except SettingsError:  # the module says so, and sends nothing
            judged = False
        if not judged:
            result = self._execute_module(task_vars=task_vars)
            result.pop(_module.LOGIN, None)
            return result
        try:
            # The module cannot tell when it is let in: its login lasts until it has ended.
            attempt = begin(Lockout(C.DEFAULT_LOCAL_TMP, settings), Deadline(params["deadline"]))
        except LoginWithheld as error:
            return self._withheld(error)
        with attempt:
            try:
                result = self._execute_module(task_vars=task_vars)
            except AnsibleError:  # it did not get there
                attempt.untried()
                raise
            outcome = result.pop(_module.LOGIN, None)
            if outcome == "accepted":
                attempt.accepted()
            elif outcome == "rejected":
                attempt.rejected()
            elif outcome == "untried" or result.get("rc") in _NOT_STARTED:
                attempt.untried()
        return result

    def _withheld(self, error: LoginWithheld) -> _module.Result:
        """The result where no login may be tried, so that the module is not sent off."""
        try:
            with _module.failures(ENDPOINT_NAMES):
                raise error
        except _module.TaskUnreachable as failure:
            return {**failure.result, "unreachable": True, "msg": str(failure)}

    def _settings(self, connect_timeout: float, task_vars: dict[str, t.Any]) -> Settings:
        if self._connection.transport not in CONNECTIONS:
            raise AnsibleActionFail(
                f"ansible_connection={self._connection.transport} cannot carry WS-Management: use winrm or psrp, or"
                " name the Windows endpoint in the option 'endpoint' to reach it from the host where this task runs"
            )
        settings = settings_of(self._connection, self._variables(task_vars), connect_timeout)
        check_files(settings)
        return settings

    def _host(self, task_vars: dict[str, t.Any]) -> str:
        """Of a delegated task, the host that it is delegated to is the one that is asked."""
        return str(self._task.delegate_to or task_vars.get("inventory_hostname", ""))

    def _variables(self, task_vars: dict[str, t.Any]) -> t.Mapping[str, t.Any]:
        """Those that the connection has its options from."""
        delegated: t.Mapping[str, t.Any] = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to)
        return delegated or task_vars


def _offline(result: _module.Result, params: _module.Result) -> _module.Result:
    """*result*, where the host could not be reached as ``offline_action`` has it."""
    if result.get("unreachable"):
        result["reachable"] = False
        wanted = params.get("offline_action", "unreachable")
        if wanted != "unreachable":
            del result["unreachable"]
        if wanted == "fail":
            result["failed"] = True
    return result
