# SPDX-License-Identifier: GPL-3.0-or-later
"""A few text files, above all the client's logs in the format that CMTrace reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .timeline import Timeline

CCM_LOGS = "C:\\Windows\\CCM\\Logs"


@dataclass(frozen=True)
class File:
    path: str
    text: str
    created: datetime
    modified: datetime


class Files:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._files: dict[str, File] = {}

    def __iter__(self) -> Iterator[File]:
        return iter(sorted(self._files.values(), key=lambda file: file.path.lower()))

    def find(self, path: str) -> File | None:
        return self._files.get(path.lower())

    def append(self, path: str, text: str) -> None:
        now = self._timeline.now
        old = self.find(path) or File(path, "", now, now)
        self._files[path.lower()] = replace(old, text=old.text + text, modified=now)

    def delete(self, path: str) -> bool:
        return self._files.pop(path.lower(), None) is not None

    def delete_below(self, folder: str) -> None:
        for file in list(self):
            if file.path.lower().startswith(folder.lower() + "\\"):
                self.delete(file.path)


class ClientLogs:
    """Lines as real CcmExec logs have them. The bias is UTC minus local time, opposite to that of a CIM_DATETIME."""

    def __init__(self, files: Files, timeline: Timeline, time_zone: int) -> None:
        self._files = files
        self._timeline = timeline
        self.time_zone = time_zone

    def write(
        self, component: str, message: str, source: str, severity: int = 1, log: str = "", at: datetime | None = None
    ) -> None:
        local = (at or self._timeline.now) + timedelta(minutes=self.time_zone)
        bias = f"{-self.time_zone:+d}" if self.time_zone else "+000"
        stamp = f'time="{local:%H:%M:%S}.{local.microsecond // 1000:03d}{bias}" date="{local:%m-%d-%Y}"'
        line = f'<![LOG[{message}]LOG]!><{stamp} component="{component}" context="" type="{severity}" thread="2148" '
        self._files.append(f"{CCM_LOGS}\\{log or component}.log", f'{line}file="{source}">\r\n')
