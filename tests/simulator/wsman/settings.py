# SPDX-License-Identifier: GPL-3.0-or-later
"""How one endpoint's WinRM service is set, and which of the disputed behaviours it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WsmanSettings:
    language: str = "en-US"
    max_envelope_kb: int = 500
    """150 on Windows Server 2008 R2 and older."""
    max_operations: int = 1500
    """Concurrent operations of one user: 15 on Windows Server 2008 R2 and older."""
    max_shells: int = 30
    max_timeout_ms: int = 60000
    enumeration_timeout_ms: int = 240000
    stack: str = "3.0"
    first_page: Literal["one", "all"] = "one"
    """An optimised Enumerate of many rows answers with one row (recorded: 2008 R2, 2012) or all (recorded: 2003)."""
    empty_items: Literal["element", "absent"] = "element"
    """An optimised Enumerate without rows: an empty w:Items, or none (no recording exists)."""
    projected_row: Literal["fragment", "instance"] = "fragment"
    """A row of a SELECT list: w:XmlFragment (recorded), or the class with only those properties."""
    missing_namespace: Literal["wmi_error", "wsman"] = "wmi_error"
    """The shape of the fault for a query in a namespace that does not exist (reported, and inferred)."""
    activity_id: bool = True
    """Whether answers of the shell plug-in carry p:ActivityId (recorded on some hosts)."""
    shell_description: bool = True
    """Whether CreateResponse describes the shell too (recorded: later than WinRM 1.1)."""
