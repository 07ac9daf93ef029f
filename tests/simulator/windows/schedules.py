# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of the ConfigMgr client (official list for TriggerSchedule, supplied by its community)."""

from __future__ import annotations

import re

_NUMBERS = {
    1: "Hardware Inventory",
    2: "Software Inventory",
    3: "Data Discovery Record",
    10: "File Collection",
    11: "IDMIF Collection",
    12: "Client Machine Authentication",
    21: "Machine Policy Assignments Request",
    22: "Machine Policy Evaluation",
    23: "Refresh Default MP Task",
    24: "LS Refresh Locations Task",
    25: "LS Timeout Refresh Task",
    26: "Policy Agent Request Assignment (User)",
    27: "Policy Agent Evaluate Assignment (User)",
    31: "Software Metering Generating Usage Report",
    32: "Source Update Message",
    37: "Clearing proxy settings cache",
    40: "Machine Policy Agent Cleanup",
    41: "User Policy Agent Cleanup",
    42: "Policy Agent Validate Machine Policy / Assignment",
    43: "Policy Agent Validate User Policy / Assignment",
    51: "Retrying or refreshing certificates in AD on MP",
    61: "Peer DP Status reporting",
    62: "Peer DP Pending package check schedule",
    63: "SUM Updates install schedule",
    101: "Hardware Inventory Collection Cycle",
    102: "Software Inventory Collection Cycle",
    103: "Discovery Data Collection Cycle",
    104: "File Collection Cycle",
    105: "IDMIF Collection Cycle",
    106: "Software Metering Usage Report Cycle",
    107: "Windows Installer Source List Update Cycle",
    108: "Software Updates Assignments Evaluation Cycle",
    109: "Branch Distribution Point Maintenance Task",
    111: "Send Unsent State Message",
    112: "State System policy cache cleanout",
    113: "Scan by Update Source",
    114: "Update Store Policy",
    115: "State system policy bulk send high",
    116: "State system policy bulk send low",
    121: "Application manager policy action",
    122: "Application manager user policy action",
    123: "Application manager global evaluation action",
    131: "Power management start summarizer",
    221: "Endpoint deployment reevaluate",
    222: "Endpoint AM policy reevaluate",
    223: "External event detection",
}


def schedule_id(number: int) -> str:
    return f"{{00000000-0000-0000-0000-{number:012d}}}"


NAMES = {schedule_id(number): name for number, name in _NUMBERS.items()}
MACHINE_POLICY_REQUEST = schedule_id(21)
MACHINE_POLICY_EVALUATION = schedule_id(22)
SOFTWARE_UPDATES_EVALUATION = schedule_id(108)
APPLICATION_POLICY = schedule_id(121)
APPLICATION_GLOBAL_EVALUATION = schedule_id(123)
EVALUATE_DEPLOYMENTS = (SOFTWARE_UPDATES_EVALUATION, APPLICATION_POLICY, APPLICATION_GLOBAL_EVALUATION)

# A deployment is triggered as "DeploymentID-PackageID-hash" (official).
DEPLOYMENT = re.compile(r"[A-Z0-9]{8}-[A-Z0-9]{8}-[0-9A-F]{8}", re.IGNORECASE)
