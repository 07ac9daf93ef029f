# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind every module that asks the site: it runs the module's ``run`` in Ansible's own process.

Imported once, in the parent, before Ansible forks.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils import _module, _site_module
from ..module_utils._trail_file import Origin
from ..module_utils._wsman.settings import Settings
from ..module_utils._wsman.transport.braked import Brake
from ._action import RUN
from ._connection.lockout import Lockout
from ._report.run import job, user

display = Display()


class SiteAction(ActionBase):  # type: ignore[misc]
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
        host = str((task_vars or {}).get("inventory_hostname", ""))
        if "name" in params:
            params["name"] = params["name"] or host
        quiet = bool(self._task.no_log)

        def log(line: str) -> None:
            if not quiet:
                display.v(f"<{params['provider']}> {line}")

        def trace(line: str) -> None:
            if not quiet:
                display.vvv(line, host=params["provider"])

        try:
            origin = Origin(job(task_vars or {}) or RUN, user(task_vars or {}), host)
            result.update(self._work(params, log, trace, origin))
        except _module.TaskFailed as error:
            # That the site cannot be reached says nothing of the host that the task runs for.
            result.update(error.result, failed=True, msg=str(error))
        return result

    def _work(self, params: dict[str, t.Any], log: _module.Log, trace: _module.Log, origin: Origin) -> _module.Result:
        """Raises TaskFailed. *trace* is told each request; *origin* is for the audit trail."""
        missing = _site_module.missing_library()
        if missing:
            raise AnsibleActionFail(missing)
        check_mode = bool(self._task.check_mode)
        return _site_module.execute(
            self.MODULE.run, params, check_mode, log, trace, brake, C.DEFAULT_LOCAL_TMP, origin=origin
        )


def brake(settings: Settings) -> Brake:
    return Lockout(C.DEFAULT_LOCAL_TMP, settings)
