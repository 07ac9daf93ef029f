#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes a ConfigMgr client out of provisioning mode, or into it: guarded and verified."""

from __future__ import annotations

DOCUMENTATION = r"""
module: provisioning_mode
short_description: Takes a ConfigMgr client out of provisioning mode, or into it
version_added: 1.0.0
description:
  - Calls C(SMS_Client.SetClientProvisioningMode), the only documented way; the registry flag is never written.
  - Leaves an endpoint alone while a task sequence, Windows Setup or the out-of-box experience runs there, or where
    that cannot be determined. The task is then ok and not changed, and RV(left_alone) says why.
  - Reads the signals of the guard again right before the call, and reads back afterwards until the change holds.
  - After an exit, the client downloads policy at once, and deployments past their deadline start. See O(trigger).
options:
  enabled:
    description:
      - V(false) leaves the mode, where the verdict is C(stuck), C(overdue) or C(half_exited).
      - V(true) enters it. This restarts the client and its clock of 48 hours.
    type: bool
    required: true
  minimum_age:
    description:
      - Minutes that a client must have been in the mode before it is taken out.
      - Where the time of entry cannot be used, the time since the endpoint's last boot is taken instead.
    type: int
    default: 240
  force:
    description:
      - Also leaves the mode where the verdict is C(recent), C(resume_pending) or C(held).
      - Never overrules what runs now or cannot be read.
    type: bool
    default: false
  force_reason:
    description:
      - Why O(force) is used. It is returned, and is there for whoever reads the job's output later.
    type: str
  hold:
    description:
      - With O(enabled=true), says that the client is in the mode on purpose, until when and for whom. Until then a
        survey shows it as C(held), and it is not released but by O(force).
      - Kept on the endpoint, so it outlives the controller, and removed with the exit.
    type: dict
    suboptions:
      owner:
        description: Who keeps the client in the mode.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        required: true
      expires:
        description:
          - Until when, as an ISO 8601 time with a time zone.
          - Not later than the time at which the client leaves by itself, see M(configmgr.client.provisioning_timeout).
        type: str
        required: true
  hold_owner:
    description:
      - With O(enabled=false), whose hold is over. A hold of this owner does not keep the client in the mode then, and
        neither does O(minimum_age). What runs on the endpoint or waits for a restart does.
      - The hold is removed from a client that is out of the mode, too.
    type: str
  window:
    description:
      - With O(enabled=false), times of day between which a client is released, by the endpoint's own clock and time
        zone, as C(HH:MM-HH:MM). The second may be past midnight. At another time it is left alone, with
        RV(retryable=true).
      - Leaving the mode starts overdue installations and restarts. This keeps them out of the user's working hours,
        wherever on earth these are.
      - For a time zone of the controller's choice, give it to M(configmgr.client.brake).
    type: str
  run_ccmeval:
    description:
      - After an exit, runs the client's own health evaluation C(ccmeval.exe) on the endpoint and waits for its end.
      - For clients that an upgrade left behind with their services disabled. Such a client may be out of the mode
        already, which is seen only by a full read; with this option everything is read.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until the change is read back and the client's service runs.
      - As long, the call is repeated while the client fails as it does in the first minutes after a boot. Give 300 or
        more after a restart, and a longer O(deadline).
      - A call may also block for five minutes before it fails. WinRM answers no later than the operation time-out
        (C(ansible_winrm_operation_timeout_sec) or C(ansible_psrp_operation_timeout), 20 by default, and never more than
        C(MaxTimeoutms) of the endpoint), and the state is then read back. O(via=command) with O(deadline=600) waits for
        the end of such a call.
      - Must be shorter than O(deadline).
    type: int
    default: 120
  check_only:
    description:
      - Only checks the options. No endpoint is asked, and nothing is returned of one. For the time before a fleet is
        asked.
    type: bool
    default: false
  trigger:
    description:
      - Schedules to trigger after an exit, in this order, by the names or ids that M(configmgr.client.client_action)
        takes. An empty list triggers none.
      - A schedule that cannot be triggered is a warning, since the exit stands without it.
    type: list
    elements: str
    default: [machine_policy_request, machine_policy_evaluation]
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._offline
  - configmgr.client._methods
  - configmgr.client._name
seealso:
  - module: configmgr.client.client_action
  - module: configmgr.client.provisioning_mode_info
  - ref: ansible_collections.configmgr.client.docsite.guide_verdicts.release
    description: What a release does, step by step.
  - ref: ansible_collections.configmgr.client.docsite.guide_releasing
    description: Situations, a playbook for each, and what it prints.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Release the client if it is stuck
  configmgr.client.provisioning_mode:
    enabled: false

- name: Release it without waiting until it is four hours old
  configmgr.client.provisioning_mode:
    enabled: false
    minimum_age: 0

- name: Release it although Windows Setup is armed to resume
  configmgr.client.provisioning_mode:
    enabled: false
    force: true
    force_reason: CHG0012345, the upgrade was rolled back by hand

- name: Release it in the evening or at night, wherever it stands
  configmgr.client.provisioning_mode:
    enabled: false
    window: 20:00-05:00

- name: Release it at the end of jdoe's change
  configmgr.client.provisioning_mode:
    enabled: false
    hold_owner: jdoe

- name: Keep deployments away while a vendor's installer runs
  configmgr.client.provisioning_mode:
    enabled: true
    hold:
      owner: jdoe
      reason: CHG0012345, vendor installer
      expires: "{{ '%Y-%m-%dT%H:%M:%SZ' | strftime(now(utc=true).timestamp() + 4 * 3600, utc=true) }}"
"""

RETURN = r"""
action:
  description: What was done, or would be in check mode. V(none) means that the client already was in the desired state.
  returned: success
  type: str
  sample: released
left_alone:
  description: Why the endpoint was left alone; empty where it was not.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: "Released. In provisioning mode for 1 d 6 h, and nothing runs."
steps:
  description: The steps taken, or that would be in check mode. Each has C(step) and C(argument).
  returned: always
  type: list
  elements: dict
  sample:
    - {step: set_mode, argument: false}
    - {step: trigger_schedule, argument: machine_policy_request}
    - {step: trigger_schedule, argument: machine_policy_evaluation}
via:
  description: Which way the client's methods were called, V(wmi), V(cim) or V(command). Null where none was called.
  returned: success
  type: str
  sample: wmi
via_reason:
  description:
    - What the endpoint said to the ways that it refused before this one, by their names. Null where it refused none.
    - With C(wmi) alone the endpoint refuses that spelling of the address. With C(wmi) and C(cim) it refuses the method.
  returned: success
  type: str
  sample: null
entered:
  description: Whether this task took the client into the mode, or would have in check mode.
  returned: success, and failure during a step
  type: bool
  sample: false
retryable:
  description:
    - Whether another try in some minutes may find it otherwise. A task sequence or a Setup that runs ends some day, an
      endpoint that starts can be reached later, and a client may not be installed yet.
    - False for a rejected login, which is not to be tried again, and for what only a person can mend.
  returned: success, and most failures
  type: bool
  sample: false
force_reason:
  description: The reason given for O(force).
  returned: when O(force=true)
  type: str
  sample: CHG0012345, the upgrade was rolled back by hand
attempts:
  description: How often the client's method was called. More than one means that the client was still starting.
  returned: success, and failure during a step
  type: int
  sample: 1
verdict:
  description:
    - The verdict before the change.
    - Everything else that M(configmgr.client.provisioning_mode_info) returns is returned too, as it was then.
  returned: success
  type: str
  sample: stuck
summary:
  description: The verdict as a sentence, with its reason.
  returned: success
  type: str
  sample: In provisioning mode for 1 d 6 h, and nothing runs.
provisioning_mode:
  description: C(ProvisioningMode) as read back last.
  returned: success, and failure during a step
  type: bool
  sample: false
system_task_excludes:
  description: C(SystemTaskExcludes) as read back last.
  returned: success, and failure during a step
  type: str
  sample: ""
evidence:
  description: What was seen before the change. Each item has C(signal), C(value) and C(means).
  returned: success
  type: list
  elements: dict
  sample:
    - {signal: mode, value: "true", means: in provisioning mode}
timeline:
  description: As in M(configmgr.client.provisioning_mode_info), before the change.
  returned: success
  type: dict
  sample:
    entered_at: "2026-11-01T02:00:00Z"
    age_minutes: 1800
"""

import datetime as dt
import typing as t
from contextlib import suppress

from ansible_collections.configmgr.client.plugins.module_utils._argspec import (
    AUDIT_SPEC,
    CONNECTION_SPEC,
    NAME_SPEC,
    OFFLINE_SPEC,
    wait_problem,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.methods import VIA, ClientMethods
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.change import ModeChange
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.hold import problem, read_option
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.plan import (
    Action,
    Entry,
    Exit,
    Plan,
    difference,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_state
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.result import as_result
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import ClientState
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    DEFAULT_MINIMUM_AGE,
    PASSING,
    Assessment,
    assess,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import catalog
from ansible_collections.configmgr.client.plugins.module_utils._client.window import Window, parsed
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main, sentence
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import WSManError

ARGUMENT_SPEC = {
    "enabled": {"type": "bool", "required": True},
    "minimum_age": {"type": "int", "default": DEFAULT_MINIMUM_AGE},
    "force": {"type": "bool", "default": False},
    "force_reason": {"type": "str"},
    "hold": {
        "type": "dict",
        "options": {
            "owner": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
            "expires": {"type": "str", "required": True},
        },
    },
    "hold_owner": {"type": "str"},
    "window": {"type": "str"},
    "run_ccmeval": {"type": "bool", "default": False},
    "via": {"type": "str", "choices": list(VIA), "default": "auto"},
    "wait_timeout": {"type": "int", "default": 120},
    "check_only": {"type": "bool", "default": False},
    "trigger": {
        "type": "list",
        "elements": "str",
        "default": [catalog.MACHINE_POLICY_REQUEST, catalog.MACHINE_POLICY_EVALUATION],
    },
    **AUDIT_SPEC,
    **NAME_SPEC,
    **CONNECTION_SPEC,
    **OFFLINE_SPEC,
}
ARGUMENT_RULES = {"required_if": [("force", True, ("force_reason",))]}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    if params["force"] and not params["force_reason"].strip():
        return "force_reason is empty: say why force is used, for whoever reads this later"
    if wrong := wait_problem(params):
        return wrong
    if params["hold"] and not params["enabled"]:
        return "hold goes with enabled=true: leaving the mode removes a hold by itself"
    if params["window"] and params["enabled"]:
        return "window goes with enabled=false: it says when a client may be released"
    if params["hold_owner"] is not None and params["enabled"]:
        return "hold_owner goes with enabled=false: say hold.owner to enter the mode with a hold"
    try:
        hold = read_option(params["hold"]) if params["hold"] else None
        _window(params)
    except ValueError as error:
        return str(error)
    if hold and hold.expires <= dt.datetime.now(dt.timezone.utc):
        return f"hold.expires={params['hold']['expires']!r} is past: give a time to come"
    return catalog.problem("trigger", params["trigger"])


def run(task: Task) -> Result:
    params = task.params
    wanted = _wanted(params)
    state = read_state(
        task.endpoint, task.guard, full=params["enabled"] or params["run_ccmeval"] or bool(params["hold_owner"])
    )
    assessment = assess(state, params["minimum_age"])
    plan = wanted.plan(state)
    wrong = problem(plan.hold, state) if plan.hold else None
    if wrong:
        raise TaskFailed(f"Nothing was changed: {wrong}.")
    result = {
        **as_result(state, assessment, task.expected_name),
        "action": ("entered" if params["enabled"] else "released") if plan.steps else "none",
        "changed": bool(plan.steps),
        "entered": task.check_mode and params["enabled"] and plan.has(Action.SET_MODE),
        "left_alone": plan.left_alone,
        "msg": _message(task, plan, assessment),
        "retryable": plan.another_time or assessment.verdict in PASSING,
        "steps": [step.as_result() for step in plan.steps],
        "attempts": 0,
        "via": None,
        "via_reason": None,
    }
    if params["force"]:
        result["force_reason"] = params["force_reason"]
    if plan.steps:
        task.guard.identify()
        before, after = difference(state, plan)
        result["diff"] = {"before": before, "after": after}
        if not task.check_mode:
            result.update(_carry_out(task, wanted, state, plan, str(result["msg"])))
    return result


def _wanted(params: t.Mapping[str, t.Any]) -> Exit | Entry:
    if params["enabled"]:
        return Entry(read_option(params["hold"]) if params["hold"] else None)
    return Exit(
        minimum_age=params["minimum_age"],
        force=params["force"],
        triggers=params["trigger"],
        ccmeval=params["run_ccmeval"],
        hold_owner=(params["hold_owner"] or "").strip(),
        window=_window(params),
    )


def _window(params: t.Mapping[str, t.Any]) -> Window | None:
    return parsed(params["window"]) if params["window"] else None


def _carry_out(task: Task, wanted: Exit | Entry, state: ClientState, plan: Plan, said: str) -> Result:
    methods = ClientMethods(task.endpoint, task.params["via"], task.log)
    change = ModeChange(
        task.endpoint,
        task.guard,
        wanted,
        state,
        plan,
        methods,
        wait=task.params["wait_timeout"],
        log=task.log,
    )

    def so_far() -> Result:
        outcome = change.outcome
        return {
            "attempts": outcome.attempts,
            "changed": task.guard.wrote,
            "entered": task.params["enabled"] and outcome.has_done(Action.SET_MODE),
            "provisioning_mode": outcome.mode.enabled,
            "system_task_excludes": outcome.mode.excludes,
            "steps": [step.as_result() for step in outcome.done],
        }

    with task.telling(so_far):
        outcome = change.carry_out()
    result = {**so_far(), "via": methods.way, "via_reason": methods.refusal, "warnings": outcome.warnings}
    if not outcome.stopped:
        return result
    result["retryable"] = True  # what stopped it will have ended some day
    stopped = result["left_alone"] = outcome.stopped
    if outcome.has_done(Action.SET_MODE) or (outcome.done and not plan.has(Action.SET_MODE)):
        return {**result, "msg": f"{said} Then stopped: {stopped}."}
    with suppress(WSManError, WindowsError):  # what is there now explains why
        current = read_state(task.endpoint, task.guard, full=True)
        result = {**as_result(current, assess(current, task.params["minimum_age"]), task.expected_name), **result}
    return {**result, "action": "none", "msg": f"Left alone. {sentence(stopped)}"}


def _message(task: Task, plan: Plan, assessment: Assessment) -> str:
    if plan.left_alone:
        return f"Left alone. {plan.left_alone}"
    if not plan.steps:
        return f"Nothing to do. {assessment.summary}"
    actions = {step.action for step in plan.steps}
    if actions == {Action.HOLD}:
        return f"{'Would be held' if task.check_mode else 'Held'} in the mode. {assessment.summary}"
    if actions == {Action.REMOVE_HOLD}:
        return f"{'Its hold would be removed' if task.check_mode else 'Its hold was removed'}. {assessment.summary}"
    if task.params["enabled"]:
        return "Would enter provisioning mode." if task.check_mode else "Entered provisioning mode."
    return f"{'Would be released' if task.check_mode else 'Released'}. {assessment.summary}"


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check, **ARGUMENT_RULES)
