# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import NAMES, schedule_id

# Microsoft's reference of SMS_Client.TriggerSchedule: "Software Updates Assignments Evaluation Cycle" is 108 and
# "Scan by Update Source" is 113; scripts in public have them the other way round.
DOCUMENTED = {
    "hardware_inventory": "{00000000-0000-0000-0000-000000000001}",
    "software_inventory": "{00000000-0000-0000-0000-000000000002}",
    "data_discovery": "{00000000-0000-0000-0000-000000000003}",
    "machine_policy_request": "{00000000-0000-0000-0000-000000000021}",
    "machine_policy_evaluation": "{00000000-0000-0000-0000-000000000022}",
    "software_updates_evaluation": "{00000000-0000-0000-0000-000000000108}",
    "send_unsent_state_messages": "{00000000-0000-0000-0000-000000000111}",
    "software_updates_scan": "{00000000-0000-0000-0000-000000000113}",
    "application_evaluation": "{00000000-0000-0000-0000-000000000121}",
}


def test_every_name_is_documented() -> None:
    assert set(NAMES) == DOCUMENTED.keys()


@pytest.mark.parametrize(("name", "identifier"), DOCUMENTED.items())
def test_identifier(name: str, identifier: str) -> None:
    assert schedule_id(name) == identifier


def test_unknown_name() -> None:
    with pytest.raises(KeyError):
        schedule_id("everything")
