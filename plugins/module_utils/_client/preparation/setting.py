# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preparation changes on an endpoint, each part alike: its state is read, written and written back."""

from __future__ import annotations

import typing as t

from ..._windows.endpoint import Endpoint
from ..._windows.registry import RegistryType
from ..mode.state import StoredValue
from . import dependency, max_minutes
from .artefacts import Artefact, BootTaskArtefact, RunOnceArtefact
from .journal import Value
from .safeguard import BOOT_TASK, RUN_ONCE


class Setting(t.Protocol):
    name: str

    def read(self) -> Value: ...

    def write(self, value: Value) -> None: ...

    def same(self, one: Value, other: Value) -> bool: ...

    def shown(self, value: Value) -> t.Any:
        """*value* for a person who reads a difference."""

    def obstacle(self, value: Value) -> str:
        """Why *value*, once it is overwritten, could not be put back as it was; empty where it could."""


class MaxMinutes:
    """A value: ``{"type": Windows' number of the registry type, "data": …}``."""

    name = "max_minutes"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @staticmethod
    def value(minutes: int) -> Value:
        return {"type": int(RegistryType.DWORD), "data": minutes}

    def read(self) -> Value:
        stored = max_minutes.read(self._endpoint)
        return None if stored.data is None else {"type": stored.type, "data": stored.data_for_result()}

    def write(self, value: Value) -> None:
        max_minutes.write(self._endpoint, StoredValue(value["data"], value["type"]) if value else StoredValue())

    def same(self, one: Value, other: Value) -> bool:
        return bool(one == other)

    def shown(self, value: Value) -> t.Any:
        if value is None or value["type"] == RegistryType.DWORD:
            return value and value["data"]
        return f"{value['data']} (registry type {value['type']})"

    def obstacle(self, value: Value) -> str:
        # Windows returns an expandable string expanded, and a result holds binary data in another form.
        if value is None or value["type"] in (RegistryType.SZ, RegistryType.DWORD, RegistryType.QWORD):
            return ""
        return f"its value is of registry type {value['type']}"


class Dependency:
    """A value: the names of the services that smstsmgr depends on."""

    name = "dependency"

    def __init__(self, endpoint: Endpoint, system_directory: str) -> None:
        self._endpoint = endpoint
        self._system_directory = system_directory

    def read(self) -> Value:
        return dependency.read(self._endpoint)

    def write(self, value: Value) -> None:
        dependency.write(self._endpoint, self._system_directory, value)

    def same(self, one: Value, other: Value) -> bool:
        return dependency.same(one, other)

    def shown(self, value: Value) -> t.Any:
        return value

    def obstacle(self, value: Value) -> str:
        return ""


class Safeguard:
    """A value: the description of an artefact of one kind."""

    def __init__(self, kind: str, endpoint: Endpoint, system_directory: str) -> None:
        self.name = kind
        self._endpoint = endpoint
        self._system_directory = system_directory

    def artefact(self, delay: int) -> Artefact:
        if self.name == RUN_ONCE:
            return RunOnceArtefact(self._endpoint, self._system_directory)
        return BootTaskArtefact(self._endpoint, self._system_directory, delay)

    def read(self) -> Value:
        return self.artefact(0).read()

    def write(self, value: Value) -> None:
        if value is None:
            self.artefact(0).remove()
        else:
            self._like(value).place()

    def same(self, one: Value, other: Value) -> bool:
        return bool(one == other)

    def shown(self, value: Value) -> t.Any:
        if value is None:
            return None
        delay = value.get("delay_minutes")
        edited = " (edited)" if self._edited(value) else ""
        return (f"{delay:g} min after a boot" if delay is not None else "at the next logon") + edited

    def obstacle(self, value: Value) -> str:
        edited = value is not None and self._edited(value)
        return f"there is a safeguard ({self.name}) that somebody has edited" if edited else ""

    def _edited(self, value: Value) -> bool:
        return bool(self._like(value).wanted() != value)

    def _like(self, value: Value) -> Artefact:
        return self.artefact(int(value.get("delay_minutes") or 0) if self.name == BOOT_TASK else 0)
