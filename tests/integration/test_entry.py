# SPDX-License-Identifier: GPL-3.0-or-later
"""Entering the mode: guarded and verified like the way out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, client_key

FIRST = ("processes", "services", "setup", "winpe")


def enter(
    profile: str = "normal", /, *, options: dict[str, Any] | None = None, check: bool = False, **spec: Any
) -> Case:
    return Case("provisioning_mode", {"enabled": True, **(options or {})}, {"profile": profile, **spec}, check=check)


ENTERED = {
    "normal": enter(),
    "old client": enter(client_version="5.00.8577.1005", provisioning={"entered": "absent"}),
    "half exited": enter("half_exited"),
    "one spelling refused": enter(wsman={"client_wmi_uri": "not_found"}),
    "refused natively": enter(variants={"sms_client_invoke": "refused"}),
    "by command": enter(options={"via": "command"}),
    "by powershell": enter(options={"via": "command"}, variants={"wmic": False}),
    "lost answer": enter(faults=[{"match": {"method": "SetClientProvisioningMode", "nth": 1}, "then": "drop_after"}]),
}
QUICK = {"wait_timeout": 1}
LEFT_ALONE = {
    "task sequence": enter(processes=["TSManager.exe"]),
    "agent": enter(services={"smstsmgr": {"state": "Running"}}),
    "setup": enter(processes=["SetupHost.exe"]),
    "oobe": enter(setup={"OOBEInProgress": 1}),
    "winpe": enter(winpe=True),
    "armed": enter(setup={"SetupType": 2, "CmdLine": r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"}),
    "client stopped": enter(services={"CcmExec": {"state": "Stopped"}}),
    "no client": enter("no_client"),
    "missing mode": enter("missing_mode_value"),
    "processes in the dark": enter(broken_classes={"Win32_Process": "provider_failure"}),
    "setup in the dark": enter(faults=[{"match": {"value": "SYSTEM\\Setup"}, "then": "provider_failure"}]),
    "winpe in the dark": enter(faults=[{"match": {"value": "MiniNT"}, "then": "provider_failure"}]),
    "started meanwhile": enter(
        triggers=[
            {"after": {"class": "Win32_Process", "nth": 1}, "do": {"event": "start_process", "name": "TSManager.exe"}}
        ]
    ),
}
FAILED = {
    "ignored": (enter(variants={"set_provisioning_mode": "ignored"}, options=QUICK), "ProvisioningMode is still false"),
    "fails": (
        enter(variants={"set_provisioning_mode": "fails", "fails_after_seconds": 0}, options=QUICK),
        "0x80004005",
    ),
    "dependency bug": (enter("smstsmgr_dependency", options=QUICK), "0x80004005"),
    "stale name": (enter(machine_name="PC-RENAMED"), "PC-RENAMED"),
    "limited account": (enter(account="limited"), "local administrator"),
}
CHECKED = {"check": enter(check=True)}


@pytest.fixture(scope="module")
def outcomes(lab: Lab) -> dict[str, Outcome]:
    failed = {f"failed: {key}": case for key, (case, _) in FAILED.items()}
    return lab.play({**ENTERED, **LEFT_ALONE, **failed, **CHECKED})


@pytest.fixture(scope="module")
def again(lab: Lab, outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    return lab.again({key: outcomes[key].endpoint["name"] for key in ENTERED}, ENTERED)


@pytest.mark.parametrize("key", ENTERED)
def test_enters_and_verifies(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed, outcome.result.get("action")) == ("ok", True, "entered"), outcome.msg
    assert outcome.endpoint["mode"] == "provisioning"
    assert outcome.endpoint["client"]["loaded_mode"] is True
    assert outcome.endpoint["services"]["CcmExec"]["state"] == "Running"
    assert outcome.result["provisioning_mode"] is True
    assert outcome.result["system_task_excludes"] == client_key(outcome.endpoint)["SystemTaskExcludes"]["data"] != ""
    assert outcome.result["diff"]["before"]["ProvisioningMode"] is False
    assert outcome.result["diff"]["after"]["ProvisioningMode"] is True
    # What got no answer is read back first.
    assert [write["event"] for write in outcome.writes] == ["SMS_Client.SetClientProvisioningMode"]
    assert outcome.endpoint["shells"] == []


@pytest.mark.parametrize("key", ENTERED)
def test_the_time_of_entry_moved(outcomes: dict[str, Outcome], key: str) -> None:
    before, after = (
        client_key(state).get("ProvisioningEnabledTime") for state in (outcomes[key].before, outcomes[key].endpoint)
    )
    if key == "old client":
        assert before is after is None
    else:
        assert after["data"] > before["data"]


@pytest.mark.parametrize("key", ENTERED)
def test_a_second_entry_changes_nothing(again: dict[str, Outcome], key: str) -> None:
    outcome = again[key]
    assert (outcome.status, outcome.changed, outcome.result["action"]) == ("ok", False, "none")
    assert outcome.result["left_alone"] == ""
    assert outcome.writes == []
    assert client_key(outcome.endpoint) == client_key(outcome.before)


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_left_alone(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.status, outcome.changed, outcome.result.get("action")) == ("ok", False, "none"), outcome.msg
    assert outcome.result["left_alone"]
    assert outcome.msg.startswith("Left alone.")
    assert outcome.writes == []


@pytest.mark.parametrize("key", FAILED)
def test_failed(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[f"failed: {key}"]
    assert (outcome.status, outcome.changed) == ("failed", False)
    assert FAILED[key][1] in outcome.msg
    assert outcome.endpoint["mode"] == "normal"
    assert outcome.endpoint["registry"] == outcome.before["registry"]


def test_rehearsal(outcomes: dict[str, Outcome]) -> None:
    checked, done = outcomes["check"], outcomes["normal"]
    assert checked.writes == []
    assert checked.endpoint["registry"] == checked.before["registry"]
    assert "Would enter" in checked.msg
    for name in ("changed", "action", "steps", "diff", "verdict"):
        assert checked.result[name] == done.result[name], name
