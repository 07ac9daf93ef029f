# SPDX-License-Identifier: GPL-3.0-or-later
"""ProvisioningMaxMinutes: set, kept, removed, and refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Thrice, client_key, own_keys

NAME = "ProvisioningMaxMinutes"
CCMEXEC = "HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec"


def limit(profile: str = "normal", /, *, spec: dict[str, Any] | None = None, **options: Any) -> Case:
    return Case("provisioning_timeout", options, {"profile": profile, **(spec or {})})


def with_value(value: Any) -> dict[str, Any]:
    return {"registry": {CCMEXEC: {NAME: value}}}


def fault(method: str, then: str) -> dict[str, Any]:
    return {"faults": [{"match": {"method": method}, "then": then}]}


# Key: the case; the value before, as the diff has it; afterwards; minutes that it acts as.
CHANGED: dict[str, tuple[Case, Any, int | None, int]] = {
    "set": (limit(max_minutes=720), None, 720, 720),
    "replaced": (limit(max_minutes=720, spec=with_value(1440)), 1440, 720, 720),
    "lengthened": (limit(max_minutes=2881, spec=with_value(1440)), 1440, 2881, 2881),
    "zero": (limit(max_minutes=0), None, 0, 2880),
    "one hour": (limit(max_minutes=60), None, 60, 60),
    "largest": (limit(max_minutes=2**32 - 1), None, 2**32 - 1, 2**32 - 1),
    "short, allowed": (limit(max_minutes=59, allow_short=True), None, 59, 60),
    "one, allowed": (limit(max_minutes=1, allow_short=True), None, 1, 60),
    "absent": (limit(state="absent", spec=with_value(720)), 720, None, 2880),
    "absent, zero": (limit(state="absent", spec=with_value(0)), 0, None, 2880),
    "text": (limit(max_minutes=720, spec=with_value("720")), "720", 720, 720),
    "text that is no number": (limit(max_minutes=720, spec=with_value("soon")), "soon", 720, 720),
    "quad": (limit(max_minutes=720, spec=with_value({"type": "qword", "data": 720})), 720, 720, 720),
    "list": (limit(max_minutes=720, spec=with_value(["720"])), ["720"], 720, 720),
    "absent, text": (limit(state="absent", spec=with_value("soon")), "soon", None, 2880),
    "in the mode, nothing runs": (limit("stuck", max_minutes=720), None, 720, 720),
    "held, lengthened": (limit("held", max_minutes=5760), None, 5760, 5760),
    "old client": (limit("old_client", max_minutes=720), None, 720, 720),
    "missing values answered with 2": (
        limit(max_minutes=720, spec={"variants": {"missing_value_code": 2}}),
        None,
        720,
        720,
    ),
}
UNCHANGED: dict[str, tuple[Case, int | None]] = {
    "same": (limit(max_minutes=720, spec=with_value(720)), 720),
    "zero already": (limit(max_minutes=0, spec=with_value(0)), 0),
    "absent already": (limit(state="absent"), None),
    "same, live": (limit("live_upgrade", max_minutes=720, spec=with_value(720)), 720),
}
RUNS = " runs ("
LEFT_ALONE: dict[str, tuple[Case, str]] = {
    "live upgrade": (limit("live_upgrade", max_minutes=720), RUNS),
    "live osd": (limit("live_osd", max_minutes=60), RUNS),
    "live, lengthened": (limit("live_upgrade", max_minutes=5760), RUNS),
    "live, out of the mode": (limit(max_minutes=720, spec={"processes": ["TSManager.exe"]}), RUNS),
    "live, back to the default": (limit("live_upgrade", state="absent", spec=with_value(5760)), RUNS),
    "live, text": (limit("live_upgrade", max_minutes=720, spec=with_value("5760")), RUNS),
    "live, zero": (limit("live_upgrade", max_minutes=0, spec=with_value(5760)), RUNS),
    "armed": (limit("upgrade_pending_restart", max_minutes=720), "resumes at the next restart"),
    "in the dark": (limit("broken_wmi", max_minutes=720), "processes could not be read"),
    "held": (limit("held", max_minutes=60), "the client is held in provisioning mode by"),
}
FAILED: dict[str, tuple[Case, str]] = {
    "no client": (limit("no_client", max_minutes=720), "no ConfigMgr client"),
    "stale name": (limit("stale_name", max_minutes=720), "PC-RENAMED"),
    "limited account": (limit("limited_account", max_minutes=720), "CcmExec"),
    "denied account": (limit("access_denied", max_minutes=720), "local administrator"),
    "write refused": (limit(max_minutes=720, spec=fault("SetDWORDValue", "wmi_access_denied")), "local administrator"),
    "unreadable": (limit(max_minutes=720, spec=fault("EnumValues", "provider_failure")), "WBEM_E_PROVIDER_FAILURE"),
    "not kept": (
        limit(max_minutes=720, spec=fault("SetDWORDValue", "return 0")),
        "max_minutes was written as 720 and reads back as None",
    ),
}
# Options; what the message names. Nothing may be sent.
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "minus one": ({"max_minutes": -1}, ["max_minutes", "-1"]),
    "one": ({"max_minutes": 1}, ["max_minutes", "1", "allow_short"]),
    "short": ({"max_minutes": 59}, ["max_minutes", "59", "allow_short"]),
    "text": ({"max_minutes": "abc"}, ["max_minutes", "abc"]),
    "fraction": ({"max_minutes": "1.5"}, ["max_minutes", "1.5"]),
    "too large": ({"max_minutes": 2**32}, ["max_minutes", "4294967296"]),
    "too large, allowed short": ({"max_minutes": 2**32, "allow_short": True}, ["max_minutes", "4294967296"]),
    "missing": ({}, ["max_minutes", "state"]),
    "with absent": ({"state": "absent", "max_minutes": 720}, ["max_minutes", "absent"]),
    "state": ({"state": "gone", "max_minutes": 720}, ["state", "gone"]),
    "name_check": ({"max_minutes": 720, "name_check": "loose"}, ["name_check", "loose"]),
    "connect_timeout": ({"max_minutes": 720, "connect_timeout": 0}, ["connect_timeout", "0"]),
    "deadline": ({"max_minutes": 720, "deadline": -1}, ["deadline", "-1"]),
}


@pytest.fixture(scope="module")
def thrice(lab: Lab) -> Thrice:
    others = {key: case for key, (case, _) in [*UNCHANGED.items(), *LEFT_ALONE.items(), *FAILED.items()]}
    others |= {f"bad {key}": Case("provisioning_timeout", options) for key, (options, _) in BAD.items()}
    return Thrice(lab, {key: case for key, (case, *_) in CHANGED.items()}, others)


@pytest.mark.parametrize("key", CHANGED)
def test_changed(thrice: Thrice, key: str) -> None:
    _, before, after, effective = CHANGED[key]
    outcome = thrice.done[key]
    assert (outcome.status, outcome.changed) == ("ok", True), outcome.msg
    assert (outcome.result["max_minutes"], outcome.result["effective_minutes"]) == (after, effective)
    assert outcome.result["diff"] == {"before": {NAME: before}, "after": {NAME: after}}
    stored = client_key(outcome.endpoint).get(NAME)
    assert stored == (None if after is None else {"type": "REG_DWORD", "data": after})
    assert len(outcome.writes) == 1 and own_keys(outcome.endpoint) == own_keys(outcome.before)
    rest = {name: value for name, value in client_key(outcome.endpoint).items() if name != NAME}
    assert rest == {name: value for name, value in client_key(outcome.before).items() if name != NAME}
    thrice.assert_rehearsed(key, "max_minutes", "effective_minutes")


@pytest.mark.parametrize("key", UNCHANGED)
def test_unchanged(thrice: Thrice, key: str) -> None:
    thrice.done[key].assert_nothing_to_do()
    assert thrice.done[key].result["max_minutes"] == UNCHANGED[key][1]


@pytest.mark.parametrize("key", LEFT_ALONE)
def test_left_alone(thrice: Thrice, key: str) -> None:
    thrice.done[key].assert_left_alone(LEFT_ALONE[key][1])


@pytest.mark.parametrize("key", FAILED)
def test_failed(thrice: Thrice, key: str) -> None:
    outcome = thrice.done[key]
    assert outcome.status == "failed" and FAILED[key][1] in outcome.msg
    # What Windows took without an error, and does not keep, may yet have changed something.
    assert outcome.changed == (key == "not kept")
    assert outcome.endpoint["registry"] == outcome.before["registry"]


@pytest.mark.parametrize("key", BAD)
def test_bad_values_are_refused_before_anything_is_sent(thrice: Thrice, key: str) -> None:
    thrice.done[f"bad {key}"].assert_refused(*BAD[key][1])
