# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state file: what sweeps remember of endpoints from one to the next. JSON Lines, an endpoint a line.

It is read when a sweep begins. When it ends, it is read again and replaced, under a lock, so that the sweeps of several
slices may share it. Who is killed in between has written nothing, and the file is that of the sweep before.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import stat
import tempfile
import typing as t
from contextlib import contextmanager
from pathlib import Path

from ...module_utils._client.times import iso
from .presence import Presence, remembered

SCHEMA = 1
"""Of a line: raised when a key changes its meaning or goes, not when one is added. The key is not that of the results
file, so that neither is taken for the other."""


class StateFileError(Exception):
    """One sentence or two on what is wrong with the file, and what to do."""


class StateFile:
    """At *path*, which is made if it is not there; raises StateFileError."""

    def __init__(self, path: str) -> None:
        self._given = path
        self._path = Path(os.path.realpath(path))

    def read(self, now: dt.datetime) -> dict[str, Presence]:
        """By host. Whether it can be replaced later is found out as well."""
        with self._locked() as found:
            known = self._parsed(found, now)
            self._replace(known)
        return known

    def update(self, noted: t.Mapping[str, Presence], now: dt.datetime) -> None:
        """Keeps what other sweeps have written since, of other endpoints."""
        with self._locked() as found:
            self._replace(remembered({**self._parsed(found, now), **noted}, now))

    @contextmanager
    def _locked(self) -> t.Iterator[bytes]:
        """What is in it, while nobody else reads or replaces it."""
        try:
            descriptor = self._lock()
            try:
                with open(descriptor, "rb", closefd=False) as file:
                    yield file.read()
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StateFileError(
                f"state_path={self._given} cannot be kept there: {error.strerror}. Name a file in a directory of the"
                " controller that can be written to"
            ) from error

    def _lock(self) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise StateFileError(f"state_path={self._given} is no regular file: name another one")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                    return descriptor
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # of one that was replaced while this waited for the lock

    def _replace(self, known: t.Mapping[str, Presence]) -> None:
        parent, prefix = self._path.parent, f".{self._path.name}."
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=parent, prefix=prefix, delete=False) as file:
            try:
                for host in sorted(known):
                    file.write(_line(host, known[host]))
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, self._path)
            except BaseException:
                os.unlink(file.name)
                raise

    def _parsed(self, content: bytes, now: dt.datetime) -> dict[str, Presence]:
        known = {}
        for number, line in enumerate(content.splitlines(), 1):
            try:
                found = json.loads(line)
                if found["state_schema"] != SCHEMA:
                    raise ValueError
                known[str(found["host"])] = Presence.read(found, now)
            except (ValueError, TypeError, KeyError, RecursionError):
                raise StateFileError(
                    f"state_path={self._given}: line {number} is no state of an endpoint by this version of the"
                    f" collection (schema {SCHEMA}). Name another file, or delete this one to begin anew"
                ) from None
        return known


def _line(host: str, presence: Presence) -> str:
    found = {"state_schema": SCHEMA, "host": host, "at": iso(presence.at), **presence.as_line()}
    return json.dumps({key: value for key, value in found.items() if value}, separators=(",", ":")) + "\n"
