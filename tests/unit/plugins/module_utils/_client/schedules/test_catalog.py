# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import catalog
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.catalog import (
    AFTER_EXIT,
    NAMES,
    TABLE,
    find,
    problem,
)

# Microsoft's reference of SMS_Client.TriggerSchedule: "Software Updates Assignments Evaluation Cycle" is 108 and
# "Scan by Update Source" is 113; scripts in public have them the other way round.
DOCUMENTED = [
    *(1, 2, 3, 10, 11, 12, 21, 22, 23, 24, 25, 26, 27, 31, 32, 37, 40, 41, 42, 43, 51, 61, 62, 63),
    *(101, 102, 103, 104, 105, 106, 107, 108, 109, 111, 112, 113, 114, 115, 116, 121, 122, 123, 131, 221, 222, 223),
]
FIXED = {
    "hardware_inventory": 1,
    "software_inventory": 2,
    "data_discovery": 3,
    "machine_policy_request": 21,
    "machine_policy_evaluation": 22,
    "software_updates_evaluation": 108,
    "send_unsent_state_messages": 111,
    "software_updates_scan": 113,
    "application_evaluation": 121,
}


def test_every_documented_schedule_has_a_name_of_its_own() -> None:
    assert [schedule.number for schedule in TABLE] == DOCUMENTED
    assert len(set(NAMES)) == len(NAMES) == len(TABLE)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in NAMES)


@pytest.mark.parametrize(("name", "number"), FIXED.items())
def test_name_means_this_schedule(name: str, number: int) -> None:
    assert find(name).number == number


@pytest.mark.parametrize("schedule", TABLE, ids=NAMES)
def test_name_and_id_mean_the_same(schedule: catalog.Schedule) -> None:
    assert schedule.id == f"{{00000000-0000-0000-0000-000000000{schedule.number:03d}}}"
    assert find(schedule.name) is find(schedule.id) is schedule
    assert problem("schedules", [schedule.name]) is problem("schedules", [schedule.id]) is None


def test_what_installs_in_the_mode_is_said() -> None:
    assert {schedule.number for schedule in TABLE if "installations" in schedule.in_mode} == {63, 108, 121, 123}


def test_default_installs_nothing() -> None:
    assert problem("schedules", AFTER_EXIT) is None
    assert not any("installations" in find(name).in_mode for name in AFTER_EXIT)


@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), st.text())
def test_unknown_name_is_named(known: list[str], text: str) -> None:
    assert problem("schedules", known) is None
    if text in NAMES:
        return
    found = problem("schedules", [*known, text])
    assert found is not None
    assert repr(text) in found
    assert found.startswith("schedules ")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("machine_policy", "machine_policy_request"),
        ("Machine Policy Evaluation", "machine_policy_evaluation"),
        ("hardwareinventory", "hardware_inventory"),
        ("software-updates-scan", "software_updates_scan"),
        ("aplication_evaluation", "application_evaluation"),
        ("{21}", "{00000000-0000-0000-0000-000000000021}"),
    ],
)
def test_near_matches_are_listed(text: str, meant: str) -> None:
    found = problem("trigger", ["hardware_inventory", text])
    assert found is not None
    assert meant in found
    assert "The names are" not in found


def test_all_names_are_listed_where_none_is_near() -> None:
    found = problem("trigger", ["hardwareinventory", "coffee"])
    assert found is not None
    assert found.endswith(", ".join(NAMES))


def test_every_unknown_name_is_in_one_message() -> None:
    found = problem("schedules", ["one", "two"])
    assert found is not None
    assert "'one'" in found
    assert "'two'" in found


@pytest.mark.parametrize("schedule", TABLE, ids=NAMES)
def test_schedule_is_given_once_however_it_is_spelled(schedule: catalog.Schedule) -> None:
    found = problem("schedules", [schedule.name, schedule.id])
    assert found is not None
    assert schedule.name in found
