# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet file's words for a machine, and changes to a living one."""

from __future__ import annotations

from typing import Any

import pytest
from simulator.windows.spec import MachineSpec, SpecError

from .conftest import Endpoint


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"colour": "red"}, "x.colour: unknown key"),
        ({"provisioning": {"mode": "maybe"}}, "x.provisioning.mode: 'maybe' … allowed: true, false, absent"),
        ({"provisioning": {"mode": 1}}, "x.provisioning.mode: 1"),
        ({"provisioning": {"entered": "soon"}}, "x.provisioning.entered: 'soon'"),
        ({"provisioning": {"entered": "raw:x"}}, "a raw text only with"),
        ({"services": {"CcmExec": {"state": "Paused"}}}, "x.services.CcmExec.state: 'Paused' … allowed: Running"),
        ({"variants": {"return_value": "none"}}, "x.variants.return_value: 'none' … allowed: zero, absent, nil"),
        ({"variants": {"wmic": 1}}, "x.variants.wmic: 1 … allowed: true, false"),
        ({"uptime": "long"}, "x.uptime: 'long' is not a duration"),
        ({"client_version": "2403"}, "x.client_version: '2403'"),
        ({"broken_classes": {"Win32_Process": "sad"}}, "x.broken_classes.Win32_Process: 'sad'"),
        ({"registry": {"HKLM\\X": {"v": {"type": "dword", "data": "one"}}}}, "x.registry.HKLM\\X.v.data: 'one'"),
        ({"processes": "cmd.exe"}, "x.processes: 'cmd.exe' … allowed: a list of texts"),
    ],
)
def test_mistakes_are_named(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        MachineSpec.from_mapping(mapping, "x")
    assert message in str(caught.value)


def test_a_patch_changes_only_what_it_names() -> None:
    endpoint = Endpoint("stuck")
    before = endpoint.machine.describe()["registry"]
    endpoint.advance(hours=1)
    endpoint.machine.patch({"provisioning": {"max_minutes": 240}})
    after = endpoint.machine.describe()["registry"]
    key = "HKLM\\SOFTWARE\\Microsoft\\CCM"
    values = after[key]["CcmExec"]["key"]
    assert values.pop("ProvisioningMaxMinutes") == {"type": "REG_DWORD", "data": 240}
    assert values == before[key]["CcmExec"]["key"]


def test_a_client_can_come_and_go() -> None:
    endpoint = Endpoint("no_client")
    endpoint.machine.patch({"client_version": "5.00.9128.1007"})
    assert (endpoint.mode, endpoint.ccmexec()["State"]) == ("normal", "Running")
    endpoint.machine.patch({"client_version": None})
    endpoint.advance(hours=3)
    assert endpoint.mode == "not_installed"


def test_a_patched_service_tells_the_client() -> None:
    endpoint = Endpoint()
    endpoint.machine.patch({"services": {"CcmExec": {"state": "Stopped", "start_mode": "Disabled"}}})
    assert not endpoint.machine.describe()["client"]["running"]
    endpoint.machine.patch({"services": {"CcmExec": {"state": "Running", "start_mode": "Auto"}}})
    assert endpoint.machine.describe()["client"]["running"]


def test_the_machines_own_clock_may_be_wrong() -> None:
    endpoint = Endpoint("recent", clock_skew=-7200, os={"time_zone": 120})
    (row,) = endpoint.rows("root/cimv2", "SELECT LocalDateTime, CurrentTimeZone FROM Win32_OperatingSystem")
    assert (str(row["LocalDateTime"]), row["CurrentTimeZone"]) == ("2026-11-02 06:00:00+00:00", 120)
    seconds = endpoint.registry("GetQWORDValue", sValueName="ProvisioningEnabledTime")["uValue"]
    assert seconds == int(row["LocalDateTime"].timestamp()) - 3600  # type: ignore[union-attr]


def test_logs_have_the_opposite_sign() -> None:
    endpoint = Endpoint(os={"time_zone": 60})
    assert ".000-60" in endpoint.machine.run_program(None, "type C:\\Windows\\CCM\\Logs\\CcmExec.log").stdout


def test_machines_share_what_they_do_not_change() -> None:
    one, other = Endpoint(), Endpoint()
    one.registry("SetStringValue", "SOFTWARE\\Policies\\Microsoft\\Windows", sValueName="x", sValue="1")
    assert other.registry("EnumValues", "SOFTWARE\\Policies\\Microsoft\\Windows")["sNames"] is None
