# SPDX-License-Identifier: GPL-3.0-or-later
"""Ad-hoc: the verdict of each kind of endpoint, its evidence, and what finding out cost."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, Run, client_key
from tests.simulator.fleet import profiles

# Profile: the verdict of a brief read, the verdict of a full one where it is another.
VERDICTS = {
    "normal": ("normal", ""),
    "server": ("normal", ""),
    "smstsmgr_dependency": ("normal", ""),
    "half_exited": ("half_exited", ""),
    "half_exited_ccmexec_disabled": ("normal", "half_exited"),
    "live_osd": ("expected", ""),
    "live_upgrade": ("expected", ""),
    "upgrade_pending_restart": ("resume_pending", ""),
    "recent": ("recent", ""),
    "held": ("held", ""),
    "hold_expired": ("stuck", ""),
    "stuck": ("stuck", ""),
    "dead_upgrade": ("stuck", ""),
    "old_client": ("stuck", ""),
    "restarting": ("stuck", ""),
    "native_refused": ("stuck", ""),
    "lying_client": ("stuck", ""),
    "failing_client": ("stuck", ""),
    "starting_client": ("resume_pending", ""),
    "leftovers": ("normal", ""),
    "limited_account": ("stuck", ""),
    "stale_name": ("stuck", ""),
    "future_timestamp": ("stuck", ""),
    "zero_timestamp": ("stuck", ""),
    "no_timestamp": ("stuck", ""),
    "wrong_type_timestamp": ("stuck", ""),
    "binary_timestamp": ("stuck", ""),
    "overdue": ("overdue", ""),
    "failed_entry": ("normal", ""),
    "oem_key": ("stuck", ""),
    "no_client": ("not_installed", ""),
    "winpe": ("not_installed", ""),
    "missing_mode_value": ("unknown", ""),
    "broken_wmi": ("unknown", ""),
    "broken_client_wmi": ("unknown", ""),
}
# Profile: status and layer where there is no verdict.
NO_VERDICT = {
    "access_denied": ("failed", "permission"),
    "wrong_password": ("unreachable", "login"),
    "switched_off": ("unreachable", "port"),
}


class Fleet:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names = lab.add({profile: {"profile": profile} for profile in profiles()})
        self.inventory = lab.inventory({name: lab.host_vars(name) for name in self.names.values()})
        self.brief = self._look()
        self.traffic = {profile: lab.simulator.traffic(name) for profile, name in self.names.items()}
        self.full = self._look("-a", "full=true")
        self.endpoints = {profile: lab.simulator.endpoint(name) for profile, name in self.names.items()}

    def _look(self, *options: str) -> Run:
        return self.lab.ansible(
            "ansible", "windows", "-i", self.inventory, "-m", "configmgr.client.provisioning_mode_info", *options
        )


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Fleet:
    return Fleet(lab)


def test_every_profile_is_expected_here() -> None:
    assert sorted({*VERDICTS, *NO_VERDICT}) == sorted(profiles())


@pytest.mark.parametrize("profile", VERDICTS)
def test_ad_hoc_gives_the_verdict(fleet: Fleet, profile: str) -> None:
    brief, full = VERDICTS[profile]
    for run, verdict in ((fleet.brief, brief), (fleet.full, full or brief)):
        event = run.module(fleet.names[profile])
        assert (event.status, event.result["verdict"]) == ("ok", verdict)
        assert event.result["summary"].endswith(".")
        assert event.result["changed"] is False


@pytest.mark.parametrize("profile", NO_VERDICT)
def test_ad_hoc_names_what_stands_in_the_way(fleet: Fleet, profile: str) -> None:
    status, layer = NO_VERDICT[profile]
    for run in (fleet.brief, fleet.full):
        event = run.module(fleet.names[profile])
        assert (event.status, event.result["error_layer"]) == (status, layer)
        assert "verdict" not in event.result
        assert len(event.result["msg"].splitlines()) == 1


@pytest.mark.parametrize("profile", [*VERDICTS, *NO_VERDICT])
def test_looking_changes_nothing_and_starts_nothing(fleet: Fleet, profile: str) -> None:
    endpoint = fleet.endpoints[profile]
    assert endpoint["writes"] == []
    assert endpoint["shells_opened"] == 0
    assert endpoint["open_enumerations"] == 0
    allowed = {"Get", "Enumerate", "Pull", "Invoke"}
    calls = fleet.traffic[profile]["calls"]
    assert {call["operation"] for call in calls} <= allowed
    assert {call["method"] for call in calls if call["method"]} <= {
        *("GetStringValue", "GetDWORDValue", "GetQWORDValue", "GetBinaryValue", "EnumValues", "EnumKey")
    }


def test_the_process_tells_what_failed_and_what_could_not_be_reached(fleet: Fleet) -> None:
    assert fleet.brief.rc == 4
    for status, word in (("failed", "FAILED!"), ("unreachable", "UNREACHABLE!")):
        for profile in (each for each, (is_so, _) in NO_VERDICT.items() if is_so == status):
            assert f"{fleet.names[profile]} | {word}" in fleet.brief.output


# -- evidence ----------------------------------------------------------------------------------------------------------

EVIDENCE = [
    ("normal", "mode", ["false"]),
    ("stuck", "mode", ["true"]),
    ("missing_mode_value", "mode", [None]),
    ("live_osd", "process", ["TSManager.exe", "TsProgressUI.exe"]),
    ("live_upgrade", "process", ["SetupHost.exe", "TSManager.exe", "setupprep.exe"]),
    ("live_osd", "setup", ["SystemSetupInProgress=1", "OOBEInProgress=1", r"oobe\windeploy.exe"]),
    ("upgrade_pending_restart", "setup", [r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"]),
    ("upgrade_pending_restart", "process", []),
    ("stuck", "request", ["Ready/NotifyExecution/Failure"]),
    ("live_upgrade", "request", ["Running/Running/-"]),
    ("dead_upgrade", "service", ["CcmExec Stopped Disabled"]),
    ("stuck", "service", ["CcmExec Running Auto"]),
    ("zero_timestamp", "entered_at", [0]),
    ("wrong_type_timestamp", "entered_at", ["yesterday"]),
    ("broken_wmi", "processes", [None]),
    ("broken_client_wmi", "client_version", [None]),
    ("stuck", "hold", []),
]


@pytest.mark.parametrize(("profile", "signal", "values"), EVIDENCE)
def test_evidence(fleet: Fleet, profile: str, signal: str, values: list[object]) -> None:
    evidence = fleet.full.module(fleet.names[profile]).result["evidence"]
    assert [item["value"] for item in evidence if item["signal"] == signal] == values
    assert all(item["means"] for item in evidence)


def test_the_verdict_says_which_evidence_it_goes_by(fleet: Fleet) -> None:
    for profile, phrase in {
        "live_osd": "TSManager.exe",
        "live_upgrade": "Windows Setup runs",
        "upgrade_pending_restart": "SetupComplete.cmd",
        "recent": "for 1 h",
        "stuck": "for 1 d 6 h",
        "broken_wmi": "processes could not be read",
        "missing_mode_value": "absent",
        "future_timestamp": "in the future",
        "zero_timestamp": "zero",
    }.items():
        assert phrase in fleet.full.module(fleet.names[profile]).result["summary"], profile


# -- timeline ----------------------------------------------------------------------------------------------------------


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize("profile", ["stuck", "recent", "overdue", "dead_upgrade"])
def test_timeline(fleet: Fleet, profile: str) -> None:
    timeline = fleet.full.module(fleet.names[profile]).result["timeline"]
    entered = client_key(fleet.endpoints[profile])["ProvisioningEnabledTime"]["data"]
    assert epoch(timeline["entered_at"]) == entered
    assert epoch(timeline["self_exit_earliest"]) == entered + 2880 * 60
    assert epoch(timeline["self_exit_latest"]) == entered + 2940 * 60
    assert timeline["age_minutes"] == {"stuck": 1800, "recent": 60, "overdue": 8640, "dead_upgrade": 1800}[profile]
    assert (timeline["limit_minutes"], timeline["leaves_by_itself"]) == (2880, True)
    assert "ProvisioningMaxMinutes is absent" in timeline["limit_source"]


@pytest.mark.parametrize(
    ("profile", "problem"),
    {
        "no_timestamp": "absent",
        "zero_timestamp": "zero",
        "future_timestamp": "in the future",
        "wrong_type_timestamp": "not a number",
        "binary_timestamp": "not a number",
    }.items(),
)
def test_a_time_of_entry_that_cannot_be_used_is_said_so(fleet: Fleet, profile: str, problem: str) -> None:
    timeline = fleet.full.module(fleet.names[profile]).result["timeline"]
    assert timeline["entered_at"] is None
    assert problem in timeline["entered_problem"]
    assert timeline["age_minutes"] is None
    assert timeline["self_exit_earliest"] is None


def test_an_old_client_never_leaves_by_itself(fleet: Fleet) -> None:
    result = fleet.full.module(fleet.names["old_client"]).result
    assert result["client_version"] == "5.00.8577.1005"
    assert result["timeline"]["leaves_by_itself"] is False


def test_names_and_clock(fleet: Fleet) -> None:
    right = fleet.full.module(fleet.names["stuck"]).result
    assert (right["computer_name"], right["name_matches"]) == (fleet.names["stuck"], True)
    stale = fleet.full.module(fleet.names["stale_name"]).result
    assert (stale["computer_name"], stale["name_matches"]) == ("PC-RENAMED", False)
    assert right["client_version"] == "5.00.9128.1007"


# -- costs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["normal", "server", "smstsmgr_dependency", "half_exited_ccmexec_disabled"])
def test_a_healthy_endpoint_costs_two_calls(fleet: Fleet, profile: str) -> None:
    traffic = fleet.traffic[profile]
    assert [call["method"] for call in traffic["calls"]] == ["GetStringValue", "GetStringValue"]
    assert 0 < traffic["wire_bytes"] < 8192
    assert traffic["login_requests"] == 3


@pytest.mark.parametrize("profile", [each for each, (verdict, _) in VERDICTS.items() if verdict != "normal"])
def test_a_full_read_costs_this_many_calls_at_most(fleet: Fleet, profile: str) -> None:
    """The mode 2, what runs 13, the client 1, its values and their types 3, the hold 2 and the requests 2."""
    assert len(fleet.traffic[profile]["calls"]) <= 23


def test_a_wrong_password_is_tried_once(fleet: Fleet) -> None:
    """Three requests are one login: asked without, asked with a negotiation, answered with the proof."""
    assert fleet.traffic["wrong_password"]["login_requests"] == fleet.traffic["stuck"]["login_requests"] == 3
    assert fleet.traffic["wrong_password"]["calls"] == []


# -- what profiles do not play -----------------------------------------------------------------------------------------

OWN_KEY = "HKLM\\SOFTWARE\\configmgr.client\\Hold"


def hold(expires: datetime) -> dict[str, Any]:
    return {
        OWN_KEY: {
            "Owner": "CORP\\anna",
            "Reason": "vendor update",
            "Expires": {"type": "qword", "data": int(expires.timestamp())},
        }
    }


NOW = datetime.now(timezone.utc)
BY_NAME = [
    *("TSManager.exe", "TSMBootstrap.exe", "TsProgressUI.exe", "TSBootShell.exe", "TsEnv.exe", "TSInstallSWUpdate.exe"),
    *("smsboot.exe", "smsswd.exe", "smsappinstall.exe", "smsnetuse.exe", "OSDUpgradeWindows.exe", "OSDSetupHook.exe"),
    *("OSDSetupWindows.exe", "OSDApplyOS.exe", "OSDDiskPart.exe", "OSDNetSettings.exe", "OSDWinSettings.exe"),
    *("OSDJoin.exe", "OSDPrepareOS.exe", "OSDPrepareSmsClient.exe", "OSDDriverClient.exe", "OSDDownloadContent.exe"),
    *("OSDBitLocker.exe", "OSDBitLocker_wtg.exe", "OSDOfflineBitlocker.exe", "OSDMigrateUserState.exe"),
    *("OSDSmpClient.exe", "OSDRunPowerShellScript.exe", "OSDSetDynamicVariables.exe", "OSDCaptureSystemImage.exe"),
    *("OSDCaptureCD.exe", "OSDPrestartCheck.exe", "SetupHost.exe", "setupprep.exe", "SetupPlatform.exe"),
    *("ModernSetupHost.exe", "WindowsUpdateBox.exe", "Windows10UpgraderApp.exe", "Windows11InstallationAssistant.exe"),
    *("setupugc.exe", "setupcl.exe", "windeploy.exe", "oobeldr.exe", "msoobe.exe", "sysprep.exe", "systemreset.exe"),
    *("ResetEngine.exe", "SystemResetPlatform.exe"),
]
BY_PLACE = [
    *(r"D:\sources\setup.exe /quiet", r"E:\setup.exe", r"\\srv\win11\sources\SETUP.EXE /noreboot"),
    r"C:\Windows\ccmcache\1\setup.exe /auto upgrade /quiet",
    r"C:\$WINDOWS.~BT\Sources\no-name-that-is-known.exe",
    r"C:\_SMSTaskSequence\Packages\PS100042\step.exe /quiet",
    r"C:\Windows\System32\cmd.exe /c C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd",
    *(r"C:\Windows\System32\oobe\audit.exe", r"C:\$WINDOWS.~BT\Sources\mighost.exe", r"C:\Windows\CCM\TSD.exe"),
    r"C:\Windows\ccmsetup\ccmsetup.exe /mp:mp.corp.example PROVISIONTS=PS120042",
]
RUNNING = BY_NAME + BY_PLACE
HARMLESS = [
    *("UserOOBEBroker.exe", "FirstLogonAnim.exe", "UpdateAssistant.exe", "TiWorker.exe", "WSReset.exe", "TSTheme.exe"),
    r"C:\Windows\ccmcache\1\setup.exe /quiet /norestart",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\1.2\Installer\setup.exe --update",
    r"C:\Windows\ccmsetup\ccmsetup.exe /mp:mp.corp.example",
    *(r"C:\Tools\audit.exe", r"C:\Tools\rollback.exe", r"C:\Tools\TSD.exe"),
]
OTHERS = {
    "held": (Case(spec={"profile": "stuck", "registry": hold(NOW + timedelta(days=2))}), "held"),
    "hold over": (Case(spec={"profile": "stuck", "registry": hold(NOW - timedelta(days=2))}), "stuck"),
    "held, and live": (Case(spec={"profile": "live_osd", "registry": hold(NOW + timedelta(days=2))}), "expected"),
    "minimum_age below the age": (Case(options={"minimum_age": 59}, spec={"profile": "recent"}), "stuck"),
    "minimum_age above the age": (Case(options={"minimum_age": 1801}, spec={"profile": "stuck"}), "recent"),
    "young by its boot": (Case(spec={"profile": "no_timestamp", "uptime": "3h"}), "recent"),
    "old by its boot": (Case(spec={"profile": "no_timestamp", "uptime": "5h"}), "stuck"),
    "short limit passed": (
        Case(spec={"profile": "stuck", "self_exit": "broken", "provisioning": {"max_minutes": 720}}),
        "overdue",
    ),
    "long limit": (
        Case(spec={"profile": "overdue", "provisioning": {"max_minutes": 14400}}),
        "stuck",
    ),
    "past its time, but an old client": (
        Case(spec={"profile": "overdue", "client_version": "5.00.8577.1005"}),
        "stuck",
    ),
    "in the mode in WinPE": (Case(spec={"profile": "stuck", "winpe": True}), "expected"),
    "agent running": (Case(spec={"profile": "stuck", "services": {"smstsmgr": {"state": "Running"}}}), "expected"),
    "setupprep in capitals": (Case(spec={"profile": "stuck", "processes": ["SETUPPREP.EXE"]}), "expected"),
    "out-of-box experience": (Case(spec={"profile": "stuck", "setup": {"OOBEInProgress": 1}}), "expected"),
    "half out, and live": (Case(spec={"profile": "half_exited", "processes": ["TSManager.exe"]}), "expected"),
    "setup armed without a command": (
        Case(spec={"profile": "stuck", "setup": {"SetupType": 2, "CmdLine": ""}}),
        "resume_pending",
    ),
    "capital spelling": (Case(spec={"profile": "stuck", "provisioning": {"casing": "title"}}), "stuck"),
    "clock ahead": (Case(spec={"profile": "recent", "clock_skew": "7h"}), "recent"),
    "clock behind": (Case(spec={"profile": "stuck", "clock_skew": -25200}), "stuck"),
    "another time zone and language": (
        Case(spec={"profile": "stuck", "os": {"time_zone": -570, "language": 1041}}),
        "stuck",
    ),
    "missing values answered with 2": (
        Case(spec={"profile": "no_timestamp", "variants": {"missing_value_code": 2, "nil_on_failure": "absent"}}),
        "stuck",
    ),
    "every WS-Management quirk": (
        Case(
            spec={
                "profile": "stuck",
                "wsman": {"first_page": "all", "empty_items": "absent", "projected_row": "instance"},
            }
        ),
        "stuck",
    ),
    "everything runs": (Case(spec={"profile": "stuck", "processes": RUNNING}), "expected"),
    "what healthy machines run": (Case(spec={"profile": "stuck", "processes": HARMLESS}), "stuck"),
    "client removed, class left": (Case(spec={"profile": "stuck", "services": {"CcmExec": "absent"}}), "stuck"),
}


@pytest.fixture(scope="module")
def others(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: case for key, (case, _) in OTHERS.items()})


@pytest.mark.parametrize("key", OTHERS)
def test_verdict_of_what_no_profile_plays(others: dict[str, Outcome], key: str) -> None:
    outcome = others[key]
    assert (outcome.status, outcome.result.get("verdict")) == ("ok", OTHERS[key][1]), outcome.result
    assert outcome.writes == []


def test_each_program_that_counts_is_named_and_no_other(others: dict[str, Outcome]) -> None:
    """Of a command line, which may hold secrets, nothing is shown."""
    by_place = [re.match(r".*\\(\S+\.exe)", line, re.IGNORECASE) for line in BY_PLACE]
    names = sorted([*BY_NAME, *(found[1] for found in by_place if found)])
    assert sorted(item["value"] for item in others["everything runs"].signals["process"]) == names
    assert "process" not in others["what healthy machines run"].signals


def test_a_hold_is_named(others: dict[str, Outcome]) -> None:
    assert "CORP\\anna" in others["held"].result["summary"]
    assert "vendor update" in others["held"].result["summary"]


@pytest.mark.parametrize(("key", "seconds"), [("clock ahead", 7 * 3600), ("clock behind", -7 * 3600)])
def test_age_is_counted_by_the_endpoints_own_clock(others: dict[str, Outcome], key: str, seconds: int) -> None:
    result = others[key].result
    assert abs(result["clock_skew_seconds"] - seconds) < 60
    assert result["timeline"]["age_minutes"] == {"clock ahead": 60, "clock behind": 1800}[key]
