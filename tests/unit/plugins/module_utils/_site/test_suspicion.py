# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._site.devices import Address, Device
from ansible_collections.configmgr.client.plugins.module_utils._site.facts import device_facts
from ansible_collections.configmgr.client.plugins.module_utils._site.suspicion import suspicion

NOW = dt.datetime(2026, 11, 2, 8, tzinfo=dt.timezone.utc)
MOMENTS = st.none() | st.timedeltas(dt.timedelta(days=-1), dt.timedelta(days=400)).map(lambda age: NOW - age)
TRUTHS = st.none() | st.booleans()
DEVICES = st.builds(
    Device,
    **{field.name: MOMENTS for field in dataclasses.fields(Device) if "datetime" in str(field.type)},
    online=TRUTHS,
    client_check_passed=TRUTHS,
)


def long_ago(device: Device) -> Device:
    """The same, silent for a year, and all that time online."""
    year = NOW - dt.timedelta(days=365)
    return dataclasses.replace(
        device, is_obsolete=False, is_client=True, online=True, online_since=year, last_policy_request=year
    )


@given(DEVICES, st.integers(1, 10_000), st.integers(1, 100))
def test_who_is_suspected_is_online_registered_and_silent(device: Device, interval: int, intervals: int) -> None:
    found = suspicion(device, NOW, interval, intervals)
    patience = dt.timedelta(minutes=interval * intervals)
    if found.suspect:
        assert device.online and device.is_client and not device.is_obsolete
        assert device.last_policy_request is None or NOW - device.last_policy_request >= patience
        assert device.online_since is None or NOW - device.online_since >= dt.timedelta(minutes=interval)
    assert bool(found.reasons) == (found.suspect is not False)


@given(DEVICES)
def test_whoever_is_silent_for_long_is_suspected(device: Device) -> None:
    assert suspicion(long_ago(device), NOW).suspect is True


@given(DEVICES, st.timedeltas(dt.timedelta(0), dt.timedelta(minutes=179)))
def test_nobody_is_suspected_who_asked_for_policy_just_now(device: Device, age: dt.timedelta) -> None:
    assert not suspicion(dataclasses.replace(long_ago(device), last_policy_request=NOW - age), NOW).suspect


@given(DEVICES)
def test_facts_are_plain_and_no_age_is_negative(device: Device) -> None:
    facts = device_facts(device, Address("pc.corp", ["192.0.2.1"]), suspicion(device, NOW), NOW)
    assert json.loads(json.dumps(facts)) == facts
    assert all(value is None or value >= 0 for name, value in facts.items() if name.endswith("_minutes"))
