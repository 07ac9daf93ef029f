# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording: what was exchanged during the checks, scrubbed, as a file to send to somebody else."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import typing as t
from contextlib import suppress
from pathlib import Path

from .._wsman.errors import ProtocolError
from . import libraries
from .allowlist import ALLOWLIST
from .examination import Examination
from .recorder import Exchange
from .redaction import Redactor

FORMAT = 1
COLLECTION_VERSION = "1.0.0"


def problem(path: str) -> str | None:
    """Why no recording can be written to *path*; asked before anything is sent."""
    parent = Path(path).parent
    if not parent.is_dir():
        return f"record_to={path}: its directory {parent} does not exist; create it first"
    if Path(path).is_dir():
        return f"record_to={path} is a directory: name a file in it"
    if not os.access(parent, os.W_OK | os.X_OK):
        return f"record_to={path}: its directory {parent} cannot be written to"
    return None


def compose(examination: Examination) -> dict[str, t.Any]:
    """The recording. What the checks found is not part of it, since it names names; what they come to is."""
    redactor = Redactor(ALLOWLIST)
    inside = examination.inside
    return {
        "format": FORMAT,
        "collection": COLLECTION_VERSION,
        "python": platform.python_version(),
        "libraries": libraries.versions(),
        "windows": redactor.value("Version", inside.windows.version if inside and inside.windows else ""),
        "client": redactor.value("ClientVersion", (inside.client_version if inside else None) or ""),
        "way": examination.way,
        "checks": {check.check: check.status for check in examination.done},
        "exchanges": [_exchange(exchange, redactor) for exchange in examination.recorder.exchanges],
    }


def write(path: str, recording: t.Mapping[str, t.Any]) -> None:
    """Replaces the file at *path* as a whole; only its owner may read it."""
    handle, draft = tempfile.mkstemp(dir=Path(path).parent, prefix=".configmgr-client-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(recording, file, indent=1)
            file.write("\n")
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def _exchange(exchange: Exchange, redactor: Redactor) -> dict[str, str | None]:
    error = exchange.error
    return {
        "check": exchange.topic,
        "request": _message(exchange.request, redactor),
        "reply": None if exchange.reply is None else _message(exchange.reply, redactor),
        "error": f"{type(error).__name__} ({error.layer})" if error else None,
    }


def _message(document: bytes, redactor: Redactor) -> str:
    try:
        return redactor.message(document)
    except ProtocolError:  # its message may quote what it could not read
        return f"{len(document)} bytes that are no plain XML"
