# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this the machine that was meant? Names in DNS go stale, and an address may have changed hands. Pure."""

from __future__ import annotations

import ipaddress

from .._windows.system import ComputerNames

NETBIOS_LENGTH = 15
CHECKS = ("short", "fqdn", "off")


def mismatch(expected: str, actual: ComputerNames, check: str) -> str | None:
    """Why *actual* is not the machine that is called *expected*; None where it is.

    ``short`` compares the host part in either of the computer's names, ``fqdn`` the whole DNS name.
    """
    if check == "off":
        return None
    expected = expected.strip().rstrip(".")
    if is_address(expected):
        return f"{expected} is an address, so nobody can tell whether {actual.dns_host} is the machine that was meant"
    if check == "fqdn":
        own = f"{actual.dns_host}.{actual.domain}" if actual.domain else actual.dns_host
        return None if expected.lower() == own.lower() else f"the machine that answers as {expected} calls itself {own}"
    host, dns_host, netbios = expected.partition(".")[0].lower(), actual.dns_host.lower(), actual.netbios.lower()
    # NetBIOS cuts names: the cut one counts only where the computer tells no longer one.
    cut = host[:NETBIOS_LENGTH] if dns_host == netbios else host
    if host and (host == dns_host or cut == netbios):
        return None
    return f"the machine that answers as {expected} calls itself {actual.dns_host}"


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
