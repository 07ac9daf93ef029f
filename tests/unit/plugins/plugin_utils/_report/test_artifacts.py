# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import RELEASED
from ansible_collections.configmgr.client.plugins.plugin_utils._report.artifacts import (
    NotAnArtifact,
    artifact,
    merged,
    to_release,
)
from ansible_collections.configmgr.client.plugins.plugin_utils._report.rows import ORDER, UNSEEN

HOSTS = st.dictionaries(st.sampled_from(ORDER), st.lists(st.text(min_size=1), max_size=4, unique=True))


@given(st.lists(HOSTS, min_size=1, max_size=4))
def test_artifacts_of_slices_amount_to_the_fleet(slices: list[dict[str, list[str]]]) -> None:
    left = [artifact({status: len(names) for status, names in hosts.items()}, hosts) for hosts in slices]
    counts, hosts = merged(json.loads(json.dumps(left)))
    for status in ORDER:
        names = [name for each in slices for name in each.get(status, [])]
        assert counts.get(status, 0) == len(names)
        assert hosts.get(status, []) == ([] if status in UNSEEN else sorted(set(names)))
    assert list(counts) == [status for status in ORDER if status in counts]


BAD: list[Any] = [None, [], {}, {"counts": {}}, {"counts": {"stuck": "2"}, "hosts_by_status": {}},
                  {"counts": {"odd": 2}, "hosts_by_status": {}}, {"counts": {}, "hosts_by_status": {"stuck": "PC-1"}},
                  {"counts": {}, "hosts_by_status": {"stuck": [1]}}, {"counts": {}, "hosts_by_status": []}]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_what_is_no_artifact_is_told_by_its_number(bad: Any) -> None:
    with pytest.raises(NotAnArtifact, match=r"^artifacts: number 2 of 2 is none of a report: give "):
        merged([{"counts": {}, "hosts_by_status": {}}, bad])


@given(st.lists(st.text(alphabet="aPC1-._~!&,:*?[]\\ \n{}é@/", min_size=1, max_size=8), unique=True))
@example(["~.*", "!PC-1", "PC-[1:9]", "*", "all:!PC", "PC-1\n", "-PC", "PC-1,PC-2"])
def test_a_play_works_on_the_hosts_that_are_named_and_on_no_others(names: list[str]) -> None:
    plain, patterns = to_release({min(RELEASED).value: names, "normal": ["other"]})
    assert sorted(plain + patterns) == sorted(names)
    inventory = InventoryManager(DataLoader(), sources=None)
    for name in ["other", *names]:
        inventory._inventory.add_host(name, group="all")
    if plain:
        assert sorted(host.name for host in inventory.get_hosts(",".join(plain))) == plain
