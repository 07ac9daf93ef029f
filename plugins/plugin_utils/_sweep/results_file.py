# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results file: JSON Lines, one record a line, each written whole and at once.

So a sweep that is killed loses nothing but the line that it was about to write, files are merged by concatenation, and
of a host's records the last one counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import typing as t

from ...module_utils._client.times import from_iso
from .record import SCHEMA, Record

_PRIVATE = 0o600


class ResultsFileError(Exception):
    """One sentence or two on what is wrong with the file, and what to do."""


class ResultsFile:
    """At *path*, for this sweep alone. Raises ResultsFileError."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            raise self._unusable("cannot be written", error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise ResultsFileError(
                f"results_path={path} is being written by another sweep: wait for it, or give each a file of its own,"
                " and put them together when both are done"
            ) from error

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def clear(self) -> None:
        if os.fstat(self._descriptor).st_size:
            os.ftruncate(self._descriptor, 0)

    def resume(self, add: t.Callable[[Record], None]) -> bool:
        """Gives *add* the records that it holds. Whether the last line was cut off: that one is taken away."""
        end = 0
        for record, size in _lines(self._path):
            if record is None:
                os.ftruncate(self._descriptor, end)
                return True
            end += size
            add(record)
        return False

    def append(self, record: Record) -> None:
        """In one piece, or not at all."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
        end = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):  # the rest says why
                os.write(self._descriptor, line[written:])
        except OSError as error:
            if os.fstat(self._descriptor).st_size > end:
                os.ftruncate(self._descriptor, end)
            raise self._unusable("cannot be written any further", error) from error

    def _unusable(self, what: str, error: OSError) -> ResultsFileError:
        return ResultsFileError(f"results_path={self._path} {what}: {error.strerror}")


def records(path: str) -> dict[str, Record]:
    """The last record of each host in the file at *path*, as far as it was written. Raises ResultsFileError."""
    return {record["host"]: record for record, _size in _lines(path) if record is not None}


def _lines(path: str) -> t.Iterator[tuple[Record | None, int]]:
    """Each record, and the bytes that it takes; None for a last line that was cut off. Raises ResultsFileError."""
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                yield (_record(path, number, line) if line.endswith(b"\n") else None), len(line)
    except OSError as error:
        raise ResultsFileError(f"results_path={path} cannot be read: {error.strerror}") from error


def _record(path: str, number: int, line: bytes) -> Record:
    try:
        record = json.loads(line)
        schema = record["schema"]
        if schema == SCHEMA:
            host, kind = record["host"], record["verdict" if record["status"] == "ok" else "error_class"]
            from_iso(record["at"])
            if isinstance(host, str) and isinstance(kind, str):
                return t.cast(Record, record)
    except (ValueError, TypeError, KeyError):
        schema = None
    if schema in (None, SCHEMA):
        raise ResultsFileError(
            f"results_path={path}: line {number} is no record of a sweep. Give another file, or leave resume out to"
            " begin this one anew"
        )
    raise ResultsFileError(
        f"results_path={path}: line {number} is of schema {schema}, and this version of the collection writes {SCHEMA}."
        " Give another file, or leave resume out to begin this one anew"
    )
