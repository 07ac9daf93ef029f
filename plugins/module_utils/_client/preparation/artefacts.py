# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A safeguard on an endpoint: read, placed and removed, one class for each kind."""

from __future__ import annotations

import typing as t

from ..._windows import system
from ..._windows.endpoint import Endpoint
from ..._windows.registry import KeyAbsent, RegistryType
from ..._windows.scheduled_tasks import ScheduledTasks
from . import safeguard

Description = dict[str, t.Any]
"""What an artefact is, in plain JSON types: two are the same where these are equal."""


class Unsupported(Exception):
    """Windows would not take the safeguard as it is wanted, or would cut it off; the message says why."""


class Artefact(t.Protocol):
    name: str

    def wanted(self) -> Description:
        """As it is to be; raises Unsupported."""

    def read(self) -> Description | None:
        """As it is; None where there is none."""

    def place(self) -> None:
        """Creates it as wanted, or replaces what is there."""

    def remove(self) -> None:
        """Removes one that is there."""


class BootTaskArtefact:
    name = safeguard.BOOT_TASK

    def __init__(self, endpoint: Endpoint, system_directory: str, delay: int) -> None:
        self._tasks = ScheduledTasks(endpoint.session, system_directory)
        self._system_directory = system_directory
        self._task = safeguard.boot_task(system_directory, delay)

    def wanted(self) -> Description:
        _require_fit(self.name, self._system_directory, self._task.arguments)
        return self._task.as_result()

    def read(self) -> Description | None:
        found = self._tasks.read(safeguard.TASK_NAME)
        return None if found is None else found.as_result()

    def place(self) -> None:
        self._tasks.register(safeguard.TASK_NAME, self._task)

    def remove(self) -> None:
        self._tasks.delete(safeguard.TASK_NAME)


class RunOnceArtefact:
    name = safeguard.RUN_ONCE

    def __init__(self, endpoint: Endpoint, system_directory: str) -> None:
        self._endpoint = endpoint
        self._system_directory = system_directory

    def wanted(self) -> Description:
        return _value(self._line(), RegistryType.SZ)

    def _line(self) -> str:
        wmic = system.file_exists(self._endpoint.session, rf"{self._system_directory}\wbem\WMIC.exe")
        line = safeguard.run_once_line(self._system_directory, wmic=wmic)
        _require_fit(self.name, self._system_directory, line)
        return line

    def read(self) -> Description | None:
        registry = self._endpoint.registry
        try:
            value_type = registry.types(safeguard.RUN_ONCE_KEY).get(safeguard.RUN_ONCE_NAME.lower())
        except KeyAbsent:
            return None
        if value_type is None:
            return None
        return _value(registry.get(safeguard.RUN_ONCE_KEY, safeguard.RUN_ONCE_NAME, value_type), value_type)

    def place(self) -> None:
        registry = self._endpoint.registry
        registry.create_key(safeguard.RUN_ONCE_KEY)
        registry.set(safeguard.RUN_ONCE_KEY, safeguard.RUN_ONCE_NAME, RegistryType.SZ, self._line())

    def remove(self) -> None:
        self._endpoint.registry.delete_value(safeguard.RUN_ONCE_KEY, safeguard.RUN_ONCE_NAME)


def _require_fit(kind: str, system_directory: str, line: str) -> None:
    problem = safeguard.line_problem(kind, system_directory, line)
    if problem:
        raise Unsupported(problem)


def _value(data: t.Any, value_type: int) -> Description:
    return {"data": data.hex() if isinstance(data, bytes) else data, "registry_type": int(value_type)}
