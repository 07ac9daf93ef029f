# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed on an endpoint to prepare it, each setting alike: read, written and written back."""

from __future__ import annotations

import typing as t

from ..._windows.commands import WMIC
from ..._windows.endpoint import Endpoint
from ..._windows.registry import KeyAbsent, RegistryType
from .. import constants
from . import dependency, safeguard
from .entry import Value
from .journal import DEPENDENCY


class Unsupported(Exception):
    """Windows would not take the setting as it is wanted, or would cut it off; the message says why."""


class Setting(t.Protocol):
    name: str

    def read(self) -> Value:
        ...

    def write(self, value: Value) -> None:
        """Inside ``Guard.writing``."""

    def equal(self, one: Value, other: Value) -> bool:
        ...

    def display(self, value: Value) -> t.Any:
        """*value* for a person who reads a difference."""

    def obstacle(self, value: Value) -> str:
        """Why *value*, once it is overwritten, could not be put back as it was; empty where it could."""


class MaxMinutes:
    """A value: ``{"type": Windows' number of the registry type, "data": …}``."""

    name = "max_minutes"

    def __init__(self, endpoint: Endpoint) -> None:
        self._registry = endpoint.registry

    @staticmethod
    def value(minutes: int) -> Value:
        return {"type": int(RegistryType.DWORD), "data": minutes}

    def read(self) -> Value:
        """Raises KeyAbsent where there is no client."""
        stored = self._registry.stored(constants.CCMEXEC_KEY, constants.MAX_MINUTES)
        return None if stored.data is None else {"type": stored.type, "data": stored.data_for_result()}

    def write(self, value: Value) -> None:
        if value is None:
            self._registry.delete_value(constants.CCMEXEC_KEY, constants.MAX_MINUTES)
        else:
            value_type = RegistryType(value["type"])
            self._registry.set(constants.CCMEXEC_KEY, constants.MAX_MINUTES, value_type, value["data"])

    def equal(self, one: Value, other: Value) -> bool:
        return bool(one == other)

    def display(self, value: Value) -> t.Any:
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

    name = DEPENDENCY

    def __init__(self, endpoint: Endpoint) -> None:
        self._services = endpoint.services

    def read(self) -> Value:
        return self._services.dependencies(constants.AGENT_SERVICE)

    def write(self, value: Value) -> None:
        self._services.set_dependencies(constants.AGENT_SERVICE, value)

    def equal(self, one: Value, other: Value) -> bool:
        return dependency.equal(one, other)

    def display(self, value: Value) -> t.Any:
        return value

    def obstacle(self, value: Value) -> str:
        return ""


class BootTask:
    """A value: the description of the scheduled task, of which ``delay_minutes`` can be chosen."""

    name = safeguard.BOOT_TASK

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def value(self, delay: int) -> Value:
        """As it is to be; raises Unsupported."""
        directory = self._endpoint.system.directory
        task = safeguard.boot_task(directory, delay)
        _require_fit(self.name, directory, task.arguments)
        return task.as_result()

    def read(self) -> Value:
        found = self._endpoint.scheduled_tasks.read(safeguard.TASK_NAME)
        return None if found is None else found.as_result()

    def write(self, value: Value) -> None:
        tasks = self._endpoint.scheduled_tasks
        if value is None:
            tasks.delete(safeguard.TASK_NAME)
        else:
            tasks.register(safeguard.TASK_NAME, safeguard.boot_task(self._endpoint.system.directory, _delay(value)))

    def equal(self, one: Value, other: Value) -> bool:
        return bool(one == other)

    def display(self, value: Value) -> t.Any:
        if value is None:
            return None
        return f"{value.get('delay_minutes') or 0:g} min after a boot{' (edited)' if self.obstacle(value) else ''}"

    def obstacle(self, value: Value) -> str:
        edited = value is not None and self.value(_delay(value)) != value
        return f"there is a safeguard ({self.name}) that somebody has edited" if edited else ""


class RunOnce:
    """A value: the line in the registry with the number of its type."""

    name = safeguard.RUN_ONCE

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def value(self) -> Value:
        """As it is to be; raises Unsupported."""
        directory = self._endpoint.system.directory
        has_wmic = self._endpoint.files.find(rf"{directory}\{WMIC}") is not None
        line = safeguard.run_once_line(directory, wmic=has_wmic)
        _require_fit(self.name, directory, line)
        return {"data": line, "registry_type": int(RegistryType.SZ)}

    def read(self) -> Value:
        try:
            stored = self._endpoint.registry.stored(safeguard.RUN_ONCE_KEY, safeguard.RUN_ONCE_NAME)
        except KeyAbsent:
            return None
        return None if stored.data is None else {"data": stored.data_for_result(), "registry_type": stored.type}

    def write(self, value: Value) -> None:
        registry = self._endpoint.registry
        if value is None:
            registry.delete_value(safeguard.RUN_ONCE_KEY, safeguard.RUN_ONCE_NAME)
            return
        if not registry.key_exists(safeguard.RUN_ONCE_KEY):
            registry.create_key(safeguard.RUN_ONCE_KEY)
        value_type = RegistryType(value["registry_type"])
        registry.set(safeguard.RUN_ONCE_KEY, safeguard.RUN_ONCE_NAME, value_type, value["data"])

    def equal(self, one: Value, other: Value) -> bool:
        return bool(one == other)

    def display(self, value: Value) -> t.Any:
        if value is None:
            return None
        return f"at the next logon{' (edited)' if self.obstacle(value) else ''}"

    def obstacle(self, value: Value) -> str:
        edited = value is not None and self.value() != value
        return f"there is a safeguard ({self.name}) that somebody has edited" if edited else ""


def _delay(value: Value) -> int:
    return int(value.get("delay_minutes") or 0)


def _require_fit(kind: str, system_directory: str, line: str) -> None:
    problem = safeguard.line_problem(kind, system_directory, line)
    if problem:
        raise Unsupported(problem)
