#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells layer by layer what works between here and an endpoint, and by which way the client's methods are called."""

from __future__ import annotations

DOCUMENTATION = r"""
module: connection_info
short_description: Tells what works between here and an endpoint, layer by layer
version_added: 1.0.0
description:
  - Looks at the libraries, the options and where they come from, the name in DNS, the port, the certificate, the
    login, the rights of the account, the WMI namespaces, the client's methods, the clock and the endpoint's own name.
  - Changes nothing, starts no process on the endpoint and opens no shell there. Of the client's methods it calls
    C(GetAssignedSite), which tells the site's code, and C(DetermineIfRebootPending).
  - Whatever fails is a finding. A host that cannot be reached, or that lets nobody in, is no failure of the task.
  - The playbook C(configmgr.client.doctor) runs it on all hosts and prints what it found.
options:
  record_to:
    description:
      - File to save the exchanged WS-Management messages to, as a recording to send to somebody else.
      - Host, domain and user names, addresses, identifiers, site codes and all other values that are not known to
        belong to the protocol or to a published class are replaced by placeholders. Logins are not part of it.
      - The file is written where the module runs. That is the controller or, with O(endpoint), the host that the task
        is delegated to. Its directory must exist. A file that is there is replaced; only its owner may read the new
        one.
      - In check mode nothing is written.
    type: path
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
  - configmgr.client._connection
  - configmgr.client._name.info
seealso:
  - module: configmgr.client.client_info
  - ref: ansible_collections.configmgr.client.docsite.guide_doctor
    description: Each check, and what to do where it fails.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look at the connection
  configmgr.client.connection_info:
  register: connection

- name: Say what was found
  ansible.builtin.debug:
    var: connection.text

- name: Make a directory for recordings
  ansible.builtin.file:
    path: recordings
    state: directory
    mode: "0700"
  delegate_to: localhost
  connection: local
  run_once: true

- name: Look at the connection and save what was said, under a name that tells nothing
  configmgr.client.connection_info:
    record_to: "recordings/{{ ansible_play_hosts_all.index(inventory_hostname) + 1 }}.json"
"""

RETURN = r"""
usable:
  description: Whether no check failed, so that the modules can work with the endpoint.
  returned: success
  type: bool
  sample: true
way:
  description:
    - How the client's methods are called. V(wmi) natively over WS-Management; V(cim) natively too, since the endpoint
      refuses the spelling of V(wmi); V(command) by a command on the endpoint, since it refuses both; V(none) where
      nothing of these can work or there is no client; V(unknown) where the checks did not come that far.
  returned: success
  type: str
  sample: wmi
advice:
  description: What to do first; empty where there is nothing to do.
  returned: success
  type: str
  sample: ""
checks:
  description:
    - All checks, in the order in which they rest on each other.
    - They are C(library), C(options), C(dns), C(port), C(tls), C(login), C(rights), C(namespaces), C(wmi_invoke),
      C(cim_invoke), C(fallback), C(client), C(clock) and C(name).
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
      sample: port 5985 is open
    advice:
      description: What to do about it; empty where there is nothing to do.
      type: str
      sample: ""
  sample:
    - check: port
      status: ok
      found: port 5985 is open
      advice: ""
text:
  description: The same as lines to print.
  returned: success
  type: list
  elements: str
  sample:
    - "Usable. Way to the client's methods: wmi."
    - "port           ok       port 5985 is open"
recording:
  description: The file that was written; null where none was asked for, and in check mode.
  returned: success
  type: str
  sample: recordings/1.json
"""

from ansible_collections.configmgr.client.plugins.module_utils._advice import advice
from ansible_collections.configmgr.client.plugins.module_utils._argspec import (
    CONNECTION_SPEC,
    ENDPOINT_NAMES,
    NAME_SPEC,
    endpoint_settings,
)
from ansible_collections.configmgr.client.plugins.module_utils._doctor import recording
from ansible_collections.configmgr.client.plugins.module_utils._doctor.checks import ENDPOINT, Check, conclusion
from ansible_collections.configmgr.client.plugins.module_utils._doctor.examination import Examination, Target
from ansible_collections.configmgr.client.plugins.module_utils._module import Log, Result, TaskFailed, serve
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import SettingsError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.braked import Brake

ARGUMENT_SPEC = {
    "record_to": {"type": "path"},
    "computer_name": NAME_SPEC["computer_name"],
    **CONNECTION_SPEC,
}


def examine(target: Target, params: Result, check_mode: bool, log: Log) -> Result:
    """Raises TaskFailed where no recording can be written."""
    path = None if check_mode else params["record_to"]
    problem = recording.problem(path) if path else None
    if problem:
        raise TaskFailed(problem)
    examination = Examination(target, params["computer_name"], Deadline(params["deadline"]), log)
    examination.run()
    if path:
        try:
            recording.write(path, recording.compose(examination))
        except OSError as error:
            raise TaskFailed(f"record_to={path} cannot be written: {error.strerror}") from error
    return {**_concluded(examination.done, examination.way), "recording": path}


def withheld(reason: str) -> Result:
    """The result where the brake withheld the login, so that no module was brought to where it would have run."""
    login = Check("login", "failed", reason, advice("login", ENDPOINT_NAMES))
    skipped = "not looked at, since no login was tried"
    done = [login if name == login.check else Check(name, "skipped", skipped) for name in ENDPOINT]
    return {**_concluded(done, "unknown"), "recording": None}


def _concluded(done: list[Check], way: str) -> Result:
    return {"changed": False, "way": way, **conclusion(done, f"Way to the client's methods: {way}.")}


def work(params: Result, check_mode: bool, log: Log, brake: Brake) -> Result:
    endpoint = params["endpoint"]
    shown = ("host", "port", "scheme", "path", "transport", "username", "server_cert_validation", "ca_trust_path")
    options = [f"{name}={endpoint[name]}" for name in shown if endpoint[name] is not None]
    options.append(f"password {'not set' if endpoint['password'] is None else 'set'}")
    described = f"{', '.join(options)} (option endpoint)"
    try:
        target = Target(described, endpoint_settings(endpoint, params["connect_timeout"]), brake=brake)
    except SettingsError as error:
        target = Target(described, None, str(error))
    return examine(target, params, check_mode, log)


if __name__ == "__main__":
    serve(ARGUMENT_SPEC, work)
