#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepares a ConfigMgr client for an upgrade wave, and undoes exactly that."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_preparation
short_description: Prepares a ConfigMgr client for an upgrade wave, and undoes exactly that
version_added: 0.1.0
description:
  - V(present) waits until the client is ready, then frees the task sequence agent from the client's service where its
    version needs that, sets C(ProvisioningMaxMinutes), and places a safeguard against a restart in mid-scan.
  - What was there before is remembered on the endpoint, and before each change. V(absent) puts back exactly what
    V(present) changed there, and nothing else.
  - Both may be run again, also after a run that was cut short.
  - Leaves the endpoint alone where the client is in provisioning mode or not ready, while a task sequence or Windows
    Setup runs there or waits for a restart, and where nobody can tell. The task is then ok and not changed, and
    RV(left_alone) says why.
options:
  state:
    description: Whether the client is to be prepared, or as it was before.
    type: str
    choices: [present, absent]
    default: present
  max_minutes:
    description:
      - Minutes in the mode after which the client is to leave by itself, 60 or more. V(0) means the default of 2880.
      - Without it, C(ProvisioningMaxMinutes) is left as it is.
    type: int
  dependency:
    description:
      - Whether the service C(smstsmgr) is freed from all services that it depends on, where the client's service
        C(CcmExec) is among them.
      - V(auto) does so for clients of version 1802 only, the one of which it is known that it needs this.
      - V(always) does so for every version, V(never) for none.
    type: str
    choices: [auto, always, never]
    default: auto
  safeguard:
    description: Kind of the safeguard to place, see M(configmgr.client.provisioning_safeguard). V(none) places none.
    type: str
    choices: [boot_task, run_once, none]
    default: boot_task
  safeguard_delay:
    description: Minutes from the start of the computer to the safeguard, for O(safeguard=boot_task). From 1 to 9999.
    type: int
    default: 5
  wait_timeout:
    description:
      - Seconds to wait for a client that is not ready yet, with O(state=present). A client needs some minutes after a
        boot.
      - Must be shorter than O(deadline).
    type: int
    default: 120
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._connection
  - configmgr.client._name
seealso:
  - module: configmgr.client.provisioning_safeguard
  - module: configmgr.client.provisioning_timeout
  - module: configmgr.client.smstsmgr_dependency
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Prepare the clients of the next wave
  configmgr.client.client_preparation:
    max_minutes: 720

- name: Put back what that changed
  configmgr.client.client_preparation:
    state: absent
"""

RETURN = r"""
action:
  description: C(prepared) or C(restored) where something was changed, or would be in check mode; else C(none).
  returned: success
  type: str
  sample: prepared
attempts:
  description: How often the client was looked at until it was ready; 0 with O(state=absent).
  returned: success
  type: int
  sample: 1
client_version:
  description: Version of the client; null where it was not asked for.
  returned: success
  type: str
  sample: 5.00.9128.1007
left_alone:
  description: Why the client, or a part of it, was left alone; empty where it was not.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: "Prepared: max_minutes, boot_task."
remembered:
  description:
    - The settings that this module has changed on the endpoint and can put back. They are C(dependency),
      C(max_minutes), C(boot_task) and C(run_once).
  returned: success
  type: list
  elements: str
  sample: [boot_task, max_minutes]
verdict:
  description: The client's verdict, see M(configmgr.client.provisioning_mode_info).
  returned: success
  type: str
  sample: normal
"""

import typing as t

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC, NAME_SPEC, wait_problem
from ansible_collections.configmgr.client.plugins.module_utils._client.backoff import Backoff
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import reason_to_wait, require_own_name
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import limit
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_mode, read_state
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import RELEASED, assess
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import dependency, safeguard
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.artefacts import Unsupported
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.memory import Memory
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.plan import (
    Change,
    NotReversible,
    Plan,
    carry_out,
    plan_preparation,
    plan_undoing,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.setting import (
    Dependency,
    MaxMinutes,
    Safeguard,
    Setting,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.readiness import Readiness, wait_until_ready
from ansible_collections.configmgr.client.plugins.module_utils._client.releases import entry_fails_with_dependency
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, failures, main
from ansible_collections.configmgr.client.plugins.module_utils._windows import system
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import (
    ConnectionLost,
    DeadlineExceeded,
    OperationTimedOut,
)

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "max_minutes": {"type": "int"},
    "dependency": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "safeguard": {"type": "str", "choices": [*safeguard.KINDS, "none"], "default": safeguard.BOOT_TASK},
    "safeguard_delay": {"type": "int", "default": 5},
    "wait_timeout": {"type": "int", "default": 120},
    **NAME_SPEC,
    **CONNECTION_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    if wrong := wait_problem(params):
        return wrong
    wrong = safeguard.delay_problem(params["safeguard_delay"])
    if wrong:
        return f"safeguard_{wrong}"
    return None if params["max_minutes"] is None else limit.problem(params["max_minutes"], allow_short=False)


def run(task: Task) -> Result:
    preparing = task.params["state"] == "present"
    state = read_state(task.endpoint)
    result: Result = {
        "action": "none",
        "attempts": 0,
        "changed": False,
        "client_version": state.client_version,
        "left_alone": "",
        "remembered": [],
        "verdict": assess(state).verdict.value,
    }
    memory = Memory(task.endpoint)
    memory.read()
    result["remembered"] = sorted(memory.records)
    if not preparing and not memory.records:
        return {**result, "msg": "Nothing to do. Nothing was prepared here, or it is restored already."}
    if not state.mode.left:
        return _left_alone(result, assess(state).summary)
    if not preparing:
        return _finish(task, result, plan_undoing(_settings(task), memory.records), memory)
    ready = wait_until_ready(
        task.endpoint, Backoff(task.params["wait_timeout"], task.endpoint.session.deadline), task.log
    )
    result.update(attempts=ready.attempts, client_version=ready.version)
    if ready.problem:
        if ready.lasting:
            result["verdict"] = assess(read_state(task.endpoint, full=True)).verdict.value
        return _left_alone(result, f"the client is not ready, {ready.problem}")
    memory.read()  # the wait may have been long
    try:
        plan = plan_preparation(_wanted(task, ready), memory.records)
    except (NotReversible, Unsupported) as error:
        raise TaskFailed(f"Nothing was changed: {error}.") from error
    return _finish(task, result, plan, memory)


def _settings(task: Task) -> list[Setting]:
    """Each that a preparation can have changed. The safeguard goes first: it is what acts by itself."""
    directory = system.operating_system(task.endpoint.session).system_directory
    safeguards = [Safeguard(kind, task.endpoint, directory) for kind in safeguard.KINDS]
    return [*safeguards, MaxMinutes(task.endpoint), Dependency(task.endpoint, directory)]


def _wanted(task: Task, ready: Readiness) -> t.Iterator[tuple[Setting, t.Any]]:
    params = task.params
    directory = system.operating_system(task.endpoint.session).system_directory
    needed = params["dependency"] == "auto" and entry_fails_with_dependency(ready.version)
    if needed or params["dependency"] == "always":
        setting = Dependency(task.endpoint, directory)
        yield setting, dependency.wanted(setting.read(), None)
    if params["max_minutes"] is not None:
        yield MaxMinutes(task.endpoint), MaxMinutes.value(params["max_minutes"])
    if params["safeguard"] != "none":
        placed = Safeguard(params["safeguard"], task.endpoint, directory)
        yield placed, placed.artefact(params["safeguard_delay"]).wanted()


def _finish(task: Task, result: Result, plan: Plan, memory: Memory) -> Result:
    verb, action = ("Prepared", "prepared") if task.params["state"] == "present" else ("Restored", "restored")
    left = [*plan.left.values()]
    if not plan.changes:
        said = f"Nothing to do. {verb} already."
        return _left_alone(result, "; ".join(left)) if left else {**result, "msg": said}
    remembered = set(memory.records)
    require_own_name(task.endpoint, task.expected_name, task.params["name_check"])
    done, reason = _carry_out(task, plan, memory)
    if reason:
        left.append(reason)
    if not done:
        return _left_alone(result, "; ".join(left))
    forgotten = {change.setting.name for change in done if change.record is None}
    now = sorted((remembered | {change.setting.name for change in done}) - forgotten)
    names = ", ".join(change.setting.name for change in done)
    said = f"Would be {action}: {names}." if task.check_mode else f"{verb}: {names}."
    return {
        **result,
        "action": action,
        "changed": True,
        "diff": {
            "before": {change.setting.name: change.setting.shown(change.before) for change in done}
            | {"remembered": sorted(remembered)},
            "after": {change.setting.name: change.setting.shown(change.after) for change in done} | {"remembered": now},
        },
        "left_alone": "; ".join(left),
        "msg": f"{said} Left alone: {'; '.join(left)}." if left else said,
        "remembered": now,
    }


def _carry_out(task: Task, plan: Plan, memory: Memory) -> tuple[list[Change], str]:
    """The changes that were made, and why no more were. What runs is asked anew before each."""
    done: list[Change] = []
    before = dict(memory.records)
    try:
        with failures():
            for change in plan.changes:
                reason = _reason_to_wait(task)
                if reason:
                    return done, reason
                if not task.check_mode:
                    task.log(f"changing {change.setting.name}")
                    carry_out(change, memory)
                done.append(change)
    except TaskFailed as failure:
        # A call that gave no answer may have been carried out all the same.
        unknown = isinstance(failure.__cause__, (ConnectionLost, DeadlineExceeded, OperationTimedOut))
        failure.result.update(
            changed=bool(done) or memory.records != before or unknown,
            remembered=sorted(memory.records),
        )
        raise
    return done, ""


def _reason_to_wait(task: Task) -> str:
    if not read_mode(task.endpoint).left:
        return "the client has just entered provisioning mode"
    return reason_to_wait(task.endpoint)


def _left_alone(result: Result, reason: str) -> Result:
    advice = " Release it first." if result["verdict"] in RELEASED else ""
    return {**result, "left_alone": reason, "msg": f"Left alone: {reason.rstrip('.')}.{advice}"}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
