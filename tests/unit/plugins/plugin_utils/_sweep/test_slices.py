# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._sweep.slices import parsed

FLEETS = st.lists(st.text(min_size=1), unique=True)


@given(FLEETS, st.integers(1, 50), st.randoms())
def test_slices_are_disjoint_complete_even_and_of_no_order(fleet: list[str], count: int, random: object) -> None:
    slices = [parsed(f"{number}/{count}").of(fleet) for number in range(1, count + 1)]
    together = [host for each in slices for host in each]
    assert sorted(together) == sorted(fleet)
    sizes = [len(each) for each in slices]
    assert max(sizes) - min(sizes) <= 1
    shuffled = list(fleet)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert slices == [parsed(f"{number}/{count}").of(shuffled) for number in range(1, count + 1)]
    assert slices == [sorted(fleet)[number - 1 :: count] for number in range(1, count + 1)]  # as AWX documents it


NO_SLICES = ("", "3", "3/", "/3", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3", "1.5/3", "٣/٤", "1 2/3")


@pytest.mark.parametrize("text", NO_SLICES)
def test_what_is_no_slice_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is no slice: give its number and how many there are, such as 3/20"):
        parsed(text)
