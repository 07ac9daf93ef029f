# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._report.limits import exceeded, problem


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 100), st.booleans())
def test_what_is_allowed(failed: int, normal: int, most: int, share: bool) -> None:
    counts = {"failed": failed, "normal": normal, "not_asked": 1000}
    text = f"{most}%" if share else str(most)
    assert not problem({"max_failed": text})
    asked = failed + normal
    allowed = Fraction(most * asked, 100) if share else most
    assert bool(exceeded(counts, {"max_unreachable": "0", "max_failed": text})) == (failed > allowed)
    assert not exceeded(counts, {"max_failed": None, "max_login_failed": ""})


@pytest.mark.parametrize("text", ["-1", "5 %", "101%", "%", "many", "5.5", "1e3", "٣", "1234567890"])
def test_what_is_no_limit(text: str) -> None:
    said = problem({"max_login_failed": "5", "max_failed": text})
    assert said.startswith(f"max_failed={text} is no limit: give ")
