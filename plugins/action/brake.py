# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the waves of a play in Ansible's own process, from what their tasks have registered."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._module import problem
from ..modules import brake
from ..plugin_utils._brake.rules import Limits, reason_to_stop, to_change
from ..plugin_utils._brake.turns import take_turn
from ..plugin_utils._brake.waves import lines, so_far
from ..plugin_utils._brake.zone import reason_to_stop as outside_of_window

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc]
    BYPASS_HOST_LOOP = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp  # unused since long, and still part of the signature
        _validation, params = self.validate_argument_spec(brake.ARGUMENT_SPEC)
        wrong = problem(params, brake.check)
        if wrong:
            raise AnsibleActionFail(wrong)
        try:
            window, now = params["window"], dt.datetime.now(dt.timezone.utc)
            closed = outside_of_window(window, params["time_zone"], now) if window else ""
            forbidden = _stop_file(params["stop_file"]) or closed
            if params["check_only"]:
                return {**result, "changed": False, "stop": False}
            result.update(self._judgement(params, task_vars or {}, forbidden))
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None  # whose text ansible-core would add
        return result

    def _judgement(self, params: dict[str, t.Any], task_vars: dict[str, t.Any], forbidden: str) -> dict[str, t.Any]:
        """The result, where what is not of the hosts has *forbidden* the wave, or not."""
        variable, hostvars = params["variable"], task_vars["hostvars"]
        earlier = take_turn(C.DEFAULT_LOCAL_TMP, variable, task_vars["ansible_play_batch"])
        begun = {host: hostvars[host].get(variable) for host in earlier}
        if begun and all(result is None for result in begun.values()):
            raise ValueError(
                f"variable={variable} is defined on no host that had its turn: give the name under which the task that"
                " changes the hosts registers its result"
            )
        waiting = set(task_vars["ansible_play_hosts"]).difference(begun)
        health = None
        if params["health_variable"] and not self._task.check_mode:  # in which nobody was released
            health = {host: hostvars[host].get(params["health_variable"]) for host in begun}
        waves = so_far(begun, health, params["candidates"])
        outcomes = list(waves.outcomes.values())
        to_come = len(waiting if params["candidates"] is None else waiting.intersection(params["candidates"]))
        planned = to_change(outcomes, to_come)
        limits = Limits(**{field.name: params[field.name] for field in dataclasses.fields(Limits)})
        reason = forbidden or reason_to_stop(outcomes, to_come, limits)
        said = lines(waves, planned, len(waiting), limits.max_changes)
        if reason:
            said.append(f"Stopped before the next wave. {reason}")
        for line in said:
            display.display(line)
        return {
            "changed": False,
            "stop": bool(reason),
            "reason": reason,
            "msg": said[-1],
            "to_change": planned,
            "waiting": len(waiting),
            "to_follow": len(waiting.difference(task_vars["ansible_play_batch"])),
            "counts": waves.counts,
            "unwell": waves.unwell,
            "restarting": waves.restarting,
        }


def _stop_file(path: str | None) -> str:
    """Why to stop, or empty. Raises ValueError where nobody can tell."""
    if not path:
        return ""
    directory = os.path.dirname(os.path.abspath(path))
    if not os.access(directory, os.X_OK):
        raise ValueError(
            f"stop_file={path}: {directory} is no directory of the controller that can be searched: create it, or name"
            " another file"
        )
    return f"The stop file {path} exists." if os.path.lexists(path) else ""
