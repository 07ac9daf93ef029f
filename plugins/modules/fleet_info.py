#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks all hosts of the play from one task whether their ConfigMgr clients are in provisioning mode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Asks all hosts of the play from one task whether their clients are in provisioning mode
version_added: 1.0.0
description:
  - Reads what M(configmgr.client.provisioning_mode_info) reads, of all hosts of the play at once. It runs on the
    controller, in a few processes of many threads each, so that ten thousand endpoints need no ten thousand tasks.
  - An endpoint is asked whether it accepts a connection before anything else is spent on it. One that is healthy costs
    a login and two calls, one that is switched off O(connect_timeout).
  - Each host is reached with the settings of its own C(winrm) or C(psrp) connection, wherever Ansible has them from.
    Where these cannot be resolved, that host has an error and the others are asked.
  - An endpoint that cannot be reached, or fails, never makes the task fail. It fails where O(sweep_deadline) or a full
    disk ended the sweep before all endpoints were asked; what was found by then is in its result as well.
options:
  full:
    description:
      - Reads everything, also of a client that is outside the mode. That takes up to twenty calls.
    type: bool
    default: false
  minimum_age:
    description:
      - Minutes that a client must have been in the mode before it can count as V(stuck).
    type: int
    default: 240
  connect_timeout:
    description:
      - Seconds to wait for an endpoint to accept a connection.
      - For a host with C(ansible_connection=psrp), C(ansible_psrp_connection_timeout) takes its place where that is set
        to another value than its default of 30.
    type: int
    default: 3
  deadline:
    description:
      - Seconds after which one endpoint is given up, whatever it does or fails to do.
    type: int
    default: 60
  sweep_deadline:
    description:
      - Seconds after which the sweep ends. Endpoints that were not done by then are listed in RV(not_finished).
    type: int
    default: 7200
  concurrency:
    description:
      - Endpoints that are asked at a time, by all processes together. Those that are switched off count until
        O(connect_timeout) is over.
      - What the processes' limit of open files does not allow is not used, with a warning.
    type: int
    default: 256
  processes:
    description:
      - Processes that ask. The default is one for each core that Ansible may use.
    type: int
  results_path:
    description:
      - File on the controller that takes a record of each endpoint as soon as it is known, in JSON Lines. It is made
        for its owner alone, and a relative path begins where Ansible was started.
      - Without it the file is in Ansible's temporary directory of the run, and ends with it.
      - A file that exists is begun anew, unless O(resume=true).
      - Each line is an object with C(schema), C(host), C(at) (the time in UTC) and C(status). The schema is V(1).
      - C(status) is V(ok) for an endpoint that was asked. Its line has the return values of
        M(configmgr.client.provisioning_mode_info), C(verdict) first of all.
      - C(status) is V(unreachable) for one that cannot be reached or lets nobody in, V(failed) for one that could not
        tell its mode. Its line has C(error_class), as in RV(errors), C(error_layer), C(msg), and C(retryable), which
        tells whether it may be gone in some minutes.
      - Lines are written whole, so that a sweep that is killed loses none. Of a host's lines the last one counts. So
        the files of several slices become one by concatenation, in the order in which they were written.
    type: path
  resume:
    description:
      - Goes on with the file at O(results_path). Hosts of which it has a verdict are not asked again, however old that
        is. All others are, those that were switched off included.
      - The result tells of all hosts of the task, those from the file included. So it also counts a file that
        was put together from several slices.
    type: bool
    default: false
  state_path:
    description:
      - File on the controller that remembers of each endpoint, from one sweep to the next, when it was last seen and
        since when it is off. Without it nothing is remembered. It is made for its owner alone.
      - Endpoints that were off are asked first. RV(absent) tells since when they are, and when each was last seen.
      - Sweeps of several slices may share it, also at the same time. It is written when a sweep ends, and one that is
        killed leaves what the sweep before has written.
      - An endpoint that no sweep has asked for a year is forgotten.
    type: path
  give_up_after:
    description:
      - Days after which an endpoint that is off all the time is not asked any more, by O(state_path). V(0) is never.
      - It is listed in RV(hosts_given_up). To have it asked again, delete its line from O(state_path), or raise the
        limit.
    type: int
    default: 30
  fleet_slice:
    description:
      - Asks one of several parts of the fleet, such as V(3/20) for the third of twenty.
      - The parts are those of a job slice of AWX, each of the hosts in the order of their names from the given one on,
        by the number of parts. Each host is in exactly one part, whatever order the inventory has.
    type: str
extends_documentation_fragment:
  - configmgr.client._attributes
  - configmgr.client._attributes.info
attributes:
  action:
    description: It is an action plugin, which runs once for all hosts of the play, or of the batch with C(serial).
    support: full
requirements:
  - pywinrm >= 0.5.0 (on the controller; not for hosts with C(ansible_connection=psrp))
  - pypsrp >= 0.8.1 (on the controller, for hosts with C(ansible_connection=psrp))
  - pyspnego >= 0.9.0 (on the controller, for NTLM over HTTP; it comes with both)
  - defusedxml (on the controller)
  - pywinrm[kerberos], and krb5 to get tickets with a password (on the controller), for Kerberos logins
notes:
  - Ansible registers the result for all hosts of the play only with C(run_once=true).
  - The strategies V(ansible.builtin.free) and V(ansible.builtin.host_pinned) run each task for each host, and refuse
    this one. M(configmgr.client.provisioning_mode_info) does the same for one host.
  - Ansible itself resolves the connection of the first host before the task begins, and fails the task where that
    host's variables cannot be resolved. With C(delegate_to=localhost) it resolves that of localhost instead, so that
    no host costs the others anything, and a password that was asked for with C(-k) counts for each host that has none
    of its own. The hosts are asked with their own settings all the same.
  - No more than three logins of an account are rejected in a run, over all processes, so that a wrong password does not
    lock it. With Kerberos, one ticket of each principal serves all hosts.
seealso:
  - module: configmgr.client.provisioning_mode_info
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Ask all hosts of the play
  configmgr.client.fleet_info:
    results_path: fleet.jsonl
  run_once: true
  delegate_to: localhost
  register: fleet

- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ fleet.msg }} Stuck: {{ fleet.verdicts.stuck | default([]) | join(', ') }}"
  run_once: true

- name: Go on after a sweep that was killed, and ask again what was switched off
  configmgr.client.fleet_info:
    results_path: fleet.jsonl
    resume: true
  run_once: true
  delegate_to: localhost

- name: Ask first what was off yesterday, and remember for tomorrow
  configmgr.client.fleet_info:
    state_path: fleet-state.jsonl
  run_once: true
  delegate_to: localhost

- name: The third of twenty controllers
  configmgr.client.fleet_info:
    fleet_slice: 3/20
    results_path: fleet-3-of-20.jsonl
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
msg:
  description: What was found, in a sentence.
  returned: always
  type: str
  sample: 10000 endpoints asked in 92 s, 7842 normal, 98 stuck, 2060 filtered.
asked:
  description:
    - How many hosts the task was for, with those that O(results_path) already had a verdict of and those in
      RV(hosts_given_up).
  returned: success, or when the sweep ended early
  type: int
  sample: 10000
already_known:
  description: How many of them were not asked, as O(resume) found their verdicts.
  returned: success, or when the sweep ended early
  type: int
  sample: 0
seconds:
  description: How long it took.
  returned: success, or when the sweep ended early
  type: int
  sample: 92
counts:
  description: The numbers of hosts in RV(verdicts) and RV(errors).
  returned: success, or when the sweep ended early
  type: dict
  sample:
    verdicts: {normal: 7842, stuck: 98}
    errors: {filtered: 2060}
verdicts:
  description:
    - The names of the hosts by verdict, as in the return value C(verdict) of
      M(configmgr.client.provisioning_mode_info). Verdicts that no host has are left out.
  returned: success, or when the sweep ended early
  type: dict
  sample: {normal: [PC-0001, PC-0002], stuck: [PC-0003]}
errors:
  description:
    - The names of the hosts that gave no verdict, by the class of the error. Classes that no host has are left out.
    - V(filtered) did not answer the connection request, since it is switched off or behind a firewall. V(refused) is on
      and has no listener at the port. These two count as off.
    - V(dns) has no address. V(proxy), V(tls), V(protocol) and V(timeout) are where the conversation failed.
    - V(login) lets nobody in, or was not tried lest the account get locked. V(permission) let the account in and did
      not let it read. V(quota) had no room, and V(fault) is any other failure that the endpoint itself reported.
    - V(settings) has variables or libraries that cannot be used. V(worker) was lost with a process that asked it.
      V(internal) is a defect of this collection.
  returned: success, or when the sweep ended early
  type: dict
  sample: {filtered: [PC-0004], login: [PC-0005]}
hosts_unreachable:
  description: The names of the hosts that cannot be reached or let nobody in, whatever the class of their error.
  returned: success, or when the sweep ended early
  type: list
  elements: str
  sample: [PC-0004, PC-0005]
hosts_failed:
  description: The names of the hosts that have another error.
  returned: success, or when the sweep ended early
  type: list
  elements: str
  sample: []
absent:
  description:
    - What O(state_path) has of the hosts that are off, or were when they were given up. C(off_since) is the first sweep
      that missed the host and C(days) how long ago that is, C(tries) the number of sweeps that did, this one included,
      and C(last_seen) the last that it answered, null where none did. Times are UTC by the controller's clock.
    - Off are those of the classes V(filtered), V(refused) and V(dns) in RV(errors).
  returned: success, or when the sweep ended early
  type: dict
  sample: {PC-0004: {last_seen: "2026-11-12T06:00:41Z", off_since: "2026-11-13T06:00:37Z", days: 4, tries: 5}}
hosts_given_up:
  description: The names of the hosts that were not asked, as they have been off for longer than O(give_up_after).
  returned: success, or when the sweep ended early
  type: list
  elements: str
  sample: []
not_finished:
  description: The hosts that were not done when the sweep ended. O(results_path) does not have them.
  returned: success, or when the sweep ended early
  type: list
  elements: str
  sample: []
details:
  description:
    - What O(results_path) has of each host but for those that are V(normal) and those that are off.
  returned: success, or when the sweep ended early
  type: dict
  sample:
    PC-0003: {status: ok, verdict: stuck, summary: "In provisioning mode for 1 d 6 h, and nothing runs."}
results_path:
  description: Absolute path of the file that has all records.
  returned: success, or when the sweep ended early
  type: str
  sample: /home/operator/fleet.jsonl
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import DEFAULT_MINIMUM_AGE

ARGUMENT_SPEC = {
    "full": {"type": "bool", "default": False},
    "minimum_age": {"type": "int", "default": DEFAULT_MINIMUM_AGE},
    "connect_timeout": {"type": "int", "default": 3},
    "deadline": {"type": "int", "default": 60},
    "sweep_deadline": {"type": "int", "default": 7200},
    "concurrency": {"type": "int", "default": 256},
    "processes": {"type": "int"},
    "results_path": {"type": "path"},
    "resume": {"type": "bool", "default": False},
    "state_path": {"type": "path"},
    "give_up_after": {"type": "int", "default": 30},
    "fleet_slice": {"type": "str"},
}


def check(params: dict[str, t.Any]) -> str | None:
    """Why options do not go together."""
    if params["resume"] and not params["results_path"]:
        return "resume=true goes on with a file: set results_path to it"
    if params["give_up_after"] < 0:
        return f"give_up_after={params['give_up_after']} is negative: give days, or 0 for never"
    paths = [os.path.realpath(params[name]) for name in ("state_path", "results_path") if params[name]]
    if len(paths) > len(set(paths)):
        return f"state_path={params['state_path']} is results_path as well: name a file of its own"
    return None


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="configmgr.client.fleet_info runs in Ansible's own process only: call it as a task of a play")


if __name__ == "__main__":
    main()
