# SPDX-License-Identifier: GPL-3.0-or-later
"""Client operations: what the site asks of clients, who of them hears it, and what becomes of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .cmpivot import Pivot
from .records import Record
from .spec import SiteSpec

_EXPIRES = timedelta(hours=1)
_LONGEST_OUTPUT = 4000
SCRIPT, PIVOT = 135, 145

Rows = list[dict[str, Any]]


@dataclass
class Script:
    """``approval`` is 0 waiting, 1 denied, 3 approved."""

    guid: str
    name: str
    stored: bytes
    author: str
    approval: int = 0
    approver: str = ""

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.stored).hexdigest().upper()

    @property
    def text(self) -> str:
        return self.stored.decode("utf-16")

    def row(self, *, whole: bool) -> dict[str, Any]:
        row = {
            "ApprovalState": self.approval,
            "Approver": self.approver,
            "Author": self.author,
            "Comment": "",
            "ScriptGuid": self.guid,
            "ScriptHash": self.hash,
            "ScriptHashAlgorithm": "SHA256",
            "ScriptName": self.name,
            "ScriptType": 0,
            "ScriptVersion": "1",
        }
        return {**row, "Script": base64.b64encode(self.stored).decode()} if whole else row


@dataclass
class Operation:
    number: int
    kind: int
    targets: list[Record]
    began: datetime
    asked: int = 0
    """How often somebody asked for its result."""
    done: dict[int, Any] = field(default_factory=dict)
    """What came of it, by resource: an output, rows, or None for a notification."""
    failed: set[int] = field(default_factory=set)
    offline: set[int] = field(default_factory=set)


class Operations:
    def __init__(self, spec: Callable[[], SiteSpec], now: Callable[[], datetime]) -> None:
        self._spec = spec
        self._now = now
        self._operations: dict[int, Operation] = {}
        self.scripts: dict[str, Script] = {}

    def begin(self, kind: int, targets: list[Record], work: str) -> Operation:
        """*work* is the text of a script or a question; each client does it at once, or never hears of it."""
        operation = Operation(16777463 + len(self._operations), kind, targets, self._now())
        self._operations[operation.number] = operation
        for record in targets:
            self._tell(operation, record, work)
        return operation

    def _tell(self, operation: Operation, record: Record, work: str) -> None:
        spec, own = self._spec(), record.spec
        if not record.is_online:
            operation.offline.add(record.resource_id)
            return
        channel = record.endpoint.machine.channel
        held_back = operation.kind in (SCRIPT, PIVOT) and channel.in_mode and not spec.reaches_mode
        if spec.fast_channel == "dead" or own.answers == "never" or held_back:
            return
        if own.answers == "error":
            operation.failed.add(record.resource_id)
        elif operation.kind == SCRIPT:
            printed = channel.run_script(work) if own.output is None else own.output
            if own.answers != "lost":
                operation.done[record.resource_id] = printed[:_LONGEST_OUTPUT]
        elif operation.kind == PIVOT:
            pivot = Pivot.read(work)
            operation.done[record.resource_id] = pivot.rows(record.name, channel.entity(pivot.entity, pivot.argument))
        else:
            channel.notify(operation.kind)
            operation.done[record.resource_id] = None

    def all(self, kind: int) -> list[Operation]:
        return [operation for operation in self._operations.values() if operation.kind == kind]

    def find(self, number: int) -> Operation | None:
        return self._operations.get(number)

    def is_expired(self, operation: Operation) -> bool:
        return self._now() - operation.began > _EXPIRES and len(operation.done) < len(operation.targets)

    def status(self, operation: Operation) -> dict[str, Any]:
        total, done, failed = len(operation.targets), len(operation.done), len(operation.failed)
        offline = len(operation.offline)
        return {
            "ClientOperationID": operation.number,
            "CompletedClients": done,
            "FailedClients": failed,
            "IsExpired": self.is_expired(operation),
            "OfflineClients": offline,
            "State": 3 if done + failed + offline >= total else 0,
            "TotalClients": total,
            "Type": operation.kind,
            "UnknownClients": total - done - failed - offline,
        }
