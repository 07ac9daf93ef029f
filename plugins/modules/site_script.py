#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has this collection's scripts on a ConfigMgr site, for somebody to approve."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_script
short_description: Has the scripts of this collection on a ConfigMgr site
version_added: 1.0.0
description:
  - Creates the scripts that M(configmgr.client.site_provisioning_mode) has a site run, or deletes them. Which they are
    is told by their names and by the hash of their texts.
  - It never approves one. Somebody else than the account that created it has to, in the console, unless the site lets
    authors approve their own.
  - A script of the same name that is not word for word the one here is an error, and is neither used nor replaced.
options:
  scripts:
    description: Which of them.
    type: list
    elements: str
    choices: [read_mode, leave_mode]
    default: [read_mode, leave_mode]
  state:
    description: Whether they are to be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._site
seealso:
  - module: configmgr.client.site_provisioning_mode
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Create the scripts, for a colleague to approve
  configmgr.client.site_script:
    provider: cm01.corp.example
  register: scripts
  run_once: true

- name: Say which of them wait for it
  ansible.builtin.debug:
    msg: "{{ scripts.scripts | rejectattr('approval', 'equalto', 'approved') | map(attribute='name') }}"
  run_once: true
"""

RETURN = r"""
scripts:
  description: The scripts, and what the site has of each.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name on the site.
      type: str
      sample: configmgr.client read_mode 1
    guid:
      description: Its id on the site.
      type: str
    hash:
      description: The SHA-256 of its text as a site stores it, in capitals.
      type: str
    approval:
      description: V(waiting), V(denied), V(approved), V(unknown), or V(absent) where it is not there.
      type: str
      sample: waiting
    author:
      description: Who created it, as the site has it.
      type: str
    approver:
      description: Who approved it.
      type: str
msg:
  description: What was done, in a sentence.
  returned: always
  type: str
  sample: "Created: configmgr.client read_mode 1. Somebody has to approve it."
"""

from ansible_collections.configmgr.client.plugins.module_utils._module import Result, TaskFailed
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._site.own_scripts import SCRIPTS, Script
from ansible_collections.configmgr.client.plugins.module_utils._site.script_store import (
    Stored,
    create,
    delete,
    find,
)
from ansible_collections.configmgr.client.plugins.module_utils._site_module import SiteTask, main

ARGUMENT_SPEC = {
    "scripts": {"type": "list", "elements": "str", "choices": list(SCRIPTS), "default": list(SCRIPTS)},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **SITE_SPEC,
}


def run(task: SiteTask) -> Result:
    service, wanted = task.service, [SCRIPTS[name] for name in task.params["scripts"]]
    before = {script: find(service, script) for script in wanted}
    is_wanted = task.params["state"] == "present"
    for script, stored in before.items():
        if is_wanted and stored is not None and (stored.hash or "").upper() != script.hash:
            raise TaskFailed(
                f"The site has another script named {script.name!r}: its SHA-256 there is {stored.hash}, here"
                f" {script.hash}. Nothing was changed. Have a look at it, and delete it with state=absent",
            )
    to_do = [script for script, stored in before.items() if (stored is None) == is_wanted]
    after = dict(before)
    if not task.check_mode:
        for script in to_do:
            stored = before[script]
            if stored is None:
                create(service, script, task.params["username"] or "")
            else:
                delete(service, stored)
        after = {script: find(service, script) if script in to_do else before[script] for script in wanted}
        failed = [script.name for script in to_do if (after[script] is None) == is_wanted]
        if failed:
            raise TaskFailed(f"The site took the request, and it does not show: {', '.join(failed)}", {"changed": True})
    told = [_told(script, after[script]) for script in wanted]
    return {
        "changed": bool(to_do),
        "scripts": told,
        "diff": {
            "before": {script.name: bool(before[script]) for script in wanted},
            "after": {script.name: is_wanted for script in wanted},
        },
        "msg": _message(task, to_do, told),
    }


def _told(script: Script, stored: Stored | None) -> Result:
    return {
        "name": script.name,
        "guid": stored.guid if stored else script.guid,
        "hash": script.hash,
        "approval": stored.approval if stored else "absent",
        "author": stored.author if stored else None,
        "approver": stored.approver if stored else None,
    }


def _message(task: SiteTask, changed: list[Script], told: list[Result]) -> str:
    parts = []
    if changed:
        verb = "created" if task.params["state"] == "present" else "deleted"
        how = f"Would be {verb}" if task.check_mode else verb.capitalize()
        parts.append(f"{how}: {', '.join(script.name for script in changed)}.")
    else:
        parts.append("Nothing to do.")
    waiting = [each["name"] for each in told if each["approval"] == "waiting"]
    if waiting:
        parts.append(f"Somebody has to approve in the console: {', '.join(waiting)}.")
    return " ".join(parts)


if __name__ == "__main__":
    main(ARGUMENT_SPEC)
