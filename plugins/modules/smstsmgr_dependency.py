#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applies or reverses the workaround for a task sequence agent that depends on the client's service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smstsmgr_dependency
short_description: Frees the ConfigMgr task sequence agent from services that it depends on
version_added: 1.0.0
description:
  - A dependency of the service C(smstsmgr) on C(CcmExec) made an in-place upgrade fail to enter provisioning mode
    (0x80004005) with client version 1802.
  - The workaround removes the dependencies with C(sc.exe), without a shell around it, verifies the result, and
    remembers on the endpoint what they were, so that it can be reversed.
  - Leaves the endpoint alone while a task sequence or Windows Setup runs there, or where that cannot be
    determined.
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
  - configmgr.client._attributes.change
  - configmgr.client._audit
  - configmgr.client._connection
  - configmgr.client._name
seealso:
  - ref: ansible_collections.configmgr.client.docsite.guide_waves.dependency
    description: When it is needed.
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

from ansible_collections.configmgr.client.plugins.module_utils._argspec import AUDIT_SPEC, CONNECTION_SPEC, NAME_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.change import Change, Changes
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.dependency import wanted
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.entry import extended
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.journal import Journal
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.settings import Dependency
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, TaskFailed, main

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "depends_on": {"type": "list", "elements": "str"},
    **AUDIT_SPEC,
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
    setting, journal = Dependency(task.endpoint), Journal(task.endpoint)
    before = setting.read()
    journal.read()
    change = _change(task, setting, journal, before)
    if change is None:
        return _result(before, msg="Nothing to do. Nothing is noted here that could be reversed.")
    if not change.writes and change.noted == change.entry:
        return _result(before, msg=f"Nothing to do. {_sentence('depends', before)}")
    changes = Changes(task.guard, journal, task.log)
    with task.telling():
        changes.make([change], check_mode=task.check_mode)
    if changes.stopped:
        left_alone = _result(before, msg=f"Left alone: {changes.stopped}.")
        return {**left_alone, "changed": task.guard.wrote, "left_alone": changes.stopped}
    return {
        **_result(change.after, msg=_sentence("would depend" if task.check_mode else "now depends", change.after)),
        "changed": True,
        "diff": {"before": {"depends_on": before}, "after": {"depends_on": change.after}},
    }


def _change(task: Task, setting: Dependency, journal: Journal, before: list[str]) -> Change | None:
    """None where there is nothing to reverse."""
    noted = journal.entries.get(setting.name)
    target = task.params["depends_on"]
    if task.params["state"] == "absent":
        if target is None and noted is None:
            return None
        return Change(setting, before, noted.before if target is None and noted else wanted(before, target), noted)
    after = wanted(before, target)
    if setting.equal(before, after):
        return Change(setting, before, after, noted, noted)
    entry = extended(noted, before, after, setting.equal, "smstsmgr_dependency")
    return Change(setting, before, after, noted, entry)


def _result(depends_on: list[str], *, msg: str) -> Result:
    return {"changed": False, "depends_on": depends_on, "left_alone": "", "msg": msg}


def _sentence(verb: str, depends_on: list[str]) -> str:
    return f"{constants.AGENT_SERVICE} {verb} on {', '.join(depends_on) or 'nothing'}."


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run, check)
