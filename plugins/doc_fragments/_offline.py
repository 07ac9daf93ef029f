# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Option of the modules whose results a report is made of."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  offline_action:
    description:
      - What becomes of a host that cannot be reached, or lets nobody in.
      - With V(unreachable) it is unreachable, as Ansible has it, and leaves the play.
      - With V(fail) the task fails, and can be rescued.
      - With V(report) the task is ok, for M(configmgr.client.report) to tell. The result then has RV(ignore:reachable),
        which is false, C(msg) and C(error_layer), and nothing else that the module returns.
    type: str
    choices: [unreachable, fail, report]
    default: unreachable
"""
