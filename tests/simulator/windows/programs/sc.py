# SPDX-License-Identifier: GPL-3.0-or-later
"""sc.exe: the service control manager from the command line.

Output and exit codes as official docs and public samples show them: the exit code is the Win32 error. The words are
English here; on a localised Windows they are not, and only the digits stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import services
from ..service_record import START_TYPES, Service, StartMode
from ..services import ScmError
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_INVALID_COMMAND_LINE = 1639
_TEXTS = {
    services.ACCESS_DENIED: "Access is denied.",
    services.INVALID_PARAMETER: "The parameter is incorrect.",
    services.DEPENDENT_SERVICES_RUNNING: "A stop control has been sent to a service that other running services are "
    "dependent on.",
    services.INVALID_SERVICE_CONTROL: "The requested control is not valid for this service.",
    services.SERVICE_ALREADY_RUNNING: "An instance of the service is already running.",
    services.SERVICE_DISABLED: "The service cannot be started, either because it is disabled or because it has no "
    "enabled devices associated with it.",
    services.CIRCULAR_DEPENDENCY: "Circular service dependency was specified.",
    services.SERVICE_DOES_NOT_EXIST: "The specified service does not exist as an installed service.",
    services.SERVICE_CANNOT_ACCEPT_CONTROL: "The service cannot accept control messages at this time.",
    services.SERVICE_NOT_ACTIVE: "The service has not been started.",
    services.SERVICE_DEPENDENCY_FAIL: "The dependency service or group failed to start.",
    services.SERVICE_MARKED_FOR_DELETE: "The specified service has been marked for deletion.",
    services.SERVICE_DEPENDENCY_DELETED: "The dependency service does not exist or has been marked for deletion.",
}
_START_WORDS: dict[str, tuple[StartMode, bool]] = {
    "boot": ("Boot", False),
    "system": ("System", False),
    "auto": ("Auto", False),
    "demand": ("Manual", False),
    "disabled": ("Disabled", False),
    "delayed-auto": ("Auto", True),
}
_STATES = {"Stopped": "1  STOPPED", "Start Pending": "2  START_PENDING", "Running": "4  RUNNING"}
_START_NAMES = {"Boot": "BOOT_START", "System": "SYSTEM_START", "Auto": "AUTO_START", "Manual": "DEMAND_START"}
_USAGE = """
DESCRIPTION:
        SC is a command line program used for communicating with the
        Service Control Manager and services.
USAGE:
        sc <server> [command] [service name] <option1> <option2>...
"""
_CONFIG_USAGE = """
DESCRIPTION:
        Modifies a service entry in the registry and Service Database.
USAGE:
        sc <server> config [service name] <option1> <option2>...

OPTIONS:
NOTE: The option name includes the equal sign.
      A space is required between the equal sign and the value.
      To remove the dependency, use a single / as dependency value.
"""


class _Usage(Exception):
    pass


def run(world: World, arguments: list[str]) -> ProgramResult:
    try:
        return _run(world, arguments)
    except _Usage as usage:
        return ProgramResult(_INVALID_COMMAND_LINE, _lines(str(usage)))


def _run(world: World, arguments: list[str]) -> ProgramResult:
    arguments = [argument for argument in arguments if not argument.startswith("\\\\")]
    if not arguments:
        raise _Usage(_USAGE)
    command, rest = arguments[0].lower(), arguments[1:]
    if command == "query" and not rest:
        running = [_status(service, extended=False) for service in world.scm if service.is_running]
        return ProgramResult(0, "".join(running))
    if command not in ("query", "queryex", "qc", "config", "start", "stop") or not rest:
        raise _Usage(_USAGE)
    name, options = rest[0], rest[1:]
    service = world.scm.find(name)
    if service is None:
        label = "EnumQueryServicesStatus:OpenService" if command.startswith("query") else _opening(command)
        return _failure(label, services.SERVICE_DOES_NOT_EXIST)
    if command in ("config", "start", "stop"):
        world.journal.written(f"sc.{command}", " ".join([name, *options]))
        if not world.access.is_administrator:
            return _failure(_opening(command), services.ACCESS_DENIED)
    match command:
        case "query" | "queryex":
            return ProgramResult(0, _status(service, command == "queryex"))
        case "qc":
            return ProgramResult(0, _configuration(service))
        case "config":
            return _config(world, name, options)
        case "start":
            return _control(world, name, "StartService")
        case _:
            return _control(world, name, "ControlService")


def _opening(command: str) -> str:
    return "StartService: OpenService" if command == "start" else "OpenService"


def _config(world: World, name: str, options: list[str]) -> ProgramResult:
    settings = _pairs(options)
    start = settings.get("start=")
    if start is not None and start.lower() not in _START_WORDS:
        raise _Usage(_CONFIG_USAGE)
    mode, delayed = _START_WORDS[start.lower()] if start else (None, None)
    depend = settings.get("depend=")
    try:
        world.scm.change_config(
            name,
            start_mode=mode,
            delayed=delayed,
            depend_on=None if depend is None else [each for each in depend.split("/") if each],
            display_name=settings.get("displayname="),
            path=settings.get("binpath="),
            start_name=settings.get("obj="),
        )
    except ScmError as error:
        return _failure("ChangeServiceConfig", error.code)
    return ProgramResult(0, "[SC] ChangeServiceConfig SUCCESS\r\n")


def _pairs(options: list[str]) -> dict[str, str]:
    """Each option is a word that ends with the equal sign, then its value as a word of its own (official)."""
    known = ("type=", "start=", "error=", "binpath=", "group=", "tag=", "depend=", "obj=", "displayname=", "password=")
    if not options or len(options) % 2 or any(option.lower() not in known for option in options[::2]):
        raise _Usage(_CONFIG_USAGE)
    return {option.lower(): value for option, value in zip(options[::2], options[1::2], strict=True)}


def _control(world: World, name: str, function: str) -> ProgramResult:
    try:
        if function == "StartService":
            world.scm.start(name)
        else:
            world.scm.stop(name)
    except ScmError as error:
        return _failure(function, error.code)
    pending = "2  START_PENDING" if function == "StartService" else "3  STOP_PENDING"
    return ProgramResult(0, _status(world.scm.service(name), function == "StartService", pending))


def _failure(function: str, code: int) -> ProgramResult:
    text = _TEXTS.get(code, "The operation failed.")
    return ProgramResult(code, f"[SC] {function} FAILED {code}:\r\n\r\n{text}\r\n\r\n")


def _status(service: Service, extended: bool, state: str = "") -> str:
    now = state or _STATES[service.state]
    controls = "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN" if service.accepts_stop else "NOT_STOPPABLE, NOT_PAUSABLE"
    flags = ["                                (" + controls + ")"] if service.is_running and not state else []
    rows = [
        "",
        f"SERVICE_NAME: {service.name}",
        *([] if extended else [f"DISPLAY_NAME: {service.display_name}"]),
        f"        TYPE               : {_type(service)}",
        f"        STATE              : {now} ",
        *flags,
        f"        WIN32_EXIT_CODE    : {service.exit_code}  (0x{service.exit_code:x})",
        "        SERVICE_EXIT_CODE  : 0  (0x0)",
        "        CHECKPOINT         : 0x0",
        "        WAIT_HINT          : 0x0",
    ]
    if extended:
        rows += [f"        PID                : {service.process_id}", "        FLAGS              : "]
    return _join(rows)


def _configuration(service: Service) -> str:
    delayed = "  (DELAYED)" if service.delayed and service.start_mode == "Auto" else ""
    start = f"{START_TYPES[service.start_mode]}   {_START_NAMES.get(service.start_mode, 'DISABLED')}{delayed}"
    names: Iterable[str] = service.depend_on or ("",)
    dependencies = [f"        {'DEPENDENCIES' if number == 0 else '':<19}: {each}" for number, each in enumerate(names)]
    return _join(
        [
            "[SC] QueryServiceConfig SUCCESS",
            "",
            f"SERVICE_NAME: {service.name}",
            f"        TYPE               : {_type(service)}",
            f"        START_TYPE         : {start}",
            "        ERROR_CONTROL      : 1   NORMAL",
            f"        BINARY_PATH_NAME   : {service.path}",
            "        LOAD_ORDER_GROUP   : ",
            "        TAG                : 0",
            f"        DISPLAY_NAME       : {service.display_name}",
            *dependencies,
            f"        SERVICE_START_NAME : {service.start_name}",
        ]
    )


def _type(service: Service) -> str:
    return "10  WIN32_OWN_PROCESS " if service.own_process else "20  WIN32_SHARE_PROCESS "


def _join(rows: list[str]) -> str:
    return "".join(f"{row}\r\n" for row in rows)


def _lines(text: str) -> str:
    return text.replace("\n", "\r\n")
