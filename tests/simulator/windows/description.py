# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's state as plain JSON, for tests and for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .client_registry import CCM, MOBILE_CLIENT, TASK_SEQUENCE
from .registry import Key, RegValue
from .registry_image import RUN_ONCE, SETUP
from .task_sequence import ENGINE_PROGRAMS
from .world import World

_KEYS = (
    CCM,
    MOBILE_CLIENT,
    TASK_SEQUENCE,
    SETUP,
    RUN_ONCE,
    "HKLM\\SOFTWARE\\configmgr.client",  # what a tool from outside may leave here
    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\CcmExec",
    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\smstsmgr",
)
_SERVICES = ("CcmExec", "smstsmgr", "Winmgmt", "WinRM")


def describe(world: World) -> dict[str, Any]:
    client = world.client
    return {
        "machine_name": world.spec.machine_name,
        "clock": world.timeline.now.isoformat(),
        "boot_time": world.processes.boot_time.isoformat(),
        "up": world.power.is_up,
        "mode": client.mode if client else "not_installed",
        "client": client.describe() if client else None,
        "registry": {path: _tree(key) for path in _KEYS if (key := world.registry.key(path))},
        "services": {
            service.name: {
                "state": service.state,
                "start_mode": service.start_mode,
                "process_id": service.process_id,
                "depend_on": list(service.depend_on),
            }
            for service in (world.scm.find(name) for name in _SERVICES)
            if service
        },
        "processes": [process.name for process in world.processes],
        "task_sequence": {
            "alive": world.task_sequences.is_alive,
            "waits": world.task_sequences.waits,
            "engine": [process.name for name in ENGINE_PROGRAMS for process in world.processes.named(name)],
            "requests": _rows(world.requests),
        },
        "programs": _rows(world.programs),
        "maintenance_requests": _rows(world.maintenance_requests),
        "policies": _rows(world.policies),
        "scheduled_tasks": [{"uri": task.uri, "command": task.command} for task in world.scheduled_tasks],
        "files": [file.path for file in world.files],
        "events": [entry.describe() for entry in world.journal.events],
        "writes": [entry.describe() for entry in world.journal.writes],
    }


def _tree(key: Key) -> dict[str, Any]:
    tree: dict[str, Any] = {name: _data(value) for name, value in key.values()}
    return tree | {child.name: {"key": _tree(child)} for child in key.subkeys()}


def _data(value: RegValue) -> dict[str, Any]:
    data = value.data
    plain = data.hex() if isinstance(data, bytes) else list(data) if isinstance(data, tuple) else data
    return {"type": f"REG_{value.type.name}", "data": plain}


def _rows(rows: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, str, list)) else str(value)
