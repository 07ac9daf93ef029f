# SPDX-License-Identifier: GPL-3.0-or-later
"""schtasks.exe: create, change, query and delete tasks (official docs for switches; output from public samples).

Every failure has the exit code 1. A task that is not made from XML gets the default settings: it does not start on
battery power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from ..scheduled_tasks import ScheduledTask
from . import command_line
from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_LONGEST_COMMAND = 261
_DECLARATION = '<?xml version="1.0" encoding="UTF-16"?>\r\n'
_FLAGS = ("/f", "/np", "/z", "/it", "/hresult", "/nh", "/v", "/enable", "/disable")


def run(world: World, arguments: list[str]) -> ProgramResult:
    if not arguments:
        return _error("Invalid syntax.")
    command, options = arguments[0].lower(), _options(arguments[1:])
    if options is None or command not in ("/create", "/change", "/delete", "/query"):
        return _error('Invalid syntax. Type "SCHTASKS /?" for usage.')
    name = options.get("/tn", "")
    if command == "/query" and not name:
        row = _csv_row if options.get("/fo", "").lower() == "csv" else _row
        return ProgramResult(0, "".join(row(task) for task in world.scheduled_tasks))
    if not name:
        return _error("Invalid syntax. Mandatory option '/tn' is missing.")
    if command != "/query":
        world.journal.written(f"schtasks.{command[1:]}", name)
        if not world.access.is_administrator:
            return _error("Access is denied.")
    folder, _, leaf = name.rpartition("\\")
    task = world.scheduled_tasks.find(folder, leaf)
    if command == "/create":
        return _create(world, folder, leaf, options, task)
    if task is None:
        return _error("The system cannot find the file specified.")
    if command == "/query":
        return ProgramResult(0, _printed(task.xml) if "/xml" in options else _row(task))
    if command == "/change":
        world.scheduled_tasks.enable(task, "/disable" not in options)
        return ProgramResult(0, f'SUCCESS: The parameters of scheduled task "{name}" have been changed.\r\n')
    if "/f" not in options:  # asks, and nobody answers
        return ProgramResult(1, f'WARNING: Are you sure you want to remove the task "{name}" (Y/N)? ')
    world.scheduled_tasks.unregister(folder, leaf)
    return ProgramResult(0, f'SUCCESS: The scheduled task "{name}" was successfully deleted.\r\n')


def _create(world: World, folder: str, leaf: str, options: dict[str, str], old: ScheduledTask | None) -> ProgramResult:
    if "/tr" not in options or options.get("/sc", "").lower() != "onstart":
        return _error("The simulated schtasks.exe creates tasks with /tr and /sc onstart only.")
    if old and "/f" not in options:
        return _error("The task already exists; without /F it would have to be confirmed.")
    line = options["/tr"]
    if len(line) > _LONGEST_COMMAND:
        return _error(f"Invalid syntax. Value for '/tr' option cannot be more than {_LONGEST_COMMAND} character(s).")
    length = command_line.program_length(line)
    command, rest = line[:length].strip('"'), line[length:].strip()
    minutes, _, seconds = options.get("/delay", "0000:00").partition(":")
    if not (minutes.isdigit() and seconds.isdigit()):
        return _error("Invalid value for /DELAY option.")
    world.scheduled_tasks.register(folder, leaf, _xml(command, rest, int(minutes), int(seconds), options))
    name = options["/tn"]
    return ProgramResult(0, f'SUCCESS: The scheduled task "{name}" has successfully been created.\r\n')


def _xml(command: str, arguments: str, minutes: int, seconds: int, options: dict[str, str]) -> str:
    level = "HighestAvailable" if options.get("/rl", "").lower() == "highest" else "LeastPrivilege"
    user = "S-1-5-18" if options.get("/ru", "").lower() in ("system", "nt authority\\system", "") else options["/ru"]
    return (
        '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">'
        f"<Triggers><BootTrigger><Enabled>true</Enabled><Delay>PT{minutes}M{seconds}S</Delay></BootTrigger></Triggers>"
        f"<Principals><Principal><UserId>{escape(user)}</UserId><RunLevel>{level}</RunLevel></Principal></Principals>"
        f"<Actions><Exec><Command>{escape(command)}</Command><Arguments>{escape(arguments)}</Arguments></Exec></Actions>"
        "</Task>"
    )


def _options(words: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        name = rest.pop(0).lower()
        if not name.startswith("/"):
            return None
        alone = name in _FLAGS or (name == "/xml" and (not rest or rest[0].startswith("/")))
        if not alone and not rest:
            return None
        found[name] = "" if alone else rest.pop(0)
    return found


def _row(task: ScheduledTask) -> str:
    return f"{task.name:<40} {'N/A':<22} {'Ready' if task.enabled else 'Disabled':<15}\r\n"


def _csv_row(task: ScheduledTask) -> str:
    return f'"{task.uri}","N/A","{"Ready" if task.enabled else "Disabled"}"\r\n'


def _printed(xml: str) -> str:
    """The console's encoding, under a declaration that says another one (reported many times)."""
    return f"{_DECLARATION}{xml}\r\n\r\n"


def _error(text: str) -> ProgramResult:
    return ProgramResult(1, "", f"ERROR: {text}\r\n")
