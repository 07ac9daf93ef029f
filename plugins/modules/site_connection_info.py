#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells layer by layer what works between here, a ConfigMgr site and its clients."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_connection_info
short_description: Tells what works between here, a ConfigMgr site and its clients, layer by layer
version_added: 1.0.0
description:
  - Looks at the libraries, the options, the name in DNS, the port, the certificate, the login, whether an
    administration service answers, the role of the account, the clock, the devices that the account is shown, which
    clients are online, and the scripts of this collection.
  - Changes nothing. With O(device) it also has the site run the script C(read_mode) on that device, which reads the
    client's state.
  - Whatever fails is a finding. A site that cannot be reached, or that lets nobody in, is no failure of the task.
  - The playbook C(configmgr.client.doctor) runs it where C(doctor_site) is given, and prints what it found.
options:
  device:
    description:
      - Name or resource id of a device that is to be asked through the site.
      - Name one that is in provisioning mode to find out whether the site reaches such a client.
    type: str
  answer_timeout:
    description: Seconds to wait for the answer of O(device).
    type: int
    default: 120
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._site
seealso:
  - module: configmgr.client.connection_info
  - ref: ansible_collections.configmgr.client.docsite.guide_doctor
    description: Each check, and what to do where it fails.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look at the way to the site
  configmgr.client.site_connection_info:
    provider: cm01.corp.example
    ca_path: /etc/pki/cm01.pem
  register: site
  run_once: true

- name: Say what was found
  ansible.builtin.debug:
    var: site.text
  run_once: true
"""

RETURN = r"""
usable:
  description: Whether no check failed, so that the modules can work with the site.
  returned: success
  type: bool
  sample: true
site:
  description: The site; null where the checks did not come that far.
  returned: success
  type: dict
  contains:
    code:
      description: The site's code.
      type: str
      sample: PS1
    name:
      description: The site's name.
      type: str
      sample: Primary Site One
    version:
      description: The site's version; null where the account may not see it.
      type: str
      sample: 5.00.9141.1000
advice:
  description: What to do first; empty where there is nothing to do.
  returned: success
  type: str
  sample: ""
checks:
  description:
    - All checks, in the order in which they rest on each other.
    - They are C(library), C(options), C(dns), C(port), C(tls), C(login), C(provider), C(role), C(clock), C(devices),
      C(fast_channel), C(scripts) and C(device).
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description: Name of the check.
      type: str
      sample: port
    status:
      description: V(ok), V(warning), V(failed), or V(skipped) where it does not apply or what it rests on failed.
      type: str
      sample: ok
    found:
      description: What was found, or why the check was skipped.
      type: str
      sample: port 443 is open
    advice:
      description: What to do about it; empty where there is nothing to do.
      type: str
      sample: ""
  sample:
    - check: port
      status: ok
      found: port 443 is open
      advice: ""
text:
  description: The same as lines to print.
  returned: success
  type: list
  elements: str
  sample:
    - "Usable."
    - "port          ok       port 443 is open"
"""

import typing as t
from dataclasses import asdict

from ansible_collections.configmgr.client.plugins.module_utils._adminservice.service import AdminService
from ansible_collections.configmgr.client.plugins.module_utils._doctor.checks import conclusion
from ansible_collections.configmgr.client.plugins.module_utils._doctor.site_examination import (
    SiteExamination,
    SiteTarget,
)
from ansible_collections.configmgr.client.plugins.module_utils._module import Log, Result
from ansible_collections.configmgr.client.plugins.module_utils._site.connection import SITE_SPEC, site_settings
from ansible_collections.configmgr.client.plugins.module_utils._site_module import BrakeOf, main, missing_library
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings

ARGUMENT_SPEC = {
    "device": {"type": "str"},
    "answer_timeout": {"type": "int", "default": 120},
    **SITE_SPEC,
}
_SHOWN = ("provider", "port", "path", "auth", "username", "validate_certs", "ca_path")


def check(params: Result) -> str | None:
    """What is wrong with the options, before anything is sent."""
    if params["device"] is not None and not params["device"].strip():
        return "device is empty: give the name or the resource id of one, or leave it out"
    if params["answer_timeout"] >= params["deadline"]:
        return (
            f"answer_timeout={params['answer_timeout']} must be less than deadline={params['deadline']} (seconds)"
        )
    return None


def examine(params: t.Mapping[str, t.Any], log: Log, brake_of: BrakeOf, ticket_directory: str | None) -> Result:
    """*log* is told each request."""
    problem, settings = "", None
    try:
        settings = site_settings(params, ticket_directory)
    except SettingsError as error:
        problem = str(error)
    deadline, token = Deadline(params["deadline"]), params["token"]

    def connect(usable: Settings) -> AdminService:
        return AdminService(usable, deadline, token=token, brake=brake_of(usable), log=log)

    examination = SiteExamination(
        SiteTarget(
            options=_told(params),
            settings=settings,
            problem=problem,
            library=missing_library(),
            with_token=bool(token),
            device=params["device"],
            answer_timeout=params["answer_timeout"],
        ),
        connect,
        deadline,
    )
    examination.run()
    site = asdict(examination.site) if examination.site else None
    return {"changed": False, "site": site, **conclusion(examination.done)}


def _told(params: t.Mapping[str, t.Any]) -> str:
    """The options in force; of secrets, that they are set."""
    options = [f"{name}={params[name]}" for name in _SHOWN if params[name] is not None]
    options += [f"{name} {'not set' if params[name] is None else 'set'}" for name in ("password", "token")]
    return ", ".join(options)


if __name__ == "__main__":
    main(ARGUMENT_SPEC)
