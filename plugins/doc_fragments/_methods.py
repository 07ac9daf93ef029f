# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of modules that call the methods of the client's WMI class."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  via:
    description:
      - V(wmi) invokes the method over WS-Management.
      - V(command) runs C(WMIC.exe) on the endpoint or, where that is missing, C(powershell.exe).
      - V(auto) tries the former, and the latter only where the endpoint refuses the method on that path.
    type: str
    choices: [auto, wmi, command]
    default: auto
"""
