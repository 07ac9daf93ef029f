# SPDX-License-Identifier: GPL-3.0-or-later
"""Execution requests of the client's software distribution agent: one store for task sequences, one for programs.

They live in the WMI repository, so that a request survives restarts and the death of what it asked for. Property
values are those of a published dump (running and stuck request).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from itertools import count
from typing import Any

from .cim.model import Value

# 1969-12-31 19:00 UTC in the dump: the client writes an unset time as local midnight of the epoch's first day.
_UNSET = datetime(1969, 12, 31, 19, tzinfo=timezone.utc)
_COMMON: Mapping[str, Value] = {
    "AdvertID": "ABC20010",
    "CompletionState": "",
    "ContentAccessRetryCount": 0,
    "ContentID": "ABC00042",
    "ContentType": "",
    "ContentVersion": "3",
    "DependeePolicyExists": False,
    "DependencyCheckEvaluated": False,
    "DisableMomAlerts": False,
    "DownloadStartedNotified": False,
    "IgnoreRunRerunFlags": False,
    "IsAdminContext": True,
    "LastStatusMessageID": 0,
    "MIFChecking": 0,
    "MTCTaskPriority": 20,
    "OwnerOfMTCTask": False,
    "ProcessCreationTimeHigh": 0,
    "ProcessCreationTimeLow": 0,
    "ProcessID": 0,
    "ProgramExitCode": 0,
    "ProgramID": "*",
    "ProgramReboot": 0,
    "ReferenceCount": 0,
    "RetryCount": 0,
    "RetryInterval": 0,
    "RunInQuietMode": False,
    "RunOnCompletion": True,
    "RunningState": "Running",
    "ScheduleType": 0,
    "State": "Running",
    "SuspendReboot": False,
    "TaskPauseReason": 0,
    "UserScheduled": False,
}


class ExecutionRequests:
    def __init__(self) -> None:
        self._requests: dict[str, dict[str, Value]] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Mapping[str, Value]]:
        return iter(list(self._requests.values()))

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, received: datetime | None, **properties: Any) -> str:
        request_id = str(properties.pop("RequestID", self._next_id()))
        self._requests[request_id] = {
            **_COMMON,
            "NextRetryTime": _UNSET,
            "ReceivedTime": received.replace(microsecond=0) if received else None,
            **properties,
            "RequestID": request_id,
        }
        return request_id

    def begin(self, now: datetime, process_id: int) -> Mapping[str, Value]:
        """A resumed task sequence goes on with the request that it was started by."""
        for request in self._requests.values():
            request.update(State="Running", RunningState="Running", CompletionState="", ProcessID=process_id)
            return request
        task = f"{{3AAF7E53-0E4B-4C6F-8A6D-{process_id:012X}}}"
        return self._requests[self.add(now, ProcessID=process_id, MTCHandle=task)]

    def suspend(self) -> None:
        self._update(State="Ready", RunningState="NotifyExecution", CompletionState="", ProcessID=0)

    def fail(self) -> None:
        self._update(State="Ready", RunningState="NotifyExecution", CompletionState="Failure", ProcessID=0)

    def delete(self, request_id: str) -> bool:
        return self._requests.pop(request_id, None) is not None

    def clear(self) -> None:
        self._requests.clear()

    def _update(self, **properties: Value) -> None:
        for request in self._requests.values():
            request.update(properties)

    def _next_id(self) -> str:
        return f"{{6D7C9B1E-52A0-4E0B-9E43-{next(self._numbers):012X}}}"
