# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import DeadlineExceeded
from tests.unit.fakes import Clock

SECONDS = st.integers(0, 10_000)


@given(SECONDS, SECONDS)
def test_remaining_is_what_is_left_and_never_nothing(seconds: int, passed: int) -> None:
    clock = Clock()
    deadline = Deadline(seconds, clock)
    clock.sleep(passed)
    if passed < seconds:
        assert deadline.remaining() == seconds - passed
    else:
        with pytest.raises(DeadlineExceeded, match=f" {seconds} s"):
            deadline.remaining()


@given(st.integers(1, 10_000), SECONDS, SECONDS)
def test_what_is_kept_is_there_afterwards(seconds: int, kept: int, passed: int) -> None:
    clock = Clock()
    deadline = Deadline(seconds, clock)
    with deadline.keeping(kept):
        inside = deadline.available()
        assert seconds - kept <= inside
        assert inside >= seconds / 2
        clock.sleep(passed)
        if passed >= inside:
            with pytest.raises(DeadlineExceeded, match=f" {seconds} s"):
                deadline.available()
        else:
            assert deadline.available() == pytest.approx(inside - passed)
    if passed < seconds:
        assert deadline.available() == pytest.approx(deadline.remaining())
