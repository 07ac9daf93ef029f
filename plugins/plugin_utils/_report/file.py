# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a report, on the controller."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
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
    if wanted.exists() and not wanted.is_file():
        raise PathProblem(f"path={path}: {wanted} is no regular file: {_FIX}")
    try:
        with tempfile.NamedTemporaryFile(dir=wanted.parent, prefix=_prefix(wanted)):
            return wanted
    except OSError as error:
        raise PathProblem(f"path={path}: {wanted.parent} takes no file ({error.strerror}): {_FIX}") from error


def write(destination: Path, content: t.Any) -> None:
    """Wholly or not at all, for its owner's eyes alone. Raises PathProblem."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=destination.parent, prefix=_prefix(destination), delete=False
        ) as file:
            temporary = file.name
            json.dump(content, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, destination)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise PathProblem(f"The report could not be written to {destination}: {error.strerror}") from error


def _prefix(destination: Path) -> str:
    return f".{destination.name}."
