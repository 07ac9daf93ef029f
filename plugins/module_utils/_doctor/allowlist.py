# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stay in a recording: published names of Windows and of the client, and values that are nobody's. Pure."""

from __future__ import annotations

from .._client import constants
from .._windows import commands, system
from .redaction import Allowlist

_NUMBER = r"-?[0-9]{1,10}"
_USUAL_PROGRAMS = [rf"{system.USUAL_SYSTEM_DIRECTORY}\{program}" for program in (commands.WMIC, commands.POWERSHELL)]

ALLOWLIST = Allowlist(
    names=frozenset(
        {
            "root", "cimv2", "default", "ccm", "Policy", "SoftMgmtAgent", "Scheduler", "LocationServices", "ClientSDK",
            "DefaultMachine", "RequestedConfig", "Win32_OperatingSystem", "CSName", "LocalDateTime", "LastBootUpTime",
            "Version", "Caption", "SystemDirectory", "CurrentTimeZone", "Win32_ComputerSystem", "DNSHostName", "Domain",
            "PartOfDomain", "StdRegProv", "CheckAccess", "EnumValues", "GetDWORDValue", "CIM_DataFile", "FileSize",
            "LastModified", "SMS_Client", "GetAssignedSite", "CCM_TSExecutionRequest", "RequestID", "State",
            "RunningState", "CompletionState", "CCM_Scheduler_History", "ScheduleID", "LastTriggerTime",
            "SMS_MPInformation", "MP", "CCM_ClientAgentConfig", "SMS_MaintenanceTaskRequests", "CCM_ClientUtilities",
            "DetermineIfRebootPending",
        }
    ),
    patterns={
        "Version": r"(6|10)\.[0-9]\.[0-9]{4,5}",
        "ClientVersion": r"5\.[0-9]{1,2}\.[0-9]{4}\.[0-9]{4}",
        "ClientType": _NUMBER,
        "Types": _NUMBER,
        "hDefKey": _NUMBER,
        "uRequired": _NUMBER,
        # What public sources show of execution requests; any other state is replaced.
        "State": "Running|Ready|Completed|WaitingContent|AdvancedDownload|ReportStatusAtReboot",
        "RunningState": "Running|NotifyExecution",
        "CompletionState": "Failure",
    },
    literals=frozenset(
        {
            constants.CCMEXEC_KEY,
            constants.MODE,
            constants.EXCLUDES,
            constants.ENTERED,
            constants.MAX_MINUTES,
            system.USUAL_SYSTEM_DIRECTORY,
            "SOFTWARE",
            # As keys of references tell them.
            *(constants.CLIENT_NAMESPACE, constants.POLICY_NAMESPACE),
            *(name.replace("/", "\\") for name in (constants.CLIENT_NAMESPACE, constants.POLICY_NAMESPACE)),
            *_USUAL_PROGRAMS,
            *(path.replace("\\", "\\\\") for path in _USUAL_PROGRAMS),
        }
    ),
)  # fmt: skip
