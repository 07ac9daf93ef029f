# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what task sequences leave. A signal that cannot be read is noted, and the others are still read."""

from __future__ import annotations

import dataclasses

from ..._windows import system
from ..._windows.endpoint import Endpoint
from ..._windows.registry import KeyAbsent
from .. import constants
from ..mode.reader import read_guard
from ..signals import Signals
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


def read_task_sequences(endpoint: Endpoint) -> TaskSequenceState:
    guard, guard_unreadable = read_guard(endpoint)
    signals = Signals()
    state = TaskSequenceState(
        guard=guard,
        guard_unreadable=guard_unreadable,
        system=signals.read("clock", lambda: system.operating_system(endpoint.session)),
        registry=signals.read(REGISTRY, lambda: _registry(endpoint)),
    )
    if state.client_missing:
        return dataclasses.replace(state, unreadable=signals.unreadable)
    requests, processes = _requests(endpoint, signals)
    return dataclasses.replace(
        state,
        requests=requests,
        processes=processes,
        maintenance=signals.read(
            MAINTENANCE_REQUESTS,
            lambda: _instances(endpoint, constants.CLIENT_NAMESPACE, constants.MAINTENANCE_CLASS, "ClientID"),
        ),
        policies=signals.read(
            ORPHANED_POLICY,
            lambda: _instances(endpoint, constants.POLICY_NAMESPACE, constants.POLICY_CLASS, "PolicySource"),
        ),
        pause=signals.read(PAUSED_DISTRIBUTION, lambda: read_pause(endpoint)),
        unreadable=signals.unreadable,
    )


def read_again(endpoint: Endpoint, state: TaskSequenceState, cleared: list[Request]) -> TaskSequenceState:
    """*state* with what tells life from death as it is now.

    The *cleared* requests stay in it: what else is to be cleared is judged by them.
    """
    guard, guard_unreadable = read_guard(endpoint)
    signals = Signals()
    requests, processes = _requests(endpoint, signals)
    unreadable = {name: reason for name, reason in state.unreadable.items() if name != EXECUTION_REQUESTS}
    return dataclasses.replace(
        state,
        guard=guard,
        guard_unreadable=guard_unreadable,
        requests=None if requests is None else [*cleared, *requests],
        processes=processes,
        unreadable={**unreadable, **signals.unreadable},
    )


def read_pause(endpoint: Endpoint) -> dict[str, int]:
    values = {name: endpoint.registry.get_dword(constants.DISTRIBUTION_KEY, name) for name in _PAUSE}
    return {name: value for name, value in values.items() if value is not None}


def _requests(endpoint: Endpoint, signals: Signals) -> tuple[list[Request] | None, dict[int, str] | None]:
    """The requests with the processes that they name."""
    requests = signals.read(EXECUTION_REQUESTS, lambda: _read_requests(endpoint))
    if requests is None:
        return None, None
    named = {request.process_id for request in requests if request.process_id}
    return requests, signals.read("processes", lambda: system.process_names(endpoint.session, named))


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
