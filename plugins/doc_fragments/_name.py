# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options on the endpoint's own name."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  computer_name:
    description:
      - The name that the endpoint must call itself by.
      - The default is the host's name in the inventory, with C(delegate_to) that of the host which it names or, with
        O(endpoint), the value of O(endpoint.host).
    type: str
  name_check:
    description:
      - How strictly O(computer_name) is compared with the endpoint's own name before anything is written.
      - V(short) compares the host part, V(fqdn) the full DNS name, V(off) nothing.
      - A name that is an address cannot be compared. Nothing is written then, unless this is V(off).
    type: str
    choices: [short, fqdn, "off"]
    default: short
"""

    INFO = r"""
options:
  computer_name:
    description:
      - The name that the endpoint should call itself by. A difference is told in the result.
      - The default is the host's name in the inventory, with C(delegate_to) that of the host which it names or, with
        O(endpoint), the value of O(endpoint.host).
    type: str
"""
