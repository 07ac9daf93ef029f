#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets or removes the time after which a ConfigMgr client leaves provisioning mode by itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: provisioning_timeout
short_description: Sets the time after which a ConfigMgr client leaves provisioning mode by itself
version_added: 1.0.0
description:
  - Sets or removes C(ProvisioningMaxMinutes). Client 5.00.8790 (version 1902) and later compare it with the time of
    entry once an hour; older clients ignore it. Absent and 0 both mean 48 hours.
  - Leaves the value alone while a task sequence or Windows Setup runs there or waits for a restart, and where that
    cannot be determined. Never shortens the time of a client that is held in the mode, since it would then leave
    before. The task is ok and not changed, and RV(left_alone) says why.
options:
  state:
    description: Whether the value is set, or removed, so that the default of 48 hours holds.
    type: str
    choices: [present, absent]
    default: present
  max_minutes:
    description:
      - Minutes in the mode after which the client leaves. V(0) means the default of 2880.
      - Required with O(state=present).
    type: int
  allow_short:
    description: Writes an O(max_minutes) below 60 as well, although the client then acts as if it were 60.
    type: bool
    default: false
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._name
seealso:
  - module: configmgr.client.provisioning_mode_info
  - ref: ansible_collections.configmgr.client.docsite.guide_waves.timeout
    description: When to set it, and when it acts.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Let clients leave the mode after twelve hours
  configmgr.client.provisioning_timeout:
    max_minutes: 720

- name: Go back to the default of 48 hours
  configmgr.client.provisioning_timeout:
    state: absent
"""

RETURN = r"""
max_minutes:
  description: C(ProvisioningMaxMinutes) as read back; null where it is absent.
  returned: success
  type: int
  sample: 720
effective_minutes:
  description: Minutes after which the client leaves, as it applies the value.
  returned: success
  type: int
  sample: 720
left_alone:
  description: Why the value was left alone; empty where it was not.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: ProvisioningMaxMinutes is now 720.
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import AUDIT_SPEC, CONNECTION_SPEC, NAME_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import hold, limit
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_mode
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.change import Change, Changes
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.journal import Journal
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.settings import MaxMinutes
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main, sentence
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import KeyAbsent

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "max_minutes": {"type": "int"},
    "allow_short": {"type": "bool", "default": False},
    **AUDIT_SPEC,
    **NAME_SPEC,
    **CONNECTION_SPEC,
}
ARGUMENT_RULES = {"required_if": [("state", "present", ("max_minutes",))]}


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    if params["state"] == "absent":
        return None if params["max_minutes"] is None else "max_minutes has no meaning with state=absent: leave it out"
    return limit.problem(params["max_minutes"], allow_short=params["allow_short"])


def run(task: Task) -> Result:
    minutes = task.params["max_minutes"]
    setting = MaxMinutes(task.endpoint)
    try:
        before = setting.read()
    except KeyAbsent as error:
        raise TaskFailed(f"There is no ConfigMgr client here: {error}.") from error
    after = None if minutes is None else MaxMinutes.value(minutes)
    number = before["data"] if before and isinstance(before["data"], int) else None
    if setting.equal(before, after):
        return _result(minutes, msg=f"Nothing to do. {constants.MAX_MINUTES} is {_shown(minutes)}.")
    shortens = limit.effective(minutes) < limit.effective(number)
    changes = Changes(
        task.guard, Journal(task.endpoint), task.log, (lambda: _reason_to_keep(task)) if shortens else lambda: ""
    )
    with task.telling():
        changes.make([Change(setting, before, after)], check_mode=task.check_mode)
    if changes.stopped:
        left_alone = _result(number, msg=f"Left alone. {sentence(changes.stopped)}")
        return {**left_alone, "changed": task.guard.wrote, "left_alone": changes.stopped}
    verb = "would be" if task.check_mode else "is now"
    return {
        **_result(minutes, msg=f"{constants.MAX_MINUTES} {verb} {_shown(minutes)}."),
        "changed": True,
        "diff": {
            "before": {constants.MAX_MINUTES: before and before["data"]},
            "after": {constants.MAX_MINUTES: minutes},
        },
    }


def _reason_to_keep(task: Task) -> str:
    """Why a client in the mode must not leave it sooner, whatever runs; empty where it may."""
    if read_mode(task.endpoint).exited:
        return ""
    held = hold.read(task.endpoint)
    if held is not None and held.expires > task.endpoint.system.operating_system().now:
        return f"the client is held in provisioning mode by {hold.describe(held)}, and might leave before"
    return ""


def _result(max_minutes: int | None, *, msg: str) -> Result:
    return {
        "changed": False,
        "max_minutes": max_minutes,
        "effective_minutes": limit.effective(max_minutes),
        "left_alone": "",
        "msg": msg,
    }


def _shown(value: object) -> str:
    return "absent" if value is None else str(value)


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check, **ARGUMENT_RULES)
