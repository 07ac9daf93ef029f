# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the audit trail: JSON Lines, appended to by all processes of all runs at once, and never truncated."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import stat
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass

from ._client.errors import TrailBroken
from ._client.trail import Keep, Record


@dataclass(frozen=True)
class Origin:
    """Who has a task done: ``run`` is the same for all tasks of a run, ``host`` is the endpoint's inventory name."""

    run: str
    user: str
    host: str


def account() -> str:
    """The user of this process; in a container it may be one that only has a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@contextmanager
def opened(path: str, known: Record) -> t.Iterator[Keep]:
    """Keeps records in the file *path*, each with what is *known* of all. Raises TrailBroken where it cannot."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, str(error.strerror)) from error
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _unusable(path, "Not a regular file")
        yield lambda record: _append(file, path, {**record, **known})
    finally:
        os.close(file)


def _append(file: int, path: str, record: Record) -> None:
    line = json.dumps(record).encode() + b"\n"
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if _is_torn(file):
                line = b"\n" + line
            written = os.write(file, line)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
        os.fsync(file)
    except OSError as error:
        raise _broken(path, str(error.strerror)) from error
    if written < len(line):
        raise _broken(path, "No space left on device")


def _is_torn(file: int) -> bool:
    """Whether the last line has no end: of a process that was killed while it wrote, or had no room left."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _unusable(path: str, why: str) -> TrailBroken:
    return TrailBroken(
        f"audit_path={path} cannot be opened ({why}), and without it nothing is sent: give a file that this user may"
        " read and write, in a directory that is there"
    )


def _broken(path: str, why: str) -> TrailBroken:
    return TrailBroken(
        f"audit_path={path} cannot be written ({why}), and without it nothing further is written on the endpoint: make"
        " room there, or give another file, and run it again"
    )
