# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen to a machine while a test looks on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .client import SERVICE, ClientError
from .client_registry import CCMEXEC, MODE
from .programs.shell import run_in_shell
from .registry import RegValue
from .services import ScmError
from .world import World

Detail = Mapping[str, Any]


def _start_upgrade(world: World, detail: Detail) -> None:
    world.task_sequences.start_upgrade(detail)


def _restart_upgrade(world: World, detail: Detail) -> None:
    world.task_sequences.upgrade_restarts()


def _start_task_sequence(world: World, detail: Detail) -> None:
    world.task_sequences.start(detail)


def _task_sequence_restart(world: World, detail: Detail) -> None:
    world.task_sequences.restarts(detail)


def _end_task_sequence(world: World, detail: Detail) -> None:
    world.task_sequences.end()


def _kill_task_sequence(world: World, detail: Detail) -> None:
    world.journal.happened("task_sequence.died")
    world.task_sequences.die()


def _reboot(world: World, detail: Detail) -> None:
    world.power.restart("reboot")


def _hard_reset(world: World, detail: Detail) -> None:
    """Power lost or reset pressed: what was stopped and disabled for an upgrade stays so (Recast, one source)."""
    world.power.restart("hard_reset")


def _enter(world: World, detail: Detail) -> None:
    _client_call(world, True)


def _exit(world: World, detail: Detail) -> None:
    _client_call(world, False)


def _client_call(world: World, enable: bool) -> None:
    if world.client:
        try:
            world.client.set_provisioning_mode(enable)
        except ClientError as error:
            world.journal.happened("client.failed", str(error))


def _edit_flag(world: World, detail: Detail) -> None:
    """Somebody writes the registry flag by hand, as official docs tell not to."""
    world.registry.set_value(CCMEXEC, MODE, RegValue.sz(str(detail.get("value", "false"))))
    world.journal.happened("registry.flag_edited", str(detail.get("value", "false")))


def _edit_value(world: World, detail: Detail) -> None:
    """Somebody writes a text value, and the keys above it."""
    key, name = str(detail.get("key", "")), str(detail.get("name", ""))
    world.registry.set_value(key, name, RegValue.sz(str(detail.get("value", ""))))
    world.journal.happened("registry.value_edited", f"{key}: {name}")


def _start_ccmexec(world: World, detail: Detail) -> None:
    try:
        world.scm.start(SERVICE)
    except ScmError as error:
        world.journal.happened("ccmexec.start_failed", str(error.code))


def _stop_ccmexec(world: World, detail: Detail) -> None:
    if world.scm.find(SERVICE):
        world.scm.terminate(SERVICE)


def _restart_ccmexec(world: World, detail: Detail) -> None:
    if world.client:
        world.client.restart()


def _start_process(world: World, detail: Detail) -> None:
    """By its command line, or by its name alone; `path` is its file where the command line does not tell that."""
    line = str(detail.get("command_line") or detail.get("path") or detail.get("name") or "notepad.exe")
    world.processes.start(
        line,
        str(detail.get("name", "")),
        session=int(detail.get("session", 0)),
        path=str(detail.get("path", "")),
        protected=bool(detail.get("protected", False)),
    )
    world.journal.happened("process.started", line)


def _run_command(world: World, detail: Detail) -> None:
    """Somebody on the machine types a command."""
    run_in_shell(world, str(detail.get("line", "")))


def _end_process(world: World, detail: Detail) -> None:
    world.processes.end_named(str(detail.get("name", "")))
    world.journal.happened("process.ended", str(detail.get("name", "")))


def _logon(world: World, detail: Detail) -> None:
    world.power.administrator_logs_on()


EVENTS: Mapping[str, Callable[[World, Detail], None]] = {
    "start_in_place_upgrade": _start_upgrade,
    "upgrade_restart": _restart_upgrade,
    "start_task_sequence": _start_task_sequence,
    "task_sequence_restart": _task_sequence_restart,
    "end_task_sequence": _end_task_sequence,
    "kill_task_sequence": _kill_task_sequence,
    "reboot": _reboot,
    "hard_reset": _hard_reset,
    "enter_provisioning_mode": _enter,
    "exit_provisioning_mode": _exit,
    "edit_provisioning_flag": _edit_flag,
    "edit_registry_value": _edit_value,
    "start_ccmexec": _start_ccmexec,
    "stop_ccmexec": _stop_ccmexec,
    "restart_ccmexec": _restart_ccmexec,
    "start_process": _start_process,
    "end_process": _end_process,
    "run_command": _run_command,
    "administrator_logs_on": _logon,
}


def fire(world: World, event: str, detail: Detail) -> None:
    if event not in EVENTS:
        raise ValueError(f"unknown event {event!r} … allowed: {', '.join(EVENTS)}")
    EVENTS[event](world, detail)
