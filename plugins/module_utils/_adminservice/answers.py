# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer means: its rows, or the error that a status and a body stand for. Pure."""

from __future__ import annotations

import json
import typing as t

from .._wsman.errors import ProtocolError
from .errors import (
    AdminServiceError,
    BadRequest,
    Forbidden,
    NoRole,
    NotAProvider,
    NotVisible,
    ServiceFailed,
)
from .row import Row

_SUCCESS = (200, 201, 204)


def parsed(url: str, status: int, body: bytes) -> t.Any:
    """The JSON of an answer, None of an empty one. Raises AdminServiceError; ProtocolError for what is no JSON."""
    if status not in _SUCCESS:
        raise _refusal(url, status, body)
    if not body.strip():
        return None
    if _is_html(body):
        raise NotAProvider(f"{url} answers with a web page, not as an administration service", status)
    try:
        return json.loads(body)
    except ValueError as error:
        raise ProtocolError(f"{url} answered what is not JSON ({error})") from None


def members(url: str, answer: t.Any) -> list[Row]:
    """The rows of an answer with a list in ``value``."""
    value = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ProtocolError(f"{url} answered without a list of objects in 'value'")
    return [Row(item) for item in value]


def next_link(answer: t.Any) -> str | None:
    link = answer.get("@odata.nextLink")
    return link if isinstance(link, str) else None


def _refusal(url: str, status: int, body: bytes) -> AdminServiceError:
    said = _message(body)
    told = f": {said}" if said else ""
    if status == 404 and _is_html(body):
        return NotAProvider(f"{url} answers as a web server without an administration service (HTTP 404)", status)
    if status == 404 and "access denied" in said.lower():
        return NoRole(f"{url} denies access to the account{told} (HTTP 404)", status)
    if status == 404:
        return NotVisible(f"{url} is not there, or not visible to the account (HTTP 404{told})", status)
    if status == 403:
        return Forbidden(f"{url} forbids this to the account (HTTP 403{told})", status)
    if status == 400:
        return BadRequest(f"{url} does not understand the request (HTTP 400{told})", status)
    return ServiceFailed(f"{url} answered HTTP {status}{told}", status)


def _message(body: bytes) -> str:
    """What OData's error object says, in one line of bounded length; empty where there is none."""
    try:
        error = json.loads(body)["error"]
        text = error["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    if isinstance(text, dict):  # as OData before version 4 has it
        text = text.get("value", "")
    return " ".join(str(text).split())[:300]


def _is_html(body: bytes) -> bool:
    return body.lstrip()[:15].lower().startswith((b"<!doctype", b"<html"))
