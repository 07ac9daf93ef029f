# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds, backoff with a client that is starting, and upgrades that died."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome

NOW = dt.datetime.now(dt.timezone.utc)
HOLD_KEY = "HKLM\\SOFTWARE\\configmgr.client\\Hold"


def moment(**ahead: int) -> str:
    return (NOW + dt.timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


def hold(expires: str, owner: str = "jdoe", reason: str = "CHG0012345") -> dict[str, Any]:
    return {"owner": owner, "reason": reason, "expires": expires}


def enter(expires: str, *, check: bool = False, owner: str = "jdoe", **spec: Any) -> Case:
    options = {"enabled": True, "hold": hold(expires, owner)}
    return Case("provisioning_mode", options, {"profile": "normal", **spec}, check=check)


HELD = {
    "entered and held": enter(moment(hours=3)),
    "held in the mode already": enter(moment(hours=4), profile="stuck"),
}
# What the message names: the option, its value, and what to do.
REFUSED: dict[str, tuple[Case, list[str]]] = {
    "past": (enter("2020-01-01T00:00:00Z"), ["hold.expires='2020-01-01T00:00:00Z'", "is past", "a time to come"]),
    "past by the endpoint's clock": (
        enter(moment(hours=1), clock_skew="2h"),
        [f"hold.expires={moment(hours=1)}", "past by the endpoint's clock", "give a later time"],
    ),
    "beyond the default limit": (
        enter(moment(hours=60)),
        [f"hold.expires={moment(hours=60)}", "2880 minutes", "raise ProvisioningMaxMinutes"],
    ),
    "beyond its own limit": (
        enter(moment(hours=3), provisioning={"max_minutes": 120}),
        [f"hold.expires={moment(hours=3)}", "120 minutes", "give an earlier time"],
    ),
    "beyond an hour": (enter(moment(hours=2), provisioning={"max_minutes": 5}), ["60 minutes", "give an earlier time"]),
    "no time": (
        enter("tomorrow"),
        ["hold.expires='tomorrow'", "not a valid time with a time zone", "give one such as"],
    ),
    "no zone": (
        enter("2026-11-30T18:00:00"),
        ["hold.expires='2026-11-30T18:00:00'", "not a valid time with a time zone"],
    ),
    "owner with a bell": (enter(moment(hours=3), owner="j\u0007doe"), ["hold.owner='j\\x07doe'", "one line"]),
    "owner too long": (enter(moment(hours=3), owner="j" * 256), ["hold.owner has 256 characters", "255"]),
    "past the end of this stay": (enter(moment(hours=40), profile="stuck"), ["2880 minutes in the mode"]),
    "empty owner": (enter(moment(hours=3), owner=" "), ["hold.owner is empty", "say it"]),
    "no owner": (
        Case("provisioning_mode", {"enabled": True, "hold": {"reason": "CHG0012345", "expires": moment(hours=3)}}),
        ["owner", "required", "hold"],
    ),
    "no reason": (
        Case("provisioning_mode", {"enabled": True, "hold": {"owner": "jdoe", "expires": moment(hours=3)}}),
        ["reason", "required", "hold"],
    ),
    "while leaving": (
        Case("provisioning_mode", {"enabled": False, "hold": hold(moment(hours=3))}, {"profile": "stuck"}),
        ["goes with enabled=true"],
    ),
}


@pytest.fixture(scope="module")
def entered(lab: Lab) -> dict[str, Outcome]:
    refused = {f"refused: {key}": case for key, (case, _) in REFUSED.items()}
    return lab.play({**HELD, **refused, "check": enter(moment(hours=3), check=True)})


@pytest.fixture(scope="module")
def again(lab: Lab, entered: dict[str, Outcome]) -> dict[str, Outcome]:
    return lab.again({key: entered[key].endpoint["name"] for key in HELD}, HELD)


@pytest.fixture(scope="module")
def left(lab: Lab, again: dict[str, Outcome]) -> dict[str, dict[str, Outcome]]:
    """Left alone while it is held, released by force, and nothing left to do."""
    names = {key: again[key].endpoint["name"] for key in HELD}
    plain = Case("provisioning_mode", {"enabled": False, "minimum_age": 0})
    forced = Case("provisioning_mode", {**plain.options, "force": True, "force_reason": "the window is over"})
    return {
        "plain": lab.again(names, dict.fromkeys(names, plain)),
        "forced": lab.again(names, dict.fromkeys(names, forced)),
        "after": lab.again(names, dict.fromkeys(names, plain)),
    }


def held_by(outcome: Outcome) -> str | None:
    own = outcome.endpoint["registry"].get("HKLM\\SOFTWARE\\configmgr.client", {})
    return str(json.loads(own["Hold"]["key"]["Hold"]["data"])["owner"]) if "Hold" in own else None


@pytest.mark.parametrize("key", HELD)
def test_hold_is_kept_and_then_left_alone(
    entered: dict[str, Outcome], again: dict[str, Outcome], left: dict[str, dict[str, Outcome]], key: str
) -> None:
    assert entered[key].changed
    assert entered[key].endpoint["client"]["loaded_mode"] is True
    assert held_by(entered[key]) == held_by(left["plain"][key]) == "jdoe"
    assert not again[key].changed
    assert again[key].result["verdict"] == "held"
    assert not left["plain"][key].changed
    assert "jdoe: CHG0012345" in left["plain"][key].result["left_alone"]


@pytest.mark.parametrize("key", HELD)
def test_exit_removes_the_hold(left: dict[str, dict[str, Outcome]], key: str) -> None:
    forced = left["forced"][key]
    assert forced.result["action"] == "released", forced.msg
    assert {"step": "remove_hold", "argument": forced.result["diff"]["before"]["hold"]} in forced.result["steps"]
    assert forced.endpoint["client"]["loaded_mode"] is False
    assert held_by(forced) is None
    assert left["after"][key].result["action"] == "none"


@pytest.mark.parametrize("key", REFUSED)
def test_hold_that_cannot_be_is_refused(entered: dict[str, Outcome], key: str) -> None:
    outcome = entered[f"refused: {key}"]
    assert (outcome.status, outcome.changed) == ("failed", False)
    for word in REFUSED[key][1]:
        assert word in outcome.msg
    assert not outcome.writes


def test_check_mode_holds_nothing(entered: dict[str, Outcome]) -> None:
    outcome = entered["check"]
    assert outcome.changed
    assert [step["step"] for step in outcome.result["steps"]] == ["hold", "set_mode"]
    assert not outcome.writes


def stored(owner: str, **ahead: int) -> dict[str, Any]:
    """A hold as an endpoint keeps it."""
    expires = {"type": "qword", "data": int((NOW + dt.timedelta(**ahead)).timestamp())}
    return {"registry": {HOLD_KEY: {"Owner": owner, "Reason": "CHG0012345", "Expires": expires}}}


EXPIRED = stored("jdoe", hours=-1)
EXPIRES_OF_JDOE = int((NOW + dt.timedelta(hours=2)).timestamp())
LEAVE = {"enabled": False, "wait_timeout": 30}
RELEASED = {
    "hold that expired": Case("provisioning_mode", LEAVE, {"profile": "stuck", **EXPIRED}),
    "starting client": Case(
        "provisioning_mode",
        LEAVE,
        {
            "profile": "stuck",
            "faults": [{"match": {"method": "SetClientProvisioningMode", "nth": 1}, "then": "provider_failure"}],
        },
    ),
    "upgrade that died": Case("provisioning_mode", {**LEAVE, "run_ccmeval": True}, {"profile": "dead_upgrade"}),
}


@pytest.fixture(scope="module")
def released(lab: Lab) -> dict[str, Outcome]:
    return lab.play(RELEASED)


@pytest.mark.parametrize("key", RELEASED)
def test_released(released: dict[str, Outcome], key: str) -> None:
    outcome = released[key]
    assert outcome.result.get("action") == "released", outcome.msg
    assert outcome.endpoint["client"]["loaded_mode"] is False
    assert outcome.endpoint["services"]["CcmExec"]["state"] == "Running"
    assert outcome.endpoint["services"]["CcmExec"]["start_mode"] == "Auto"
    assert outcome.result["attempts"] == (2 if key == "starting client" else 1)


def test_health_evaluation_runs_where_it_is_asked_for(released: dict[str, Outcome]) -> None:
    assert any("ccmeval.exe" in command for command in released["upgrade that died"].commands())
    assert not released["hold that expired"].commands()


def test_guard_is_read_again_before_each_attempt(lab: Lab) -> None:
    """A task sequence that starts while a starting client is waited for is never interfered with."""
    outcome = lab.play(
        {
            "meanwhile": Case(
                "provisioning_mode",
                LEAVE,
                {
                    "profile": "stuck",
                    "faults": [
                        {"match": {"method": "SetClientProvisioningMode", "nth": 1}, "then": "provider_failure"}
                    ],
                    "triggers": [
                        {
                            "after": {"method": "SetClientProvisioningMode", "nth": 1},
                            "do": {"event": "start_process", "name": "TSManager.exe"},
                        }
                    ],
                },
            )
        }
    )["meanwhile"]
    assert outcome.result["left_alone"], outcome.msg
    assert outcome.methods().count("SetClientProvisioningMode") == 1
    assert outcome.endpoint["client"]["loaded_mode"] is True


# -- whose hold it is --------------------------------------------------------------------------------------------------

OWN = {"enabled": False, "hold_owner": "jdoe", "minimum_age": 240}
YOUNG = {"profile": "recent", **stored("jdoe", hours=2)}
ENDED = {
    "own hold": Case("provisioning_mode", OWN, YOUNG),
    "own hold, rehearsed": Case("provisioning_mode", OWN, YOUNG, check=True),
    "own hold, no longer in the mode": Case("provisioning_mode", OWN, {"profile": "normal", **stored("jdoe", hours=2)}),
}
# The word that says why.
KEPT: dict[str, tuple[Case, str]] = {
    "somebody else's hold": (Case("provisioning_mode", OWN, {**YOUNG, **stored("asmith", hours=2)}), "by asmith"),
    "something runs": (Case("provisioning_mode", OWN, {**YOUNG, "processes": ["TSManager.exe"]}), "TSManager.exe"),
    "a restart is waited for": (
        Case("provisioning_mode", OWN, {"profile": "upgrade_pending_restart", **stored("jdoe", hours=2)}),
        "waiting for a restart",
    ),
    "no hold": (Case("provisioning_mode", OWN, {"profile": "recent"}), "less than"),
    "hold over a live upgrade": (enter(moment(hours=3), profile="live_upgrade"), "runs"),
    "hold over an armed restart": (enter(moment(hours=3), profile="upgrade_pending_restart"), "waiting for a restart"),
    "hold over what cannot be determined": (enter(moment(hours=3), profile="broken_wmi"), "cannot be determined"),
    "hold over somebody else's": (enter(moment(hours=3), profile="stuck", **stored("asmith", hours=2)), "by asmith"),
}


@pytest.fixture(scope="module")
def owned(lab: Lab) -> dict[str, Outcome]:
    both = Case("provisioning_mode", {"enabled": True, "hold_owner": "jdoe"})
    return lab.play({**ENDED, **{key: case for key, (case, _) in KEPT.items()}, "both": both})


def test_its_owner_ends_a_hold(owned: dict[str, Outcome]) -> None:
    outcome = owned["own hold"]
    assert outcome.result["action"] == "released", outcome.msg
    assert outcome.endpoint["client"]["loaded_mode"] is False
    assert held_by(outcome) is None
    rehearsed = owned["own hold, rehearsed"]
    assert rehearsed.result["diff"].keys() == outcome.result["diff"].keys() and not rehearsed.writes
    tidied = owned["own hold, no longer in the mode"]
    assert [step["step"] for step in tidied.result["steps"]] == ["remove_hold"], tidied.msg
    assert held_by(tidied) is None and tidied.methods().count("SetClientProvisioningMode") == 0


@pytest.mark.parametrize("key", KEPT)
def test_the_mode_is_kept_for_another_reason(owned: dict[str, Outcome], key: str) -> None:
    outcome = owned[key]
    assert (outcome.status, outcome.changed) == ("ok", False), outcome.msg
    assert KEPT[key][1] in outcome.result["left_alone"]
    assert not outcome.writes


def test_an_entry_has_no_owner_beside_its_hold(owned: dict[str, Outcome]) -> None:
    owned["both"].assert_refused("hold_owner", "hold.owner")


# -- holds that fail, and holds that are left behind -------------------------------------------------------------------

HELD_BY_JDOE = {"profile": "stuck", **stored("jdoe", hours=2)}
NO_ENTRY = {"faults": [{"match": {"method": "SetClientProvisioningMode"}, "then": "wmi_access_denied"}]}
FAILING = {
    "second hold, lost": enter(
        moment(hours=3), **HELD_BY_JDOE, faults=[{"match": {"method": "SetStringValue"}, "then": "drop"}]
    ),
    "entry fails": enter(moment(hours=3), **NO_ENTRY),
}


@pytest.fixture(scope="module")
def failing(lab: Lab) -> dict[str, Outcome]:
    return lab.play(FAILING)


def test_a_hold_that_is_replaced_holds_all_the_time(failing: dict[str, Outcome]) -> None:
    outcome = failing["second hold, lost"]
    assert outcome.status == "failed"
    hold_now = outcome.endpoint["registry"]["HKLM\\SOFTWARE\\configmgr.client"]["Hold"]["key"]
    assert hold_now["Expires"]["data"] == EXPIRES_OF_JDOE


def test_an_entry_that_fails_leaves_no_hold(failing: dict[str, Outcome]) -> None:
    outcome = failing["entry fails"]
    assert outcome.status == "failed", outcome.msg
    assert [step["step"] for step in outcome.result["steps"]] == ["hold", "remove_hold"]
    assert held_by(outcome) is None


SET = {"method": "SetClientProvisioningMode", "nth": 1}
WRITTEN = {"method": "SetStringValue", "nth": 1}
OTHERS = json.dumps({"owner": "asmith", "reason": "CHG0054321", "expires": 4102444800, "entered": 0})
OTHER_HOLD = {"event": "edit_registry_value", "key": HOLD_KEY, "name": "Hold", "value": OTHERS}
# Who owns the hold afterwards, and the steps that were taken.
OVERTAKEN: dict[str, tuple[Case, str, list[str]]] = {
    "before the entry": (
        enter(moment(hours=3), triggers=[{"after": WRITTEN, "do": OTHER_HOLD}]),
        "asmith",
        ["hold"],
    ),
    "after the entry": (
        enter(moment(hours=3), triggers=[{"after": SET, "do": OTHER_HOLD}]),
        "asmith",
        ["hold", "set_mode"],
    ),
    "in the mode already": (
        enter(moment(hours=3), profile="stuck", triggers=[{"after": WRITTEN, "do": OTHER_HOLD}]),
        "asmith",
        ["hold"],
    ),
    "a task sequence before the entry": (
        enter(moment(hours=3), triggers=[{"after": WRITTEN, "do": "start_task_sequence"}]),
        "jdoe",
        ["hold"],
    ),
    "a task sequence after the entry": (
        enter(moment(hours=3), triggers=[{"after": SET, "do": {"event": "start_task_sequence", "enters_mode": False}}]),
        "jdoe",
        ["hold", "set_mode"],
    ),
}


@pytest.fixture(scope="module")
def overtaken(lab: Lab) -> dict[str, Outcome]:
    return lab.play({key: case for key, (case, _, _) in OVERTAKEN.items()})


@pytest.mark.parametrize("key", OVERTAKEN)
def test_who_was_faster_keeps_what_is_his_and_what_was_done_is_told(overtaken: dict[str, Outcome], key: str) -> None:
    outcome, (_, owner, steps) = overtaken[key], OVERTAKEN[key]
    assert held_by(outcome) == owner
    assert [step["step"] for step in outcome.result["steps"]] == steps
    read_back = key in ("after the entry", "in the mode already")  # what was asked for is then not what is there
    assert outcome.status == ("failed" if read_back else "ok"), outcome.msg
    assert outcome.changed and outcome.result["entered"] is ("set_mode" in steps)
    assert outcome.methods().count("SetClientProvisioningMode") == steps.count("set_mode")
    assert outcome.methods().count("SetStringValue") == 1, "nothing is written over what another has set"
    said = {"asmith": "asmith: CHG0054321", "jdoe": "a task sequence runs"}
    if key == "a task sequence before the entry":  # which has then entered the mode itself
        said["jdoe"] = "another administrator or process has just changed the mode"
    assert said[owner] in outcome.msg.replace("Another", "another")


def test_a_hold_that_a_task_sequence_overtook_hides_not_its_stay(lab: Lab, overtaken: dict[str, Outcome]) -> None:
    outcome = overtaken["a task sequence before the entry"]
    name = outcome.endpoint["name"]
    assert outcome.endpoint["mode"] == "provisioning"
    lab.simulator.event(name, "kill_task_sequence")
    later = lab.again({"left": name}, {"left": Case("provisioning_mode", {"enabled": False, "minimum_age": 0})})["left"]
    assert (later.result["action"], held_by(later)) == ("released", None), later.msg


def test_a_hold_explains_no_later_stay_in_the_mode(lab: Lab) -> None:
    """Another tool ends the stay and leaves the hold; something enters the mode again, and dies."""
    first = lab.play({"held": enter(moment(hours=20))})["held"]
    name = first.endpoint["name"]
    assert first.result["action"] == "entered", first.msg
    lab.simulator.event(name, "exit_provisioning_mode")
    lab.simulator.patch(name, provisioning={"mode": True, "entered": "30h ago"})
    later = lab.again({"held": name}, {"held": Case("provisioning_mode", {"enabled": False})})["held"]
    assert later.result["verdict"] == "stuck", later.msg
    assert later.result["action"] == "released" and held_by(later) is None
