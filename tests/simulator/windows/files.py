# SPDX-License-Identifier: GPL-3.0-or-later
"""A few files, above all the client's logs in the format that CMTrace reads and those of Windows Setup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from .timeline import Timeline

CCM_LOGS = "C:\\Windows\\CCM\\Logs"

FileAccess = Literal["writing", "closed", "locked", "denied"]
"""What else has the file open: somebody who writes to it and lets others do so too, nobody, somebody who shares it with
nobody; or that the account may not read it."""


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    created: datetime
    modified: datetime
    hole: int = 0
    """Zeros before the content that take no memory here, as those of a sparse file take no disk."""
    access: FileAccess = "writing"

    @property
    def size(self) -> int:
        return self.hole + len(self.content)

    def read(self, start: int, count: int) -> bytes:
        zeros = max(0, min(count, self.hole - start))
        after = max(0, start - self.hole)
        return bytes(zeros) + self.content[after : after + count - zeros]


class Files:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._files: dict[str, File] = {}

    def __iter__(self) -> Iterator[File]:
        return iter(sorted(self._files.values(), key=lambda file: file.path.lower()))

    def find(self, path: str) -> File | None:
        return self._files.get(path.lower())

    def put(self, file: File) -> None:
        self._files[file.path.lower()] = file

    def append(self, path: str, text: str) -> None:
        now = self._timeline.now
        old = self.find(path) or File(path, b"", now, now)
        self.put(replace(old, content=old.content + text.encode(), modified=now))

    def delete(self, path: str) -> bool:
        return self._files.pop(path.lower(), None) is not None

    def delete_below(self, folder: str) -> None:
        for file in list(self):
            if file.path.lower().startswith(folder.lower() + "\\"):
                self.delete(file.path)


@dataclass(frozen=True)
class LogRecord:
    """``at`` is UTC by the machine's clock."""

    at: datetime
    message: str
    component: str = ""
    severity: int = 1
    source: str = ""
    thread: int = 2148


def cmtrace_line(record: LogRecord, time_zone: int) -> str:
    """As real CcmExec logs have it. The bias is UTC minus local time, opposite to that of a CIM_DATETIME."""
    local = record.at + timedelta(minutes=time_zone)
    bias = f"{-time_zone:+d}" if time_zone else "+000"
    stamp = f'time="{local:%H:%M:%S}.{local.microsecond // 1000:03d}{bias}" date="{local:%m-%d-%Y}"'
    return (
        f'<![LOG[{record.message}]LOG]!><{stamp} component="{record.component}" context="" type="{record.severity}" '
        f'thread="{record.thread}" file="{record.source}">\r\n'
    )


def setup_line(record: LogRecord, time_zone: int) -> str:
    """As Windows Setup writes it (official docs on its log files): local time, no zone, columns."""
    local = record.at + timedelta(minutes=time_zone)
    level = {1: "Info", 2: "Warning", 3: "Error"}[record.severity]
    return f"{local:%Y-%m-%d %H:%M:%S}, {level:<22}{record.component:<7}{record.message}\r\n"


class ClientLogs:
    def __init__(self, files: Files, timeline: Timeline, time_zone: int) -> None:
        self._files = files
        self._timeline = timeline
        self.time_zone = time_zone

    def write(
        self, component: str, message: str, source: str, severity: int = 1, log: str = "", at: datetime | None = None
    ) -> None:
        record = LogRecord(at or self._timeline.now, message, component, severity, source)
        self._files.append(f"{CCM_LOGS}\\{log or component}.log", cmtrace_line(record, self.time_zone))
