#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells what ConfigMgr client an endpoint has, whom it belongs to, and what it needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_info
short_description: Tells what ConfigMgr client an endpoint has, whom it belongs to, and what it needs
version_added: 1.0.0
description:
  - Reads version and release of the client, its site and management point, its services, and whether a restart is
    pending, together with the names, the operating system and the last boot of the endpoint.
  - Reads over WS-Management; starts no process on the endpoint and changes nothing.
  - Each part is read for itself. One that cannot be read is null, RV(unreadable) says why, and the others count.
  - An endpoint without a client is no failure. RV(installed) is then false.
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._connection
seealso:
  - module: configmgr.client.provisioning_mode_info
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look at the client
  configmgr.client.client_info:
  register: client

- name: Say which release it is of
  ansible.builtin.debug:
    msg: "{{ client.client_version }} is release {{ client.release }}"
  when: client.installed

- name: Stop before an upgrade where a restart is pending or that cannot be determined
  ansible.builtin.assert:
    that: client.restart_pending is false
    fail_msg: "{{ client.unreadable.restart_pending | default('A restart is pending.') }}"
  when: client.installed
"""

RETURN = r"""
installed:
  description:
    - Whether there is a ConfigMgr client. False where neither its WMI class nor its service C(CcmExec) exists.
    - Null where that cannot be determined; RV(unreadable) says why.
  returned: success
  type: bool
  sample: true
client_version:
  description: Version of the client, by its WMI class or else by the registry.
  returned: success
  type: str
  sample: 5.00.9128.1007
release:
  description:
    - The release that this version belongs to, by its build. Rollups of a release keep its build.
    - V(newer than 2603) for a build past those that are known here. Such a client is taken to behave as the newest that
      is known does.
  returned: success
  type: str
  sample: "2403"
behaviours:
  description: What the releases 1802, 1806 and 1902 changed about provisioning mode.
  returned: success
  type: list
  elements: dict
  contains:
    behaviour:
      description: C(entry_fails_with_dependency), C(compatibility_scan_enters_mode) or C(leaves_by_itself).
      type: str
      sample: leaves_by_itself
    applies:
      description: Whether a client of this version has it. Null where the version is not known.
      type: bool
      sample: true
    means:
      description: What it is, and since when or until when.
      type: str
      sample: Notes when it entered the mode, looks once an hour, and leaves after 48 hours (since 1902).
  sample:
    - behaviour: leaves_by_itself
      applies: true
      means: Notes when it entered the mode, looks once an hour, and leaves after 48 hours (since 1902).
site:
  description: Code of the site that the client is assigned to; null where there is none.
  returned: success
  type: str
  sample: ABC
management_point:
  description: The management point that the client uses; null where it knows none.
  returned: success
  type: str
  sample: mp01.corp.example
last_policy_request:
  description:
    - When the client's scheduler last requested machine policy, as the client has stored it; null for never.
    - Without a zone, since nobody says whether the client stores UTC or local time.
  returned: success
  type: str
  sample: "2026-11-20T11:42:10"
restart_pending:
  description: Whether the client waits for a restart, as it says itself.
  returned: success
  type: bool
  sample: false
services:
  description:
    - C(ccmexec), the client, and C(smstsmgr), the task sequence agent.
    - Null where a service is not installed, or where the services could not be read.
  returned: success
  type: dict
  contains:
    ccmexec:
      description: C(state), C(start_mode) and C(dependencies), the services that it depends on.
      type: dict
      sample: {state: Running, start_mode: Auto, dependencies: [winmgmt]}
    smstsmgr:
      description: The same of the task sequence agent.
      type: dict
      sample: {state: Stopped, start_mode: Manual, dependencies: [Winmgmt]}
  sample:
    ccmexec: {state: Running, start_mode: Auto, dependencies: [winmgmt]}
    smstsmgr: {state: Stopped, start_mode: Manual, dependencies: [Winmgmt]}
computer_name:
  description: NetBIOS name of the endpoint.
  returned: success
  type: str
  sample: PC-0001
dns_name:
  description: Host name of the endpoint in DNS, without its domain.
  returned: success
  type: str
  sample: pc-0001
domain:
  description: Active Directory domain of the endpoint; null for a workgroup computer.
  returned: success
  type: str
  sample: corp.example
operating_system:
  description: Name of the operating system.
  returned: success
  type: str
  sample: Microsoft Windows 11 Enterprise
operating_system_version:
  description: Version of the operating system.
  returned: success
  type: str
  sample: 10.0.22631
last_boot:
  description: When the endpoint started, in UTC by its own clock.
  returned: success
  type: str
  sample: "2026-11-17T12:00:00Z"
uptime_minutes:
  description: Minutes since then, by its own clock.
  returned: success
  type: int
  sample: 4320
unreadable:
  description:
    - The parts that could not be read, each with the reason. Empty where all could.
    - The parts are C(services), C(client_class), C(client_version), C(names), C(operating_system), C(site),
      C(management_point), C(last_policy_request), C(restart_pending), C(ccmexec_dependencies) and
      C(smstsmgr_dependencies).
  returned: success
  type: dict
  sample: {}
"""

from ansible_collections.configmgr.client.plugins.module_utils._argspec import CONNECTION_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._client.info import read_info
from ansible_collections.configmgr.client.plugins.module_utils._module import Result, Task, main

ARGUMENT_SPEC = {**CONNECTION_SPEC}


def run(task: Task) -> Result:
    return {"changed": False, **read_info(task.endpoint)}


if __name__ == "__main__":
    main(ARGUMENT_SPEC, run)
