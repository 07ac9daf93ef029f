# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ways from one playbook: over WinRM, and through the site for those without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.harness import FQCN, Run
from tests.integration.site import SiteLab

SCRIPTS = ("configmgr.client read_mode 1", "configmgr.client leave_mode 1")
NO_LISTENER = {"http": False, "https": False}
MACHINES: dict[str, dict[str, Any]] = {
    "DESK-1": {"profile": "stuck"},
    "DESK-2": {},
    "LAP-1": {"profile": "stuck", **NO_LISTENER},
    "LAP-2": {**NO_LISTENER},
    "LAP-3": {"profile": "live_osd", **NO_LISTENER},
    "LAP-4": {"profile": "stuck", **NO_LISTENER, "site": {"online": False}},
    "LAP-5": {"profile": "stuck", **NO_LISTENER, "site": {"answers": "never"}},
}


@pytest.fixture
def hosts(site: SiteLab) -> dict[str, dict[str, Any]]:
    for entry in site.simulator.endpoints():
        site.simulator.remove(entry["name"])
    site.simulator.add(*({"name": name, "restart_seconds": "5s", **keys} for name, keys in MACHINES.items()))
    site.task("site_script")
    for name in SCRIPTS:
        site.simulator.set_site_script(name, "approved")
    return {f"{name.lower()}.corp.example": site.host_vars(name) for name in MACHINES}


def play(
    site: SiteLab, playbook: str, hosts: dict[str, dict[str, Any]], *command: str, **variables: Any
) -> tuple[Run, dict[str, Any]]:
    report = site.directory / f"{playbook}.json"
    report.unlink(missing_ok=True)
    given = {
        "configmgr_client_hosts": "windows",
        f"{playbook}_report_path": str(report),
        f"{playbook}_site": dict(site.options),
        **{f"{playbook}_{name}": value for name, value in variables.items()},
    }
    extra = site.file("extra.json", given)
    done = site.ansible(
        *("ansible-playbook", "-i", site.inventory(hosts), f"{FQCN}.{playbook}", "-e", f"@{extra}", "--forks", "1"),
        *command,
        env=site.own_time(),
    )
    assert report.exists(), done.output
    return done, json.loads(report.read_text(encoding="utf-8"))


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {host.partition(".")[0].upper(): row["status"] for host, row in report["hosts"].items()}


def test_those_without_winrm_are_released_through_the_site(site: SiteLab, hosts: dict[str, dict[str, Any]]) -> None:
    rehearsed, told = play(site, "remediate", hosts, "--check", via_site="fallback", wave_pause=0)
    assert rehearsed.rc == 0, rehearsed.output
    assert not [name for name in MACHINES if site.simulator.endpoint(name)["writes"]]
    done, report = play(site, "remediate", hosts, via_site="fallback", wave_pause=0)
    assert done.rc == 0, done.output
    expected = {
        "DESK-1": "released",
        "DESK-2": "as_wanted",
        "LAP-1": "released",
        "LAP-2": "as_wanted",
        "LAP-3": "left_alone",
        "LAP-4": "unreachable",
        "LAP-5": "left_alone",
    }
    assert statuses(report) == statuses(told) == expected, done.output
    ways = {host.partition(".")[0].upper(): row.get("via") for host, row in report["hosts"].items()}
    assert (ways["DESK-1"], ways["LAP-1"], ways["LAP-5"]) == ("wmi", "site", "site")
    for name in ("DESK-1", "LAP-1"):
        assert site.simulator.endpoint(name)["mode"] == "normal"
    assert not site.simulator.endpoint("LAP-3")["writes"]
    again, report = play(site, "remediate", hosts, via_site="fallback", wave_pause=0)
    assert again.rc == 0 and not any(numbers["changed"] for numbers in again.stats.values()), again.output
    assert statuses(report)["LAP-1"] == "as_wanted"


def test_only_through_the_site(site: SiteLab, hosts: dict[str, dict[str, Any]]) -> None:
    done, report = play(site, "remediate", hosts, via_site="only", wave_pause=0)
    assert done.rc == 0, done.output
    assert statuses(report)["DESK-1"] == statuses(report)["LAP-1"] == "released"
    assert site.simulator.traffic("DESK-1")["connections"] == 0
    assert {row.get("via") for row in report["hosts"].values()} == {"site"}


def test_the_brake_holds_for_the_site_as_well(site: SiteLab, hosts: dict[str, dict[str, Any]]) -> None:
    done, report = play(site, "remediate", hosts, via_site="only", max_changes=1, wave_pause=0)
    assert done.rc == 2, done.output
    assert "Stopped before the next wave" in done.output
    assert set(statuses(report).values()) == {"not_asked"}
    assert not [name for name in MACHINES if site.simulator.endpoint(name)["writes"]]


def test_a_site_that_cannot_be_asked_fails_the_run_and_releases_nobody_wrongly(
    site: SiteLab, hosts: dict[str, dict[str, Any]]
) -> None:
    with site.site(role="none"):
        done, report = play(site, "remediate", hosts, via_site="fallback", wave_pause=0)
    assert done.rc == 2 and "no role on this site" in done.output
    assert statuses(report)["LAP-1"] == "unreachable"


@pytest.mark.parametrize("way", ["fallback", "only"])
def test_a_survey_from_the_site(site: SiteLab, hosts: dict[str, dict[str, Any]], way: str) -> None:
    with site.site():
        done, report = play(site, "survey", hosts, via_site=way)
        asked = [request for request in site.requests if request["method"] == "POST"]
    assert done.rc == 0, done.output
    assert statuses(report) == {
        "DESK-1": "stuck",
        "DESK-2": "normal",
        "LAP-1": "stuck",
        "LAP-2": "normal",
        "LAP-3": "expected",
        "LAP-4": "unreachable",
        "LAP-5": "unreachable",
    }
    assert len(asked) == 8
    assert (site.simulator.traffic("DESK-1")["connections"] == 0) == (way == "only")
    assert "the site sees it" in report["hosts"]["lap-5.corp.example"]["message"].lower()


def test_what_the_site_told_is_reported_where_another_host_fails(
    site: SiteLab, hosts: dict[str, dict[str, Any]]
) -> None:
    site.simulator.add({"name": "DESK-3", "profile": "access_denied"})
    done, report = play(site, "survey", {**hosts, "desk-3.corp.example": site.host_vars("DESK-3")}, via_site="fallback")
    assert done.rc == 2
    found = statuses(report)
    assert (found["LAP-1"], found["LAP-2"], found["LAP-3"]) == ("stuck", "normal", "expected")
