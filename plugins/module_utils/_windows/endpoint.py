# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows endpoint: everything that is read and done there, by its noun."""

from __future__ import annotations

from .._wsman.session import Session
from .commands import Commands
from .files import Files
from .registry import Registry
from .scheduled_tasks import ScheduledTasks
from .services import Services
from .system import System


class Endpoint:
    """``session`` is for the classes that only one product knows."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.system = System(session)
        self.commands = Commands(session, self.system)
        self.registry = Registry(session)
        self.services = Services(session, self.registry, self.commands)
        self.scheduled_tasks = ScheduledTasks(session, self.commands)
        self.files = Files(session)
