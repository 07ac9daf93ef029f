# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of modules that call the methods of the client's WMI class."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  via:
    description:
      - V(wmi) invokes the method over WS-Management. The class is addressed by Microsoft's resource URI, in which the
        namespace stands.
      - V(cim) invokes it over WS-Management too. The class is addressed as by PowerShell's CIM cmdlets, by the resource
        URI of the DMTF and the selector C(__cimnamespace).
      - V(command) runs C(WMIC.exe) on the endpoint or, where that is missing, C(powershell.exe).
      - V(auto) tries them in this order, each only where the endpoint refuses the method on the one before. What was
        accepted once is taken at once for the rest of the task.
    type: str
    choices: [auto, wmi, cim, command]
    default: auto
"""
