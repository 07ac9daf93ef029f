# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.limit import effective, problem


@given(st.integers(), st.booleans())
def test_only_what_fits_and_acts_as_said_is_written(minutes: int, allow_short: bool) -> None:
    refused = problem(minutes, allow_short=allow_short)
    if minutes == 0 or 60 <= minutes < 2**32:
        assert refused is None
    elif 0 < minutes < 60:
        assert (refused is None) == allow_short
    else:
        assert refused
    assert refused is None or str(minutes) in refused


@pytest.mark.parametrize("minutes", [1, 59])
def test_short_limit_is_explained(minutes: int) -> None:
    text = problem(minutes, allow_short=False)
    assert "60" in text
    assert "allow_short" in text


@given(st.integers(0, 2**32 - 1))
def test_client_never_leaves_before_its_first_look(minutes: int) -> None:
    assert effective(minutes) >= 60


@pytest.mark.parametrize(("minutes", "acts_as"), [(None, 2880), (0, 2880), (1, 60), (60, 60), (61, 61), (720, 720)])
def test_limit_as_the_client_takes_it(minutes: int | None, acts_as: int) -> None:
    assert effective(minutes) == acts_as
