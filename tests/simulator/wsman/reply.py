# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes back to the HTTP layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SOAP = "application/soap+xml;charset=UTF-8"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: str = SOAP
    sealed: bool = True
    """Whether the body is encrypted where the request was."""
    cut: Literal["", "drop", "half"] = ""
    """How the connection breaks while answering: no answer at all, or half of it."""
