# SPDX-License-Identifier: GPL-3.0-or-later
"""Which provider stands behind which class."""

from __future__ import annotations

from ..wmi import Provider
from ..world import World
from .ccm import (
    ClientUtilitiesProvider,
    ExecutionRequestProvider,
    IdentityProvider,
    SchedulerHistoryProvider,
    StoredInstancesProvider,
)
from .cim_data_file import CimDataFile
from .sms_client import SmsClient
from .stdregprov import StdRegProv
from .task_scheduler import TaskScheduler
from .win32_process import Win32Process
from .win32_service import Win32Service
from .win32_system import Win32ComputerSystem, Win32OperatingSystem

_POLICY = "root/ccm/policy/defaultmachine/requestedconfig"
_TASKS = "root/microsoft/windows/taskscheduler"


def providers_32_bit(world: World) -> dict[tuple[str, str], Provider]:
    """Those that differ in a provider host of 32 bits."""
    registry = StdRegProv(world, bits=32)
    return {("root/default", "StdRegProv"): registry, ("root/cimv2", "StdRegProv"): registry}


def providers(world: World) -> dict[tuple[str, str], Provider]:
    registry, service, tasks, identity, requests = (
        StdRegProv(world),
        Win32Service(world),
        TaskScheduler(world),
        IdentityProvider(world),
        ExecutionRequestProvider(world),
    )
    return {
        ("root/default", "StdRegProv"): registry,
        ("root/cimv2", "StdRegProv"): registry,
        ("root/cimv2", "Win32_Service"): service,
        ("root/cimv2", "Win32_TerminalService"): service,
        ("root/cimv2", "Win32_Process"): Win32Process(world),
        ("root/cimv2", "Win32_OperatingSystem"): Win32OperatingSystem(world),
        ("root/cimv2", "Win32_ComputerSystem"): Win32ComputerSystem(world),
        ("root/cimv2", "CIM_DataFile"): CimDataFile(world),
        ("root/ccm", "SMS_Client"): SmsClient(world),
        ("root/ccm", "CCM_Client"): identity,
        ("root/ccm", "SMS_Authority"): identity,
        ("root/ccm/locationservices", "SMS_MPInformation"): identity,
        ("root/ccm", "SMS_MaintenanceTaskRequests"): StoredInstancesProvider(world, world.maintenance_requests),
        (_POLICY, "CCM_ClientAgentConfig"): StoredInstancesProvider(world, world.policies),
        ("root/ccm/softmgmtagent", "CCM_ExecutionRequestEx"): requests,
        ("root/ccm/softmgmtagent", "CCM_TSExecutionRequest"): requests,
        ("root/ccm/scheduler", "CCM_Scheduler_History"): SchedulerHistoryProvider(world),
        ("root/ccm/clientsdk", "CCM_ClientUtilities"): ClientUtilitiesProvider(world),
        (_TASKS, "MSFT_ScheduledTask"): tasks,
        (_TASKS, "PS_ScheduledTask"): tasks,
    }
