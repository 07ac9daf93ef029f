# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Service. Its return codes (official) are its own numbers, not Win32 errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from .. import services
from ..cim.model import Row, WmiError
from ..service_record import Service, StartMode
from ..services import ScmError
from .base import BaseProvider

_START_TIMEOUT = timedelta(seconds=30)  # ServicesPipeTimeout's default (official)
_REQUEST_TIMEOUT = 7
_NOT_SUPPORTED, _ACCESS_DENIED, _CANNOT_ACCEPT_CONTROL, _INVALID_PARAMETER = 1, 2, 5, 21
_CODES = {
    services.ACCESS_DENIED: 2,
    services.INVALID_PARAMETER: 21,
    services.DEPENDENT_SERVICES_RUNNING: 3,
    services.INVALID_SERVICE_CONTROL: 4,
    services.SERVICE_ALREADY_RUNNING: 10,
    services.SERVICE_DISABLED: 14,
    services.CIRCULAR_DEPENDENCY: 18,
    services.SERVICE_CANNOT_ACCEPT_CONTROL: 5,
    services.SERVICE_NOT_ACTIVE: 5,  # community: stopping a stopped service answers 5, not 6
    services.SERVICE_DEPENDENCY_FAIL: 13,
    services.SERVICE_DEPENDENCY_DELETED: 12,
    services.SERVICE_MARKED_FOR_DELETE: 16,
}
# The methods take `Automatic`, the property reads `Auto` (official).
_START_MODES: Mapping[str, StartMode] = {
    "boot": "Boot",
    "system": "System",
    "automatic": "Auto",
    "manual": "Manual",
    "disabled": "Disabled",
}
_TERMINAL = "termservice"


class Win32Service(BaseProvider):
    """Also serves Win32_TerminalService, the class of the Remote Desktop service (seen on real hosts)."""

    def instances(self, class_name: str) -> list[Row]:
        wanted = class_name == "Win32_TerminalService"
        return [self._row(service, class_name) for service in self._world.scm if _is_terminal(service) is wanted]

    def _row(self, service: Service, class_name: str) -> Row:
        row: Row = {
            "AcceptPause": False,
            "AcceptStop": service.accepts_stop,
            "Caption": service.display_name,
            "CheckPoint": 0,
            "CreationClassName": class_name,
            "DelayedAutoStart": service.delayed,
            "Description": service.description or None,
            "DesktopInteract": False,
            "DisplayName": service.display_name,
            "ErrorControl": "Normal",
            "ExitCode": service.exit_code,
            "Name": service.name,
            "PathName": service.path,
            "ProcessId": service.process_id,
            "ServiceSpecificExitCode": 0,
            "ServiceType": "Own Process" if service.own_process else "Share Process",
            "Started": not service.is_stopped,
            "StartMode": service.start_mode,
            "StartName": service.start_name,
            "State": service.state,
            "Status": "OK",
            "SystemCreationClassName": "Win32_ComputerSystem",
            "SystemName": self._world.spec.netbios_name,
            "TagId": 0,
            "WaitHint": 0,
        }
        if class_name == "Win32_TerminalService":
            return {**row, "DisconnectedSessions": 0, "EstimatedSessions": 0, "RawSessions": 0, "TotalSessions": 0}
        return row

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        if method == "InterrogateService":
            running = self._world.scm.service(keys["Name"]).is_running
            return {"ReturnValue": 0 if running else _CANNOT_ACCEPT_CONTROL}
        detail = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)
        self._world.journal.written(f"service.{method}", f"{keys['Name']} {detail}".strip())
        if not self._world.access.is_administrator:
            return {"ReturnValue": _ACCESS_DENIED}
        try:
            return {"ReturnValue": self._run(method, keys["Name"], arguments)}
        except ScmError as error:
            return {"ReturnValue": _CODES.get(error.code, 8)}

    def _run(self, method: str, name: str, arguments: Row) -> int:
        scm = self._world.scm
        match method:
            case "StartService":
                return self._start(name)
            case "StopService":
                scm.stop(name)
            case "ChangeStartMode":
                mode = _start_mode(arguments)
                if mode is None:
                    return _INVALID_PARAMETER
                scm.change_config(name, start_mode=mode)
            case "Change":
                return self._change(name, arguments)
            case _:
                return _NOT_SUPPORTED
        return 0

    def _start(self, name: str) -> int:
        """Where the answer is late, the caller waits with it (`World.takes`)."""
        self._world.scm.start(name)
        time = self._world.scm.service(name).start_time
        if self._world.variants.start_service_answer == "at_once" or not time:
            return 0
        self._world.takes(min(time, _START_TIMEOUT).total_seconds())
        return 0 if time <= _START_TIMEOUT else _REQUEST_TIMEOUT

    def _change(self, name: str, arguments: Row) -> int:
        mode = _start_mode(arguments)
        if arguments.get("StartMode") is not None and mode is None:
            return _INVALID_PARAMETER
        depend_on = cast("list[str] | None", arguments.get("ServiceDependencies"))
        if depend_on is not None and not any(depend_on):
            match self._world.variants.change_empty_dependency:
                case "invalid":
                    return _INVALID_PARAMETER
                case "keeps":
                    depend_on = None
        self._world.scm.change_config(
            name,
            start_mode=mode,
            depend_on=None if depend_on is None else [each for each in depend_on if each],
            display_name=cast("str | None", arguments.get("DisplayName")),
            path=cast("str | None", arguments.get("PathName")),
            start_name=cast("str | None", arguments.get("StartName")),
        )
        return 0

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        raise WmiError("not_supported")


def _start_mode(arguments: Row) -> StartMode | None:
    return _START_MODES.get(str(arguments.get("StartMode") or "").lower())


def _is_terminal(service: Service) -> bool:
    return service.name.lower() == _TERMINAL
