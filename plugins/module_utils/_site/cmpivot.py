# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CMPivot: one question to all clients of a collection, which those answer that are online.

Answers come in two shapes, of a device and of a collection. A client that answered with no row is told by the status of
the operation alone; whoever is in neither list did not answer.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._adminservice.errors import NotVisible
from .._adminservice.row import Row
from .._adminservice.service import AdminService
from .._wsman.deadline import Deadline
from .._wsman.errors import ProtocolError
from .operations import status
from .site import quoted
from .waiting import until

MOST_CELLS = 100_000
"""Documented: a result has no more of them, whatever the number of clients."""
_SUCCEEDED = "1"


@dataclass(frozen=True)
class Answers:
    """``rows`` as they came; ``answered`` are the resources that answered for certain, None where nobody tells.

    ``complete`` is false where more rows may exist than the site gives.
    """

    rows: list[Row]
    answered: frozenset[int] | None
    complete: bool


def ask(service: AdminService, collection_id: str, query: str) -> int:
    """The number of the operation."""
    answer = service.post(f"v1.0/Collections({quoted(collection_id)})/AdminService.RunCMPivot", {"InputQuery": query})
    row = Row(answer if isinstance(answer, dict) else {})
    inner = row.get("value")
    number = (Row(inner) if isinstance(inner, dict) else row).integer("OperationId")
    if number is None:
        raise ProtocolError(f"{service.url} answered RunCMPivot without the number of an operation")
    return number


def answers(
    service: AdminService, collection_id: str, operation: int, patience: Deadline, deadline: Deadline
) -> Answers | None:
    """What came while *patience* lasted; None where nothing did."""

    def is_over() -> bool | None:
        found = status(service, operation)
        return True if found is not None and found.is_over and found.total else None

    until(patience.left(), deadline, is_over)
    resource = f"v1.0/Collections({quoted(collection_id)})/AdminService.CMPivotResult(OperationId={operation})"
    try:
        answer = service.get(resource)
    except NotVisible:
        return None
    rows, more = _rows(service.url, answer)
    return Answers(rows, _answered(service, operation), not more and is_below_limit([row.width for row in rows]))


def is_below_limit(widths: t.Sequence[int]) -> bool:
    """Whether one more row would have fitted: of rows with so many cells each."""
    return sum(widths) + max(widths, default=0) <= MOST_CELLS


def _rows(url: str, answer: t.Any) -> tuple[list[Row], bool]:
    value = answer.get("value") if isinstance(answer, dict) else None
    parts = value if isinstance(value, list) else [value]
    rows: list[Row] = []
    more = False
    for part in parts:
        told = Row(part if isinstance(part, dict) else {})
        result = told.get("Result")
        if not isinstance(result, list) or not all(isinstance(each, dict) for each in result):
            raise ProtocolError(f"{url} answered CMPivotResult in another form")
        rows += [Row(each) for each in result]
        more = more or bool(told.boolean("MoreResult"))
    return rows, more


def _answered(service: AdminService, operation: int) -> frozenset[int] | None:
    try:
        rows = list(
            service.rows(
                "v1.0/SMS_CMPivotStatus",
                "ResourceID",
                select="ResourceID,ScriptExecutionState",
                filter=f"ClientOperationId eq {operation}",
            )
        )
    except NotVisible:
        return None
    return frozenset(
        row.integer("ResourceID") or 0 for row in rows if str(row.get("ScriptExecutionState")) == _SUCCEEDED
    )
