# SPDX-License-Identifier: GPL-3.0-or-later
"""The table itself: nothing that failed, and no reason of a skip, gets lost in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from .table import Cell, render

NAMES = st.sampled_from(["one", "two", "three"])
CELLS = st.builds(
    Cell, NAMES, NAMES, st.sampled_from(["ok", "FAILED", "9 answers"]), st.sampled_from(["", "why", "because"])
)


@given(st.lists(CELLS, min_size=1, unique_by=lambda cell: (cell.client, cell.operation)))
def test_table(cells: list[Cell]) -> None:
    cells = [Cell(cell.client, cell.operation, "", cell.why) if cell.why else cell for cell in cells]
    head, *_, counts = render(cells).splitlines()
    text = render(cells)
    assert all(cell.client in head for cell in cells)
    assert all(f") {cell.why}\n" in text for cell in cells if cell.why)
    failed = sum(1 for cell in cells if cell.result == "FAILED")
    skipped = sum(1 for cell in cells if cell.why)
    assert text.count("FAILED") == failed + 1  # and once in the sum
    assert counts == f"{len(cells) - failed - skipped} ok, {skipped} skipped, {failed} FAILED"
