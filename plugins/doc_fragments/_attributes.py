# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that the modules share: all of them, those that change something, and those that only read."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  idempotent:
    description: A second run right after the first changes nothing.
    support: full
  action:
    description:
      - An action plugin of the same name runs the module inside Ansible's own process, over the host's settings.
    support: full
  async:
    description: Supports being run with the C(async) keyword.
    support: none
  platform:
    description: Operating systems of the endpoint.
    platforms: windows
    support: full
"""

    CHANGE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, and then reads everything and changes nothing.
    support: full
  diff_mode:
    description: Returns what has changed, or would change in check mode.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Only reads, so check mode changes nothing about it.
    support: full
  diff_mode:
    description: Returns what has changed; this module changes nothing.
    support: N/A
"""
