# SPDX-License-Identifier: GPL-3.0-or-later
"""What works between here and an endpoint: each layer that can fail fails once, and nothing is changed anywhere."""

from __future__ import annotations

import json
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import (
    PASSWORD,
    USERNAME,
    WRONG_PASSWORD,
    Case,
    Lab,
    Outcome,
    Run,
    leaks,
    spelled,
    without_package,
)

CHECKS = (
    *("library", "options", "dns", "port", "tls", "login", "rights", "namespaces", "wmi_invoke", "cim_invoke"),
    *("fallback", "client", "clock", "name"),
)
INVOKE = {"class": "SMS_Client", "method": "GetAssignedSite"}


def case(profile: str = "normal", /, spec: Any = None, options: Any = None, **variables: Any) -> Case:
    return Case("connection_info", options or {}, {"profile": profile, **(spec or {})}, variables)


def refused(code: str = "invalid_method_parameters", **variants: Any) -> Case:
    return case(
        "native_refused", {"variants": {"sms_client_invoke": "refused", "sms_client_refusal": code, **variants}}
    )


def fault(then: Any, match: Any = INVOKE) -> Case:
    return case(spec={"faults": [{"match": match, "then": then}]})


# Key: the case, the statuses of checks other than ok, the way, and words that the first advice or the finding holds.
# A check that a failed one skips is not named.
NO_TLS = {"tls": "skipped"}
REFUSING = {"wmi_invoke": "warning", "cim_invoke": "warning"}
FAILING = {"wmi_invoke": "failed", "cim_invoke": "failed"}
EXAMINED: dict[str, tuple[Case, dict[str, str], str, str]] = {
    "healthy": (case(), NO_TLS, "wmi", "REG_QWORD"),
    "no return value": (case(spec={"variants": {"return_value": "absent"}}), NO_TLS, "wmi", "ReturnValue absent"),
    "null returned": (case(spec={"variants": {"return_value": "nil"}}), NO_TLS, "wmi", "ReturnValue null"),
    "behind a proxy": (
        case(ansible_winrm_proxy="http://127.0.0.1:9"),
        {"dns": "skipped", "port": "skipped", **NO_TLS, "login": "failed"},
        "unknown",
        "Check ansible_winrm_proxy",
    ),
    "old client": (case("old_client"), NO_TLS, "wmi", "release 1710"),
    "leftovers": (case("leftovers"), NO_TLS, "wmi", "SMS_MaintenanceTaskRequests"),
    "switched off": (case("switched_off"), {"port": "failed"}, "unknown", "switched on"),
    "no such name": (case(ansible_host="no-such-host.invalid"), {"dns": "failed"}, "unknown", "address"),
    "wrong password": (case("wrong_password"), {**NO_TLS, "login": "failed"}, "unknown", "ansible_password"),
    "login not offered": (case(spec={"auth": ["kerberos"]}), {**NO_TLS, "login": "failed"}, "unknown", "transport"),
    "no such path": (case(ansible_winrm_path="/other"), {**NO_TLS, "login": "failed"}, "unknown", "path"),
    "no password": (case(ansible_password=None), {"options": "failed"}, "unknown", "needs a password"),
    "denied": (case("access_denied"), {**NO_TLS, "rights": "failed"}, "unknown", "local administrator"),
    "limited": (case("limited_account"), {**NO_TLS, "rights": "failed"}, "unknown", "local administrator"),
    "no client": (case("no_client"), {**NO_TLS, "namespaces": "failed"}, "none", "no ConfigMgr client"),
    "rights that cannot be asked": (
        fault("fault 0x80041005", {"method": "CheckAccess"}),
        {**NO_TLS, "rights": "warning"},
        "wmi",
        "cannot be asked",
    ),
    "rights that must not be asked": (
        fault("access_denied", {"method": "CheckAccess"}),
        {**NO_TLS, "rights": "failed"},
        "unknown",
        "local administrator",
    ),
    "broken client": (
        case("broken_client_wmi"),
        {**NO_TLS, "namespaces": "warning", **FAILING, "client": "warning"},
        "unknown",
        "PROVIDER_LOAD_FAILURE",
    ),
    "client that cannot be read": (
        fault("not_found", {"class": "SMS_Client", "operation": "Get"}),
        {**NO_TLS, "namespaces": "warning", "client": "warning"},
        "wmi",
        "version unknown",
    ),
    "client without a class": (
        fault("not_found", {"class": "SMS_Client"}),
        {**NO_TLS, "namespaces": "warning", "wmi_invoke": "warning", "cim_invoke": "failed", "client": "warning"},
        "none",
        "repair it",
    ),
    "strange answers": (
        fault("garbage", {"namespace": "root/ccm/SoftMgmtAgent"}),
        {**NO_TLS, "namespaces": "warning"},
        "wmi",
        "not XML",
    ),
    "a class missing": (
        fault("not_found", {"class": "CCM_ClientUtilities"}),
        {**NO_TLS, "namespaces": "warning"},
        "wmi",
        "not: DetermineIfRebootPending",
    ),
    "refused": (refused(), {**NO_TLS, **REFUSING}, "command", "0x80338041"),
    "refused otherwise": (refused("invalid_method"), {**NO_TLS, **REFUSING}, "command", "refused: "),
    **{
        f"one spelling refused as {how}": (
            case(spec={"wsman": {"client_wmi_uri": how}}),
            {**NO_TLS, "wmi_invoke": "warning"},
            "cim",
            "powershell.exe; not needed",
        )
        for how in ("unknown_uri", "unknown_action", "not_found", "bad_parameters")
    },
    "one spelling refused, and no class to read": (
        case(
            spec={
                "wsman": {"client_wmi_uri": "not_found"},
                "faults": [{"match": {"class": "SMS_Client", "operation": "Get"}, "then": "not_found"}],
            }
        ),
        {**NO_TLS, "namespaces": "warning", "wmi_invoke": "warning", "client": "warning"},
        "cim",
        "ReturnValue 0x0",
    ),
    "the other spelling refused": (
        case(spec={"wsman": {"client_dmtf_uri": "not_dmtf"}}),
        {**NO_TLS, "cim_invoke": "warning"},
        "wmi",
        "ERROR_WSMAN_URI_NON_DMTF_CLASS",
    ),
    "the other spelling denied": (
        fault("access_denied", {**INVOKE, "value": "__cimnamespace"}),
        {**NO_TLS, "cim_invoke": "warning"},
        "wmi",
        "not needed, and not to be had",
    ),
    "both spellings refused": (
        case(spec={"wsman": {"client_wmi_uri": "unknown_action", "client_dmtf_uri": "not_dmtf"}}),
        {**NO_TLS, **REFUSING},
        "command",
        "powershell.exe; needed",
    ),
    "one spelling refused, the other failing": (
        case(
            spec={
                "wsman": {"client_wmi_uri": "unknown_uri"},
                "faults": [{"match": INVOKE | {"value": "__cimnamespace"}, "then": "provider_failure"}],
            }
        ),
        {**NO_TLS, "wmi_invoke": "warning", "cim_invoke": "failed"},
        "unknown",
        "via=command",
    ),
    "refused, no wmic": (
        refused(wmic=False),
        {**NO_TLS, **REFUSING},
        "command",
        "powershell.exe; needed",
    ),
    "refused, no programs": (
        refused(wmic=False, powershell=False),
        {**NO_TLS, **REFUSING, "fallback": "failed"},
        "none",
        "Install",
    ),
    "failing": (refused("provider_failure"), {**NO_TLS, **FAILING}, "unknown", "via=command"),
    "not needed, not there": (
        case(spec={"variants": {"wmic": False, "powershell": False}}),
        {**NO_TLS, "fallback": "warning"},
        "wmi",
        "neither",
    ),
    "method denied": (fault("access_denied"), {**NO_TLS, **FAILING}, "unknown", "local administrator"),
    "garbage": (fault("garbage"), {**NO_TLS, **FAILING}, "unknown", "not XML"),
    "hangs up": (
        fault("drop"),
        {**NO_TLS, "wmi_invoke": "failed"},
        "unknown",
        "conversation ended at wmi_invoke",
    ),
    "clock ahead": (case(spec={"clock_skew": "20m"}), {**NO_TLS, "clock": "warning"}, "wmi", "ahead of the clock"),
    "clock behind": (case(spec={"clock_skew": -1200}), {**NO_TLS, "clock": "warning"}, "wmi", "behind the clock"),
    "another machine": (case("stale_name"), {**NO_TLS, "name": "failed"}, "wmi", "Correct the inventory"),
    "psrp": (case(ansible_connection="psrp"), NO_TLS, "wmi", "ntlm over http, sealed messages"),
    "psrp, options without effect": (
        case(
            ansible_connection="psrp",
            ansible_psrp_configuration_name="Microsoft.PowerShell32",
            ansible_psrp_negotiate_services="HTTP",
        ),
        {**NO_TLS, "options": "warning"},
        "wmi",
        "ansible_psrp_configuration_name (no PowerShell is started), ansible_psrp_negotiate_services (no such option)",
    ),
    "psrp behind a proxy": (
        case(ansible_connection="psrp", ansible_psrp_proxy="http://127.0.0.1:9"),
        {"dns": "skipped", "port": "skipped", **NO_TLS, "login": "failed"},
        "unknown",
        "Check ansible_psrp_proxy",
    ),
    "psrp, no such path": (
        case(ansible_connection="psrp", ansible_psrp_path="other"),
        {**NO_TLS, "login": "failed"},
        "unknown",
        "Check ansible_port, ansible_psrp_protocol and ansible_psrp_path",
    ),
    "psrp, basic over http": (
        case(ansible_connection="psrp", ansible_psrp_auth="basic"),
        {"options": "failed"},
        "unknown",
        "ansible_psrp_auth=basic over http",
    ),
    "name given": (case("stale_name", options={"computer_name": "PC-RENAMED"}), NO_TLS, "wmi", "PC-RENAMED"),
}
AFTER_THE_END = {"hangs up": ("cim_invoke", "fallback", "client", "clock", "name")}
HTTPS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "own CA": ({}, {}, "trusted"),
    "basic over https": ({"ansible_winrm_transport": "basic"}, {}, "basic over https"),
    "unknown CA": (
        {"ansible_winrm_ca_trust_path": "legacy_requests"},
        {"tls": "failed"},
        "ansible_winrm_ca_trust_path",
    ),
    "no file of CAs": (
        {"ansible_winrm_ca_trust_path": "/no/such.pem"},
        {"options": "failed"},
        "ansible_winrm_ca_trust_path=/no/such.pem",
    ),
    "psrp, own CA": ({"ansible_connection": "psrp"}, {}, "trusted"),
    "psrp, unknown CA": (
        {"ansible_connection": "psrp", "ansible_psrp_ca_cert": None},
        {"tls": "failed"},
        "Set ansible_psrp_ca_cert",
    ),
    "psrp, not checked": (
        {"ansible_connection": "psrp", "ansible_psrp_ca_cert": None, "ansible_psrp_cert_validation": "ignore"},
        {"tls": "warning"},
        "pretend",
    ),
    "not checked": (
        {"ansible_winrm_ca_trust_path": "legacy_requests", "ansible_winrm_server_cert_validation": "ignore"},
        {"tls": "warning"},
        "pretend",
    ),
}
RECORDED = ("healthy", "leftovers", "switched off", "wrong password", "denied", "refused", "garbage", "hangs up")
SKIPPED_BY = {
    "options": CHECKS[2:],
    "dns": CHECKS[3:],
    "port": CHECKS[4:],
    "tls": CHECKS[5:],
    "login": CHECKS[6:],
    "rights": CHECKS[7:],
    "namespaces": ("wmi_invoke", "cim_invoke", "fallback", "client"),
}


@pytest.fixture(scope="module")
def recordings(lab: Lab) -> Path:
    path = lab.directory / "recordings"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def outcomes(lab: Lab, recordings: Path) -> dict[str, Outcome]:
    """Everything that this module does, in one run."""
    cases = {}
    for key, (each, *_) in EXAMINED.items():
        record = {"record_to": str(recordings / f"{key}.json")} if key in RECORDED else {}
        cases[key] = Case(each.module, {**each.options, **record}, each.spec, each.vars)
    port, ca = lab.simulator.https_port, str(lab.simulator.ca_file)
    for key, (variables, *_) in HTTPS.items():
        https = spelled(variables.get("ansible_connection", "winrm"), scheme="https", ansible_port=port, ca=ca)
        cases[key] = case(**{**https, **variables})
    cases["rehearsal"] = Case("connection_info", {"record_to": str(recordings / "rehearsal.json")}, check=True)
    cases["no directory"] = case(options={"record_to": str(recordings / "none" / "1.json")})
    cases["a directory"] = case(options={"record_to": str(recordings)})
    cases["of no use"] = case(ansible_connection="ssh", ansible_host="127.0.0.1")
    return lab.play(cases)


def expected(statuses: dict[str, str], ended: tuple[str, ...] = ()) -> dict[str, str]:
    found = dict.fromkeys(CHECKS, "ok")
    for name, status in statuses.items():
        if status == "failed":
            found |= dict.fromkeys(SKIPPED_BY.get(name, ()), "skipped")
    return {**found, **dict.fromkeys(ended, "skipped"), **statuses}


def statuses(outcome: Outcome) -> dict[str, str]:
    return {check["check"]: check["status"] for check in outcome.result["checks"]}


def examine(outcome: Outcome, wanted: dict[str, str], way: str, words: str) -> None:
    assert (outcome.status, outcome.changed) == ("ok", False), outcome.msg
    assert statuses(outcome) == wanted
    assert outcome.result["way"] == way
    assert outcome.result["usable"] is ("failed" not in wanted.values())
    assert words in "\n".join([outcome.result["advice"], *outcome.result["text"]])
    failed = [check for check in outcome.result["checks"] if check["status"] == "failed"]
    assert all(check["advice"] and check["found"] for check in failed)
    assert outcome.result["advice"] == failed[0]["advice"] if failed else True


@pytest.mark.parametrize("key", EXAMINED)
def test_each_layer_is_told(outcomes: dict[str, Outcome], key: str) -> None:
    _, wanted, way, words = EXAMINED[key]
    examine(outcomes[key], expected(wanted, AFTER_THE_END.get(key, ())), way, words)


@pytest.mark.parametrize("key", HTTPS)
def test_certificates(outcomes: dict[str, Outcome], key: str) -> None:
    _, wanted, words = HTTPS[key]
    outcome = outcomes[key]
    examine(outcome, expected(wanted), "unknown" if "failed" in wanted.values() else "wmi", words)
    if wanted.get("options") != "failed":
        assert f"CN={outcome.event.host}" in "".join(outcome.result["text"])


def test_a_connection_of_another_kind_is_a_finding(outcomes: dict[str, Outcome]) -> None:
    examine(outcomes["of no use"], expected({"options": "failed"}), "unknown", "ansible_connection=ssh")


@pytest.mark.parametrize("key", [*EXAMINED, *HTTPS, "rehearsal"])
def test_nothing_is_changed_and_nothing_is_started(outcomes: dict[str, Outcome], key: str) -> None:
    outcome = outcomes[key]
    assert (outcome.writes, outcome.happened, outcome.commands()) == ([], [], [])
    kept = ("registry", "services", "processes", "scheduled_tasks", "files", "mode", "policies", "task_sequence")
    assert {name: outcome.endpoint[name] for name in kept} == {name: outcome.before[name] for name in kept}
    assert (outcome.endpoint["shells_opened"], outcome.endpoint["running"]) == (0, [])
    assert set(outcome.methods()) <= {
        *("CheckAccess", "EnumValues", "GetDWORDValue", "GetAssignedSite", "DetermineIfRebootPending")
    }
    assert {call["operation"] for call in outcome.calls} <= {"Get", "Enumerate", "Pull", "Invoke"}


def test_options_and_their_sources_are_told_and_secrets_are_not(outcomes: dict[str, Outcome]) -> None:
    (found,) = [each["found"] for each in outcomes["healthy"].result["checks"] if each["check"] == "options"]
    assert "transport=ntlm (variable ansible_winrm_transport)" in found
    assert "path=/wsman (default)" in found
    assert "remote_password=set (variable ansible_password)" in found
    assert leaks(found) == []


def test_options_of_psrp_are_told_as_its_plugin_spells_them(outcomes: dict[str, Outcome]) -> None:
    (found,) = [each["found"] for each in outcomes["psrp, own CA"].result["checks"] if each["check"] == "options"]
    assert "auth=ntlm (variable ansible_psrp_auth)" in found
    assert "path=wsman (default)" in found
    assert "ca_cert=" in found and "(variable ansible_psrp_ca_cert)" in found
    assert "remote_password=set (variable ansible_password)" in found
    assert "connection_timeout" not in found
    assert leaks(found) == []


# -- recordings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", RECORDED)
def test_a_recording_holds_what_was_said_and_nothing_of_anybody(
    outcomes: dict[str, Outcome], recordings: Path, key: str
) -> None:
    outcome, path = outcomes[key], recordings / f"{key}.json"
    assert outcome.result["recording"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    recording = json.loads(text)
    assert recording["format"] == 1
    assert recording["checks"] == statuses(outcome)
    assert recording["way"] == outcome.result["way"]
    assert len(recording["exchanges"]) >= len(outcome.calls)
    assert bool(recording["exchanges"]) == (key != "switched off")
    endpoint = outcome.endpoint
    site = endpoint["registry"]["HKLM\\SOFTWARE\\Microsoft\\SMS\\Mobile Client"]["AssignedSiteCode"]["data"]
    private = [
        *(endpoint["machine_name"], endpoint["address"], USERNAME.rpartition("\\")[2], "127.0.0.1"),
        *(f">{site}<", ".example", ".test", "CcmTaskSequence", str(endpoint["address"]).replace(".", "-")),
    ]
    assert [each for each in private if each.lower() in text.lower()] == []
    assert leaks(text) == []
    assert re.findall(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-", text) == []
    assert "Authorization" not in text


def test_a_recording_settles_what_nobody_has_published(outcomes: dict[str, Outcome], recordings: Path) -> None:
    said = {key: json.loads((recordings / f"{key}.json").read_text(encoding="utf-8")) for key in RECORDED}

    def replies(key: str, check: str) -> str:
        return "".join(each["reply"] or "" for each in said[key]["exchanges"] if each["check"] == check)

    for spelling in ("wmi_invoke", "cim_invoke"):
        assert "<p:ReturnValue>0</p:ReturnValue>" in replies("healthy", spelling)
        assert 'Code="2150858817"' in replies("refused", spelling)
    assert "/cim-schema/2/SMS_Client/GetAssignedSiteResponse</a:Action>" in replies("healthy", "cim_invoke")
    assert 'Code="2150859012"' in replies("denied", "login")
    assert "<p:Types>11</p:Types>" in replies("healthy", "namespaces")
    assert '<w:Selector Name="TaskID">' in replies("leftovers", "namespaces")
    assert (said["healthy"]["windows"], said["healthy"]["client"]) == ("10.0.19045", "5.00.9128.1007")
    (lost,) = [each["error"] for each in said["wrong password"]["exchanges"]]
    assert lost == "LoginRejected (login)"


def test_a_rehearsal_examines_and_writes_no_file(outcomes: dict[str, Outcome], recordings: Path) -> None:
    assert outcomes["rehearsal"].result["recording"] is None
    assert statuses(outcomes["rehearsal"]) == expected(NO_TLS)
    assert sorted(path.stem for path in recordings.iterdir()) == sorted(RECORDED)


@pytest.mark.parametrize("key", ["no directory", "a directory"])
def test_a_recording_that_cannot_be_written_is_said_first(outcomes: dict[str, Outcome], key: str) -> None:
    outcomes[key].assert_refused("record_to=")


# -- logins, libraries, another host -----------------------------------------------------------------------------------


def test_a_rejected_account_is_not_tried_on_every_host(lab: Lab) -> None:
    wrong = case(ansible_user="CORP\\locked", ansible_password=WRONG_PASSWORD)
    outcomes = lab.play({f"host {number}": wrong for number in range(5)}, "--forks", "1")
    assert [each.status for each in outcomes.values()] == ["ok"] * 5
    assert [statuses(each)["login"] for each in outcomes.values()] == ["failed"] * 5
    assert [each.traffic["login_requests"] for each in outcomes.values()] == [3, 3, 3, 0, 0]
    assert "No login was tried" in "".join(outcomes["host 4"].result["text"])


@pytest.mark.parametrize(
    ("blocked", "library", "connection"),
    [("winrm", "pywinrm", "winrm"), ("pypsrp", "pypsrp", "psrp"), ("defusedxml", "defusedxml", "winrm")],
)
def test_a_missing_library_is_a_finding(lab: Lab, tmp_path: Path, blocked: str, library: str, connection: str) -> None:
    endpoint = {"host": "127.0.0.1", "port": lab.simulator.http_port, "username": "nobody", "password": WRONG_PASSWORD}
    cases = {"in process": case(ansible_connection=connection)}
    if connection == "winrm":
        cases["as a module"] = case(options={"endpoint": endpoint}, ansible_connection="local")
    for key, outcome in lab.play(cases, env=without_package(tmp_path, blocked)).items():
        assert outcome.status == "ok", (key, outcome.msg)
        assert (statuses(outcome)["library"], statuses(outcome)["login"]) == ("failed", "skipped"), key
        assert library in outcome.result["checks"][0]["found"] and "pip install" in outcome.result["advice"]


def test_from_another_host(lab: Lab, recordings: Path) -> None:
    """As on a bastion: the options say what is wrong, and the recording is written there."""
    names = lab.add({"healthy": {}, "wrong": {"profile": "wrong_password"}, "stale": {"profile": "stale_name"}})
    cases = {}
    for key, name in names.items():
        record = {"record_to": str(recordings / f"from another host, {key}.json"), "computer_name": name}
        cases[key] = Case(
            "connection_info",
            {**record, "endpoint": lab.endpoint_option(name)},
            vars={"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        )
    outcomes = lab.again(names, cases)
    examine(outcomes["healthy"], expected(NO_TLS), "wmi", "password set (option endpoint)")
    examine(outcomes["wrong"], expected({**NO_TLS, "login": "failed"}), "unknown", "rejected the login")
    examine(outcomes["stale"], expected({**NO_TLS, "name": "failed"}), "wmi", "PC-RENAMED")
    for key, outcome in outcomes.items():
        text = Path(cases[key].options["record_to"]).read_text(encoding="utf-8")
        assert leaks(text) == [] and outcome.endpoint["address"] not in text


# -- the playbook ------------------------------------------------------------------------------------------------------

FLEET = (
    "healthy",
    "switched off",
    "no such name",
    "wrong password",
    "denied",
    "no client",
    "refused",
    "another machine",
)


@pytest.fixture(scope="module")
def playbook(lab: Lab) -> tuple[dict[str, str], Run, Path]:
    names = lab.add({key: EXAMINED[key][0].spec for key in FLEET})
    inventory = lab.inventory({names[key]: lab.host_vars(names[key], **EXAMINED[key][0].vars) for key in FLEET})
    directory = lab.directory / "sent"
    directory.mkdir()
    options = ("-e", f"doctor_record_to={directory}", "-e", "configmgr_client_hosts=windows")
    return names, lab.ansible("ansible-playbook", "-i", inventory, "configmgr.client.doctor", *options), directory


def test_the_playbook_says_of_every_host_what_was_found(lab: Lab, playbook: tuple[dict[str, str], Run, Path]) -> None:
    names, run, _ = playbook
    assert run.rc == 0, run.output
    for key, name in names.items():
        told, printed = run.of(name)
        assert printed.result["msg"] == told.result["text"]
        usable = "failed" not in EXAMINED[key][1].values()
        assert printed.result["msg"][0].startswith("Usable." if usable else "NOT USABLE.")
        assert set(run.stats[name].values()) <= {0, 2}
        endpoint = lab.simulator.endpoint(name)
        assert (endpoint["writes"], endpoint["events"], endpoint["shells_opened"]) == ([], [], 0)
    assert leaks(run.output) == []


def test_names_of_recordings_tell_nothing(playbook: tuple[dict[str, str], Run, Path]) -> None:
    names, _, directory = playbook
    # By the whole inventory, so that a limit changes nothing.
    numbered = sorted(["localhost", *names.values()], key=str.lower)
    expected = {f"{numbered.index(name) + 1}.json" for name in names.values()}
    assert {path.name for path in directory.iterdir()} == expected
    text = "".join(path.read_text(encoding="utf-8") for path in directory.iterdir())
    assert [name for name in names.values() if name.lower() in text.lower()] == []
    assert leaks(text, [PASSWORD]) == []


def test_without_a_directory_nothing_is_recorded(lab: Lab) -> None:
    name = lab.add({"one": {}})["one"]
    inventory = lab.inventory({name: lab.host_vars(name)})
    run = lab.ansible("ansible-playbook", "-i", inventory, "configmgr.client.doctor", "-l", name, "--check")
    told, _ = run.of(name)
    assert (told.result["usable"], told.result["recording"]) == (True, None)
