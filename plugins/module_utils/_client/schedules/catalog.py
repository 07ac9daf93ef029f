# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's schedules by name, and what a client in provisioning mode makes of them. Pure.

Ids and titles: Microsoft's reference of SMS_Client.TriggerSchedule, the whole table. What comes of them in the mode:
the tests in the article; of most, nobody has published any.
"""

from __future__ import annotations

import difflib
import re
import typing as t
from dataclasses import dataclass

UNKNOWN = "what it does in the mode is not published"
_DOWNLOADS = "downloads policy and does not act on it"
_ACTS_NOT = "new deployments do not appear"
_INSTALLS = "starts installations that are past their deadline, although the client is in the mode"
_MAY_INSTALL = "may start installations that are past their deadline: untested, and close to what does"
_NO_REPORT = "inventory is not reported"

MACHINE_POLICY_REQUEST = "machine_policy_request"
MACHINE_POLICY_EVALUATION = "machine_policy_evaluation"

AFTER_EXIT = (
    MACHINE_POLICY_REQUEST,
    MACHINE_POLICY_EVALUATION,
    "data_discovery",
    "hardware_inventory",
    "send_unsent_state_messages",
)
"""What a client has missed in the mode: policy first, then what the site has not heard from it meanwhile."""

_NEAR_MATCHES = 3


@dataclass(frozen=True)
class Schedule:
    """``title`` as Microsoft's table has it; ``in_mode`` is what a client in provisioning mode makes of it."""

    number: int
    name: str
    title: str
    in_mode: str = UNKNOWN

    @property
    def id(self) -> str:
        """What TriggerSchedule takes."""
        return f"{{00000000-0000-0000-0000-{self.number:012d}}}"


TABLE = (
    Schedule(1, "hardware_inventory", "Hardware Inventory", _NO_REPORT),
    Schedule(2, "software_inventory", "Software Inventory", _NO_REPORT),
    Schedule(3, "data_discovery", "Data Discovery Record"),
    Schedule(10, "file_collection", "File Collection"),
    Schedule(11, "idmif_collection", "IDMIF Collection"),
    Schedule(12, "client_machine_authentication", "Client Machine Authentication"),
    Schedule(21, MACHINE_POLICY_REQUEST, "Machine Policy Assignments Request", _DOWNLOADS),
    Schedule(22, MACHINE_POLICY_EVALUATION, "Machine Policy Evaluation", _ACTS_NOT),
    Schedule(23, "refresh_default_management_point", "Refresh Default MP Task"),
    Schedule(24, "refresh_locations", "LS Refresh Locations Task"),
    Schedule(25, "refresh_locations_timeout", "LS Timeout Refresh Task"),
    Schedule(26, "user_policy_request", "Policy Agent Request Assignment (User)"),
    Schedule(27, "user_policy_evaluation", "Policy Agent Evaluate Assignment (User)"),
    Schedule(31, "software_metering_report", "Software Metering Generating Usage Report"),
    Schedule(32, "source_list_update", "Source Update Message"),
    Schedule(37, "clear_proxy_settings_cache", "Clearing proxy settings cache"),
    Schedule(40, "machine_policy_cleanup", "Machine Policy Agent Cleanup"),
    Schedule(41, "user_policy_cleanup", "User Policy Agent Cleanup"),
    Schedule(42, "machine_policy_validation", "Policy Agent Validate Machine Policy/Assignment"),
    Schedule(43, "user_policy_validation", "Policy Agent Validate User Policy/Assignment"),
    Schedule(51, "refresh_management_point_certificates", "Retrying/Refreshing certificates in AD on MP"),
    Schedule(61, "peer_distribution_point_status", "Peer DP Status reporting"),
    Schedule(62, "peer_distribution_point_packages", "Peer DP Pending package check schedule"),
    Schedule(63, "software_updates_install", "SUM Updates install schedule", _MAY_INSTALL),
    Schedule(101, "hardware_inventory_cycle", "Hardware Inventory Collection Cycle", _NO_REPORT),
    Schedule(102, "software_inventory_cycle", "Software Inventory Collection Cycle", _NO_REPORT),
    Schedule(103, "data_discovery_cycle", "Discovery Data Collection Cycle"),
    Schedule(104, "file_collection_cycle", "File Collection Cycle"),
    Schedule(105, "idmif_collection_cycle", "IDMIF Collection Cycle"),
    Schedule(106, "software_metering_report_cycle", "Software Metering Usage Report Cycle"),
    Schedule(107, "source_list_update_cycle", "Windows Installer Source List Update Cycle"),
    Schedule(108, "software_updates_evaluation", "Software Updates Assignments Evaluation Cycle", _INSTALLS),
    Schedule(109, "branch_distribution_point_maintenance", "Branch Distribution Point Maintenance Task"),
    Schedule(111, "send_unsent_state_messages", "Send Unsent State Message"),
    Schedule(112, "state_message_cache_cleanup", "State System policy cache cleanout"),
    Schedule(113, "software_updates_scan", "Scan by Update Source"),
    Schedule(114, "update_store_policy", "Update Store Policy"),
    Schedule(115, "send_state_messages_high", "State system policy bulk send high"),
    Schedule(116, "send_state_messages_low", "State system policy bulk send low"),
    Schedule(121, "application_evaluation", "Application manager policy action", _INSTALLS),
    Schedule(122, "user_application_evaluation", "Application manager user policy action"),
    Schedule(123, "application_global_evaluation", "Application manager global evaluation action", _MAY_INSTALL),
    Schedule(131, "power_management_summarizer", "Power management start summarizer"),
    Schedule(221, "endpoint_protection_deployment", "Endpoint deployment reevaluate"),
    Schedule(222, "endpoint_protection_policy", "Endpoint AM policy reevaluate"),
    Schedule(223, "external_event_detection", "External event detection"),
)
NAMES = tuple(schedule.name for schedule in TABLE)
_BY_NAME_AND_ID = {key: schedule for schedule in TABLE for key in (schedule.name, schedule.id)}


def find(text: str) -> Schedule:
    """The schedule of that name or id; KeyError for any other text."""
    return _BY_NAME_AND_ID[text]


def problem(option: str, texts: t.Sequence[str]) -> str | None:
    """What is wrong with *texts* as the value of *option*; None where each names a schedule, and none twice."""
    hints = {text: _hint(text) for text in texts if text not in _BY_NAME_AND_ID}
    if hints:
        wrong = ", ".join(f"{text!r}{hint}" for text, hint in hints.items())
        known = "" if all(hints.values()) else f". The names are {', '.join(NAMES)}"
        return f"{option} names what is not a schedule of the client: {wrong}{known}"
    names = [find(text).name for text in texts]
    for name in names:
        if names.count(name) > 1:
            return f"{option} holds {name} more than once: give each schedule once"
    return None


def _hint(text: str) -> str:
    """What *text* may have meant, in brackets; empty where nothing comes near it."""
    if text.strip().startswith("{"):
        return " (an id looks like {00000000-0000-0000-0000-000000000021})"
    spelled = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    near = difflib.get_close_matches(spelled, NAMES, _NEAR_MATCHES)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
