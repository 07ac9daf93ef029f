# SPDX-License-Identifier: GPL-3.0-or-later
"""sc.exe: the service control manager from the command line, as far as `query` and `config … depend=`.

Output and exit codes as official docs and public samples show them: the exit code is the Win32 error. The words are
English here; on a localised Windows they are not, and only the digits stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import services
from ..service_record import Service
from ..services import ScmError
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_INVALID_COMMAND_LINE = 1639
_TEXTS = {
    services.ACCESS_DENIED: "Access is denied.",
    services.CIRCULAR_DEPENDENCY: "Circular service dependency was specified.",
    services.SERVICE_DOES_NOT_EXIST: "The specified service does not exist as an installed service.",
    services.SERVICE_MARKED_FOR_DELETE: "The specified service has been marked for deletion.",
}
_STATES = {"Stopped": "1  STOPPED", "Start Pending": "2  START_PENDING", "Running": "4  RUNNING"}
_USAGE = """
DESCRIPTION:
        SC is a command line program used for communicating with the
        Service Control Manager and services.
USAGE:
        sc <server> [command] [service name] <option1> <option2>...
"""


def run(world: World, arguments: list[str]) -> ProgramResult:
    match [argument.lower() for argument in arguments[:1]], arguments[1:]:
        case ["query"], []:
            return ProgramResult(0, "".join(_status(service) for service in world.scm if service.is_running))
        case ["query"], [name]:
            service = world.scm.find(name)
            if service is None:
                return _failure("EnumQueryServicesStatus:OpenService", services.SERVICE_DOES_NOT_EXIST)
            return ProgramResult(0, _status(service))
        case ["config"], [name, option, value] if option.lower() == "depend=":
            return _config(world, name, value)
    # An option is a word that ends with the equal sign, its value a word of its own (official).
    return ProgramResult(_INVALID_COMMAND_LINE, _USAGE.replace("\n", "\r\n"))


def _config(world: World, name: str, depend: str) -> ProgramResult:
    if world.scm.find(name) is None:
        return _failure("OpenService", services.SERVICE_DOES_NOT_EXIST)
    world.journal.written("sc.config", f"{name} depend= {depend}")
    if not world.access.is_administrator:
        return _failure("OpenService", services.ACCESS_DENIED)
    try:
        world.scm.change_config(name, depend_on=[each for each in depend.split("/") if each])
    except ScmError as error:
        return _failure("ChangeServiceConfig", error.code)
    return ProgramResult(0, "[SC] ChangeServiceConfig SUCCESS\r\n")


def _failure(function: str, code: int) -> ProgramResult:
    return ProgramResult(code, f"[SC] {function} FAILED {code}:\r\n\r\n{_TEXTS[code]}\r\n\r\n")


def _status(service: Service) -> str:
    controls = "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN" if service.accepts_stop else "NOT_STOPPABLE, NOT_PAUSABLE"
    flags = ["                                (" + controls + ")"] if service.is_running else []
    kind = "10  WIN32_OWN_PROCESS" if service.own_process else "20  WIN32_SHARE_PROCESS"
    rows = [
        "",
        f"SERVICE_NAME: {service.name}",
        f"DISPLAY_NAME: {service.display_name}",
        f"        TYPE               : {kind} ",
        f"        STATE              : {_STATES[service.state]} ",
        *flags,
        f"        WIN32_EXIT_CODE    : {service.exit_code}  (0x{service.exit_code:x})",
        "        SERVICE_EXIT_CODE  : 0  (0x0)",
        "        CHECKPOINT         : 0x0",
        "        WAIT_HINT          : 0x0",
    ]
    return "".join(f"{row}\r\n" for row in rows)
