# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the client's state. What it costs follows what is wrong: a healthy endpoint is two calls."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._windows import system
from ..._windows.endpoint import Endpoint
from ..._windows.registry import KeyAbsent
from ..._wsman.errors import Fault, NotFound, ProtocolError
from .. import constants
from ..signals import Signals
from . import hold
from .state import ClientState, Guard, Mode, Setup, StoredValue


def read_mode(endpoint: Endpoint) -> Mode:
    """Raises WindowsError or Fault where the mode itself cannot be read: nothing can be said then."""
    text = endpoint.registry.get_string(constants.CCMEXEC_KEY, constants.MODE)
    excludes = endpoint.registry.get_string(constants.CCMEXEC_KEY, constants.EXCLUDES) or ""
    enabled = {"true": True, "false": False}.get((text or "").strip().lower())
    return Mode(enabled, text, excludes.strip())


def read_guard(endpoint: Endpoint, signals: Signals | None = None) -> tuple[Guard, dict[str, str]]:
    """The guard's signals as they are now, and the reasons for those that could not be read."""
    signals = signals or Signals()
    registry = endpoint.registry

    def setup() -> Setup:
        return Setup(
            in_progress=bool(registry.get_dword(constants.SETUP_KEY, "SystemSetupInProgress")),
            oobe_in_progress=bool(registry.get_dword(constants.SETUP_KEY, "OOBEInProgress")),
            type=registry.get_dword(constants.SETUP_KEY, "SetupType") or 0,
            command_line=(registry.get_string(constants.SETUP_KEY, "CmdLine") or "").strip(),
        )

    # What changes fastest is read last, right before whatever is done about it.
    in_setup = signals.read("setup", setup)
    winpe = signals.read("winpe", lambda: registry.key_exists(constants.WINPE_KEY))
    services = signals.read(
        "services", lambda: endpoint.services.read(constants.CLIENT_SERVICE, constants.AGENT_SERVICE)
    )
    names = constants.TASK_SEQUENCE_PROCESSES + constants.SETUP_PROCESSES
    processes = signals.read("processes", lambda: system.processes(endpoint.session, names))
    guard = Guard(processes, services, in_setup, winpe)
    return guard, signals.unreadable


def read_state(endpoint: Endpoint, *, full: bool = False) -> ClientState:
    """A client that has left the mode is read briefly unless *full* is wanted; any other is read in full."""
    mode = read_mode(endpoint)
    if mode.left and not full:
        return ClientState(mode)
    signals = Signals()
    types = signals.read("registry", lambda: _types(endpoint))
    guard, _ = read_guard(endpoint, signals)
    version, class_missing = _client_version(endpoint, signals)
    return ClientState(
        mode=mode,
        full=True,
        entered=signals.read("entered_at", lambda: stored_value(endpoint, constants.ENTERED, types or {}))
        or StoredValue(),
        max_minutes=signals.read("max_minutes", lambda: stored_value(endpoint, constants.MAX_MINUTES, types or {}))
        or StoredValue(),
        system=signals.read("clock", lambda: system.operating_system(endpoint.session)),
        guard=guard,
        hold=signals.read("hold", lambda: hold.read(endpoint)),
        requests=None if class_missing else signals.read("requests", lambda: _requests(endpoint)),
        client_version=version,
        class_missing=class_missing,
        unreadable=signals.unreadable,
    )


def read_again(endpoint: Endpoint, state: ClientState) -> ClientState:
    """*state* with what may have changed since: the mode, the hold and the guard's signals."""
    signals = Signals()
    signals.unreadable.update(
        (signal, reason)
        for signal, reason in state.unreadable.items()
        if signal != "hold" and not hasattr(state.guard, signal)
    )
    mode = read_mode(endpoint)
    held = signals.read("hold", lambda: hold.read(endpoint))
    guard, _ = read_guard(endpoint, signals)
    return dataclasses.replace(state, mode=mode, hold=held, guard=guard, unreadable=signals.unreadable)


def read_entered(endpoint: Endpoint) -> StoredValue:
    """ProvisioningEnabledTime alone; raises KeyAbsent where there is no client."""
    return stored_value(endpoint, constants.ENTERED, endpoint.registry.types(constants.CCMEXEC_KEY))


def _types(endpoint: Endpoint) -> dict[str, int]:
    try:
        return endpoint.registry.types(constants.CCMEXEC_KEY)
    except KeyAbsent:
        return {}


def stored_value(endpoint: Endpoint, name: str, types: t.Mapping[str, int]) -> StoredValue:
    """A value of the client's key, whose *types* EnumValues told."""
    value_type = types.get(name.lower())
    if value_type is None:
        return StoredValue()
    return StoredValue(endpoint.registry.get(constants.CCMEXEC_KEY, name, value_type), value_type)


def _client_version(endpoint: Endpoint, signals: Signals) -> tuple[str | None, bool]:
    """The version and whether the class, and so the client's WMI, is missing."""
    try:
        client = endpoint.session.get(constants.CLIENT_NAMESPACE, constants.CLIENT_CLASS)
        return client.string("ClientVersion"), False
    except NotFound:
        return None, True
    except (Fault, ProtocolError) as error:
        signals.unreadable["client_version"] = str(error)
        return None, False


def _requests(endpoint: Endpoint) -> list[str]:
    rows = endpoint.session.query(
        constants.REQUEST_NAMESPACE,
        f"SELECT RequestID,State,RunningState,CompletionState FROM {constants.REQUEST_CLASS}",
    )
    return ["/".join(row.string(name) or "-" for name in ("State", "RunningState", "CompletionState")) for row in rows]
