# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks for two moments: the end of an operating system deployment, and a change window."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.harness import Lab, Run

ENDS = {"after": {"class": "Win32_Process", "nth": 1}, "do": {"event": "end_process", "name": "TSManager.exe"}}


@dataclass(frozen=True)
class Played:
    """One run of a playbook over endpoints of its own."""

    run: Run
    names: dict[str, str]
    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]

    def results(self, key: str, task: str) -> list[dict[str, Any]]:
        return [event.result for event in self.run.of(self.names[key]) if event.task == task]

    def writes(self, key: str) -> list[str]:
        new = self.after[key]["writes"][len(self.before[key]["writes"]) :]
        return [f"{entry['event']} {entry['detail']}" for entry in new]

    def stats(self, key: str) -> dict[str, int]:
        return self.run.stats[self.names[key]]


def played(lab: Lab, playbook: str, specs: dict[str, dict[str, Any]], *options: str) -> Played:
    names = lab.add(specs)
    before = {key: lab.simulator.endpoint(name) for key, name in names.items()}
    hosts = {name: lab.host_vars(name, key=key) for key, name in names.items()}
    run = lab.ansible(
        *("ansible-playbook", "-i", lab.inventory(hosts), f"configmgr.client.{playbook}"),
        *("-e", "configmgr_client_hosts=windows", *options),
    )
    return Played(run, names, before, {key: lab.simulator.endpoint(name) for key, name in names.items()})


# -- the end of an operating system deployment -------------------------------------------------------------------------

DEPLOYMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "left by itself": ({}, "as_wanted"),
    "ends meanwhile": ({"profile": "recent", "processes": ["TSManager.exe"], "triggers": [ENDS]}, "released"),
    "ended, nobody left": ({"profile": "recent"}, "released"),
    "still runs": ({"profile": "live_osd"}, "left_alone"),
    "will resume": ({"profile": "upgrade_pending_restart"}, "left_alone"),
    "has just started": ({"profile": "stuck", "uptime": "1m"}, "left_alone"),
    "no client yet": ({"profile": "no_client"}, "as_wanted"),
    "restarts": ({"profile": "switched_off"}, "unreachable"),
    "answers half": (
        {"profile": "recent", "faults": [{"match": {"class": "StdRegProv", "nth": 1}, "then": "provider_failure"}]},
        "released",
    ),
    "denied": ({"profile": "access_denied"}, "failed"),
    "wrong password": ({"profile": "wrong_password"}, "login_failed"),
}


@pytest.fixture(scope="module")
def osd(lab: Lab) -> Played:
    specs = {key: spec for key, (spec, _) in DEPLOYMENTS.items()}
    settings = {"wait": 0, "interval": 1, "report_path": lab.directory / "osd.json"}
    words = [word for name, value in settings.items() for word in ("-e", f"finish_osd_{name}={value}")]
    return played(lab, "finish_osd", specs, *words)


@pytest.fixture(scope="module")
def report(lab: Lab, osd: Played) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab.directory / "osd.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("key", DEPLOYMENTS)
def test_end_of_a_deployment(osd: Played, report: dict[str, Any], key: str) -> None:
    (final,) = osd.results(key, "Leave the mode as soon as nothing runs any more")
    status = DEPLOYMENTS[key][1]
    assert (final.get("reachable") is False) == (status in {"unreachable", "login_failed"})
    assert (final.get("action") == "released") == (status == "released")
    assert bool(final.get("left_alone")) == (status == "left_alone")
    assert report["hosts"][osd.names[key]]["status"] == status
    if status == "released":
        assert osd.after[key]["mode"] == "normal" and osd.after[key]["client"]["takes_policy"] is True
    else:
        assert osd.writes(key) == []


def test_a_host_is_looked_at_again_where_that_may_help(osd: Played) -> None:
    again = [key for key, name in osd.names.items() if f"RETRYING: [{name}]" in osd.run.output]
    assert again == [
        *("ends meanwhile", "still runs", "will resume", "has just started"),
        *("no client yet", "restarts", "answers half"),
    ]


# -- a change window ---------------------------------------------------------------------------------------------------

LOOKED_AT = {"class": "StdRegProv", "nth": 2}
"""The last call of the look at a healthy client, before the entry."""
WORK = [
    {"name": "Ask", "configmgr.client.client_info": {}},
    {"name": "Look", "configmgr.client.provisioning_mode_info": {}},
    {"name": "Break", "ansible.builtin.fail": {"msg": "broken work"}, "when": "key == 'work fails'"},
    {
        "name": "Get lost",
        "configmgr.client.client_info": {"connect_timeout": 1},
        "vars": {"ansible_port": 1},
        "when": "key == 'host is lost'",
    },
    {"name": "Work on", "ansible.builtin.debug": {"msg": "more work"}},
]
OTHER_HOLD = json.dumps({"owner": "jdoe", "reason": "CHG0099999", "expires": 4102444800, "entered": 0})
WINDOW: dict[str, dict[str, Any]] = {
    "work succeeds": {},
    "work fails": {},
    "host is lost": {},
    "an upgrade runs": {"profile": "live_upgrade"},
    "entered lately": {"profile": "recent"},
    "another window of the same owner": {"profile": "held"},
    "a task sequence starts in the work": {
        "triggers": [{"after": {"class": "SMS_Authority"}, "do": {"event": "start_process", "name": "TSManager.exe"}}]
    },
    "a task sequence starts at the entry": {
        "triggers": [
            {
                "after": {"class": "SMS_Client", "method": "SetClientProvisioningMode"},
                "do": {"event": "start_process", "name": "TSManager.exe"},
            }
        ]
    },
    "another window of the same owner enters": {
        "registry": {"HKLM\\SOFTWARE\\configmgr.client\\Hold": {"Hold": OTHER_HOLD}},
        "triggers": [{"after": LOOKED_AT, "do": {"event": "enter_provisioning_mode"}}],
    },
    "entry fails": {"machine_name": "PC-RENAMED"},
}


IN_THE_MODE = ("an upgrade runs", "entered lately", "another window of the same owner")


def window(lab: Lab, *options: str, **variables: str) -> Played:
    given = {
        "change_window_tasks": str(lab.file("work.yml", WORK)),
        "change_window_owner": "jdoe",
        "change_window_reason": "CHG0012345",
        "change_window_release_wait": "1",
        **variables,
    }
    words = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    return played(lab, "change_window", WINDOW, *words, *options)


@pytest.fixture(scope="module")
def change(lab: Lab) -> Played:
    return window(lab)


def test_the_work_is_done_on_held_clients_only(change: Played) -> None:
    found = {key: result["verdict"] for key in WINDOW for result in change.results(key, "Look")}
    # With the task sequence the verdict is another, and the hold is there all the same.
    assert found == {
        **dict.fromkeys(["work succeeds", "work fails", "host is lost"], "held"),
        "a task sequence starts in the work": "expected",
    }
    assert [key for key in WINDOW if change.results(key, "Work on")] == [
        "work succeeds",
        "a task sequence starts in the work",
    ]


@pytest.mark.parametrize("key", ["work succeeds", "work fails"])
def test_the_client_is_released_however_the_work_ends(change: Played, key: str) -> None:
    assert change.after[key]["mode"] == "normal"
    assert change.after[key]["client"]["takes_policy"] is True
    assert "Hold" not in change.after[key]["registry"].get("HKLM\\SOFTWARE\\configmgr.client", {})
    assert change.stats(key)["failures"] == (key == "work fails")


@pytest.mark.parametrize("key", IN_THE_MODE)
def test_a_client_that_is_in_the_mode_already_is_not_touched(change: Played, key: str) -> None:
    assert change.writes(key) == []
    assert change.stats(key)["failures"] == 1


@pytest.mark.parametrize(
    ("key", "failures"), [("a task sequence starts in the work", 1), ("a task sequence starts at the entry", 2)]
)
def test_what_started_meanwhile_is_not_broken(change: Played, key: str, failures: int) -> None:
    """A window that could not begin fails for that as well, and its hold does not explain the task sequence's stay."""
    assert change.after[key]["mode"] == "provisioning"
    assert [write.split()[-1] for write in change.writes(key) if "SetClientProvisioningMode" in write] == [
        "bEnable=True"
    ]
    assert change.stats(key)["failures"] == failures
    (said,) = change.results(key, "Say where the client could not be released")
    assert "a task sequence runs (TSManager.exe)" in said["msg"]
    assert ("The hold of jdoe stands until it expires." in said["msg"]) == (failures == 1)


def test_what_was_entered_by_another_after_the_look_is_not_released(change: Played) -> None:
    key = "another window of the same owner enters"
    (before,), (entry,) = change.results(key, "Look at the client"), change.results(key, "Enter provisioning mode")
    assert (before["verdict"], entry["entered"]) == ("normal", False) and entry["left_alone"]
    assert change.after[key]["mode"] == "provisioning"
    assert change.writes(key) == []
    assert change.stats(key)["failures"] == 1


def test_a_lost_host_keeps_its_hold(change: Played) -> None:
    assert change.stats("host is lost")["unreachable"] == 1
    assert "Hold" in change.after["host is lost"]["registry"]["HKLM\\SOFTWARE\\configmgr.client"]


def test_an_entry_that_fails_leaves_no_hold(change: Played) -> None:
    assert change.after["entry fails"]["mode"] == "normal"
    assert change.stats("entry fails")["failures"] == 1


def test_a_rehearsal_does_no_work(lab: Lab) -> None:
    rehearsed = window(lab, "--check")
    for key in WINDOW:
        assert rehearsed.writes(key) == [] and rehearsed.results(key, "Look") == []


@pytest.mark.parametrize(
    ("missing", "value"),
    [
        ("change_window_owner", ""),
        ("change_window_reason", ""),
        ("change_window_tasks", ""),
        ("change_window_minutes", "4h"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_sent(lab: Lab, missing: str, value: str) -> None:
    refused = window(lab, **{missing: value})
    assert refused.run.rc == 2 and missing in refused.run.output
    assert all(lab.simulator.traffic(name)["connections"] == 0 for name in refused.names.values())
