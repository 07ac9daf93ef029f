# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that the site suspects become events, and the rulebook releases just these."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.harness import FQCN, INSTALLED
from tests.integration.site import SiteLab

SOURCE = runpy.run_path(str(INSTALLED / "extensions/eda/plugins/event_source/site_suspects.py"))
MACHINES: dict[str, dict[str, Any]] = {
    "WELL": {},
    "STUCK-1": {"profile": "stuck", "provisioning": {"entered": "1810m ago"}},
    "STUCK-2": {"profile": "stuck", "provisioning": {"entered": "1810m ago"}},
    "STUCK-OFF": {"profile": "stuck", "site": {"online": False}},
    "SLOW": {"site": {"policy": "4h"}},
    "STUCK-UNSEEN": {"profile": "stuck", "site": {"policy": "1h"}},
}
SUSPECTS = ["slow.corp.example", "stuck-1.corp.example", "stuck-2.corp.example"]


@pytest.fixture
def hosts(site: SiteLab) -> dict[str, dict[str, Any]]:
    for entry in site.simulator.endpoints():
        site.simulator.remove(entry["name"])
    site.simulator.add(*({"name": name, "restart_seconds": "0s", **keys} for name, keys in MACHINES.items()))
    return {f"{name.lower()}.corp.example": site.host_vars(name) for name in MACHINES}


@pytest.fixture
def watched(site: SiteLab) -> Path:
    """The configuration of an inventory, without a login: that is in the environment."""
    options = {name: value for name, value in site.options.items() if name not in ("username", "password")}
    path = site.directory / "site.configmgr.yml"
    path.write_text(json.dumps({"plugin": f"{FQCN}.site", **options}), encoding="utf-8")
    return path


def environment(site: SiteLab) -> dict[str, str]:
    login = {"CONFIGMGR_USERNAME": site.options["username"], "CONFIGMGR_PASSWORD": site.options["password"]}
    return site.environment(RECORDER_FILE=str(site.directory / "recorded"), **login, **site.own_time())


# -- the source --------------------------------------------------------------------------------------------------------


async def _looks(queue: asyncio.Queue[Any], args: Mapping[str, Any], count: int, between: Any) -> None:
    """The source, until it has looked so many times; *between* is called after each."""
    done = 0

    async def sleep(_seconds: float) -> None:
        nonlocal done
        done += 1
        between(done)
        if done == count:
            raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", sleep)
        await SOURCE["main"](queue, dict(args))


def looks(site: SiteLab, count: int, between: Any = lambda _done: None, **args: Any) -> list[Any]:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(site).items():
            patch.setenv(name, value)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(_looks(queue, args, count, between))
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_each_suspect_comes_up_once(site: SiteLab, hosts: dict[str, Any], watched: Path) -> None:
    first, second = looks(site, 4, inventory=str(watched), at_most=2)
    assert first["hosts"] == first["meta"]["hosts"] == SUSPECTS[:2]
    assert second["hosts"] == second["meta"]["hosts"] == SUSPECTS[2:]
    assert "last policy request is" in first["suspects"][0]["reasons"][0]


def test_a_site_that_is_silent_is_not_asked_for_ever(site: SiteLab, hosts: dict[str, Any], watched: Path) -> None:
    def fails_twice(done: int) -> None:
        site.simulator.set_site(role="none" if done in (1, 2) else None)

    assert len(looks(site, 4, fails_twice, inventory=str(watched), again_after=0)) == 2
    site.simulator.set_site(role="none")
    try:
        with pytest.raises(SOURCE["SiteSilent"], match="could not be read 3 times in a row: ") as raised:
            looks(site, 9, inventory=str(watched))
        assert "no role on this site" in str(raised.value)
    finally:
        site.simulator.set_site(role=None)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "inventory is required"),
        ({"inventory": "x", "intervall": 5}, "intervall is no option: give again_after, at_most, interval, inventory"),
        ({"inventory": "x", "interval": 59}, "interval=59 is too small: give 60 or more"),
        ({"inventory": "x", "at_most": "0"}, "at_most=0 is too small: give 1 or more"),
        ({"inventory": "x", "again_after": "a day"}, "again_after=a day is no whole number"),
    ],
)
def test_options_that_cannot_be_are_named(args: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        asyncio.run(SOURCE["main"](asyncio.Queue(), args))


@given(st.integers(1, 5), st.integers(0, 50), st.lists(st.sets(st.sampled_from("abcdefgh")), max_size=30))
def test_throttle(at_most: int, again_after: int, looks: list[set[str]]) -> None:
    throttle = SOURCE["Throttle"](at_most, again_after)
    raised: dict[str, int] = {}
    waited: dict[str, int] = {}
    for now, suspects in enumerate(looks):
        due = throttle.due(sorted(suspects), now)
        ready = {host for host in suspects if now - raised.get(host, -again_after) >= again_after}
        assert len(due) == len(set(due)) == min(at_most, len(ready)) and set(due) <= ready
        raised |= dict.fromkeys(due, now)
        # Whoever is suspected at each look has its turn before all others had theirs twice.
        waited = {host: waited.get(host, 0) + 1 for host in ready - set(due)}
        assert all(count <= 8 for count in waited.values())


# -- the rulebook ------------------------------------------------------------------------------------------------------


def test_rulebook_releases_just_these(site: SiteLab, hosts: dict[str, dict[str, Any]], watched: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("no java, which ansible-rulebook needs: install openjdk-17-jre-headless")
    settings = site.file("settings.yml", {"site_inventory": str(watched)})
    command = [
        *("--rulebook", f"{FQCN}.release_suspects", "--inventory", str(site.inventory(hosts))),
        *("--vars", str(settings), "--verbose"),
    ]
    log = site.directory / "rulebook.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("ansible-rulebook")), *command],
            env={**environment(site), **{name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}},
            cwd=site.directory,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            ends = time.monotonic() + 100
            while time.monotonic() < ends and process.poll() is None and b"PLAY RECAP" not in log.read_bytes():
                time.sleep(0.2)
        finally:
            process.terminate()
            process.wait(20)
    said = log.read_text(encoding="utf-8")
    modes = {name: site.simulator.endpoint(name)["mode"] for name in MACHINES}
    assert "PLAY RECAP" in said, said
    left = {"STUCK-OFF", "STUCK-UNSEEN"}
    assert {name for name, mode in modes.items() if mode != "normal"} == left, said
    assert not [name for name in left | {"WELL", "SLOW"} if site.simulator.endpoint(name)["writes"]]
    assert [name for name in MACHINES if site.simulator.traffic(name)["connections"]] == ["STUCK-1", "STUCK-2", "SLOW"]
    assert site.options["password"] not in said
