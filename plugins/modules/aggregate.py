#!/usr/bin/python
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes one report of those that several runs have written. The action of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: aggregate
short_description: Makes one report of those that several runs have written
version_added: 1.0.0
description:
  - Merges the JSON reports of several runs, such as the slices of a fleet, and writes the whole in further forms.
  - Each host counts once. Of one that several reports tell of, the youngest that saw it counts.
  - In a workflow of AWX it takes what the jobs before it have left as artifacts, for want of files that all of them
    see.
  - Where the reports are of slices and one is missing, that is a warning, and RV(missing_slices) names it.
  - Asks no host. Runs once, in Ansible's own process on the controller.
  - The playbook C(configmgr.client.aggregate) does it.
options:
  reports:
    description:
      - JSON files that M(configmgr.client.report) has written, or directories, of which all files count that end in
        C(.json). A relative path starts at the directory that Ansible runs in.
      - Either this or O(artifacts) is required.
    type: list
    elements: path
  artifacts:
    description:
      - What earlier jobs of a workflow of AWX have left as C(configmgr_client_NUMBER). They have numbers and names, and
        no rows of hosts, so that nothing can be written of them.
    type: list
    elements: dict
  expected_hosts:
    description: How many hosts should have been asked. A warning says where fewer were, as when a slice is missing.
    type: int
  earlier:
    description: Those of earlier runs, to which the page compares O(reports), run by run.
    type: list
    elements: path
    default: []
  path:
    description:
      - File on the controller to write the merged report to, or a directory, which gets the file C(fleet.json).
      - Only its owner may read it. It is written wholly or not at all, and not where it is the same already.
      - Without it, nothing is written. In check mode nothing is written either.
    type: str
  formats:
    description: Further forms of the report beside O(path), as in M(configmgr.client.report).
    type: list
    elements: str
    choices: [html, csv, prometheus, junit]
    default: []
attributes:
  action:
    description: Runs in Ansible's own process on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for all hosts of the play.
    support: full
  check_mode:
    description: Reads the reports, and writes nothing.
    support: full
  diff_mode:
    description: Returns what has changed; of reports no difference is shown.
    support: none
seealso:
  - module: configmgr.client.report
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Sum up what the slices before this job of a workflow have found
  configmgr.client.aggregate:
    artifacts: "{{ query('ansible.builtin.vars', *query('ansible.builtin.varnames', '^configmgr_client_[0-9]+$')) }}"

- name: Merge the reports of all slices into one page
  configmgr.client.aggregate:
    reports: [/srv/reports/today]
    earlier: [/srv/reports/weekly]
    path: /srv/reports/fleet.json
    formats: [html, csv]
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
reports:
  description: How many reports were merged.
  returned: success
  type: int
  sample: 20
missing_slices:
  description: Slices of a fleet that no report is of, where the others are of such.
  returned: success
  type: list
  elements: str
  sample: [3/20]
counts:
  description: How many hosts have each status, as in M(configmgr.client.report).
  returned: success
  type: dict
  sample: {stuck: 2, unreachable: 1, normal: 97}
hosts_by_status:
  description: Names of the hosts that have each status, but for C(normal) and C(as_wanted).
  returned: success
  type: dict
  sample: {stuck: [PC-0007, PC-0012], unreachable: [PC-0001]}
to_release:
  description:
    - Names of the hosts that M(configmgr.client.provisioning_mode) would release, by their verdicts.
    - They are also the statistic C(configmgr_client_to_release) of the run, which AWX hands to the next job of a
      workflow.
    - A name that the C(hosts) of a play takes for a pattern, such as V(~.*), is left out, with a warning.
  returned: success
  type: list
  elements: str
  sample: [PC-0007, PC-0012]
msg:
  description: The sum.
  returned: success
  type: str
  sample: "100 hosts: 2 stuck, 1 unreachable, 97 normal"
paths:
  description: Absolute paths of what was written, by its form; C(json) is the merged report itself.
  returned: success
  type: dict
  sample: {json: /srv/reports/fleet.json, html: /srv/reports/fleet.html}
"""

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC = {
    "reports": {"type": "list", "elements": "path"},
    "artifacts": {"type": "list", "elements": "dict"},
    "expected_hosts": {"type": "int"},
    "earlier": {"type": "list", "elements": "path", "default": []},
    "path": {"type": "str"},
    "formats": {"type": "list", "elements": "str", "choices": ["html", "csv", "prometheus", "junit"], "default": []},
}
REQUIRED_ONE_OF = [("reports", "artifacts")]
MUTUALLY_EXCLUSIVE = [("reports", "artifacts"), ("artifacts", "path")]


def main() -> None:
    module = AnsibleModule(
        ARGUMENT_SPEC,
        required_one_of=REQUIRED_ONE_OF,
        mutually_exclusive=MUTUALLY_EXCLUSIVE,
        supports_check_mode=True,
    )
    module.fail_json(msg="configmgr.client.aggregate runs in Ansible's own process only: call it as a task of a play")


if __name__ == "__main__":
    main()
