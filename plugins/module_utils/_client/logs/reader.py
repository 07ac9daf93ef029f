# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the newest ends of logs: looks by WMI what there is, then lets one PowerShell read all of it."""

from __future__ import annotations

import datetime as dt
import ntpath
import typing as t
from dataclasses import dataclass

from ..._windows import file_tail
from ..._windows.endpoint import Endpoint
from ..._windows.file_tail import FileEnd
from ..._windows.files import DataFile
from . import locations

NOTHING = FileEnd()
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.timezone.utc)


@dataclass(frozen=True)
class Log:
    """``file`` None: there is none. ``end`` has no data where nothing was read, and may say why."""

    path: str
    file: DataFile | None = None
    end: FileEnd = NOTHING

    @property
    def was_read(self) -> bool:
        return self.file is not None and not self.end.problem


def log_directory(endpoint: Endpoint) -> str | None:
    """Where the client logs to; None where the registry does not say."""
    return endpoint.registry.get_string(locations.LOGGING_KEY, locations.LOG_DIRECTORY)


def read_logs(endpoint: Endpoint, paths: t.Sequence[str], *, max_bytes: int, rotated: bool) -> list[Log]:
    """*max_bytes* of each of *paths*, with *rotated* over all its generations. One that is missing is told so."""
    if rotated:
        found = _with_generations(endpoint, paths, max_bytes)
    else:
        found = [(path, endpoint.files.find(path), max_bytes) for path in paths]
    wanted = [(path, limit) for path, file, limit in found if file is not None and limit]
    ends = file_tail.read(endpoint.commands, wanted) if wanted else []
    by_path = dict(zip((path for path, _limit in wanted), ends, strict=True))
    return [
        Log(path, file, by_path.get(path, FileEnd(file.size, file.size) if file else NOTHING))
        for path, file, _limit in found
    ]


def _with_generations(
    endpoint: Endpoint, paths: t.Sequence[str], max_bytes: int
) -> list[tuple[str, DataFile | None, int]]:
    folders = {
        folder: {file.path: file for file in endpoint.files.in_folder(folder)}
        for folder in dict.fromkeys(ntpath.dirname(path) for path in paths)
    }
    found: list[tuple[str, DataFile | None, int]] = []
    for path in paths:
        there = folders[ntpath.dirname(path)]
        current = there.get(path.lower())
        if current is None:
            found.append((path, None, 0))
        older = [there[name] for name in locations.generations(path, there) if name != path.lower()]
        older.sort(key=lambda file: file.modified or _LONG_AGO, reverse=True)
        own = [*([current] if current else []), *older]
        limits = locations.shares((file.size for file in own), max_bytes)
        found += [
            (path if file is current else file.path, file, limit) for file, limit in zip(own, limits, strict=True)
        ]
    return found
