# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what task sequences leave. A signal that cannot be read is noted, and the others are still read."""

from __future__ import annotations

import dataclasses

from ..._windows.endpoint import Endpoint
from ..._windows.registry import KeyAbsent
from .. import constants
from ..guard import Guard
from ..readings import Readings
from .rules import (
    EXECUTION_REQUESTS,
    MAINTENANCE_REQUESTS,
    ORPHANED_POLICY,
    PAUSED_DISTRIBUTION,
    REGISTRY,
    Instance,
    Request,
    TaskSequenceState,
)

_PAUSE = (constants.PAUSED_COOKIE, constants.PAUSED)
_DETAILS = ("AdvertID", "ContentID", "ProgramID", "MIFPackageName")


def read_task_sequences(endpoint: Endpoint, guard: Guard) -> TaskSequenceState:
    activity = guard.read_activity()
    readings = Readings()
    state = TaskSequenceState(activity=activity, registry=readings.read(REGISTRY, lambda: _registry(endpoint)))
    if state.client_missing:
        return dataclasses.replace(state, unreadable=readings.unreadable)
    requests, processes = _requests(endpoint, readings)
    return dataclasses.replace(
        state,
        requests=requests,
        processes=processes,
        maintenance=readings.read(
            MAINTENANCE_REQUESTS,
            lambda: _instances(endpoint, constants.CLIENT_NAMESPACE, constants.MAINTENANCE_CLASS, "ClientID"),
        ),
        policies=readings.read(
            ORPHANED_POLICY,
            lambda: _instances(endpoint, constants.POLICY_NAMESPACE, constants.POLICY_CLASS, "PolicySource"),
        ),
        pause=readings.read(PAUSED_DISTRIBUTION, lambda: read_pause(endpoint)),
        unreadable=readings.unreadable,
    )


def read_again(endpoint: Endpoint, state: TaskSequenceState, cleared: list[Request]) -> TaskSequenceState:
    """*state* with the requests as they are now; of what runs, the guard speaks.

    The *cleared* requests stay in it: what else is to be cleared is judged by them.
    """
    readings = Readings()
    requests, processes = _requests(endpoint, readings)
    unreadable = {
        name: reason for name, reason in state.unreadable.items() if name not in (EXECUTION_REQUESTS, "processes")
    }
    return dataclasses.replace(
        state,
        requests=None if requests is None else [*cleared, *requests],
        processes=processes,
        unreadable={**unreadable, **readings.unreadable},
    )


def read_pause(endpoint: Endpoint) -> dict[str, int]:
    values = {name: endpoint.registry.get_dword(constants.DISTRIBUTION_KEY, name) for name in _PAUSE}
    return {name: value for name, value in values.items() if value is not None}


def _requests(endpoint: Endpoint, readings: Readings) -> tuple[list[Request] | None, dict[int, str] | None]:
    """The requests with the processes that they name."""
    requests = readings.read(EXECUTION_REQUESTS, lambda: _read_requests(endpoint))
    if requests is None:
        return None, None
    named = {request.process_id for request in requests if request.process_id}
    return requests, readings.read("processes", lambda: endpoint.system.process_names(named))


def _read_requests(endpoint: Endpoint) -> list[Request]:
    # Only whole rows come under their own class.
    rows = endpoint.session.query(constants.REQUEST_NAMESPACE, f"SELECT * FROM {constants.REQUEST_CLASS}")
    return [
        Request(
            class_name=row.class_name,
            request_id=row.string("RequestID") or "",
            state=row.string("State") or "",
            running_state=row.string("RunningState") or "",
            completion_state=row.string("CompletionState") or "",
            process_id=row.integer("ProcessID") or 0,
            received=row.datetime("ReceivedTime"),
            task=row.string("MTCHandle") or "",
            details={name: row.string(name) for name in _DETAILS},
        )
        for row in rows
    ]


def _instances(endpoint: Endpoint, namespace: str, class_name: str, owner: str) -> list[Instance]:
    return [
        Instance(reference.selectors, row.string(owner) or "")
        for row, reference in endpoint.session.instances(namespace, class_name)
    ]


def _registry(endpoint: Endpoint) -> dict[str, str | int | list[str] | None]:
    try:
        types = endpoint.registry.types(constants.TASK_SEQUENCE_KEY)
    except KeyAbsent:
        return {}
    found = {}
    for name in constants.TASK_SEQUENCE_VALUES:
        if name.lower() in types:
            data = endpoint.registry.get(constants.TASK_SEQUENCE_KEY, name, types[name.lower()])
            found[name] = data.hex() if isinstance(data, bytes) else data
    return found
