# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that make no sense together are refused before anything is sent, with a message that names them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.modules import (
    client_action,
    client_log,
    provisioning_mode,
    provisioning_timeout,
    smstsmgr_dependency,
)


def mode(**options: t.Any) -> str | None:
    return provisioning_mode.check(
        {
            "enabled": False,
            "hold": None,
            "hold_owner": None,
            "window": None,
            "force": False,
            "force_reason": None,
            "wait_timeout": 120,
            "deadline": 300,
            "trigger": [],
            **options,
        }
    )


def action(**options: t.Any) -> str | None:
    return client_action.check({"schedules": None, "pause": 0, "wait_timeout": 60, "deadline": 300, **options})


def timeout(**options: t.Any) -> str | None:
    return provisioning_timeout.check({"state": "present", "max_minutes": 720, "allow_short": False, **options})


def dependency(*names: str) -> str | None:
    return smstsmgr_dependency.check({"state": "present", "depends_on": list(names)})


def test_options_that_make_sense() -> None:
    assert mode() is None
    assert mode(force=True, force_reason="CHG0012345") is None
    assert mode(window="22:00-04:30") is None
    assert mode(trigger=["file_collection", "{00000000-0000-0000-0000-000000000113}"]) is None
    assert action() is None
    assert action(schedules=["software_updates_scan"], pause=299) is None
    assert timeout() is None
    assert timeout(max_minutes=0) is None
    assert timeout(max_minutes=5, allow_short=True) is None
    assert timeout(state="absent", max_minutes=None) is None
    assert dependency() is None
    assert dependency("Winmgmt", "NetTcpPortSharing", "MSSQL$PROD", "clr_optimization_v4.0.30319_64") is None
    assert smstsmgr_dependency.check({"depends_on": None}) is None


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_force_has_a_reason(reason: str) -> None:
    assert "force_reason" in mode(force=True, force_reason=reason)


def test_a_window_is_one_and_is_for_a_release() -> None:
    assert "window='22-4' is no window" in mode(window="22-4")
    assert "window goes with enabled=false" in mode(window="22:00-04:30", enabled=True)


@pytest.mark.parametrize(("wait", "deadline"), [(300, 300), (301, 300)])
def test_waiting_ends_before_the_task_does(wait: int, deadline: int) -> None:
    problem = mode(wait_timeout=wait, deadline=deadline)
    assert str(wait) in problem
    assert str(deadline) in problem


@pytest.mark.parametrize("minutes", [1, 59, -1, 2**32])
def test_limit_acts_as_it_says(minutes: int) -> None:
    assert f"max_minutes={minutes}" in timeout(max_minutes=minutes)


def test_limit_that_is_to_go_has_no_number() -> None:
    assert "max_minutes" in timeout(state="absent", max_minutes=720)


@pytest.mark.parametrize(
    "name", ["", " ", "Winmgmt ", "/", "a/b", 'a"b', "a&b", "a\\b", "a\nb", "+group", "\u00e4", "x" * 257, "a\tb"]
)
def test_dependency_is_the_name_of_a_service(name: str) -> None:
    assert repr(name) in dependency("Winmgmt", name)


def test_schedules_are_known() -> None:
    assert "trigger names" in mode(trigger=["everything"])
    assert "schedules names" in action(schedules=["everything"])
    assert "schedules is empty" in action(schedules=[])


@pytest.mark.parametrize(("pause", "wait", "seconds"), [(120, 60, 300), (0, 300, 300), (240, 60, 540)])
def test_schedules_end_before_the_task_does(pause: int, wait: int, seconds: int) -> None:
    problem = action(
        schedules=["hardware_inventory", "file_collection", "data_discovery"], pause=pause, wait_timeout=wait
    )
    assert f"{seconds} seconds" in problem
    assert "deadline=300" in problem


def log(**options: t.Any) -> str | None:
    nothing = dict.fromkeys(("name", "path", "since", "until", "pattern"))
    return client_log.check({**nothing, "max_bytes": 262144, "max_records": 200, **options})


def test_log_that_makes_sense() -> None:
    assert log() is None
    assert log(name="client", since="90", until="2026-11-02T08:00:00Z", pattern="error|fail") is None
    assert log(path=r"C:\Windows\CCM\Logs\CcmExec.log", max_bytes=1024, max_records=1) is None


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("max_bytes", number) for number in (-1, 1023, 4194305)),
        *(("max_records", number) for number in (0, 10001)),
        ("name", "all"),
        ("path", r"\\server\CCM\Logs\a.log"),
        ("since", "now"),
        ("until", ""),
        ("pattern", "("),
    ],
)
def test_log_option_that_is_wrong_is_named(option: str, value: object) -> None:
    assert str(log(**{option: value})).startswith(f"{option}=")
