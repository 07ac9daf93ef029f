# SPDX-License-Identifier: GPL-3.0-or-later
"""How one endpoint's WinRM service is set, and which of the disputed behaviours it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _choice(*allowed: str) -> Any:
    """The first one is the default."""
    return field(default=allowed[0], metadata={"allowed": allowed})


@dataclass(frozen=True)
class WsmanSettings:
    language: str = "en-US"
    max_envelope_kb: int = 500
    """150 on Windows Server 2008 R2 and older."""
    max_operations: int = 1500
    """Concurrent operations of one user: 15 on Windows Server 2008 R2 and older."""
    operations_quota: str = _choice("wmi_error", "wsman")
    """The shape of the fault for too many operations: MSFT_WmiError (Ansible's winrm plug-in looks for the code there),
    or WSManFault (recorded on Windows Server 2008 R2)."""
    max_plugin_operations: int = 100
    """Concurrent operations of one user on the WMI plug-in (recorded in its registration)."""
    max_shells: int = 30
    max_processes: int = 25
    """Commands that run in one shell (recorded in the configuration)."""
    max_timeout_ms: int = 60000
    enumeration_timeout_ms: int = 240000
    stack: str = "3.0"
    access_denied: str = _choice("service", "provider", "connect", "win32")
    """How a WMI access that is denied is told: 2150859012, …13, …14 or the Win32 code 5 (all reported)."""
    first_page: str = _choice("one", "all")
    """An optimised Enumerate of many rows answers with one row (recorded: 2008 R2, 2012) or all (recorded: 2003)."""
    empty_items: str = _choice("element", "absent")
    """An optimised Enumerate without rows: an empty w:Items, or none (no recording exists)."""
    projected_row: str = _choice("fragment", "instance")
    """A row of a SELECT list: w:XmlFragment (recorded), or the class with only those properties."""
    missing_namespace: str = _choice("wmi_error", "wsman")
    """The shape of the fault for a query in a namespace that does not exist (reported, and inferred)."""
    provider_architecture: str = _choice("ignored", "honoured")
    """Whether the option __ProviderArchitecture chooses the registry's view: reported, and specified."""
    client_wmi_uri: str = _choice("accepted", "unknown_uri", "unknown_action", "not_found", "bad_parameters")
    """Whether SMS_Client's methods are called by the WMI URI, and how that is refused (no evidence; the codes are
    specified). What the client itself refuses, it refuses by every URI: that is the variant `sms_client_invoke`."""
    client_dmtf_uri: str = _choice(
        "accepted", "unknown_uri", "unknown_action", "not_found", "not_dmtf", "other_version", "other_namespace"
    )
    """Whether SMS_Client is reached by the DMTF URI at all, and how that is refused (specified: all that have a name of
    their own in wsmerror.h; that a class without a Version qualifier is reached by it is what the CIM cmdlets do)."""
    activity_id: bool = True
    """Whether answers of the shell plug-in carry p:ActivityId (recorded on some hosts)."""
    shell_description: bool = True
    """Whether CreateResponse describes the shell too (recorded: later than WinRM 1.1)."""
