# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the ConfigMgr client: names, numbers and where they come from.

Microsoft's page on provisioning mode documents the method, the two time values and the 48 hours; the rest is from
the class reference of SMS_Client and from the community, as ``guide_to_confirm.rst`` says line by line.
"""

from __future__ import annotations

import re

CCMEXEC_KEY = r"SOFTWARE\Microsoft\CCM\CcmExec"
MODE = "ProvisioningMode"
EXCLUDES = "SystemTaskExcludes"
ENTERED = "ProvisioningEnabledTime"
MAX_MINUTES = "ProvisioningMaxMinutes"

SETUP_KEY = r"SYSTEM\Setup"
SETUP_REQUIRED = ("SetupType", "SystemSetupInProgress", "OOBEInProgress")
"""Numbers of that key that every Windows 10 and 11 has, so that a key without them is not believed."""
SETUP_LIVE = {
    "SystemSetupInProgress": "Windows Setup is in progress",
    "OOBEInProgress": "the out-of-box experience is in progress",
    "Upgrade": "an upgrade of Windows is in progress",
    "RollbackActive": "an upgrade of Windows is being rolled back",
    "FactoryPreInstallInProgress": "Windows is being deployed",
}
"""Numbers of that key that are 0 or absent unless this is so."""
SETUP_ARMED = ("SetupType", "SetupPhase")
"""Numbers of that key that are 0 or absent unless Windows Setup goes on at the next start."""
WINPE_KEY = r"SYSTEM\CurrentControlSet\Control\MiniNT"
AUDIT_KEY, AUDIT = r"SYSTEM\Setup\Status", "AuditBoot"
AUTOPILOT_KEY = r"SOFTWARE\Microsoft\Windows\Autopilot\EnrollmentStatusTracking\Device\Setup"
AUTOPILOT_DONE = "HasProvisioningCompleted"
"""0 while the enrollment status page sets the device up; absent on devices without one."""

OWN_KEY = r"SOFTWARE\configmgr.client"
"""Where this collection remembers things on an endpoint."""
HOLD_KEY = OWN_KEY + r"\Hold"

CLIENT_NAMESPACE = "root/ccm"
CLIENT_CLASS = "SMS_Client"
REQUEST_NAMESPACE = "root/ccm/SoftMgmtAgent"
REQUEST_CLASS = "CCM_TSExecutionRequest"
HISTORY_NAMESPACE = "root/ccm/Scheduler"
HISTORY_CLASS = "CCM_Scheduler_History"
AUTHORITY_CLASS = "SMS_Authority"
LOCATION_NAMESPACE = "root/ccm/LocationServices"
LOCATION_CLASS = "SMS_MPInformation"
SDK_NAMESPACE = "root/ccm/ClientSDK"
UTILITIES_CLASS = "CCM_ClientUtilities"

MOBILE_CLIENT_KEY = r"SOFTWARE\Microsoft\SMS\Mobile Client"

MAINTENANCE_CLASS = "SMS_MaintenanceTaskRequests"
"""In CLIENT_NAMESPACE: what waits for the client's maintenance task coordinator, of all kinds of software."""
POLICY_NAMESPACE = "root/ccm/Policy/DefaultMachine/RequestedConfig"
POLICY_CLASS = "CCM_ClientAgentConfig"
POLICY_SOURCE = "CcmTaskSequence"
"""The PolicySource by which a task sequence's own policy is told from the site's."""
DISTRIBUTION_KEY = r"SOFTWARE\Microsoft\SMS\Mobile Client\Software Distribution\State"
PAUSED, PAUSED_COOKIE = "Paused", "PausedCookie"
TASK_SEQUENCE_KEY = r"SOFTWARE\Microsoft\SMS\Task Sequence"
TASK_SEQUENCE_VALUES = ("Package", "Program", "Active Request Handle", "CleanUpFolder")
"""Without SMSTSEndProgram, a command line, which may hold what is nobody's business."""

CLIENT_SERVICE = "CcmExec"
AGENT_SERVICE = "smstsmgr"
PROOF_SERVICE = "Winmgmt"
"""Runs wherever WMI answers, so a list without it is not the list of services."""

DEFAULT_LIMIT_MINUTES = 2880
CHECK_INTERVAL_MINUTES = 60
"""The client looks at the clock once an hour, so a shorter limit acts as this one."""

FIRST_BUILD_THAT_LEAVES = 8790
"""5.00.8790 is version 1902, the first that notes the time of entry and leaves by itself."""
FIRST_BUILD_WITH_QUIET_SCAN = 8692
"""5.00.8692 is version 1806: a compatibility scan no longer enters the mode."""
DEPENDENCY_FAULT_BUILD = 8634
"""5.00.8634 is version 1802, the one of which a failing SetClientProvisioningMode was reported."""
FIRST_ENTRY_TIME = 1546300800
"""2019-01-01: no client wrote a time of entry before."""


def client_build(version: str | None) -> int | None:
    """The build of ``5.00.<build>.<revision>``; None where there is none to see."""
    match = re.match(r"\s*\d+\.\d+\.(\d+)", version or "")
    return int(match[1]) if match else None
