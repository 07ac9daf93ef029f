#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends a client notification of a ConfigMgr site, as the console's menu does."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_client_notification
short_description: Sends a client notification of a ConfigMgr site
version_added: 1.0.0
description:
  - Sends what the console has in the menu of a device or a collection, to the clients that are online.
  - C(completed) means that the notification was delivered, not that the client did anything. One that is in
    provisioning mode does little or nothing with most.
  - Nothing asks the clients first what runs there. V(application_evaluation) and V(update_evaluation) start
    installations that are due. M(configmgr.client.site_provisioning_mode) sends its own notifications to a client that
    it has just read.
options:
  action:
    description: The notification.
    type: str
    required: true
    choices:
      - machine_policy
      - user_policy
      - heartbeat
      - software_inventory
      - hardware_inventory
      - application_evaluation
      - update_evaluation
  devices:
    description: Names of devices, or resource ids.
    type: list
    elements: str
  collection:
    description: Id or name of a collection of devices, all members of which are told.
    type: str
  wait:
    description: Waits until the site has counted each client as delivered, failed or offline.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for that. What is not counted by then is no failure. Must be shorter than O(deadline).
    type: int
    default: 120
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.change
  - configmgr.client._site
attributes:
  diff_mode:
    description: Returns what has changed; what a notification changes is the client's own affair.
    support: none
  idempotent:
    description: Sends the notification each time.
    support: none
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Have the pilot collection fetch policy
  configmgr.client.site_client_notification:
    provider: cm01.corp.example
    action: machine_policy
    collection: Pilot
  run_once: true
"""

RETURN = r"""
operation:
  description: Number of the site's operation. Null in check mode.
  returned: success
  type: int
  sample: 16777463
counts:
  description:
    - How many clients there are in all (C(total)), were delivered the notification (C(completed)), failed, are offline,
      or are not counted yet (C(unknown)). Null where the site showed nothing of it, and in check mode.
  returned: success
  type: dict
  sample: {total: 12, completed: 9, failed: 0, offline: 3, unknown: 0}
msg:
  description: What was done, in a sentence.
  returned: always
  type: str
  sample: "Sent machine_policy to 12 clients: delivered to 9, 3 are offline."
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import wait_problem
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, TaskFailed
from ansible_collections.configmgr.client.plugins.module_utils._site import devices
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._site.operations import (
    NOTIFICATIONS,
    Status,
    notify,
    status,
)
from ansible_collections.configmgr.client.plugins.module_utils._site.target import target
from ansible_collections.configmgr.client.plugins.module_utils._site.waiting import until
from ansible_collections.configmgr.client.plugins.module_utils._site_module import SiteTask, main

ARGUMENT_SPEC = {
    "action": {"type": "str", "required": True, "choices": list(NOTIFICATIONS)},
    "devices": {"type": "list", "elements": "str"},
    "collection": {"type": "str"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 120},
    **SITE_SPEC,
}
ARGUMENT_RULES = {
    "mutually_exclusive": [("devices", "collection")],
    "required_one_of": [("devices", "collection")],
}


def check(params: Result) -> str | None:
    """What is wrong with the options, before anything is sent."""
    if params["devices"] is not None and not params["devices"]:
        return "devices is empty: name at least one, or give a collection"
    if params["collection"] is not None and not params["collection"].strip():
        return "collection is empty: give its id or its name"
    return wait_problem(params)


def run(task: SiteTask) -> Result:
    params, service = task.params, task.service
    resources: list[int] = []
    collection = ""
    if params["collection"] is not None:
        found = devices.collection(service, params["collection"])
        collection = found.id
        if not devices.members(service, collection):
            raise TaskFailed(f"The account is shown no member of collection {found.name!r}: nobody was told")
    else:
        resources = [target(service, task.site, name).resource_id for name in params["devices"]]
    result: Result = {"changed": True, "operation": None, "counts": None}
    if task.check_mode:
        return {**result, "msg": f"Would send {params['action']}."}
    operation = result["operation"] = notify(service, params["action"], collection=collection, resources=resources)

    def look() -> Status | None:
        seen = status(service, operation)
        return seen if seen is not None and seen.is_over else None

    seen = until(params["wait_timeout"], task.deadline, look) if params["wait"] else None
    seen = seen or status(service, operation)
    if seen is None:
        return {**result, "msg": f"Sent {params['action']}; the site shows nothing of it yet."}
    counts = {
        "total": seen.total,
        "completed": seen.completed,
        "failed": seen.failed,
        "offline": seen.offline,
        "unknown": seen.unknown,
    }
    said = [f"delivered to {seen.completed}"]
    said += [f"{number} {word}" for word, number in (("failed", seen.failed), ("offline", seen.offline)) if number]
    said += ["given up by the site"] if seen.is_expired else []
    plural = "" if seen.total == 1 else "s"
    msg = f"Sent {params['action']} to {seen.total} client{plural}: {', '.join(said)}."
    return {**result, "counts": counts, "msg": msg}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, **ARGUMENT_RULES)
