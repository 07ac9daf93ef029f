# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of an endpoint, before anything is made of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field

from ..._windows.registry import RegistryData
from ..._windows.services import Service
from ..._windows.system import USUAL_SYSTEM_DIRECTORY, OperatingSystem
from .. import constants


@dataclass(frozen=True)
class StoredValue:
    """A registry value: ``data`` None where it is absent, ``type`` its Windows number."""

    data: RegistryData | None = None
    type: int | None = None

    def data_for_result(self) -> str | int | list[str] | None:
        """Plain JSON: binary data in hexadecimal digits."""
        return self.data.hex() if isinstance(self.data, bytes) else self.data


@dataclass(frozen=True)
class Mode:
    """The two values that decide. ``enabled`` None: ProvisioningMode is absent or neither true nor false."""

    enabled: bool | None
    text: str | None
    excludes: str

    @property
    def left(self) -> bool:
        return self.enabled is False and not self.excludes


@dataclass(frozen=True)
class Setup:
    """``SYSTEM\\Setup``: what Windows Setup does now and will do after the next restart."""

    in_progress: bool = False
    oobe_in_progress: bool = False
    type: int = 0
    command_line: str = ""

    @property
    def armed(self) -> bool:
        """A command line waits for the next start (KB 939857: type 1 and 2 run it)."""
        return self.type != 0 and bool(self.command_line)


@dataclass(frozen=True)
class Guard:
    """The signals that tell whether something runs that an exit would break. None: could not be read."""

    processes: list[str] | None = None
    services: dict[str, Service] | None = None
    setup: Setup | None = None
    winpe: bool | None = None


@dataclass(frozen=True)
class Hold:
    """Somebody keeps the client in the mode on purpose.

    ``entered`` is ProvisioningEnabledTime of the stay in the mode that it is about; None where that is not known.
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

    ``unreadable`` maps a signal to the reason why it could not be read.
    """

    mode: Mode
    full: bool = False
    entered: StoredValue = StoredValue()
    max_minutes: StoredValue = StoredValue()
    system: OperatingSystem | None = None
    guard: Guard = Guard()
    hold: Hold | None = None
    requests: list[str] | None = None
    client_version: str | None = None
    class_missing: bool = False
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def system_directory(self) -> str:
        return self.system.system_directory if self.system else USUAL_SYSTEM_DIRECTORY


def client_service(state: ClientState) -> Service | None:
    """The client's service; None where it is not installed or could not be read."""
    return (state.guard.services or {}).get(constants.CLIENT_SERVICE.lower())
