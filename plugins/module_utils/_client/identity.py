# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this the machine that was meant? Names in DNS go stale, and an address may have changed hands. Pure."""

from __future__ import annotations

import ipaddress

from .._windows.system import ComputerNames

NETBIOS_LENGTH = 15
"""Characters; NetBIOS cuts what is longer, so that two machines may share a cut name."""
CHECKS = ("short", "fqdn", "off")


def mismatch(expected: str, actual: ComputerNames, check: str) -> str | None:
    """Why *actual* is not the machine that is called *expected*; None where it is.

    ``short`` compares the host part in either of the computer's names, ``fqdn`` the whole DNS name. Of a host part
    that is longer than NetBIOS takes, only the DNS host name proves anything.
    """
    if check == "off":
        return None
    expected = expected.strip().rstrip(".")
    if is_address(expected):
        return f"{expected} is an address, which does not say whether {actual.dns_host} is the machine that was meant"
    if check == "fqdn":
        own = f"{actual.dns_host}.{actual.domain}" if actual.domain else actual.dns_host
        return None if expected.lower() == own.lower() else f"the machine that answers as {expected} calls itself {own}"
    host = expected.partition(".")[0].lower()
    names = {actual.dns_host.lower()}
    if len(host) <= NETBIOS_LENGTH:
        names.add(actual.netbios.lower())
    if host and host in names:
        return None
    return f"the machine that answers as {expected} calls itself {actual.dns_host}"


def matches_netbios(expected: str, netbios: str) -> bool | None:
    """Whether a machine of which only the NetBIOS name is known is *expected*; None where that does not tell."""
    if is_address(expected):
        return None
    host = expected.strip().partition(".")[0].lower()
    if len(host) > NETBIOS_LENGTH and host[:NETBIOS_LENGTH] == netbios.lower():
        return None
    return host == netbios.lower()


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
