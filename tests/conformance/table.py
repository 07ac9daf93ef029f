# SPDX-License-Identifier: GPL-3.0-or-later
"""The conformance table as text: operations down, clients across, the reasons of skips below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    client: str
    operation: str
    result: str
    """`ok`, what else is to be said of a success, `skipped` or `FAILED`."""
    why: str = ""
    """Why it is skipped."""


def render(cells: Iterable[Cell]) -> str:
    found = {(cell.operation, cell.client): cell for cell in cells}
    operations = list(dict.fromkeys(operation for operation, _ in found))
    clients = list(dict.fromkeys(client for _, client in found))
    reasons = list(dict.fromkeys(cell.why for cell in found.values() if cell.why))

    def shown(operation: str, client: str) -> str:
        cell = found.get((operation, client))
        if cell is None:
            return ""
        return f"skipped ({reasons.index(cell.why) + 1})" if cell.why else cell.result

    rows = [["operation", *clients]]
    rows += [[operation, *(shown(operation, client) for client in clients)] for operation in operations]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    counts = {name: sum(1 for cell in found.values() if _kind(cell) == name) for name in ("ok", "skipped", "FAILED")}
    lines += ["", *(f"({number}) {reason}" for number, reason in enumerate(reasons, 1))]
    lines += ["", ", ".join(f"{count} {name}" for name, count in counts.items())]
    return "\n".join(lines) + "\n"


def _kind(cell: Cell) -> str:
    if cell.result == "FAILED":
        return "FAILED"
    return "skipped" if cell.why else "ok"
