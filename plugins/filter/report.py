# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jinja filter: one report from the registered results of many hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: report
short_description: Makes one report of the registered results of many hosts
version_added: 0.1.0
description:
  - Collects what M(configmgr.client.provisioning_mode_info), M(configmgr.client.provisioning_mode) or
    M(configmgr.client.client_preparation) returned on each host of a play.
positional: _input, hostvars, variable
options:
  _input:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's variable C(hostvars).
    type: dict
    required: true
  variable:
    description: Name of the variable that the result was registered in.
    type: str
    required: true
author:
  - configmgr.client contributors (@configmgr-client)
"""

EXAMPLES = r"""
- name: Look at the clients
  configmgr.client.provisioning_mode_info:
  register: client

- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ (ansible_play_hosts_all | configmgr.client.report(hostvars, 'client')).text }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - C(counts) by status. It is C(unreachable), C(not_asked) or C(failed); else, where something was to be done, what
      was done (C(released), C(entered), C(prepared), C(restored)), C(left_alone) or C(as_wanted); else the verdict.
    - C(hosts), a row for each host by its name.
    - C(text), a list of lines to print.
  type: dict
"""

import typing as t

from ..plugin_utils._report import report


def _report(hosts: t.Sequence[str], hostvars: t.Mapping[str, t.Any], variable: str) -> dict[str, t.Any]:
    return report({str(host): hostvars[host].get(variable) or {} for host in hosts})


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"report": _report}
