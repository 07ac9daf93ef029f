# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the client's state. What it costs follows what is wrong: a healthy endpoint is two calls."""

from __future__ import annotations

import dataclasses

from ..._windows.endpoint import Endpoint
from ..._windows.registry import ABSENT, KeyAbsent, StoredValue
from ..._wsman.errors import Fault, NotFound, ProtocolError
from .. import constants
from ..guard import Guard, request_state
from ..readings import Readings
from . import hold
from .state import ClientState, Mode


def read_mode(endpoint: Endpoint) -> Mode:
    """Raises WindowsError or Fault where the mode itself cannot be read: nothing can be said then."""
    text = endpoint.registry.get_string(constants.CCMEXEC_KEY, constants.MODE)
    excludes = endpoint.registry.get_string(constants.CCMEXEC_KEY, constants.EXCLUDES) or ""
    enabled = {"true": True, "false": False}.get((text or "").strip().lower())
    return Mode(enabled, text, excludes.strip())


def read_state(endpoint: Endpoint, guard: Guard, *, full: bool = False) -> ClientState:
    """A client that has left the mode is read briefly unless *full* is wanted; any other is read in full."""
    mode = read_mode(endpoint)
    if mode.exited and not full:
        return ClientState(mode)
    readings = Readings()
    types = readings.read("registry", lambda: _types_if_any(endpoint)) or {}
    activity = guard.read_activity()
    version, class_missing = _client_version(endpoint, readings)

    def stored(signal: str, name: str) -> StoredValue:
        found = readings.read(signal, lambda: endpoint.registry.stored(constants.CCMEXEC_KEY, name, types))
        return found or ABSENT

    requests = activity.requests
    if requests is None and not class_missing:
        requests = readings.read("requests", lambda: _requests(endpoint))
    return ClientState(
        mode=mode,
        full=True,
        entered=stored("entered_at", constants.ENTERED),
        max_minutes=stored("max_minutes", constants.MAX_MINUTES),
        activity=activity,
        hold=readings.read("hold", lambda: hold.read(endpoint)),
        requests=requests,
        client_version=version,
        class_missing=class_missing,
        unreadable=readings.unreadable,
    )


def read_again(endpoint: Endpoint, state: ClientState) -> ClientState:
    """*state* with what another administrator or process may have changed: the mode, its time of entry and the hold.

    What runs is not read: of that, the guard speaks.
    """
    readings = Readings()
    mode = read_mode(endpoint)
    entered = readings.read("entered_at", lambda: read_entered(endpoint))
    held = readings.read("hold", lambda: hold.read(endpoint))
    kept = {signal: reason for signal, reason in state.unreadable.items() if signal not in ("entered_at", "hold")}
    return dataclasses.replace(
        state, mode=mode, entered=entered or ABSENT, hold=held, unreadable={**kept, **readings.unreadable}
    )


def read_entered(endpoint: Endpoint) -> StoredValue:
    """ProvisioningEnabledTime alone; raises KeyAbsent where there is no client."""
    return endpoint.registry.stored(constants.CCMEXEC_KEY, constants.ENTERED, _types(endpoint))


def _types(endpoint: Endpoint) -> dict[str, int]:
    types = endpoint.registry.types(constants.CCMEXEC_KEY, strict=True)
    if not types:
        raise ProtocolError(f"HKLM\\{constants.CCMEXEC_KEY} is there and lists no value")
    return types


def _types_if_any(endpoint: Endpoint) -> dict[str, int]:
    try:
        return _types(endpoint)
    except KeyAbsent:
        return {}


def _client_version(endpoint: Endpoint, readings: Readings) -> tuple[str | None, bool]:
    """The version and whether the class, and so the client's WMI, is missing."""
    try:
        client = endpoint.session.get(constants.CLIENT_NAMESPACE, constants.CLIENT_CLASS)
        return client.string("ClientVersion"), False
    except NotFound:
        return None, True
    except (Fault, ProtocolError) as error:
        readings.unreadable["client_version"] = str(error)
        return None, False


def _requests(endpoint: Endpoint) -> list[str]:
    rows = endpoint.session.query(
        constants.REQUEST_NAMESPACE, f"SELECT State,RunningState,CompletionState FROM {constants.REQUEST_CLASS}"
    )
    return [request_state(row) for row in rows]
