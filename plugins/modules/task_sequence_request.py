#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clears what a task sequence that died left on an endpoint."""

from __future__ import annotations

DOCUMENTATION = r"""
module: task_sequence_request
short_description: Clears what a task sequence that died left behind
version_added: 1.0.0
description:
  - A task sequence that dies leaves an execution request behind, and Software Center shows I(Installing) from then on.
    This clears it, and on demand what else was left.
  - Leaves the endpoint alone while a task sequence or Windows Setup runs there, while a restart is to resume it, and
    where that cannot be determined. The task is then ok and not changed, and RV(left_alone) says why.
  - Everything that is read for that is read again right before each single deletion. What comes up in between stops the
    task, which is ok all the same; RV(steps) and RV(not_done) say how far it came.
  - Ends no process and stops no service.
options:
  state:
    description: The leftovers are to be absent.
    type: str
    choices: [absent]
    default: absent
  steps:
    description:
      - What is cleared. Whatever the order here, it is done in the order of the choices.
      - V(maintenance_requests) are the locks in C(SMS_MaintenanceTaskRequests) that a dead request names by its
        C(MTCHandle), no others. Once the execution request is gone they cannot be told from those of other software,
        so clear both in one task.
      - V(orphaned_policy) is the client configuration with the source C(CcmTaskSequence) in the default machine policy.
      - V(execution_requests) are the instances of C(CCM_TSExecutionRequest) whose process does not run, and that have
        failed, claim to run, or claim to be about to. Those that wait, and those of programs, are never touched.
      - V(paused_software_distribution) sets C(PausedCookie) and C(Paused) to 0. Deployments may start then.
      - Policy and pause bear no mark of whose they are. They are left alone while any request is.
    type: list
    elements: str
    choices: [maintenance_requests, orphaned_policy, execution_requests, paused_software_distribution]
    default: [execution_requests]
  minimum_age:
    description:
      - Minutes since a request was received, by the endpoint's clock. Younger ones are left alone.
      - Where that age is not known, the time since the endpoint's last start takes its place.
    type: int
    default: 240
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._name
notes:
  - The client may go on showing what it has in memory until its service starts the next time. Whether it does is not
    known yet.
seealso:
  - module: configmgr.client.task_sequence_info
  - ref: ansible_collections.configmgr.client.docsite.guide_releasing.leftovers
    description: A playbook for what stands at "Installing" for days.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Clear the execution requests of dead task sequences
  configmgr.client.task_sequence_request:

- name: Clear everything that a dead task sequence left a day ago or earlier
  configmgr.client.task_sequence_request:
    steps:
      - maintenance_requests
      - orphaned_policy
      - execution_requests
      - paused_software_distribution
    minimum_age: 1440
"""

RETURN = r"""
steps:
  description: What was cleared, or would be in check mode. Each has C(step) and C(item).
  returned: success, and failure during a step
  type: list
  elements: dict
  sample:
    - {step: execution_requests, item: "{6D7C9B1E-52A0-4E0B-9E43-000000000001}"}
not_done:
  description: What was to be cleared and was not, since something came up in between.
  returned: success, and failure during a step
  type: list
  elements: dict
  sample: []
kept:
  description: What was left alone. Each has C(step), C(item) and C(why).
  returned: success
  type: list
  elements: dict
  sample: []
before:
  description: For each step that was done, everything of its kind that was there before.
  returned: success, and failure during a step
  type: dict
  sample: {execution_requests: ["{6D7C9B1E-52A0-4E0B-9E43-000000000001}"]}
after:
  description: For each step that was done, what is there of its kind after it.
  returned: success, and failure during a step
  type: dict
  sample: {execution_requests: []}
left_alone:
  description: Why nothing was cleared, or why the rest was not; empty where all was.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: "Cleared 1 of execution_requests."
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import AUDIT_SPEC, CONNECTION_SPEC, NAME_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import DEFAULT_MINIMUM_AGE
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.clearing import (
    KINDS,
    Plan,
    Step,
    difference,
    orphaned_by,
    plan_clearing,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.reader import read_task_sequences
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.rules import (
    EXECUTION_REQUESTS,
    TaskSequenceState,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.writer import Clearing
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, main

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["absent"], "default": "absent"},
    "steps": {"type": "list", "elements": "str", "choices": list(KINDS), "default": [EXECUTION_REQUESTS]},
    "minimum_age": {"type": "int", "default": DEFAULT_MINIMUM_AGE},
    **AUDIT_SPEC,
    **NAME_SPEC,
    **CONNECTION_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    return None if params["steps"] else f"steps is empty: give one or more of {', '.join(KINDS)}"


def run(task: Task) -> Result:
    state = read_task_sequences(task.endpoint, task.guard)
    plan = plan_clearing(state, task.params["steps"], task.params["minimum_age"])
    if plan.steps:
        task.guard.identify()
    clearing = Clearing(task.endpoint, task.guard, state, task.params["steps"], task.params["minimum_age"], task.log)
    done = plan.steps if task.check_mode else clearing.done
    if not task.check_mode:
        with task.telling(lambda: _outcome(state, plan, done)):
            clearing.carry_out(plan)
    left_alone = clearing.stopped or plan.left_alone
    return {
        **_outcome(state, plan, done),
        "changed": bool(done) or task.guard.wrote,
        "kept": [kept.as_result() for kept in plan.kept],
        "left_alone": left_alone,
        "msg": _message(task, plan, done, left_alone),
        "warnings": [
            f"The maintenance request {label} stays, and nothing names it any more."
            " Give steps maintenance_requests as well, in the same task."
            for label in orphaned_by(state, done)
        ],
    }


def _outcome(state: TaskSequenceState, plan: Plan, done: list[Step]) -> Result:
    before, after = difference(state, done)
    return {
        "steps": [step.as_result() for step in done],
        "not_done": [step.as_result() for step in plan.steps[len(done) :]],
        "before": before,
        "after": after,
        "diff": {"before": before, "after": after},
    }


def _message(task: Task, plan: Plan, done: list[Step], left_alone: str) -> str:
    kinds = [step.kind for step in done]
    what = ", ".join(f"{kinds.count(kind)} of {kind}" for kind in KINDS if kind in kinds)
    if left_alone and plan.steps:
        return f"Stopped, with {what or 'nothing'} cleared: {left_alone}."
    if left_alone:
        return f"Left alone. {left_alone}."
    if not done:
        return "Nothing to do. No dead task sequence left anything of this kind."
    others = f" {len(plan.kept)} item(s) were left alone: see kept." if plan.kept else ""
    return f"{'Would clear' if task.check_mode else 'Cleared'} {what}.{others}"


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
