#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells before each wave of a play whether it may begin. The action of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: brake
short_description: Tells before each wave of a play whether it may begin
version_added: 1.0.0
description:
  - A play with C(serial) changes hosts in waves. This module is the first task of each wave. From what the earlier
    waves have registered it tells whether this one may begin, and the task after it ends the play where it may not.
  - Ansible's own C(max_fail_percentage) does not do for endpoints that are switched off now and then. Once a wave holds
    one host that is unreachable, the play goes on however many others failed, and a wave of unreachable hosts ends it.
  - A host that is switched off counts nowhere, neither as an attempt nor as a failure. A host that needed no change, or
    was left alone, is no attempt either, since it proves nothing of the change.
  - Until one host was changed well, any failure or rejected login stops the play, whatever the limits below allow. So
    the first wave, of one host perhaps, is the canary.
  - Before the first change it says how many endpoints are to be changed, and before each wave what came of the others.
  - Runs once for all hosts, in Ansible's own process on the controller, and asks no endpoint. The strategies
    P(ansible.builtin.free#strategy) and P(ansible.builtin.host_pinned#strategy) have no waves and refuse it.
  - It never fails because the play is to stop. It fails where an option is wrong.
options:
  variable:
    description:
      - Name of the variable in which the task that changes the hosts registers its result, such as one of
        M(configmgr.client.provisioning_mode) or M(configmgr.client.client_preparation).
      - It is an error where no host that had its turn has this variable, since nothing could be judged then. So it is
        where a host has a second turn by the same variable, as in a second play over the same hosts.
      - Plays of a run over different hosts share their limits where they have the same variable.
    type: str
    required: true
  candidates:
    description:
      - Names of the hosts that are to be changed, where the play has others as well, which it only looks at. Without it
        every host whose turn has not come yet counts as one that is changed.
      - One of the others that fails without a change is C(not_read), and no failure of the change.
    type: list
    elements: str
  health_variable:
    description:
      - Name of the variable in which the result of M(configmgr.client.provisioning_mode_info) is registered, with
        C(full=true) and C(offline_action=report), some time after the hosts of a wave were released.
      - A host that was released counts as failed where it is in the mode again, where its client's service does not
        run, or where nobody looked. One that is offline then is told of and counts as changed, since it most likely
        restarts.
      - In check mode it is ignored, since nobody was released.
    type: str
  max_changes:
    description:
      - How many endpoints a run may change. Those whose turn has not come yet count as if all of them were changed.
    type: int
    default: 100
  confirm_changes:
    description:
      - How many endpoints somebody has agreed to change in this run, where that is more than O(max_changes).
      - It is a number and no switch, so that it does not agree to a fleet that has grown since.
    type: int
    default: 0
  max_failed_share:
    description: Percentage of the attempts that may fail. Counts from O(min_attempts) on.
    type: int
    default: 10
  min_attempts:
    description: Hosts that must have been changed, or have failed, before O(max_failed_share) counts.
    type: int
    default: 10
  max_consecutive_failures:
    description:
      - Hosts that may fail one after the other, in the order of their turns, with none between them that was changed.
    type: int
    default: 2
  max_login_rejections:
    description:
      - Hosts that may reject the login, or get no Kerberos ticket. These count as neither attempts nor failures.
    type: int
    default: 2
  stop_file:
    description:
      - File on the controller that stops the play while it exists, whatever it holds. Its directory must exist.
      - A task with the condition C(stop_file is not exists) looks as well before each host of a wave that has begun.
      - In an execution environment it must be on a volume that the job's container mounts.
    type: path
  window:
    description:
      - Times of day between which a wave may begin, as C(HH:MM-HH:MM). The second may be past midnight. Leave time for
        the last wave to end.
    type: str
  time_zone:
    description:
      - Time zone of O(window), by its name in the IANA database, such as C(Europe/Berlin).
      - For each endpoint's own time zone, give the window to M(configmgr.client.provisioning_mode) instead.
    type: str
    default: UTC
  check_only:
    description: Only checks the options, and judges nothing. For the time before the play begins.
    type: bool
    default: false
attributes:
  action:
    description: Runs in Ansible's own process on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for all hosts of the wave.
    support: full
  check_mode:
    description: Decides the same in check mode, but for O(health_variable).
    support: full
  diff_mode:
    description: Returns what has changed; this module changes nothing on any host.
    support: N/A
notes:
  - It judges before a wave, so the last one is not judged. Have a play after it that fails where a host did, as in the
    example.
  - With C(delegate_to=localhost), a host whose variables cannot be resolved does not keep the task from running.
seealso:
  - module: configmgr.client.provisioning_mode
  - module: configmgr.client.report
  - ref: ansible_collections.configmgr.client.docsite.guide_releasing.waves
    description: A run in waves, and what it prints.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Release in waves
  hosts: windows
  gather_facts: false
  serial: [1, 10, "20%"]
  vars:
    stop_file: "{{ playbook_dir }}/stop-releasing"
    minutes_between_waves: 10
  tasks:
    - name: Tell whether the next wave may begin
      configmgr.client.brake:
        variable: released
        health_variable: since_release
        confirm_changes: "{{ confirm_changes | default(0, true) }}"
        stop_file: "{{ stop_file }}"
        window: "{{ window | default('') }}" # -e window=20:00-05:00
        time_zone: Europe/Berlin
      run_once: true
      delegate_to: localhost
      register: brake

    - name: End here, with all waves that were to come
      ansible.builtin.meta: end_play
      when: brake.stop

    - name: Release the client if it is stuck
      configmgr.client.provisioning_mode:
        enabled: false
        offline_action: report
      register: released
      when: stop_file is not exists # asked for each host when its turn comes
      ignore_errors: true # which the brake counts, and the second play tells

    - name: Give the clients time for what is overdue
      ansible.builtin.pause:
        minutes: "{{ minutes_between_waves }}"
      when:
        - not ansible_check_mode
        - ansible_play_batch | map('extract', hostvars, 'released') | select('changed') | length > 0

    - name: Look how they are
      configmgr.client.provisioning_mode_info:
        full: true
        offline_action: report
      register: since_release
      when: released is changed and not ansible_check_mode
      ignore_errors: true

- name: Tell what came of it
  hosts: windows
  gather_facts: false
  tasks:
    - name: Report
      configmgr.client.report:
        variable: released
      run_once: true
      delegate_to: localhost
      register: report
      ignore_errors: true # where it saw no host, for which there may be a reason

    - name: Fail where a client is in the mode again, also after the last wave
      ansible.builtin.fail:
        msg: "{{ since_release.summary }}"
      when: since_release.verdict | default('normal') != 'normal'

    - name: Fail where a host failed or had no turn
      ansible.builtin.fail:
        msg: "{{ reasons | first | default(report.msg) }}"
      vars:
        reasons: >-
          {{ ansible_play_hosts_all | map('extract', hostvars) | map(attribute='brake.reason', default='') | select }}
      when: report is failed or 'failed' in report.counts or 'not_asked' in report.counts
      run_once: true
"""

RETURN = r"""
stop:
  description: Whether the next wave must not begin. Never with O(check_only).
  returned: success
  type: bool
  sample: true
reason:
  description: Why it must not, in a sentence; empty where it may.
  returned: unless O(check_only)
  type: str
  sample: 3 of 11 endpoints failed, which is 27 % and more than max_failed_share=10.
msg:
  description: What was decided, in a sentence.
  returned: unless O(check_only)
  type: str
  sample: Stopped before the next wave. The stop file /tmp/stop-releasing exists.
to_change:
  description: How many endpoints the whole run changes at most.
  returned: unless O(check_only)
  type: int
  sample: 12
waiting:
  description: How many hosts had no turn yet.
  returned: unless O(check_only)
  type: int
  sample: 8
to_follow:
  description: How many hosts are to have their turn after this wave.
  returned: unless O(check_only)
  type: int
  sample: 3
counts:
  description:
    - What came of the hosts that had their turn, C(changed), C(failed), C(login_failed), C(offline), C(unchanged),
      C(not_read) and C(not_asked), as far as there are any.
  returned: unless O(check_only)
  type: dict
  sample: {changed: 8, failed: 3, offline: 2}
unwell:
  description: What is wrong with the hosts that were released and are not well since, by their names.
  returned: unless O(check_only)
  type: dict
  sample: {PC-0007: "In provisioning mode while Windows Setup runs (SetupHost.exe)."}
restarting:
  description: The hosts that were released and cannot be reached since.
  returned: unless O(check_only)
  type: list
  elements: str
  sample: [PC-0009]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC = {
    "variable": {"type": "str", "required": True},
    "candidates": {"type": "list", "elements": "str"},
    "health_variable": {"type": "str"},
    "max_changes": {"type": "int", "default": 100},
    "confirm_changes": {"type": "int", "default": 0},
    "max_failed_share": {"type": "int", "default": 10},
    "min_attempts": {"type": "int", "default": 10},
    "max_consecutive_failures": {"type": "int", "default": 2},
    "max_login_rejections": {"type": "int", "default": 2},
    "stop_file": {"type": "path"},
    "window": {"type": "str"},
    "time_zone": {"type": "str", "default": "UTC"},
    "check_only": {"type": "bool", "default": False},
}


def check(params: dict[str, t.Any]) -> str | None:
    """What is wrong with the options, before anything is judged."""
    if params["max_failed_share"] > 100:
        return f"max_failed_share={params['max_failed_share']} is no percentage: give 0 to 100"
    return None


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="configmgr.client.brake runs in Ansible's own process only: call it as a task of a play")


if __name__ == "__main__":
    main()
