# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a report, on the controller."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_FIX = "name another path, on the controller"


class PathProblem(Exception):
    """No report can be written there; the message names the option, the value and what to do."""


def destination(path: str, name: str) -> Path:
    """The absolute path of the file, *name* where *path* is a directory. Relative paths are of the working directory.

    Raises PathProblem where nothing can be written there.
    """
    wanted = Path(os.path.realpath(path))
    if path.endswith("/") or wanted.is_dir():
        wanted /= name
    if not wanted.parent.is_dir():
        raise PathProblem(f"path={path}: the directory {wanted.parent} does not exist: create it, or {_FIX}")
    check(wanted, path)
    try:
        with tempfile.NamedTemporaryFile(dir=wanted.parent, prefix=_prefix(wanted)):
            return wanted
    except OSError as error:
        raise PathProblem(f"path={path}: {wanted.parent} takes no file ({error.strerror}): {_FIX}") from error


def check(wanted: Path, path: str) -> None:
    """Raises PathProblem where no file can be put in the place of *wanted*, which the user's *path* has led to."""
    if wanted.is_symlink() or (wanted.exists() and not wanted.is_file()):
        raise PathProblem(f"path={path}: {wanted} is no regular file: {_FIX}")


def write(destination: Path, content: str) -> None:
    """Wholly or not at all, for its owner's eyes alone. Raises PathProblem."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            errors="replace",
            newline="",
            dir=destination.parent,
            prefix=_prefix(destination),
            delete=False,
        ) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, destination)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise PathProblem(f"The report could not be written to {destination}: {error.strerror}") from error


def write_if_other(destination: Path, content: str) -> bool:
    """Whether it was written: not where the file holds just that. Raises PathProblem."""
    try:
        with destination.open(encoding="utf-8", errors="replace", newline="") as file:
            if file.read() == content:
                return False
    except OSError:
        pass
    write(destination, content)
    return True


def _prefix(destination: Path) -> str:
    return f".{destination.name}."
