# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option for the audit trail, of modules that write on an endpoint."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  audit_path:
    description:
      - A file on the controller to which a line of JSON is added, and flushed to the disk, before each request that
        writes on the endpoint, and another when its end is known. R(The audit trail,
        ansible_collections.configmgr.client.docsite.guide_releasing.audit) describes them.
      - All hosts and all runs may share one file. It is made where it is missing, for its owner alone to read, and
        never truncated.
      - Where the file cannot be opened the task fails before anything is sent. Where a line cannot be added, because
        the disk is full for example, the task fails and the request is not sent.
      - Nothing is added in check mode.
      - With O(endpoint) the file is on the host where the module runs, the user is that host's, and each task counts as
        a run of its own.
    type: path
"""
