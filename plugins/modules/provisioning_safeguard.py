#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leaves something on the endpoint that ends provisioning mode after a restart in mid-scan, or takes it away."""

from __future__ import annotations

DOCUMENTATION = r"""
module: provisioning_safeguard
short_description: Has a ConfigMgr client leave provisioning mode after a restart in the middle of a scan
version_added: 1.0.0
description:
  - A user who restarts the computer in the middle of a compatibility scan or an upgrade leaves the client behind in
    provisioning mode. Placed before it, a safeguard then takes the client out. Remove it when all went well.
  - The safeguard does nothing while a task sequence or Windows Setup runs or will go on, or where it cannot tell.
    So it does not end the mode in the middle of an upgrade that restarts the computer itself.
  - Is neither placed nor removed while something runs on the endpoint, where that cannot be determined, or where
    Windows Setup waits for a restart. The task is then ok and not changed, and RV(left_alone) says why.
  - The safeguard does not give the service C(CcmExec) its start mode back where an upgrade disabled it.
    Use M(configmgr.client.provisioning_mode) for that.
options:
  state:
    description:
      - V(present) places the safeguard, and repairs one that was changed.
      - V(absent) removes both kinds, whatever O(kind) says.
    type: str
    choices: [present, absent]
    default: present
  kind:
    description:
      - V(boot_task) is a scheduled task that runs as SYSTEM after every start, acts only on a client in the mode, and
        deletes itself once the client has left. It also starts on battery power.
      - V(run_once) is a value of C(RunOnce). Windows runs it only when an administrator logs on, and only once, even if
        the mode cannot be ended at that moment. Its 260 characters hold fewer tests than the task has.
      - A safeguard of the other kind is left in place.
    type: str
    choices: [boot_task, run_once]
    default: boot_task
  delay:
    description:
      - Minutes between the start of the computer and the task, for O(kind=boot_task). From 1 to 9999.
      - The client needs some minutes after a start, and so does a task sequence that goes on after a restart.
    type: int
    default: 5
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._name
seealso:
  - module: configmgr.client.provisioning_mode
  - ref: ansible_collections.configmgr.client.docsite.guide_waves.safeguard
    description: What it asks before it acts, and what it cannot know.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Protect the clients before a compatibility scan
  configmgr.client.provisioning_safeguard:
    delay: 10

- name: Take the safeguard away after the scan
  configmgr.client.provisioning_safeguard:
    state: absent
"""

RETURN = r"""
boot_task:
  description:
    - The scheduled task as read back; null where there is none.
    - Only with O(kind=boot_task) or O(state=absent).
  returned: success
  type: dict
  sample:
    arguments: /d /c C:\\Windows\\system32\\reg.exe query ...
    conditions: []
    delay_minutes: 5
    enabled: true
    others: []
    program: C:\\Windows\\system32\\cmd.exe
    user: S-1-5-18
run_once:
  description:
    - The value of C(RunOnce) as read back; null where there is none.
    - Only with O(kind=run_once) or O(state=absent).
  returned: success
  type: dict
  sample:
    data: C:\\Windows\\system32\\cmd.exe /d /c ...
    registry_type: 1
left_alone:
  description: Why the endpoint was left alone; empty where it was not.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: The safeguard (boot_task) is in place.
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import AUDIT_SPEC, CONNECTION_SPEC, NAME_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import safeguard
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.change import Change, Changes
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.entry import extended
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.journal import Journal
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.settings import (
    BootTask,
    RunOnce,
    Unsupported,
)
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import KeyAbsent

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "kind": {"type": "str", "choices": ["boot_task", "run_once"], "default": "boot_task"},
    "delay": {"type": "int", "default": safeguard.DEFAULT_DELAY},
    **AUDIT_SPEC,
    **NAME_SPEC,
    **CONNECTION_SPEC,
}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    return safeguard.delay_problem(params["delay"])


def run(task: Task) -> Result:
    journal = Journal(task.endpoint)
    changes = _placing(task, journal) if task.params["state"] == "present" else _removing(task, journal)
    before = {change.setting.name: change.before for change in changes}
    after = {change.setting.name: change.after for change in changes}
    pending = [change for change in changes if change.writes or change.noted != change.entry]
    if not pending:
        what = f"The safeguard ({', '.join(after)}) is in place." if any(after.values()) else "There is no safeguard."
        return _result(after, msg=f"Nothing to do. {what}")
    making = Changes(task.guard, journal, task.log)
    with task.telling(lambda: _now(before, making)):
        making.make(pending, check_mode=task.check_mode)
    if making.stopped and not any(change.writes for change in pending):
        return _result(after, msg="Nothing to do. There is no safeguard.")  # what is noted of one that is gone may stay
    if making.stopped:
        left_alone = _result(_now(before, making), msg=f"Left alone: {making.stopped}.")
        return {**left_alone, "changed": task.guard.wrote, "left_alone": making.stopped}
    names = ", ".join(change.setting.name for change in pending)
    what = "in place" if any(after.values()) else "gone"
    verb = "would be" if task.check_mode else "is"
    return {
        **_result(after, msg=f"The safeguard ({names}) {verb} {what}."),
        "changed": True,
        "diff": {"before": before, "after": after},
    }


def _placing(task: Task, journal: Journal) -> list[Change]:
    try:
        task.endpoint.registry.types(constants.CCMEXEC_KEY)
    except KeyAbsent as error:
        raise TaskFailed(f"There is no ConfigMgr client here: {error}.") from error
    setting: BootTask | RunOnce
    try:
        if task.params["kind"] == safeguard.BOOT_TASK:
            setting = BootTask(task.endpoint)
            wanted = setting.value(task.params["delay"])
        else:
            setting = RunOnce(task.endpoint)
            wanted = setting.value()
    except Unsupported as error:
        raise TaskFailed(f"Nothing was changed: {error}.") from error
    before = setting.read()
    if setting.equal(before, wanted):
        return [Change(setting, before, wanted)]
    journal.read()
    noted = journal.entries.get(setting.name)
    entry = extended(noted, before, wanted, setting.equal, "provisioning_safeguard")
    return [Change(setting, before, wanted, noted, entry)]


def _removing(task: Task, journal: Journal) -> list[Change]:
    settings: tuple[BootTask | RunOnce, ...] = (BootTask(task.endpoint), RunOnce(task.endpoint))
    journal.read()  # also of one that did its work and is gone, or whose removal was cut short
    return [Change(setting, setting.read(), None, journal.entries.get(setting.name)) for setting in settings]


def _now(before: Result, making: Changes) -> Result:
    return before | {change.setting.name: change.after for change in making.done}


def _result(state: Result, *, msg: str) -> Result:
    return {"changed": False, **state, "left_alone": "", "msg": msg}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
