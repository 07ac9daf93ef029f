# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Process. Create tells a process id and nothing of what becomes of the process (official)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..cim.model import Row, WmiError
from ..processes import Process
from ..service_record import LSASS_PID
from .base import BaseProvider

_ACCESS_DENIED, _PATH_NOT_FOUND, _INVALID_PARAMETER = 2, 9, 21


class Win32Process(BaseProvider):
    def instances(self, class_name: str) -> list[Row]:
        return [self._row(process) for process in self._world.processes]

    def _row(self, process: Process) -> Row:
        spec = self._world.spec
        memory = 4_000_000 + process.process_id * 4096
        # Users do not see the command lines of other accounts' processes (inferred from daily experience).
        visible = self._world.access.is_administrator and not self._is_protected(process)
        return {
            "Caption": process.name,
            "CommandLine": process.command_line if visible else None,
            "CreationClassName": "Win32_Process",
            "CreationDate": self._world.processes.created(process),
            "CSCreationClassName": "Win32_ComputerSystem",
            "CSName": spec.netbios_name,
            "Description": process.name,
            "ExecutablePath": process.executable if visible else None,
            "Handle": str(process.process_id),
            "HandleCount": 180,
            "KernelModeTime": 1_562_500,
            "Name": process.name,
            "OSCreationClassName": "Win32_OperatingSystem",
            "OSName": f"{spec.os.caption}|C:\\Windows|\\Device\\Harddisk0\\Partition3",
            "OtherOperationCount": 900,
            "OtherTransferCount": 12_000,
            "PageFaults": 3_000,
            "PageFileUsage": memory // 2048,
            "ParentProcessId": process.parent_id,
            "PeakPageFileUsage": memory // 1536,
            "PeakVirtualSize": 2_203_400_000_000,
            "PeakWorkingSetSize": memory // 1024,
            "Priority": 8,
            "PrivatePageCount": memory // 2,
            "ProcessId": process.process_id,
            "QuotaNonPagedPoolUsage": 12,
            "QuotaPagedPoolUsage": 96,
            "QuotaPeakNonPagedPoolUsage": 14,
            "QuotaPeakPagedPoolUsage": 98,
            "ReadOperationCount": 40,
            "ReadTransferCount": 80_000,
            "SessionId": process.session,
            "ThreadCount": 8,
            "UserModeTime": 781_250,
            "VirtualSize": 2_203_390_000_000,
            "WindowsVersion": spec.os.version,
            "WorkingSetSize": memory,
            "WriteOperationCount": 4,
            "WriteTransferCount": 2_000,
        }

    def _is_protected(self, process: Process) -> bool:
        guarded = self._world.variants.lsa_protection and process.process_id == LSASS_PID
        return process.protected or guarded

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        match method:
            case "Create":
                return self._create(cast("str | None", arguments.get("CommandLine")))
            case "Terminate":
                return self._terminate(int(keys["Handle"]))
            case "GetOwner":
                return {"Domain": "NT AUTHORITY", "User": "SYSTEM", "ReturnValue": 0}
        raise WmiError("not_supported")

    def _create(self, command_line: str | None) -> Row:
        self._world.journal.written("process.create", command_line or "")
        if not self._world.access.is_administrator:
            return {"ProcessId": None, "ReturnValue": _ACCESS_DENIED}
        if not command_line or not command_line.strip():
            return {"ProcessId": None, "ReturnValue": _INVALID_PARAMETER}
        process_id = self._world.run_detached(command_line)
        return {"ProcessId": process_id or None, "ReturnValue": 0 if process_id else _PATH_NOT_FOUND}

    def _terminate(self, process_id: int) -> Row:
        self._world.journal.written("process.terminate", str(process_id))
        if not self._world.access.is_administrator or process_id in (0, 4):
            return {"ReturnValue": _ACCESS_DENIED}
        for service in self._world.scm:
            if service.own_process and service.process_id == process_id:
                self._world.scm.terminate(service.name)
        self._world.processes.end(process_id)
        return {"ReturnValue": 0}
