# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's schedules by name. Source: Microsoft's reference of SMS_Client.TriggerSchedule."""

from __future__ import annotations

MACHINE_POLICY_REQUEST = "machine_policy_request"
MACHINE_POLICY_EVALUATION = "machine_policy_evaluation"

_NUMBERS = {
    "hardware_inventory": 1,
    "software_inventory": 2,
    "data_discovery": 3,
    MACHINE_POLICY_REQUEST: 21,
    MACHINE_POLICY_EVALUATION: 22,
    "send_unsent_state_messages": 111,
    "software_updates_evaluation": 108,
    "software_updates_scan": 113,
    "application_evaluation": 121,
}

NAMES = tuple(_NUMBERS)


def schedule_id(name: str) -> str:
    """The id that TriggerSchedule takes; KeyError for a name that is not in NAMES."""
    return f"{{00000000-0000-0000-0000-{_NUMBERS[name]:012d}}}"
