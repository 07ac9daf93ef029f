#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applies or reverses the workaround for a task sequence agent that depends on the client's service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smstsmgr_dependency
short_description: Frees the ConfigMgr task sequence agent from services that it depends on
version_added: 0.1.0
description:
  - A dependency of the service C(smstsmgr) on C(CcmExec) made an in-place upgrade fail to enter provisioning mode
    (0x80004005) with client version 1802.
  - The workaround removes the dependencies with C(sc.exe), without a shell around it, verifies the result, and
    remembers on the endpoint what they were, so that it can be reversed.
  - Leaves the endpoint alone while a task sequence or Windows Setup runs there, or where nobody can tell.
    The task is then ok and not changed, and RV(left_alone) says why.
options:
  state:
    description:
      - V(present) applies the workaround, V(absent) reverses it.
    type: str
    choices: [present, absent]
    default: present
  depends_on:
    description:
      - Names of the services that C(smstsmgr) is to depend on. An empty list means none.
      - Without it, V(present) removes all dependencies where C(CcmExec) is among them and does nothing anywhere else,
        and V(absent) puts back what was remembered.
      - V([Winmgmt]) is the default of Microsoft's own clients.
    type: list
    elements: str
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._connection
  - configmgr.client._name
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Apply the workaround where it is needed
  configmgr.client.smstsmgr_dependency:

- name: Make the agent depend on WMI alone
  configmgr.client.smstsmgr_dependency:
    depends_on: [Winmgmt]

- name: Put back what was there before
  configmgr.client.smstsmgr_dependency:
    state: absent
"""

RETURN = r"""
depends_on:
  description: The services that C(smstsmgr) depends on, as read back.
  returned: success
  type: list
  elements: str
  sample: []
left_alone:
  description: Why the service was left alone; empty where it was not.
  returned: success
  type: str
  sample: ""
msg:
  description: What was found and done, in a sentence.
  returned: always
  type: str
  sample: smstsmgr now depends on nothing.
"""

import re

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC, NAME_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import reason_to_wait, require_own_name
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import dependency
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main
from ansible_collections.configmgr.client.plugins.module_utils._windows import system

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "depends_on": {"type": "list", "elements": "str"},
    **NAME_SPEC,
    **CONNECTION_SPEC,
}

LONGEST_NAME = 256
"""Characters of a service's name, as Microsoft documents for CreateService."""


def check(params: Result) -> str | None:
    """What is wrong with the options taken together, before anything is sent."""
    for name in params["depends_on"] or []:
        if len(name) > LONGEST_NAME or not re.fullmatch(r"[A-Za-z0-9_.$-]+( +[A-Za-z0-9_.$-]+)*", name):
            return f"depends_on holds {name!r}, which is not the name of a service: give names such as Winmgmt"
    return None


def run(task: Task) -> Result:
    if not task.endpoint.services.read(constants.AGENT_SERVICE):
        raise TaskFailed(f"There is no service {constants.AGENT_SERVICE} here, so no ConfigMgr client.")
    current = dependency.read(task.endpoint)
    reverse = task.params["state"] == "absent"
    memory = dependency.remembered(task.endpoint)
    target = task.params["depends_on"]
    if reverse and target is None:
        if memory is None:
            return _result(current, changed=False, msg="Nothing to do. No workaround is remembered here.")
        target = memory
    wanted = dependency.wanted(current, target)
    settled = dependency.same(current, wanted)
    if settled and not (reverse and memory is not None):
        return _result(current, changed=False, msg=f"Nothing to do. {_sentence('depends', current)}")
    reason = reason_to_wait(task.endpoint)
    if reason:
        return {**_result(current, changed=False, msg=f"Left alone: {reason}."), "left_alone": reason}
    require_own_name(task.endpoint, task.expected_name, task.params["name_check"])
    if not task.check_mode:
        _write(task, current, wanted, reverse, memory)
    return {
        **_result(wanted, changed=True, msg=_sentence("would depend" if task.check_mode else "now depends", wanted)),
        "diff": {"before": {"depends_on": current}, "after": {"depends_on": wanted}},
    }


def _write(task: Task, current: list[str], wanted: list[str], reverse: bool, memory: list[str] | None) -> None:
    """Remembers first and forgets last, so that a run cut short anywhere in between can still be reversed."""
    if not reverse and memory is None:
        dependency.remember(task.endpoint, current)
    directory = system.operating_system(task.endpoint.session).system_directory
    dependency.write(task.endpoint, directory, wanted)
    read_back = dependency.read(task.endpoint)
    if not dependency.same(read_back, wanted):
        raise TaskFailed(f"sc.exe succeeded, yet {_sentence('depends', read_back)}", {"depends_on": read_back})
    if reverse and memory is not None:
        dependency.forget(task.endpoint)


def _result(depends_on: list[str], *, changed: bool, msg: str) -> Result:
    return {"changed": changed, "depends_on": depends_on, "left_alone": "", "msg": msg}


def _sentence(verb: str, depends_on: list[str]) -> str:
    return f"{constants.AGENT_SERVICE} {verb} on {', '.join(depends_on) or 'nothing'}."


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
