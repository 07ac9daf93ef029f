# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own scripts, as a site keeps them."""

from __future__ import annotations

import base64
import hashlib
import pkgutil
import uuid
from dataclasses import dataclass
from functools import cached_property

_NAMESPACE = uuid.UUID("5a0c1d5e-6c0e-4c6e-9f0a-2f6a9d8f7c11")
_VERSION = 1
_BYTE_ORDER_MARK = b"\xff\xfe"
"""A site keeps scripts in UTF-16 with it."""


@dataclass(frozen=True)
class Script:
    """``file`` is its name here, ``name`` that on the site."""

    file: str

    @property
    def name(self) -> str:
        return f"configmgr.client {self.file} {_VERSION}"

    @cached_property
    def stored(self) -> bytes:
        """The octets of which a site tells the hash."""
        text = (pkgutil.get_data(__name__, f"scripts/{self.file}.ps1") or b"").decode("utf-8")
        return _BYTE_ORDER_MARK + text.replace("\n", "\r\n").encode("utf-16-le")

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.stored).hexdigest().upper()

    @property
    def guid(self) -> str:
        """By its content: one that is changed is another script, and has to be approved anew."""
        return str(uuid.uuid5(_NAMESPACE, self.hash)).upper()

    @property
    def encoded(self) -> str:
        return base64.b64encode(self.stored).decode()


READ_MODE, LEAVE_MODE = Script("read_mode"), Script("leave_mode")
SCRIPTS = {script.file: script for script in (READ_MODE, LEAVE_MODE)}
