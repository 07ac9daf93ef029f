# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one machine. They find each other here, so that there is one truth of each."""

from __future__ import annotations

from dataclasses import dataclass

from .access import Access
from .journal import Journal
from .registry import Registry
from .spec import MachineSpec
from .timeline import Timeline
from .variants import Variants


@dataclass
class World:
    spec: MachineSpec
    timeline: Timeline
    journal: Journal
    access: Access
    registry: Registry

    @property
    def variants(self) -> Variants:
        return self.spec.variants

    def environment(self) -> dict[str, str]:
        """Environment variables of the provider host, which runs as LocalSystem."""
        return {
            "SystemRoot": "C:\\Windows",
            "windir": "C:\\Windows",
            "SystemDrive": "C:",
            "ProgramData": "C:\\ProgramData",
            "ProgramFiles": "C:\\Program Files",
            "TEMP": "C:\\Windows\\TEMP",
            "COMPUTERNAME": self.spec.machine_name.upper(),
        }
