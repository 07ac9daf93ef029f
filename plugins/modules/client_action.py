#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers schedules of a ConfigMgr client by name, and can wait for proof that they ran."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_action
short_description: Triggers schedules of a ConfigMgr client by name
version_added: 1.0.0
description:
  - Calls C(SMS_Client.TriggerSchedule) for each schedule in order, as the actions in the client's control panel do.
  - A schedule that the client refuses does not keep the next one from its turn. The task then fails at its end, and
    RV(schedules) says what became of each.
  - A client in provisioning mode does little or nothing with most schedules, and with some it starts installations.
    RV(schedules) says which does what. While something runs there that an installation would break, or where
    that cannot be determined, nothing is triggered. The task is then ok and not changed, and RV(left_alone) says why.
options:
  schedules:
    description:
      - Names of schedules, or their ids as in V({00000000-0000-0000-0000-000000000021}), in the order in which they are
        triggered.
      - R(A table,ansible_collections.configmgr.client.docsite.guide_releasing.schedules) has them all.
      - The default is for a client that has just left the mode, and catches up on what it missed there.
        It is V(machine_policy_request), V(machine_policy_evaluation), V(data_discovery), V(hardware_inventory) and
        V(send_unsent_state_messages). A client that is still in the mode is then left alone.
    type: list
    elements: str
  pause:
    description: Seconds between one schedule and the next.
    type: int
    default: 0
  wait:
    description:
      - Waits until the client's scheduler shows that each schedule fired after it was triggered.
      - A schedule without such a proof is a warning and not a failure. One author of client tools found that the
        scheduler does not note schedules that are triggered by hand, so there may never be any.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait for a client that is still starting, and again as many for the proof.
      - Together with all of O(pause), must be shorter than O(deadline).
    type: int
    default: 60
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._methods
  - configmgr.client._name
attributes:
  diff_mode:
    description: Returns what has changed; what a schedule changes is the client's own affair.
    support: none
  idempotent:
    description: Triggers the schedules each time.
    support: none
seealso:
  - module: configmgr.client.provisioning_mode
  - ref: ansible_collections.configmgr.client.docsite.guide_releasing.schedules
    description: All schedules, and what the mode makes of them.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Let the client fetch and evaluate machine policy
  configmgr.client.client_action:
    schedules: [machine_policy_request, machine_policy_evaluation]
    pause: 30

- name: Report the hardware inventory and wait until the client has begun
  configmgr.client.client_action:
    schedules: [hardware_inventory]
    wait: true
    wait_timeout: 120
  register: action

- name: Name the schedules without proof
  ansible.builtin.debug:
    msg: "{{ action.schedules | rejectattr('proof', 'equalto', 'seen') | map(attribute='name') }}"

- name: Catch up on what the client missed in provisioning mode
  configmgr.client.client_action:

- name: Trigger a schedule by its id
  configmgr.client.client_action:
    schedules: ["{00000000-0000-0000-0000-000000000113}"]
"""

RETURN = r"""
schedules:
  description: The schedules in their order, and what became of each.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the schedule.
      type: str
      sample: machine_policy_request
    id:
      description: Id of the schedule.
      type: str
      sample: "{00000000-0000-0000-0000-000000000021}"
    triggered:
      description: Whether the client accepted the trigger. Always false in check mode.
      type: bool
      sample: true
    problem:
      description: Why the schedule could not be triggered; empty where it could.
      type: str
      sample: ""
    proof:
      description:
        - V(seen) where the client's scheduler shows that the schedule fired after the trigger.
        - V(none) where it does not, V(unreadable) where it could not be asked.
        - Null without O(wait), and where the schedule was not triggered.
      type: str
      sample: seen
    proof_reason:
      description: Why the proof is not seen; empty where it is, or where nobody asked for it.
      type: str
      sample: ""
    effect_in_mode:
      description:
        - What a client in provisioning mode makes of this schedule. Null outside the mode.
      type: str
      sample: null
  sample:
    - name: machine_policy_request
      id: "{00000000-0000-0000-0000-000000000021}"
      triggered: true
      problem: ""
      proof: seen
      proof_reason: ""
      effect_in_mode: null
provisioning_mode:
  description: C(ProvisioningMode) of the registry; null where it is absent or neither true nor false.
  returned: success
  type: bool
  sample: false
left_alone:
  description: Why nothing was triggered; empty where something was.
  returned: success
  type: str
  sample: ""
msg:
  description: What was done, in a sentence.
  returned: always
  type: str
  sample: "Triggered machine_policy_request, machine_policy_evaluation."
via:
  description: Which way the client's method was called, V(wmi), V(cim) or V(command). Null where it was not.
  returned: always
  type: str
  sample: wmi
via_reason:
  description:
    - What the endpoint said to the ways that it refused before this one, by their names. Null where it refused none.
    - With C(wmi) alone the endpoint refuses that spelling of the address. With C(wmi) and C(cim) it refuses the method.
  returned: always
  type: str
  sample: null
"""

import typing as t

from ansible_collections.configmgr.client.plugins.module_utils._argspec import AUDIT_SPEC, CONNECTION_SPEC, NAME_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Blocked
from ansible_collections.configmgr.client.plugins.module_utils._client.methods import VIA, ClientMethods
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_mode
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import Mode
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import catalog
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.triggers import Trigger, Triggers
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main, sentence

ARGUMENT_SPEC = {
    "schedules": {"type": "list", "elements": "str"},
    "pause": {"type": "int", "default": 0},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 60},
    "via": {"type": "str", "choices": list(VIA), "default": "auto"},
    **AUDIT_SPEC,
    **NAME_SPEC,
    **CONNECTION_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    chosen = _chosen(params)
    if not chosen:
        return "schedules is empty: name what is to be triggered, or leave it out for what follows an exit"
    longest = params["pause"] * (len(chosen) - 1) + params["wait_timeout"]
    if longest >= params["deadline"]:
        return (
            f"wait_timeout={params['wait_timeout']} and pause={params['pause']} between {len(chosen)} schedules take"
            f" {longest} seconds: that must be shorter than deadline={params['deadline']}"
        )
    return catalog.problem("schedules", chosen)


def run(task: Task) -> Result:
    chosen = [catalog.find(text) for text in _chosen(task.params)]
    mode = read_mode(task.endpoint)
    service = task.endpoint.services.read(constants.CLIENT_SERVICE).get(constants.CLIENT_SERVICE.lower())
    if service is None:
        raise TaskFailed(f"There is no ConfigMgr client here: the service {constants.CLIENT_SERVICE} is not installed.")
    each = [Trigger(schedule) for schedule in chosen]
    if not mode.exited and task.params["schedules"] is None:
        return _left_alone(
            task,
            each,
            mode,
            "the client is in provisioning mode, and the default schedules are for afterwards: name some to go on",
        )
    if not service.running:
        reason = task.guard.blocker()  # an upgrade stops and disables it
        if reason:
            return _left_alone(task, each, mode, reason)
        raise TaskFailed(
            f"The service {service.name} is {service.state} (start mode {service.start_mode}), so nothing can be"
            " triggered: start it, or let provisioning_mode release a client that an upgrade left behind."
        )
    task.guard.identify()
    names = ", ".join(schedule.name for schedule in chosen)
    if task.check_mode:
        try:
            task.guard.require()
        except Blocked as reason:
            return _left_alone(task, each, mode, str(reason))
        return {**_result(task, each, mode), "changed": True, "msg": f"Would trigger {names}."}
    return _trigger(task, chosen, mode)


def _left_alone(task: Task, each: t.Sequence[Trigger], mode: Mode, reason: str) -> Result:
    return {**_result(task, each, mode), "left_alone": sentence(reason), "msg": f"Left alone. {sentence(reason)}"}


def _chosen(params: t.Mapping[str, t.Any]) -> t.Sequence[str]:
    named: list[str] | None = params["schedules"]
    return catalog.AFTER_EXIT if named is None else named


def _trigger(task: Task, chosen: t.Sequence[catalog.Schedule], mode: Mode) -> Result:
    methods = ClientMethods(task.endpoint, task.params["via"], task.log)
    windows = task.endpoint.system.operating_system()
    triggers = Triggers(task.endpoint, task.guard, windows, chosen, task.params["wait_timeout"], task.log)
    stopped = ""
    with task.telling(lambda: _result(task, triggers.each, mode, methods)):
        if task.params["wait"]:
            triggers.note_history()
        try:
            triggers.send(methods, task.params["pause"])
        except Blocked as reason:
            stopped = sentence(str(reason))
        if task.params["wait"]:
            triggers.wait_for_proof()
    result = {**_result(task, triggers.each, mode, methods), "left_alone": stopped}
    sent = ", ".join(trigger.schedule.name for trigger in triggers.sent)
    if triggers.refused:
        refused = "; ".join(f"{each.schedule.name}: {each.problem}" for each in triggers.refused)
        raise TaskFailed(
            f"{len(triggers.refused)} of {len(chosen)} schedules could not be triggered. {refused}.", result
        )
    if stopped:
        said = f"Triggered {sent}. Then stopped. {stopped}" if sent else f"Left alone. {stopped}"
    else:
        said = f"Triggered {sent}."
    unproven = [each for each in triggers.each if each.proof in ("none", "unreadable")]
    return {
        **result,
        "msg": said,
        "warnings": [
            f"There is no proof that {each.schedule.name} ran: {each.proof_reason}. It may have run all the same."
            for each in unproven
        ],
    }


def _result(task: Task, each: t.Sequence[Trigger], mode: Mode, methods: ClientMethods | None = None) -> Result:
    return {
        "changed": task.guard.wrote,
        "schedules": [_as_result(trigger, mode) for trigger in each],
        "provisioning_mode": mode.enabled,
        "left_alone": "",
        "via": methods.way if methods and any(trigger.sent for trigger in each) else None,
        "via_reason": methods.refusal if methods else None,
    }


def _as_result(trigger: Trigger, mode: Mode) -> Result:
    return {
        "name": trigger.schedule.name,
        "id": trigger.schedule.id,
        "triggered": trigger.sent is not None,
        "problem": trigger.problem,
        "proof": trigger.proof if trigger.sent else None,
        "proof_reason": trigger.proof_reason if trigger.sent else "",
        "effect_in_mode": None if mode.exited else trigger.schedule.in_mode,
    }


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
