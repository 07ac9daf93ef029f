#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out whether a ConfigMgr client is in provisioning mode, since when, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: provisioning_mode_info
short_description: Tells whether a ConfigMgr client is in provisioning mode, since when, and why
version_added: 1.0.0
description:
  - Reads the provisioning mode of a Microsoft Configuration Manager client and gives a verdict with its evidence.
  - Reads over WS-Management; starts no process on the endpoint and changes nothing.
  - A client outside the mode is decided after two calls. Any other is read in full, in up to twenty.
options:
  full:
    description:
      - Reads everything, also of a client that is outside the mode.
      - Needed to notice a service C(CcmExec) that was left disabled by an upgrade that died after the mode had ended.
    type: bool
    default: false
  minimum_age:
    description:
      - Minutes that a client must have been in the mode before it can count as V(stuck).
    type: int
    default: 240
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._connection
  - configmgr.client._offline
  - configmgr.client._name.info
seealso:
  - module: configmgr.client.provisioning_mode
  - ref: ansible_collections.configmgr.client.docsite.guide_verdicts
    description: The rule of each verdict, and the evidence.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look at the client
  configmgr.client.provisioning_mode_info:
  register: client

- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ client.verdict }}: {{ client.summary }}"

- name: Read everything there is, also of a healthy client
  configmgr.client.provisioning_mode_info:
    full: true

- name: Look at an endpoint that only the bastion reaches
  configmgr.client.provisioning_mode_info:
    endpoint:
      host: pc-0001.example.com
      username: EXAMPLE\operator
      password: "{{ vault_operator_password }}"
  delegate_to: bastion.example.com
"""

RETURN = r"""
verdict:
  description:
    - V(normal) is outside the mode. V(half_exited) is outside by its flag but not by its other marks.
    - V(expected) is in the mode while a task sequence, Windows Setup or the out-of-box experience runs.
    - V(resume_pending) waits for a restart. V(recent) is younger than O(minimum_age). V(held) is on purpose.
    - V(stuck) is in the mode with nothing running. V(overdue) should also have left by itself.
    - V(not_installed) has no ConfigMgr client. V(unknown) means that a signal could not be read.
  returned: success
  type: str
  sample: stuck
summary:
  description: The verdict as a sentence, with its reason.
  returned: success
  type: str
  sample: In provisioning mode for 1 d 6 h, and nothing runs.
provisioning_mode:
  description: C(ProvisioningMode) of the registry; null where it is absent or neither true nor false.
  returned: success
  type: bool
  sample: true
system_task_excludes:
  description: C(SystemTaskExcludes) of the registry, the tasks that the client holds back. Empty outside the mode.
  returned: success
  type: str
  sample: SchedulerStartup;SchedulerShutdown;SchedulerLogon;SchedulerLogoff;ClientRegistrationStartup
evidence:
  description: What was seen. Each item has C(signal), C(value) and C(means).
  returned: success
  type: list
  elements: dict
  sample:
    - {signal: mode, value: "true", means: in provisioning mode}
timeline:
  description: When the mode was entered and when it ends by itself, by the endpoint's clock. Null after a brief read.
  returned: success
  type: dict
  contains:
    entered_at:
      description: Time of the last entry in UTC; null where there is none that can be used.
      type: str
      sample: "2026-11-01T02:00:00Z"
    entered_problem:
      description: Why C(ProvisioningEnabledTime) cannot be used; empty where it can.
      type: str
      sample: ""
    age_minutes:
      description: Minutes since C(entered_at); null outside the mode.
      type: int
      sample: 1800
    limit_minutes:
      description: Minutes after which the client leaves, C(ProvisioningMaxMinutes) or its default.
      type: int
      sample: 2880
    limit_source:
      description: Where C(limit_minutes) comes from.
      type: str
      sample: default, ProvisioningMaxMinutes is absent
    leaves_by_itself:
      description: Whether this version of the client does; null where the version is not known.
      type: bool
      sample: true
    self_exit_earliest:
      description:
        - The client looks once an hour, so it leaves between this time in UTC and C(self_exit_latest).
        - Null outside the mode, and where the client does not leave by itself.
      type: str
      sample: "2026-11-03T02:00:00Z"
    self_exit_latest:
      description: The latest time in UTC at which the client leaves by itself.
      type: str
      sample: "2026-11-03T03:00:00Z"
  sample:
    entered_at: "2026-11-01T02:00:00Z"
    age_minutes: 1800
client_version:
  description: Version of the ConfigMgr client. Null after a brief read.
  returned: success
  type: str
  sample: 5.00.9128.1007
computer_name:
  description: What the endpoint calls itself. Null after a brief read.
  returned: success
  type: str
  sample: PC-0001
name_matches:
  description: Whether that is the machine that was meant. Null after a brief read, and for an address.
  returned: success
  type: bool
  sample: true
clock_skew_seconds:
  description: How far the endpoint's clock is ahead of the controller's. Null after a brief read.
  returned: success
  type: int
  sample: 2
full:
  description: Whether everything was read.
  returned: success
  type: bool
  sample: true
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC, NAME_SPEC, OFFLINE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.reader import read_state
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.result import as_result
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import DEFAULT_MINIMUM_AGE, assess
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, main

ARGUMENT_SPEC = {
    "full": {"type": "bool", "default": False},
    "minimum_age": {"type": "int", "default": DEFAULT_MINIMUM_AGE},
    "computer_name": NAME_SPEC["computer_name"],
    **CONNECTION_SPEC,
    **OFFLINE_SPEC,
}


def run(task: Task) -> Result:
    state = read_state(task.endpoint, task.guard, full=task.params["full"])
    assessment = assess(state, task.params["minimum_age"])
    return {"changed": False, **as_result(state, assessment, task.expected_name)}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run)
