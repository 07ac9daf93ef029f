# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of an endpoint, before anything is made of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field

from ..._windows.registry import ABSENT, StoredValue
from ..._windows.services import Service
from ..._windows.system import OperatingSystem
from .. import constants
from ..activity import NOT_READ, Activity


@dataclass(frozen=True)
class Mode:
    """The two values that decide. ``enabled`` None: ProvisioningMode is absent or neither true nor false."""

    enabled: bool | None
    text: str | None
    excludes: str

    @property
    def exited(self) -> bool:
        return self.enabled is False and not self.excludes


@dataclass(frozen=True)
class Hold:
    """Somebody keeps the client in the mode on purpose.

    ``entered`` is ProvisioningEnabledTime of the stay in the mode that it is about: before the entry, that of the stay
    before, or 0, so that it explains no stay of another's making. None is of a hold that was written without.
    """

    owner: str
    reason: str
    expires: dt.datetime
    entered: int | None = None

    def same_as(self, other: Hold | None) -> bool:
        """Whether *other* says the same, whichever stay in the mode it is about."""
        return other is not None and dataclasses.replace(other, entered=self.entered) == self


@dataclass(frozen=True)
class ClientState:
    """Everything read. A brief read fills ``mode`` alone and leaves ``full`` false.

    ``unreadable`` maps a signal to the reason why it could not be read, beside those of ``activity``.
    """

    mode: Mode
    full: bool = False
    entered: StoredValue = ABSENT
    max_minutes: StoredValue = ABSENT
    activity: Activity = NOT_READ
    hold: Hold | None = None
    requests: list[str] | None = None
    client_version: str | None = None
    class_missing: bool = False
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def system(self) -> OperatingSystem | None:
        return self.activity.system

    @property
    def client_service(self) -> Service | None:
        """None where it is not installed or could not be read."""
        return self.activity.service(constants.CLIENT_SERVICE)
