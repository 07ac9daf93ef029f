#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells what a ConfigMgr site knows of devices, and which of them may be in provisioning mode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_device_info
short_description: Tells what a ConfigMgr site knows of devices, and which of them may be in provisioning mode
version_added: 1.0.0
description:
  - Asks the administration service of a site for devices, by their names, of a collection, by a filter, or for all.
  - A device is suspected where it is online and its last policy request is older than several policy intervals. That is
    a hint. M(configmgr.client.site_cmpivot_info) and M(configmgr.client.site_provisioning_mode) ask the client itself.
  - An empty list means that the account is shown no such device, which may be there all the same.
options:
  devices:
    description:
      - Names of devices, or resource ids. Of a full name the first part counts.
      - All records of a name are returned, obsolete ones too.
    type: list
    elements: str
  collection:
    description: Id or name of a collection of devices, of which all members are returned.
    type: str
  filter:
    description:
      - Filter in OData's language, on properties of C(SMS_CombinedDeviceResources).
    type: str
  suspects_only:
    description: Returns only the devices that are suspected.
    type: bool
    default: false
  policy_interval:
    description: Minutes after which clients of this site ask for policy, as its client settings have it.
    type: int
    default: 60
  policy_intervals:
    description: How many of them may pass without a policy request before a device that is online is suspected.
    type: int
    default: 3
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._site
seealso:
  - plugin: configmgr.client.site
    plugin_type: inventory
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Which devices are suspected
  configmgr.client.site_device_info:
    provider: cm01.corp.example
    ca_path: /etc/pki/cm01.pem
    suspects_only: true
  register: site
  run_once: true

- name: What the site knows of this host
  configmgr.client.site_device_info:
    provider: cm01.corp.example
    devices: ["{{ inventory_hostname }}"]
"""

RETURN = r"""
devices:
  description:
    - The devices, by their names. Times are in UTC by the site's clock, ages in minutes. What the site does not tell,
      and what never happened, is null.
  returned: success
  type: list
  elements: dict
  contains:
    resource_id:
      description: Its number on this site.
      type: int
    name:
      description: Its NetBIOS name.
      type: str
    fqdn:
      description: Its full name, as the client last reported it.
      type: str
    addresses:
      description: Its addresses, as the client last reported them.
      type: list
      elements: str
    domain:
      description: Its domain.
      type: str
    site_code:
      description: The site that it belongs to.
      type: str
    client:
      description: Whether a client is registered.
      type: bool
    client_id:
      description: The client's own id.
      type: str
    client_version:
      description: Version of the client.
      type: str
    obsolete:
      description: Whether another record stands for this computer now.
      type: bool
    active:
      description: Whether the site counts the client as active.
      type: bool
    os:
      description: Operating system.
      type: str
    os_build:
      description: Its build.
      type: str
    online:
      description: Whether it is connected to the notification channel now. Null where it never was.
      type: bool
    online_since:
      description: When it last came online.
      type: str
    offline_since:
      description: When it last went offline.
      type: str
    on_internet:
      description: Whether it is connected from the internet.
      type: bool
    management_point:
      description: The management point of its notification channel.
      type: str
    last_active:
      description: When anything was last heard of it.
      type: str
    last_policy_request:
      description: When it last asked for policy.
      type: str
    last_heartbeat:
      description: When it last sent its discovery data.
      type: str
    last_hardware_scan:
      description: When it last sent its hardware inventory.
      type: str
    last_client_check:
      description: When its client was last checked.
      type: str
    policy_age_minutes:
      description: Age of the last policy request.
      type: int
    heartbeat_age_minutes:
      description: Age of the last heartbeat.
      type: int
    hardware_scan_age_minutes:
      description: Age of the last hardware inventory.
      type: int
    client_check_age_minutes:
      description: Age of the last client check.
      type: int
    client_check_passed:
      description: Whether that check passed.
      type: bool
    provisioning_suspect:
      description: Whether it may be in provisioning mode. Null where nothing can be said of it.
      type: bool
    provisioning_suspect_reasons:
      description: Why, or why nothing can be said.
      type: list
      elements: str
suspects:
  description: Names of the devices that are suspected.
  returned: success
  type: list
  elements: str
  sample: [PC-0007]
online:
  description: Those of O(devices) that are online now, spelled as they were given.
  returned: success
  type: list
  elements: str
  sample: [pc-0007.corp.example]
not_found:
  description: Those of O(devices) that the account is shown no record of.
  returned: success
  type: list
  elements: str
  sample: []
site:
  description: The site that answered.
  returned: success
  type: dict
  sample: {code: PS1, name: Primary Site One, version: 5.00.9141.1000}
msg:
  description: What was found, in a sentence.
  returned: success
  type: str
  sample: "Site PS1: 812 devices, of which 3 are suspected of provisioning mode."
"""

from ansible_collections.configmgr.client.plugins.module_utils._module import Result
from ansible_collections.configmgr.client.plugins.module_utils._site import devices
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC
from ansible_collections.configmgr.client.plugins.module_utils._site.facts import device_facts
from ansible_collections.configmgr.client.plugins.module_utils._site.suspicion import (
    INTERVALS,
    POLICY_INTERVAL_MINUTES,
    suspicion,
)
from ansible_collections.configmgr.client.plugins.module_utils._site_module import SiteTask, main

ARGUMENT_SPEC = {
    "devices": {"type": "list", "elements": "str"},
    "collection": {"type": "str"},
    "filter": {"type": "str"},
    "suspects_only": {"type": "bool", "default": False},
    "policy_interval": {"type": "int", "default": POLICY_INTERVAL_MINUTES},
    "policy_intervals": {"type": "int", "default": INTERVALS},
    **SITE_SPEC,
}
ARGUMENT_RULES = {"mutually_exclusive": [("devices", "collection", "filter")]}


def check(params: Result) -> str | None:
    """What is wrong with the options, before anything is sent."""
    for name in ("collection", "filter"):
        if params[name] is not None and not params[name].strip():
            return f"{name} is empty: leave it out to have all devices"
    for number, device in enumerate(params["devices"] or []):
        if not device.strip():
            return f"devices[{number}] is empty: give the name or the resource id of a device"
    return None


def run(task: SiteTask) -> Result:
    params, service = task.params, task.service
    not_found: list[str] = []
    if params["devices"] is not None:
        found, not_found = devices.named(service, params["devices"])
    elif params["collection"] is not None:
        collection = devices.collection(service, params["collection"])
        found = list(devices.of_resources(service, devices.members(service, collection.id)))
    else:
        found = list(devices.all_devices(service, params["filter"] or ""))
    judged = [
        (each, suspicion(each, task.now, params["policy_interval"], params["policy_intervals"])) for each in found
    ]
    suspects = [each.name for each, judgement in judged if judgement.suspect]
    if params["suspects_only"]:
        judged = [(each, judgement) for each, judgement in judged if judgement.suspect]
    addresses = devices.addresses(service, {each.resource_id for each, _judgement in judged})
    facts = [device_facts(each, addresses.get(each.resource_id), judgement, task.now) for each, judgement in judged]
    site = task.site
    online = {key for each in found if each.online for key in (each.name.lower(), str(each.resource_id))}
    return {
        "changed": False,
        "devices": sorted(facts, key=lambda device: (device["name"], device["resource_id"])),
        "suspects": sorted(suspects),
        "online": [name for name in params["devices"] or [] if devices.key(name) in online],
        "not_found": not_found,
        "site": {"code": site.code, "name": site.name, "version": site.version},
        "msg": f"Site {site.code}: {_counted(len(found))}, of which {len(suspects)}"
        f" {'is' if len(suspects) == 1 else 'are'} suspected of provisioning mode.",
    }


def _counted(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


if __name__ == "__main__":
    main(ARGUMENT_SPEC, **ARGUMENT_RULES)
