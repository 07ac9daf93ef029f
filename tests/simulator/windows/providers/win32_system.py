# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_OperatingSystem and Win32_ComputerSystem: the machine's name, version and clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from ..cim.model import Row, WmiError
from .base import BaseProvider

_ACCESS_DENIED_PRIVILEGE = 1314  # ERROR_PRIVILEGE_NOT_HELD
_INSTALLED = datetime(2024, 3, 5, 9, 41, 12, tzinfo=timezone.utc)


class Win32OperatingSystem(BaseProvider):
    """LocalDateTime is the same instant as the fleet's clock, plus the machine's error; CurrentTimeZone says how the
    machine itself would write it (official)."""

    def instances(self, class_name: str) -> list[Row]:
        world, os = self._world, self._world.spec.os
        return [
            {
                "BootDevice": "\\Device\\HarddiskVolume1",
                "BuildNumber": os.version.rpartition(".")[2],
                "BuildType": "Multiprocessor Free",
                "Caption": os.caption,
                "CodeSet": "1252",
                "CountryCode": "1",
                "CreationClassName": "Win32_OperatingSystem",
                "CSCreationClassName": "Win32_ComputerSystem",
                "CSName": world.spec.netbios_name,
                "CurrentTimeZone": os.time_zone,
                "DataExecutionPrevention_32BitApplications": True,
                "DataExecutionPrevention_Available": True,
                "DataExecutionPrevention_Drivers": True,
                "DataExecutionPrevention_SupportPolicy": 2,
                "Debug": False,
                "Description": "",
                "Distributed": False,
                "EncryptionLevel": 256,
                "ForegroundApplicationBoost": 2,
                "FreePhysicalMemory": 9_112_540,
                "FreeSpaceInPagingFiles": 2_490_368,
                "FreeVirtualMemory": 10_620_116,
                "InstallDate": _INSTALLED,
                "LastBootUpTime": world.processes.boot_time,
                "LocalDateTime": world.timeline.now,
                "Locale": f"{os.language:04x}",
                "Manufacturer": "Microsoft Corporation",
                "MaxNumberOfProcesses": 4_294_967_295,
                "MaxProcessMemorySize": 137_438_953_344,
                "MUILanguages": ["en-US"],
                "Name": f"{os.caption}|C:\\Windows|\\Device\\Harddisk0\\Partition3",
                "NumberOfLicensedUsers": 0,
                "NumberOfProcesses": sum(1 for _ in world.processes),
                "NumberOfUsers": 2,
                "OperatingSystemSKU": 4 if os.product_type == 1 else 7,
                "OSArchitecture": "64-bit",
                "OSLanguage": os.language,
                "OSProductSuite": 256,
                "OSType": 18,
                "PortableOperatingSystem": False,
                "Primary": True,
                "ProductType": os.product_type,
                "RegisteredUser": "",
                "SerialNumber": "00329-00000-00003-AA000",
                "ServicePackMajorVersion": 0,
                "ServicePackMinorVersion": 0,
                "SizeStoredInPagingFiles": 2_490_368,
                "Status": "OK",
                "SuiteMask": 272,
                "SystemDevice": "\\Device\\HarddiskVolume3",
                "SystemDirectory": f"{os.directory}\\system32",
                "SystemDrive": "C:",
                "TotalVirtualMemorySize": 19_190_784,
                "TotalVisibleMemorySize": 16_700_416,
                "Version": os.version,
                "WindowsDirectory": os.directory,
            }
        ]

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        if method != "Reboot":
            raise WmiError("not_supported")
        self._world.journal.written("os.Reboot")
        if not self._world.access.is_administrator:
            return {"ReturnValue": _ACCESS_DENIED_PRIVILEGE}
        self._world.power.restart("reboot")
        return {"ReturnValue": 0}


class Win32ComputerSystem(BaseProvider):
    def instances(self, class_name: str) -> list[Row]:
        spec = self._world.spec
        name, joined = spec.netbios_name, spec.domain.upper() != "WORKGROUP"
        return [
            {
                "AdminPasswordStatus": 3,
                "AutomaticManagedPagefile": True,
                "AutomaticResetBootOption": True,
                "AutomaticResetCapability": True,
                "BootROMSupported": True,
                "BootupState": "Normal boot",
                "Caption": name,
                "ChassisBootupState": 3,
                "CreationClassName": "Win32_ComputerSystem",
                "CurrentTimeZone": spec.os.time_zone,
                "Description": "AT/AT COMPATIBLE",
                "DNSHostName": spec.machine_name,
                "Domain": spec.domain,
                "DomainRole": (1 if spec.os.product_type == 1 else 3) - (0 if joined else 1),
                "EnableDaylightSavingsTime": True,
                "FrontPanelResetStatus": 3,
                "HypervisorPresent": True,
                "InfraredSupported": False,
                "KeyboardPasswordStatus": 3,
                "Manufacturer": "Contoso",
                "Model": "Simulated Desktop",
                "Name": name,
                "NetworkServerModeEnabled": True,
                "NumberOfLogicalProcessors": 8,
                "NumberOfProcessors": 1,
                "PartOfDomain": joined,
                "PauseAfterReset": -1,
                "PCSystemType": 1,
                "PCSystemTypeEx": 1,
                "PowerOnPasswordStatus": 3,
                "PowerState": 0,
                "PowerSupplyState": 3,
                "PrimaryOwnerName": "",
                "ResetCapability": 1,
                "ResetCount": -1,
                "ResetLimit": -1,
                "Roles": ["LM_Workstation", "LM_Server", "NT"],
                "Status": "OK",
                "SystemType": "x64-based PC",
                "ThermalState": 3,
                "TotalPhysicalMemory": 17_101_225_984,
                "WakeUpType": 6,
                "Workgroup": None if joined else spec.domain,
            }
        ]
