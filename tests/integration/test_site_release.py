# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts, CMPivot and notifications of the site: what they tell of a client, and how one is released by them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.harness import Event, client_key
from tests.integration.site import SiteLab

READ, LEAVE = "configmgr.client read_mode 1", "configmgr.client leave_mode 1"
RELEASE = "site_provisioning_mode"
ALL_SYSTEMS = "SMS00001"

# Key: the machine, verdict, what is done. All of them are online, by the site and in truth.
CLIENTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "BOOTED": ({"profile": "stuck", "uptime": "5m"}, "resume_pending", "none"),  # first: minutes pass
    "NORMAL": ({}, "normal", "none"),
    "STUCK": ({"profile": "stuck"}, "stuck", "released"),
    "OVERDUE": ({"profile": "overdue"}, "overdue", "released"),
    "HALF": ({"profile": "half_exited"}, "half_exited", "released"),
    "RECENT": ({"profile": "recent"}, "recent", "none"),
    "HELD-OLD": ({"profile": "held"}, "unknown", "none"),
    "OSD": ({"profile": "live_osd"}, "expected", "none"),
    "SETUP": ({"profile": "stuck", "processes": ["SetupHost.exe"]}, "expected", "none"),
    "INSTALLER": ({"profile": "stuck", "processes": [r"D:\setup.exe /auto upgrade /quiet"]}, "expected", "none"),
    "OWN-SETUP": ({"profile": "stuck", "processes": [r"C:\Tools\vendor\setup.exe /S"]}, "stuck", "none"),
    "POST": ({"profile": "stuck", "processes": [r"cmd.exe /c C:\Windows\SMSTSPostUpgrade\x.cmd"]}, "expected", "none"),
    "AGENT": ({"profile": "stuck", "services": {"smstsmgr": {"state": "Running"}}}, "expected", "none"),
    "ARMED": ({"profile": "stuck", "setup": {"SetupType": 2, "CmdLine": "setup.exe"}}, "resume_pending", "none"),
    "FUTURE": ({"profile": "future_timestamp"}, "stuck", "none"),
    "BLIND": ({"profile": "stuck", "broken_classes": {"Win32_Process": "provider_failure"}}, "unknown", "none"),
    "NO-CLOCK": (
        {"profile": "stuck", "broken_classes": {"Win32_OperatingSystem": "provider_failure"}},
        "unknown",
        "none",
    ),
    "AUTOPILOT": (
        {
            "profile": "stuck",
            "registry": {
                r"HKLM\SOFTWARE\Microsoft\Windows\Autopilot\EnrollmentStatusTracking\Device\Setup": {
                    "HasProvisioningCompleted": 0
                }
            },
        },
        "expected",
        "none",
    ),
}
OWN_GUARD = {"OWN-SETUP": "setup.exe runs", "FUTURE": "less than 15 minutes ago"}
"""Whom the rules would release, and the script's own guard, which is the coarser one, does not."""


@pytest.fixture(scope="module", autouse=True)
def approved(site: SiteLab) -> Iterator[None]:
    created = site.task("site_script")
    assert created.status == "ok" and created.result["changed"], created.result
    for name in (READ, LEAVE):
        site.simulator.set_site_script(name, "approved")
    yield
    site.task("site_script", state="absent")


@pytest.fixture(autouse=True)
def cleared(site: SiteLab) -> Iterator[None]:
    yield
    for entry in site.simulator.endpoints():
        site.simulator.remove(entry["name"])


def add(site: SiteLab, /, *names: str, **keys: Any) -> None:
    machines = {name: CLIENTS.get(name, ({},))[0] for name in names}
    site.simulator.add(
        *(
            {"name": name, "http": False, "https": False, "restart_seconds": "5s", **machine, **keys}
            for name, machine in machines.items()
        )
    )


@pytest.fixture(scope="module")
def released(site: SiteLab) -> dict[str, tuple[Event, Event, Event, dict[str, Any]]]:
    """For each client: the task rehearsed, done, and done again, and the machine after that."""
    add(site, *CLIENTS)
    tasks = [(RELEASE, {"name": name, "enabled": False}) for name in CLIENTS]
    rehearsed = site.tasks(tasks, "--check", env=site.own_time())
    done = site.tasks(tasks, env=site.own_time())
    machines = [site.simulator.endpoint(name) for name in CLIENTS]
    again = site.tasks(tasks, env=site.own_time())
    for name in CLIENTS:
        site.simulator.remove(name)
    return dict(zip(CLIENTS, zip(rehearsed, done, again, machines, strict=True), strict=True))


@pytest.mark.parametrize("name", CLIENTS)
def test_the_verdict_is_that_of_the_same_rules(released: dict[str, Any], name: str) -> None:
    _machine, verdict, action = CLIENTS[name]
    rehearsed, done, _again, machine = released[name]
    assert done.status == "ok", done.result
    assert done.result["verdict"] == rehearsed.result["verdict"] == verdict, done.result
    assert (done.result["action"], done.result["changed"]) == (action, action == "released"), done.result["msg"]
    assert done.result["via"] == "site" and done.result["evidence"]
    if name in OWN_GUARD:
        assert done.result["outcome"] == "refused" and OWN_GUARD[name] in done.result["left_alone"]
    else:
        assert done.result["outcome"] == "answered"
        assert rehearsed.result["action"] == action and rehearsed.result["steps"] == done.result["steps"]
    assert bool(machine["writes"]) == (action == "released")
    assert bool(done.result["left_alone"]) == (action == "none" and name != "NORMAL")


@pytest.mark.parametrize("name", [name for name, (_, _, action) in CLIENTS.items() if action == "released"])
def test_who_is_released_is_out_of_the_mode_and_told_to_fetch_policy(released: dict[str, Any], name: str) -> None:
    _rehearsed, done, again, machine = released[name]
    assert machine["mode"] == "normal" and machine["client"]["running"]
    assert client_key(machine)["ProvisioningMode"]["data"] == "false"
    assert (done.result["provisioning_mode"], done.result["system_task_excludes"]) == (False, "")
    assert [step["step"] for step in done.result["steps"]] == ["set_mode", "notify", "notify"]
    assert [entry["event"] for entry in machine["events"]].count("site.notified") == 2
    assert [write["event"] for write in machine["writes"]] == ["SMS_Client.SetClientProvisioningMode"]
    assert (again.result["action"], again.result["changed"]) == ("none", False)
    assert again.result["msg"].startswith("Nothing to do")


# -- silence -------------------------------------------------------------------------------------------------------

# Key: how the site is, keys of the machine, outcome.
SILENT: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "offline": ({}, {"site": {"online": False}}, "offline"),
    "never online": ({}, {"site": {"online": None}}, "offline"),
    "silent": ({}, {"site": {"answers": "never"}}, "no_answer"),
    "a dead channel": ({"fast_channel": "dead"}, {}, "no_answer"),
    "the mode keeps scripts away": ({"reaches_mode": False}, {}, "no_answer"),
    "an answer that was lost": ({}, {"site": {"answers": "lost"}}, "no_answer"),
    "a script that failed": ({}, {"site": {"answers": "error"}}, "failed"),
    "no JSON": ({}, {"site": {"output": "At line:1 char:1 access denied"}}, "not_understood"),
    "nothing": ({}, {"site": {"output": ""}}, "not_understood"),
    "noise": ({}, {"site": {"output": "{{ x }}<b>" * 500}}, "not_understood"),
    "cut off": ({}, {"site": {"output": '{"version":1,"script":"read_mode","mode":"true","excl'}}, "not_understood"),
    "another script's": (
        {},
        {"site": {"output": '{"version":1,"script":"leave_mode","result":"started"}'}},
        "not_understood",
    ),
    "another version's": ({}, {"site": {"output": '{"version":2,"script":"read_mode"}'}}, "not_understood"),
    "a list": ({}, {"site": {"output": "[" * 900}}, "not_understood"),
}


@pytest.fixture(scope="module")
def silent(site: SiteLab) -> dict[str, tuple[Event, dict[str, Any]]]:
    found = {}
    names = {key: f"S-{number}" for number, key in enumerate(SILENT)}
    for how in ({}, *(how for how, _keys, _outcome in SILENT.values() if how)):
        cases = {key: keys for key, (needed, keys, _outcome) in SILENT.items() if needed == how}
        site.simulator.add(
            *(
                {"name": names[key], "profile": "stuck", "http": False, "https": False, **keys}
                for key, keys in cases.items()
            )
        )
        with site.site(**how):
            events = site.tasks(
                [(RELEASE, {"name": names[key], "enabled": False}) for key in cases], env=site.own_time()
            )
        for key, event in zip(cases, events, strict=True):
            found[key] = event, site.simulator.endpoint(names[key])
            site.simulator.remove(names[key])
    return found


@pytest.mark.parametrize("key", SILENT)
def test_silence_is_an_outcome_and_changes_nothing(silent: dict[str, Any], key: str) -> None:
    event, machine = silent[key]
    assert event.status == "ok", event.result
    assert event.result["outcome"] == SILENT[key][2]
    assert (event.result["verdict"], event.result["changed"]) == ("unknown", False)
    assert event.result["left_alone"] and machine["writes"] == []
    assert machine["mode"] == "provisioning"


MOMENTS = 32
"""The requests about one client that a release takes, and more."""


def test_a_task_sequence_that_starts_at_any_moment_is_not_disturbed(site: SiteLab) -> None:
    """Before each of the requests of a release: also in the half minute before the call."""
    names = [f"M-{moment}" for moment in range(1, MOMENTS + 1)]
    faults = []
    for moment, name in enumerate(names, 1):
        add(site, name, profile="stuck", site={"resource_id": 5000 + moment})
        target = rf"Device\({5000 + moment}\)"
        faults.append({"target": target, "nth": moment, "act": "fire", "machine": name, "event": "start_task_sequence"})
    with site.site(faults=faults):
        events = site.tasks([(RELEASE, {"name": name, "enabled": False}) for name in names], env=site.own_time())
    ended, undisturbed = set(), 0
    for name, event in zip(names, events, strict=True):
        happened = [entry["event"] for entry in site.simulator.endpoint(name)["events"]]
        assert "task_sequence.broken" not in happened, name
        undisturbed += "task_sequence.started" not in happened
        if {"client.left_provisioning_mode", "task_sequence.started"} <= set(happened):
            assert happened.index("client.left_provisioning_mode") < happened.index("task_sequence.started"), name
        ended.add((event.status, event.result["outcome"], event.result.get("action", "")))
    assert undisturbed, "a release takes as many requests as this looks at: look at more"
    assert ended >= {
        ("ok", "answered", "none"),
        ("ok", "refused", "none"),
        ("failed", "not_verified", ""),
        ("ok", "answered", "released"),
    }


def test_whoever_was_told_to_leave_and_cannot_be_read_has_failed(site: SiteLab) -> None:
    add(site, "STUCK", variants={"set_provisioning_mode": "ignored"})
    event = site.task(RELEASE, name="STUCK", enabled=False)
    site.simulator.remove("STUCK")
    assert event.status == "failed" and event.result["changed"] is True
    assert "could not be read back within 300 s: the mode is true" in event.result["msg"]


# Key: how the site is, what somebody made of the scripts, words.
UNUSABLE: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "not approved": ({}, {LEAVE: "waiting"}, "is not approved (state: waiting)"),
    "denied": ({}, {READ: "denied"}, "is not approved (state: denied)"),
    "changed": ({}, {READ: "changed"}, "is not the one of this collection"),
    "no right to run them": ({"rights": ["read", "cmpivot"]}, {}, "may not run scripts"),
}


@pytest.mark.parametrize("key", UNUSABLE)
def test_a_script_that_is_not_ours_is_not_run(site: SiteLab, key: str) -> None:
    how, states, words = UNUSABLE[key]
    add(site, "STUCK")
    for name, state in states.items():
        site.simulator.set_site_script(name, state)
    with site.site(**how):
        event = site.task(RELEASE, name="STUCK", enabled=False)
    assert (event.status, words in event.result["msg"]) == ("failed", True), event.result["msg"]
    assert not [entry for entry in site.simulator.endpoint("STUCK")["events"] if entry["event"] == "site.script"]
    site.simulator.remove("STUCK")
    if "changed" in states.values():
        refused = site.task("site_script")
        assert refused.status == "failed" and "has another script named" in refused.result["msg"]
        site.task("site_script", state="absent")
        site.task("site_script")
    for name in (READ, LEAVE):
        site.simulator.set_site_script(name, "approved")


# Key: machines, the name that is given, words.
TARGETS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "nobody": ([], "PC-9999", "shows the account no device"),
    "two of one name": ([{}, {"site": {"name": "T-0"}}], "T-0", "stands for 2 devices: give the resource id"),
    "an obsolete record": ([{"site": {"obsolete": True}}], "T-0", "are obsolete"),
    "no client": ([{"client_version": None}], "T-0", "no ConfigMgr client is registered"),
    "another site's": ([{"site": {"site_code": "PS2"}}], "T-0", "is a client of site PS2"),
}


@pytest.mark.parametrize("key", TARGETS)
def test_a_name_that_stands_for_no_client_of_this_site(site: SiteLab, key: str) -> None:
    machines, name, words = TARGETS[key]
    for number, keys in enumerate(machines):
        add(site, f"T-{number}", **keys)
    event = site.task(RELEASE, name=name, enabled=False)
    for number in range(len(machines)):
        site.simulator.remove(f"T-{number}")
    assert (event.status, words in event.result["msg"]) == ("failed", True), event.result["msg"]


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "entering": (RELEASE, {"enabled": True}, "enabled=true cannot be had through a site"),
    "a trigger": (RELEASE, {"enabled": False, "trigger": ["restart"]}, "trigger[0]='restart' is no notification"),
    "no time": (RELEASE, {"enabled": False, "deadline": 500}, "must be less than deadline=500"),
    "whom": ("site_client_notification", {"action": "machine_policy"}, "one of the following is required"),
    "nobody": ("site_client_notification", {"action": "machine_policy", "devices": []}, "devices is empty"),
    "what": ("site_client_notification", {"action": "restart", "devices": ["x"]}, "must be one of"),
    "which": ("site_script", {"scripts": ["all"]}, "must be one or more of"),
    "of whom": ("site_cmpivot_info", {"collection": " "}, "collection is empty"),
    "how long": ("site_cmpivot_info", {"wait_timeout": 600}, "must be shorter than deadline"),
}


def test_bad_input_is_told_before_anything_is_sent(site: SiteLab) -> None:
    site.simulator.reset_site_traffic()
    events = site.tasks([(module, options) for module, options, _words in WRONG.values()])
    for event, (_module, _options, words) in zip(events, WRONG.values(), strict=True):
        assert event.status == "failed" and words in event.result["msg"], event.result["msg"]
    assert site.requests == []


# -- scripts on the site -----------------------------------------------------------------------------------------------


def test_scripts_are_created_once_and_never_approved(site: SiteLab) -> None:
    site.task("site_script", state="absent")
    (rehearsed,) = site.tasks([("site_script", {})], "--check")
    assert rehearsed.result["changed"] and rehearsed.result["msg"].startswith("Would be created")
    done, again = site.tasks([("site_script", {}), ("site_script", {})])
    assert [done.result["changed"], again.result["changed"]] == [True, False]
    assert [each["approval"] for each in done.result["scripts"]] == ["waiting", "waiting"]
    assert "Somebody has to approve" in again.result["msg"]
    assert not [request for request in site.requests if "UpdateApprovalState" in request["target"]]
    gone, nothing = site.tasks([("site_script", {"state": "absent"})] * 2)
    assert [gone.result["changed"], nothing.result["changed"]] == [True, False]
    site.task("site_script")
    for name in (READ, LEAVE):
        site.simulator.set_site_script(name, "approved")


def test_who_may_not_write_scripts_is_told(site: SiteLab) -> None:
    site.task("site_script", state="absent")
    with site.site(rights=["read", "run_scripts"]):
        event = site.task("site_script")
    assert event.status == "failed" and "HTTP 403" in event.result["msg"]
    site.task("site_script")
    for name in (READ, LEAVE):
        site.simulator.set_site_script(name, "approved")


# -- notifications -----------------------------------------------------------------------------------------------------


def test_a_notification_is_counted(site: SiteLab) -> None:
    add(site, "NORMAL")
    add(site, "OFF", site={"online": False})
    event = site.task("site_client_notification", action="machine_policy", devices=["NORMAL", "OFF"])
    (rehearsed,) = site.tasks([("site_client_notification", {"action": "heartbeat", "devices": ["NORMAL"]})], "--check")
    of_all = site.task("site_client_notification", action="heartbeat", collection=ALL_SYSTEMS)
    told = [
        entry["detail"] for entry in site.simulator.endpoint("NORMAL")["events"] if entry["event"] == "site.notified"
    ]
    site.simulator.remove("NORMAL")
    site.simulator.remove("OFF")
    assert event.result["counts"] == {"total": 2, "completed": 1, "failed": 0, "offline": 1, "unknown": 0}
    assert event.result["msg"] == "Sent machine_policy to 2 clients: delivered to 1, 1 offline."
    assert (rehearsed.result["operation"], rehearsed.result["changed"]) == (None, True)
    assert of_all.result["counts"]["total"] == 2
    assert told == ["8", "10"]
    nobody = site.task("site_client_notification", action="heartbeat", collection=ALL_SYSTEMS)
    assert nobody.status == "failed" and "no member" in nobody.result["msg"]


# -- the audit trail ---------------------------------------------------------------------------------------------------


def test_each_attempt_is_on_the_disk_before_and_after(site: SiteLab) -> None:
    path = site.directory / "audit.jsonl"
    clients = {
        "STUCK": {"profile": "stuck"},
        "NORMAL": {},
        "LOST": {"profile": "stuck", "site": {"resource_id": 7001}},
        "LATE": {"profile": "stuck", "site": {"resource_id": 7002}},
    }
    for name, keys in clients.items():
        add(site, name, **keys)
    # The second request for a script of that device is the one for leave_mode.
    faults = [
        {"target": r"Device\(7001\).*RunScript", "nth": 2, "act": "close"},
        {
            "target": r"Device\(7002\).*RunScript",
            "nth": 2,
            "act": "fire",
            "machine": "LATE",
            "event": "start_task_sequence",
        },
    ]
    options = {"enabled": False, "audit_path": str(path)}
    with site.site(faults=faults):
        rehearsed = site.tasks([(RELEASE, {"name": "STUCK", **options})], "--check", env=site.own_time())
        assert rehearsed[0].result["changed"] and not path.exists()
        events = site.tasks([(RELEASE, {"name": name, **options}) for name in clients], env=site.own_time())
    for name in clients:
        site.simulator.remove(name)
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    told = [
        (each["computer_name"], each["event"], each["step"], each["argument"], each.get("result")) for each in found
    ]

    def notified(name: str) -> list[tuple[Any, ...]]:
        return [
            (name, event, "notify", kind, result)
            for kind in ("machine_policy", "application_evaluation")
            for event, result in (("begin", None), ("end", "done"))
        ]

    assert told == [
        ("STUCK", "begin", "set_mode", False, None),
        ("STUCK", "end", "set_mode", False, "done"),
        *notified("STUCK"),
        ("LOST", "begin", "set_mode", False, None),
        ("LOST", "end", "set_mode", False, "unknown"),
        *notified("LOST"),
        ("LATE", "begin", "set_mode", False, None),
        ("LATE", "end", "set_mode", False, "refused"),
    ], [event.result.get("msg") for event in events]
    assert {each["via"] for each in found} == {"site"} and {each["module"] for each in found} == {RELEASE}
    assert found[0]["before"] == "true" and found[1]["after"] == "false" and found[-1]["after"] is None
    assert found[-1]["reason"]
    assert [event.result["changed"] for event in events] == [True, False, True, False]


def test_without_a_trail_nothing_is_sent(site: SiteLab) -> None:
    add(site, "STUCK")
    with site.site():
        event = site.task(RELEASE, name="STUCK", enabled=False, audit_path="/no/such/place/audit.jsonl")
        assert not site.requests
    site.simulator.remove("STUCK")
    assert event.status == "failed" and "audit_path=/no/such/place/audit.jsonl cannot be opened" in event.result["msg"]


# -- CMPivot -----------------------------------------------------------------------------------------------------------

NOT_SEEN = ("INSTALLER", "POST", "BLIND", "NO-CLOCK")
"""What command lines tell is not seen by CMPivot; and a class that cannot be read has no rows."""
PIVOT = {name: verdict for name, (_, verdict, _) in CLIENTS.items() if name not in NOT_SEEN}
PIVOT["BOOTED"] = "unknown"  # requests of task sequences are not asked for


@pytest.mark.parametrize("shape", ["list", "object"])
def test_all_clients_are_asked_at_once(site: SiteLab, shape: str) -> None:
    add(site, *PIVOT)
    add(site, "OFF", site={"online": False})
    add(site, "MUTE", site={"answers": "never"})
    add(site, "TWIN-1", site={"name": "TWIN"})
    add(site, "TWIN-2", site={"name": "TWIN"})
    machines = [*PIVOT, "OFF", "MUTE", "TWIN-1", "TWIN-2"]
    try:
        with site.site(cmpivot_answers=shape):
            event = site.task("site_cmpivot_info", evidence=True)
            requests = site.requests
            brief = site.task("site_cmpivot_info")
    finally:
        for name in machines:
            site.simulator.remove(name)
    assert event.status == "ok", event.result
    found = {each["name"]: each["verdict"] for each in event.result["devices"]}
    assert found == {name: verdict for name, verdict in PIVOT.items() if verdict != "normal"}
    assert (event.result["offline"], event.result["no_answer"]) == (["OFF"], ["MUTE", "TWIN", "TWIN"])
    assert event.result["counts"]["normal"] == 1 and event.result["complete"]
    assert len([each for each in requests if each["method"] == "POST"]) == 8
    # Without evidence, only who is out of the mode is known for certain.
    assert {each["verdict"] for each in brief.result["devices"]} == {"unknown"}
    assert brief.result["counts"]["normal"] == 1
    stuck = next(each for each in brief.result["devices"] if each["name"] == "STUCK")
    assert stuck["timeline"]["age_minutes"] >= 1800 and stuck["timeline"]["limit_minutes"] == 2880


def test_a_question_that_the_mode_keeps_away_is_no_answer(site: SiteLab) -> None:
    add(site, "STUCK", "NORMAL")
    with site.site(reaches_mode=False):
        event = site.task("site_cmpivot_info")
    site.simulator.remove("STUCK")
    site.simulator.remove("NORMAL")
    assert (event.result["counts"], event.result["no_answer"]) == ({"normal": 1, "no_answer": 1}, ["STUCK"])


def test_rows_that_are_cut_off_are_not_taken_for_all(site: SiteLab) -> None:
    add(site, "STUCK", "NORMAL")
    with site.site(most_cells=0):
        event = site.task("site_cmpivot_info", wait_timeout=10)
    site.simulator.remove("STUCK")
    site.simulator.remove("NORMAL")
    assert event.result["counts"] == {"no_answer": 2}
