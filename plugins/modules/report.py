#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes one report of what a task returned on all hosts of a play. The action of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Makes one report of what a task returned on all hosts of a play
version_added: 1.0.0
description:
  - Collects what M(configmgr.client.provisioning_mode_info), M(configmgr.client.provisioning_mode) or
    M(configmgr.client.client_preparation) returned on each host of the play, and can write it to a file.
  - Prints one line for each host that needs somebody and was not told of by Ansible itself, and one sum for all.
  - Runs once for all hosts, in Ansible's own process on the controller. No connection is used, whatever the hosts'
    variables are. Also in check mode the report is made.
  - With C(serial) it runs once for each batch. Each time it is of all hosts that had their turn.
  - The task fails where no host was seen, and not because all were switched off. Either none was asked, or each that
    could be reached refused the login. It also fails where more hosts than O(max_login_failed), O(max_failed) or
    O(max_unreachable) allow have that status. No host goes on then.
  - Under the strategies P(ansible.builtin.free#strategy) and P(ansible.builtin.host_pinned#strategy) it is refused.
options:
  variable:
    description: Name of the variable in which the task's result was registered.
    type: str
    required: true
  path:
    description:
      - File on the controller to write the report to. A relative path starts at the directory that Ansible runs in.
        In a directory, each run writes a file of its own, named by the time and, in AWX, by the job's number.
      - Only its owner may read it. A file that is there is replaced, wholly or not at all.
      - Without it, or where it is empty, no file is written.
    type: str
  formats:
    description:
      - Further forms of the report, in files beside O(path) with the same name and another ending.
      - V(html) is a page (C(.html)) that needs no network and no other file, with a table of all hosts that can be
        searched. It has charts where C(pygal) is installed, else the same numbers as tables.
      - V(csv) is a line for each host (C(.csv)). What a spreadsheet might take for a formula begins with an apostrophe.
      - V(prometheus) is a text file (C(.prom)) for the textfile collector of C(node_exporter), which needs
        C(prometheus_client). Its labels are statuses and layers, never hosts.
      - V(junit) is JUnit's XML (C(.xml)). A host that needs somebody is a failure, one that was not seen is skipped.
    type: list
    elements: str
    choices: [html, csv, prometheus, junit]
    default: []
  sweep:
    description:
      - The result of M(configmgr.client.fleet_info), where a sweep has found out which hosts the task is to be run for.
      - Hosts without a result of the task are told of as the sweep found them, also those that are not of the play.
    type: dict
  site:
    description:
      - Result of M(configmgr.client.site_cmpivot_info), for hosts that nobody else has reached. A device has the first
        part of a host's name.
    type: dict
  others:
    description:
      - Hosts of earlier plays of this run whose results are to be in the report as well.
    type: list
    elements: str
    default: []
  as_wanted:
    description: Verdicts of O(sweep) under which there was nothing to be done. The status is C(as_wanted) for these.
    type: list
    elements: str
    default: []
  max_login_failed:
    description:
      - How many hosts may have the status C(login_failed) before the task fails, once the report is made. A number such
        as V(5), or a share of the hosts that were asked, such as V(10%). Without it there is no limit.
    type: str
  max_failed:
    description: The same of C(failed).
    type: str
  max_unreachable:
    description: The same of C(unreachable).
    type: str
  options:
    description: What the task was given, to be told in the file. Nothing secret belongs here.
    type: dict
    default: {}
  check_only:
    description: Only checks that a report can be made and its file be written. For the time before the work begins.
    type: bool
    default: false
attributes:
  action:
    description: Runs in Ansible's own process on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for all hosts of the play.
    support: full
  check_mode:
    description: Makes the same report in check mode.
    support: full
  diff_mode:
    description: Returns what has changed; this module changes nothing on any host.
    support: N/A
seealso:
  - module: configmgr.client.provisioning_mode_info
  - ref: ansible_collections.configmgr.client.docsite.guide_start.report
    description: The statuses, and when a run is red.
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Release what is stuck, and report whatever happens
  any_errors_fatal: false
  block:
    - name: Release the client if it is stuck
      configmgr.client.provisioning_mode: &options
        enabled: false
        offline_action: report
      register: my_client
  always:
    - name: Report
      configmgr.client.report:
        variable: my_client
        path: my_report.json
        options: *options
"""

RETURN = r"""
counts:
  description:
    - How many hosts have each status.
    - It is C(failed), C(login_failed), C(unreachable) or C(not_asked). Else, where something was to be done, it is what
      was done (C(released), C(entered), C(prepared), C(restored)), C(left_alone) or C(as_wanted). Else it is the
      verdict of M(configmgr.client.provisioning_mode_info).
  returned: unless O(check_only)
  type: dict
  sample: {stuck: 2, unreachable: 1, normal: 97}
hosts_by_status:
  description:
    - Names of the hosts that have each status, but for C(normal) and C(as_wanted).
    - With RV(counts) they are also statistics of the run, as C(configmgr_client), in AWX followed by C(_) and the job's
      number. There they are an artifact of the job, unless the task fails.
  returned: unless O(check_only)
  type: dict
  sample: {stuck: [PC-0007, PC-0012], unreachable: [PC-0001]}
msg:
  description: The sum, or why the task has failed.
  returned: unless O(check_only)
  type: str
  sample: "100 hosts: 2 stuck, 1 unreachable, 97 normal"
path:
  description:
    - Absolute path of the file that was written. It is JSON, an object with the members below.
    - C(schema_version) is 1. It changes where a member changes its meaning or goes.
    - C(run) tells when it was made, by whom, for which job, playbook and limit, whether in check mode, with which
      options of the task and with which versions.
    - C(counts) is as RV(counts).
    - C(hosts) has a member for each host, with C(status), C(message) and C(changed), and as far as they are known with
      C(verdict), C(error_layer), C(via), C(via_reason), C(timeline), C(computer_name), C(name_matches) and
      C(client_version).
  returned: where a file was written
  type: str
  sample: /home/operator/my_report.json
paths:
  description: Absolute paths of the other forms, by O(formats).
  returned: where a file was written
  type: dict
  sample: {html: /home/operator/my_report.html}
"""

from ansible.module_utils.basic import AnsibleModule

SCHEMA_VERSION = 1

ARGUMENT_SPEC = {
    "variable": {"type": "str", "required": True},
    "path": {"type": "str"},
    "formats": {"type": "list", "elements": "str", "choices": ["html", "csv", "prometheus", "junit"], "default": []},
    "sweep": {"type": "dict"},
    "others": {"type": "list", "elements": "str", "default": []},
    "site": {"type": "dict"},
    "as_wanted": {"type": "list", "elements": "str", "default": []},
    "max_login_failed": {"type": "str"},
    "max_failed": {"type": "str"},
    "max_unreachable": {"type": "str"},
    "options": {"type": "dict", "default": {}},
    "check_only": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="configmgr.client.report runs in Ansible's own process only: call it as a task of a play")


if __name__ == "__main__":
    main()
