# SPDX-License-Identifier: GPL-3.0-or-later
"""What a script printed, taken for no more than it says. The simulated machine prints by the same schema."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.windows.clock import Clock
from simulator.windows.machine import Machine
from simulator.windows.spec import MachineSpec

from ansible_collections.configmgr.client.plugins.module_utils._client.errors import NotUnderstood
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.script_answer import parsed, state_of
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import RELEASED, Verdict, assess
from ansible_collections.configmgr.client.plugins.module_utils._site import own_scripts
from ansible_collections.configmgr.client.plugins.module_utils._site.own_scripts import LEAVE_MODE, READ_MODE, Script

SCHEMA = json.loads(Path(own_scripts.__file__).with_name("scripts").joinpath("answers.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def printed(script: Script, **keys: Any) -> str:
    """By a simulated machine."""
    machine = Machine(MachineSpec.from_mapping(keys, "machine"), Clock())
    return machine.channel.run_script(script.stored.decode("utf-16"))


STUCK = {"provisioning": {"mode": True, "entered": "30h ago"}}
MACHINES: dict[str, dict[str, Any]] = {
    "normal": {},
    "stuck": STUCK,
    "task sequence": {**STUCK, "processes": ["TSManager.exe"], "ts_requests": [{"State": "Running"}]},
    "strange": {"provisioning": {"mode": True, "entered": "raw:soon", "entered_type": "string", "max_minutes": 60}},
    "blind": {**STUCK, "broken_classes": {"Win32_Process": "provider_failure", "Win32_Service": "provider_failure"}},
    "setup": {**STUCK, "processes": [r"D:\setup.exe /auto upgrade"], "setup": {"SetupType": 2, "CmdLine": "x"}},
    "no client": {"client_version": None},
}


@pytest.mark.parametrize("key", MACHINES)
@pytest.mark.parametrize("script", [READ_MODE, LEAVE_MODE])
def test_what_a_machine_prints_is_of_the_schema(key: str, script: Script) -> None:
    text = printed(script, **MACHINES[key])
    VALIDATOR.validate(json.loads(text))
    assert len(text) < 4000 and "\n" not in text


@pytest.mark.parametrize("key", MACHINES)
def test_a_site_may_tell_it_as_a_text_of_json(key: str) -> None:
    text = printed(READ_MODE, **MACHINES[key])
    assert parsed(text, "read_mode") == parsed(json.dumps(text), "read_mode") == json.loads(text)


def answer(**keys: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(READ_MODE, **keys))
    return found


def verdict(found: dict[str, Any]) -> Verdict | None:
    """None where nothing is concluded."""
    try:
        return assess(state_of(parsed(json.dumps(found), "read_mode"))).verdict
    except NotUnderstood:
        return None


SIGNALS = [name for name in answer() if name not in ("version", "script", "errors")]


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("how", ["missing", "null", "error", "another type", "empty"])
def test_a_signal_that_is_not_told_releases_nobody(signal: str, how: str) -> None:
    """What could not be read is never taken for what is absent; only where null is a value is it one."""
    found = answer(**STUCK)
    assert verdict(found) is Verdict.STUCK
    if how == "missing":
        del found[signal]
    elif how == "another type":
        found[signal] = 5
    elif how == "empty":
        found[signal] = {}
    else:
        found[signal] = None
        if how == "error":
            found["errors"] = {signal: "access denied"}
    said = verdict(found)
    is_stored = signal in ("excludes", "hold", "max_minutes", "entered_at", "client_version", "requests")
    if (how == "null" and is_stored) or (signal == "requests"):
        assert said is not Verdict.NORMAL
    else:
        assert said is None or said not in RELEASED, said


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@settings(deadline=None)
@given(st.sampled_from(SIGNALS), JSON)
def test_any_value_is_understood_or_refused(signal: str, value: Any) -> None:
    verdict({**FOUND, signal: value})


FOUND = answer(**STUCK)


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")))
def test_any_text_is_understood_or_refused(text: str) -> None:
    for script in ("read_mode", "leave_mode"):
        with suppress(NotUnderstood):
            parsed(text, script)


def test_an_answer_that_is_cut_anywhere_is_refused() -> None:
    text = printed(READ_MODE, **STUCK)
    for end in range(len(text)):
        with pytest.raises(NotUnderstood):
            parsed(text[:end], "read_mode")
