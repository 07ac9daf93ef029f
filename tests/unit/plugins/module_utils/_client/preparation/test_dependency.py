# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import string
import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.preparation import dependency

NAMES = st.lists(st.text(string.ascii_letters, min_size=1, max_size=8), max_size=4)


@given(NAMES, NAMES)
def test_target_is_what_is_wanted(current: list[str], target: list[str]) -> None:
    assert dependency.wanted(current, target) == target


@given(NAMES, st.sampled_from(["CcmExec", "ccmexec", "CCMEXEC"]), st.integers(0, 4))
def test_workaround_clears_all_where_the_client_is_among_them(names: list[str], client: str, place: int) -> None:
    assert dependency.wanted([*names[:place], client, *names[place:]], None) == []


@given(NAMES)
def test_workaround_leaves_alone_what_does_not_need_it(names: list[str]) -> None:
    others = [name for name in names if name.lower() != "ccmexec"]
    assert dependency.wanted(others, None) == others


@given(NAMES, st.randoms(use_true_random=False))
def test_order_and_case_make_no_difference(names: list[str], random: t.Any) -> None:
    shuffled = [name.swapcase() for name in names]
    random.shuffle(shuffled)
    assert dependency.equal(names, shuffled)
    assert not dependency.equal(names, [*shuffled, "another-one"])
