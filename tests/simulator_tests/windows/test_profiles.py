# SPDX-License-Identifier: GPL-3.0-or-later
"""What the named machines look like to who asks them over WMI."""

from __future__ import annotations

import pytest
from simulator.windows.wmi import WmiError

from .conftest import PROFILES, Endpoint

MODES = {
    "normal": "normal",
    "live_osd": "provisioning",
    "live_upgrade": "provisioning",
    "upgrade_pending_restart": "provisioning",
    "stuck": "provisioning",
    "overdue": "provisioning",
    "half_exited": "half_exited",
    "half_exited_ccmexec_disabled": "normal",
    "dead_upgrade": "provisioning",
    "recent": "provisioning",
    "old_client": "provisioning",
    "lying_client": "provisioning",
    "missing_mode_value": "normal",
    "no_client": "not_installed",
}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_makes_a_machine_that_describes_itself(profile: str) -> None:
    assert Endpoint(profile).machine.describe()["up"]


@pytest.mark.parametrize("profile", MODES)
def test_mode(profile: str) -> None:
    assert Endpoint(profile).mode == MODES[profile]


@pytest.mark.parametrize(
    ("profile", "engine"),
    [
        ("live_osd", {"TSManager.exe", "TsProgressUI.exe"}),
        ("live_upgrade", {"TSManager.exe", "setupprep.exe", "SetupHost.exe"}),
        ("upgrade_pending_restart", set()),
        ("stuck", set()),
        ("dead_upgrade", set()),
    ],
)
def test_live_programs(profile: str, engine: set[str]) -> None:
    rows = Endpoint(profile).rows(
        "root/cimv2",
        "SELECT Name FROM Win32_Process WHERE Name='TSManager.exe' OR Name='TsProgressUI.exe' "
        "OR Name='SetupHost.exe' OR Name='setupprep.exe' OR Name='TSMBootstrap.exe'",
    )
    assert sorted(str(row["Name"]) for row in rows) == sorted(engine)


def test_a_stuck_machine_keeps_its_dead_request() -> None:
    (row,) = Endpoint("stuck").rows("root/ccm/SoftMgmtAgent", "SELECT * FROM CCM_ExecutionRequestEx")
    assert (row["State"], row["RunningState"], row["CompletionState"]) == ("Ready", "NotifyExecution", "Failure")
    assert row["ProgramID"] == "*"


def test_a_machine_without_client_has_no_namespace_and_no_key() -> None:
    endpoint = Endpoint("no_client")
    with pytest.raises(WmiError) as caught:
        endpoint.wmi.get("root/ccm", "SMS_Client", {})
    assert caught.value.hresult == 0x8004100E
    assert endpoint.registry("GetStringValue", sValueName="ProvisioningMode")["ReturnValue"] == 2
    assert not endpoint.rows("root/cimv2", "SELECT * FROM Win32_Service WHERE Name='CcmExec'")


def test_denied_and_limited_accounts() -> None:
    with pytest.raises(WmiError, match="Access denied"):
        Endpoint("access_denied").text("ProvisioningMode")
    limited = Endpoint("limited_account")
    assert limited.text("ProvisioningMode") == "true"
    assert limited.registry("DeleteValue", sValueName="ProvisioningMode")["ReturnValue"] == 5
    assert limited.service("StopService", "CcmExec") == 2
    with pytest.raises(WmiError) as caught:
        limited.set_mode(False)
    assert caught.value.kind == "access_denied"


def test_one_broken_class_leaves_the_others_alone() -> None:
    endpoint = Endpoint("broken_wmi")
    with pytest.raises(WmiError) as caught:
        endpoint.rows("root/cimv2", "SELECT Name FROM Win32_Process")
    assert caught.value.kind == "provider_failure"
    assert endpoint.rows("root/cimv2", "SELECT Name FROM Win32_OperatingSystem")


@pytest.mark.parametrize(
    ("profile", "kind"),
    [
        ("stuck", 11),
        ("wrong_type_timestamp", 1),
        ("binary_timestamp", 3),
    ],
)
def test_type_of_the_timestamp(profile: str, kind: int) -> None:
    found = Endpoint(profile).registry("EnumValues")
    names, types = found["sNames"], found["Types"]
    assert isinstance(names, list)
    assert isinstance(types, list)
    assert types[names.index("ProvisioningEnabledTime")] == kind


def test_an_old_client_has_no_timestamp() -> None:
    names = Endpoint("old_client").registry("EnumValues")["sNames"]
    assert isinstance(names, list)
    assert "ProvisioningEnabledTime" not in names
