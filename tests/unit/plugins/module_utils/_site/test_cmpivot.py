# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._site.cmpivot import MOST_CELLS, is_below_limit


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7])
def test_an_answer_in_which_one_more_row_would_not_fit_may_have_been_cut(width: int) -> None:
    most = MOST_CELLS // width
    assert not is_below_limit([width] * most)
    assert is_below_limit([width] * (most - 1))
    assert is_below_limit([])
