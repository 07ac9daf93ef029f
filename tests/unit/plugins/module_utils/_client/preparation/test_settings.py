# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import safeguard
from ansible_collections.configmgr.client.plugins.module_utils._client.preparation.settings import (
    BootTask,
    MaxMinutes,
    RunOnce,
    Setting,
    Unsupported,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import Write
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import KeyAbsent
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import USUAL_SYSTEM_DIRECTORY
from tests.unit.windows import CCMEXEC, Windows


def put(windows: Windows, setting: Setting, value: t.Any) -> None:
    with Guard(windows.endpoint, "pc-0001", "short").writing(Write("test")):
        setting.write(value)


@given(st.lists(st.none() | st.integers(0, 2**32 - 1), min_size=1))
def test_limit_is_written_and_put_back(limits: list[int | None]) -> None:
    windows = Windows()
    setting = MaxMinutes(windows.endpoint)
    for limit in limits:
        value = None if limit is None else MaxMinutes.value(limit)
        put(windows, setting, value)
        assert setting.equal(setting.read(), value) and setting.display(value) == limit and not setting.obstacle(value)


@pytest.mark.parametrize(("type_", "data", "reversible"), [(1, "720", True), (2, "%x%", False), (11, 720, True)])
def test_limit_of_another_type_is_put_back_as_it_was_or_not_written_over(
    type_: int, data: t.Any, reversible: bool
) -> None:
    windows = Windows()
    setting = MaxMinutes(windows.endpoint)
    windows.set(ProvisioningMaxMinutes=(type_, data))
    before = setting.read()
    assert bool(setting.obstacle(before)) != reversible and str(type_) in setting.display(before)
    if reversible:
        put(windows, setting, MaxMinutes.value(60))
        put(windows, setting, before)
        assert windows.registry[CCMEXEC, "ProvisioningMaxMinutes"] == (type_, data)


def test_limit_of_no_client_is_no_limit() -> None:
    windows = Windows()
    windows.keys.remove(CCMEXEC)
    windows.registry.clear()
    with pytest.raises(KeyAbsent):
        MaxMinutes(windows.endpoint).read()


@pytest.mark.parametrize("wmic", [True, False])
@pytest.mark.parametrize("key_is_there", [True, False])
def test_line_is_left_for_the_next_logon_and_taken_away(wmic: bool, key_is_there: bool) -> None:
    windows = Windows()
    windows.rows["CIM_DataFile"] = [{"Name": "wmic.exe", "FileSize": 1}] * wmic
    windows.keys |= {safeguard.RUN_ONCE_KEY} if key_is_there else set()
    setting = RunOnce(windows.endpoint)
    value = setting.value()
    assert setting.read() is None
    put(windows, setting, value)
    assert setting.read() == value and ("WMIC" in value["data"]) == wmic
    assert (setting.display(value), setting.obstacle(value)) == ("at the next logon", "")
    edited = {**value, "data": f"{value['data']} & calc"}
    assert "edited" in setting.display(edited) and "edited" in setting.obstacle(edited)
    put(windows, setting, None)
    assert setting.read() is None and not setting.obstacle(None)
    assert windows.writes == ["CreateKey"] * (not key_is_there) + ["SetStringValue", "DeleteValue"]


@given(st.integers(1, 9999))
def test_task_that_somebody_edited_is_told_from_ours_with_any_delay(delay: int) -> None:
    setting = BootTask(Windows().endpoint)
    value = setting.value(delay)
    assert value == safeguard.boot_task(USUAL_SYSTEM_DIRECTORY, delay).as_result()
    assert (setting.obstacle(value), setting.display(value)) == ("", f"{delay} min after a boot")
    for edited in (
        {**value, "enabled": False},
        {**value, "delay_minutes": delay + 0.5},
        {**value, "delay_minutes": None},
    ):
        assert "edited" in setting.obstacle(edited) and "(edited)" in setting.display(edited)


def test_directory_that_a_shell_would_read_otherwise_is_refused() -> None:
    windows = Windows()
    windows.rows["Win32_OperatingSystem"][0]["SystemDirectory"] = r"C:\Program Files\Windows"
    windows.rows["CIM_DataFile"] = []
    for value in (lambda: BootTask(windows.endpoint).value(5), RunOnce(windows.endpoint).value):
        with pytest.raises(Unsupported, match="Program Files"):
            value()
