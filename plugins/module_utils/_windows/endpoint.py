# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows endpoint: a session and what is read and done through it."""

from __future__ import annotations

from .._wsman.session import Session
from .registry import Registry
from .services import Services


class Endpoint:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.registry = Registry(session)
        self.services = Services(session, self.registry)
