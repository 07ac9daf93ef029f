# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one machine. They find each other here, so that there is one truth of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .access import Access
from .cim.model import Value
from .client import Client
from .files import ClientLogs, Files
from .journal import Journal
from .power import Power
from .processes import ProcessTable
from .programs.result import ProgramNotFound
from .programs.shell import create_process
from .registry import Registry
from .requests import ExecutionRequests
from .scheduled_tasks import ScheduledTasks
from .services import Scm
from .spec import MachineSpec
from .stored_instances import StoredInstances
from .task_sequence import TaskSequences
from .timeline import Timeline
from .variants import Variants
from .wmi import Wmi


@dataclass
class World:
    spec: MachineSpec
    timeline: Timeline
    journal: Journal
    access: Access
    registry: Registry
    processes: ProcessTable
    scm: Scm
    files: Files
    logs: ClientLogs
    client: Client | None = None
    requests: ExecutionRequests = field(default_factory=ExecutionRequests)
    """Of task sequences."""
    programs: ExecutionRequests = field(default_factory=ExecutionRequests)
    """Requests of programs."""
    maintenance_requests: StoredInstances = field(default_factory=lambda: StoredInstances("TaskID"))
    policies: StoredInstances = field(
        default_factory=lambda: StoredInstances("PolicyID", "PolicySource", "SiteSettingsKey")
    )
    """CCM_ClientAgentConfig as the machine's default policy asks for it."""
    planted: dict[str, int] = field(default_factory=dict)
    """Processes that the fleet file asked for, by name."""
    busy: float = 0.0
    """How many seconds the call takes that is being answered."""

    def __post_init__(self) -> None:
        self.task_sequences = TaskSequences(self, self.requests)
        self.scheduled_tasks = ScheduledTasks(self)
        self.power = Power(self)
        self.wmi: Wmi
        """Set by the machine: WMI shows the world, the world does not know how."""

    @property
    def variants(self) -> Variants:
        return self.spec.variants

    def takes(self, seconds: float) -> None:
        """The call that is being answered took effect, and its answer comes so much later."""
        self.busy += seconds

    def environment(self) -> dict[str, str]:
        """Environment variables of the provider host, which runs as LocalSystem."""
        return {
            "SystemRoot": "C:\\Windows",
            "windir": "C:\\Windows",
            "SystemDrive": "C:",
            "ProgramData": "C:\\ProgramData",
            "ProgramFiles": "C:\\Program Files",
            "TEMP": "C:\\Windows\\TEMP",
            "COMPUTERNAME": self.spec.netbios_name,
        }

    def call_locally(self, namespace: str, class_name: str, method: str, values: list[str]) -> Mapping[str, Value]:
        """A WMI method called by a program on the machine itself; the values are in the method's own order."""
        return self.wmi.call_locally(namespace, class_name, method, values)

    def run_detached(self, command_line: str) -> int:
        """Starts a program that nobody waits for; returns its process id, or 0 where it cannot be started."""
        process_id = self.processes.next_id()
        try:
            create_process(self, command_line)
        except ProgramNotFound:
            return 0
        return process_id
