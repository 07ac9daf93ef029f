# SPDX-License-Identifier: GPL-3.0-or-later
"""A collection of so many clients that the site would cut off what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.site import SiteLab

NO_LISTENER = {"http": False, "https": False}
CLIENTS: dict[str, dict[str, Any]] = {
    "NORMAL": {},
    "STUCK": {"profile": "stuck"},
    "HALF": {"profile": "half_exited"},
    "MUTE": {"site": {"answers": "never"}},
}
OFF = 8400


@pytest.fixture(scope="module", autouse=True)
def fleet(site: SiteLab) -> None:
    site.simulator.add(
        *({"name": name, "machine_name": name, **NO_LISTENER, **keys} for name, keys in CLIENTS.items()),
        {"name": f"OFF-{{0001..{OFF}}}", "address": "127.30.0.1", **NO_LISTENER, "site": {"online": False}},
    )


def test_who_is_in_the_mode_is_told_and_who_answered_without_a_row_is_not(site: SiteLab) -> None:
    with site.site():
        event = site.task("site_cmpivot_info", evidence=True, wait_timeout=10)
        requests = site.requests
    assert event.status == "ok", event.result
    assert event.result["counts"] == {"normal": 1, "unknown": 2, "no_answer": 1, "offline": OFF}
    found = {each["name"]: each["provisioning_mode"] for each in event.result["devices"]}
    assert found == {"STUCK": True, "HALF": False}
    assert event.result["devices"][1]["timeline"]["age_minutes"] is None, "the time of entry was not asked for"
    assert (event.result["no_answer"], event.result["complete"]) == (["MUTE"], True)
    assert "smaller collections" in event.result["warnings"][0]
    assert len([each for each in requests if each["method"] == "POST"]) == 1
    assert len(requests) < 60
