#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepares a ConfigMgr client for an upgrade wave, and undoes exactly that."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_preparation
short_description: Prepares a ConfigMgr client for an upgrade wave, and undoes exactly that
version_added: 1.0.0
description:
  - V(present) waits until the client is ready, then frees the task sequence agent from the client's service where its
    version needs that, sets C(ProvisioningMaxMinutes), and places a safeguard against a restart in mid-scan.
  - What was there before is remembered on the endpoint, and before each change. V(absent) puts back exactly what
    V(present) changed there, and nothing else.
  - Both may be run again, also after a run that was cut short.
  - Leaves the endpoint alone where the client is in provisioning mode or not ready, while a task sequence or Windows
    Setup runs there or waits for a restart, and where that cannot be determined. The task is then ok and not changed,
    and RV(left_alone) says why.
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
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._offline
  - configmgr.client._name
seealso:
  - module: configmgr.client.provisioning_safeguard
  - module: configmgr.client.provisioning_timeout
  - module: configmgr.client.smstsmgr_dependency
  - ref: ansible_collections.configmgr.client.docsite.guide_waves
    description: An upgrade wave from beginning to end.
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

from ansible_collections.configmgr.client.plugins.module_utils._argspec import (
    AUDIT_SPEC,
    CONNECTION_SPEC,
    NAME_SPEC,
    OFFLINE_SPEC,
    wait_problem,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.backoff import Backoff
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import limit
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_mode, read_state
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import RELEASED, assess
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import dependency, safeguard
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.change import Changes
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.entry import PREPARATION
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.journal import Journal
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.plan import (
    NotReversible,
    Plan,
    plan_preparation,
    plan_undoing,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.settings import (
    BootTask,
    Dependency,
    MaxMinutes,
    RunOnce,
    Setting,
    Unsupported,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.readiness import Readiness, wait_until_ready
from ansible_collections.configmgr.client.plugins.module_utils._client.releases import entry_fails_with_dependency
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "max_minutes": {"type": "int"},
    "dependency": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "safeguard": {"type": "str", "choices": [*safeguard.KINDS, "none"], "default": safeguard.BOOT_TASK},
    "safeguard_delay": {"type": "int", "default": safeguard.DEFAULT_DELAY},
    "wait_timeout": {"type": "int", "default": 120},
    **AUDIT_SPEC,
    **NAME_SPEC,
    **CONNECTION_SPEC,
    **OFFLINE_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    if wrong := wait_problem(params):
        return wrong
    wrong = safeguard.delay_problem(params["safeguard_delay"])
    if wrong:
        return f"safeguard_{wrong}"
    return None if params["max_minutes"] is None else limit.problem(params["max_minutes"])


def run(task: Task) -> Result:
    preparing = task.params["state"] == "present"
    state = read_state(task.endpoint, task.guard)
    journal = Journal(task.endpoint)
    journal.read()
    result: Result = {
        "action": "none",
        "attempts": 0,
        "changed": False,
        "client_version": state.client_version,
        "left_alone": "",
        "remembered": _remembered(journal),
        "verdict": assess(state).verdict.value,
    }
    if not preparing and not result["remembered"]:
        return {**result, "msg": "Nothing to do. Nothing was prepared here, or it is restored already."}
    if not state.mode.exited:
        return _left_alone(result, assess(state).summary)
    if not preparing:
        return _carry_out(task, result, plan_undoing(_settings(task), journal.entries), journal)
    ready = wait_until_ready(
        task.endpoint, Backoff(task.params["wait_timeout"], task.endpoint.session.deadline), task.log
    )
    result.update(attempts=ready.attempts, client_version=ready.version)
    if ready.problem:
        if ready.lasting:
            result["verdict"] = assess(read_state(task.endpoint, task.guard, full=True)).verdict.value
        return _left_alone(result, f"the client is not ready, {ready.problem}")
    journal.read()  # the wait may have been long
    try:
        plan = plan_preparation(_wanted(task, ready), journal.entries)
    except (NotReversible, Unsupported) as error:
        raise TaskFailed(f"Nothing was changed: {error}.") from error
    return _carry_out(task, result, plan, journal)


def _remembered(journal: Journal) -> list[str]:
    """What other modules noted is theirs to undo."""
    return sorted(name for name, entry in journal.entries.items() if entry.by == PREPARATION)


def _settings(task: Task) -> list[Setting]:
    """Each that a preparation can have changed. The safeguard goes first: it is what acts by itself."""
    endpoint = task.endpoint
    return [BootTask(endpoint), RunOnce(endpoint), MaxMinutes(endpoint), Dependency(endpoint)]


def _wanted(task: Task, ready: Readiness) -> t.Iterator[tuple[Setting, t.Any]]:
    params = task.params
    needed = params["dependency"] == "auto" and entry_fails_with_dependency(ready.version)
    if needed or params["dependency"] == "always":
        setting = Dependency(task.endpoint)
        yield setting, dependency.wanted(setting.read(), None)
    if params["max_minutes"] is not None:
        yield MaxMinutes(task.endpoint), MaxMinutes.value(params["max_minutes"])
    if params["safeguard"] == safeguard.BOOT_TASK:
        boot_task = BootTask(task.endpoint)
        yield boot_task, boot_task.value(params["safeguard_delay"])
    if params["safeguard"] == safeguard.RUN_ONCE:
        run_once = RunOnce(task.endpoint)
        yield run_once, run_once.value()


def _carry_out(task: Task, result: Result, plan: Plan, journal: Journal) -> Result:
    verb, action = ("Prepared", "prepared") if task.params["state"] == "present" else ("Restored", "restored")
    left = [*plan.left.values()]
    if not plan.changes:
        said = f"Nothing to do. {verb} already."
        return _left_alone(result, "; ".join(left)) if left else {**result, "msg": said}
    remembered = set(_remembered(journal))
    changes = Changes(task.guard, journal, task.log, lambda: _reason_to_stop(task))
    with task.telling(lambda: {"remembered": _remembered(journal)}):
        changes.make(plan.changes, check_mode=task.check_mode)
    if changes.stopped:
        left.append(changes.stopped)
    done = changes.done
    if not done:
        return {**_left_alone(result, "; ".join(left)), "changed": task.guard.wrote}
    forgotten = {change.setting.name for change in done if change.entry is None}
    now = sorted((remembered | {change.setting.name for change in done}) - forgotten)
    names = ", ".join(change.setting.name for change in done)
    said = f"Would be {action}: {names}." if task.check_mode else f"{verb}: {names}."
    return {
        **result,
        "action": action,
        "changed": True,
        "diff": {
            "before": {change.setting.name: change.setting.display(change.before) for change in done}
            | {"remembered": sorted(remembered)},
            "after": {change.setting.name: change.setting.display(change.after) for change in done}
            | {"remembered": now},
        },
        "left_alone": "; ".join(left),
        "msg": f"{said} Left alone: {'; '.join(left)}." if left else said,
        "remembered": now,
    }


def _reason_to_stop(task: Task) -> str:
    return "" if read_mode(task.endpoint).exited else "the client has just entered provisioning mode"


def _left_alone(result: Result, reason: str) -> Result:
    advice = " Release it first." if result["verdict"] in RELEASED else ""
    return {**result, "left_alone": reason, "msg": f"Left alone: {reason.rstrip('.')}.{advice}"}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
