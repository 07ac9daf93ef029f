# SPDX-License-Identifier: GPL-3.0-or-later
"""What may happen to a machine, or to a request, while a task is at work on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from tests.guard.bench import Bench, Event, Fate
from tests.guard.calls import HOLD_KEY
from tests.simulator.windows.client_registry import CCMEXEC, MAX_MINUTES
from tests.simulator.windows.registry import RegValue
from tests.simulator.windows.registry_image import SETUP


def event(name: str, /, **detail: object) -> Event:
    def happens(bench: Bench) -> None:
        bench.fire(name, **detail)

    return happens


# -- what must not be broken -------------------------------------------------------------------------------------------


def task_sequence_starts(bench: Bench) -> None:
    if not bench.world.task_sequences.is_alive and not bench.waits and bench.is_up:
        bench.fire("start_task_sequence")


def quiet_task_sequence_starts(bench: Bench) -> None:
    """Without an operating system step: the client does not enter the mode."""
    if not bench.world.task_sequences.is_alive and not bench.waits and bench.is_up:
        bench.fire("start_task_sequence", enters_mode=False)


def upgrade_starts(bench: Bench) -> None:
    if not bench.world.task_sequences.is_alive and not bench.waits and bench.is_up:
        bench.fire("start_in_place_upgrade")


def setup_is_started(bench: Bench) -> None:
    """By somebody at the machine, without a task sequence."""
    bench.fire("start_process", command_line=r"C:\$WINDOWS.~BT\Sources\SetupHost.exe /Install")


def setup_is_armed(bench: Bench) -> None:
    bench.world.registry.set_value(SETUP, "CmdLine", RegValue.sz(r"C:\Windows\SMSTSPostUpgrade\SetupComplete.cmd"))
    bench.world.registry.set_value(SETUP, "SetupType", RegValue.dword(2))


def upgrade_restarts(bench: Bench) -> None:
    """Between two restarts nothing runs, and Setup is armed."""
    upgrade_starts(bench)
    if bench.world.task_sequences.is_alive:
        bench.fire("upgrade_restart")


def restart_into_gap(bench: Bench) -> None:
    if bench.is_up and not bench.waits:
        bench.restart_into_gap()


def task_sequence_ends(bench: Bench) -> None:
    bench.forget_gap()
    bench.fire("end_task_sequence")


def task_sequence_dies(bench: Bench) -> None:
    bench.forget_gap()
    bench.fire("kill_task_sequence")


# -- what is in the way ------------------------------------------------------------------------------------------------


def restart(bench: Bench, seconds: float = 0) -> None:
    if bench.is_up and not bench.waits:
        bench.world.spec = replace(bench.world.spec, boot_seconds=timedelta(seconds=seconds))
        bench.fire("reboot")


def hold_is_written(bench: Bench) -> None:
    for name, value in (
        ("Owner", RegValue.sz("asmith")),
        ("Reason", RegValue.sz("CHG0099999")),
        ("Expires", RegValue.qword(int(bench.clock.now().timestamp()) + 3600)),
    ):
        bench.world.registry.set_value(HOLD_KEY, name, value)


def hold_is_removed(bench: Bench) -> None:
    bench.world.registry.delete_key(HOLD_KEY)


def values_are_changed(bench: Bench) -> None:
    """Another operator prepares the same machine in his own way."""
    bench.world.registry.set_value(CCMEXEC, MAX_MINUTES, RegValue.dword(1440))
    bench.world.scm.change_config("smstsmgr", depend_on=["RpcSs"])
    bench.world.scheduled_tasks.unregister("\\", "configmgr.client.safeguard")


def hours_pass(bench: Bench) -> None:
    """More than any deadline."""
    bench.advance(hours=5)


def connections_drop(bench: Bench) -> None:
    bench.connection += 1


@dataclass(frozen=True)
class Disturbance:
    """Something happens after the answer of one request, or to the request itself."""

    events: tuple[Event, ...] = ()
    fate: Fate | None = None
    ends: bool = False
    """Whether all is well again later, so that a second run must succeed."""

    def plant(self, bench: Bench, number: int) -> None:
        bench.events.setdefault(number, []).extend(self.events)
        if self.fate:
            bench.fates[number] = self.fate


_LOST = {
    "request lost": Fate(lost="before"),
    "answer lost": Fate(lost="after"),
    "answer lost in silence": Fate(lost="after", silent=True),
    "carried out later": Fate(queued=2),
}
DISTURBANCES: Mapping[str, Disturbance] = {
    "task sequence": Disturbance((task_sequence_starts,), ends=True),
    "quiet task sequence": Disturbance((quiet_task_sequence_starts,), ends=True),
    "upgrade": Disturbance((upgrade_starts,), ends=True),
    "upgrade restarts": Disturbance((upgrade_restarts,), ends=True),
    "restart into the gap": Disturbance((restart_into_gap,), ends=True),
    "Setup": Disturbance((setup_is_started,), ends=True),
    "restart": Disturbance((restart,), ends=True),
    "restart, slowly": Disturbance((partial(restart, seconds=60),), ends=True),
    "connection dropped": Disturbance((connections_drop,), ends=True),
    "connection dropped, task sequence": Disturbance((connections_drop, task_sequence_starts), ends=True),
    "other enters": Disturbance((event("enter_provisioning_mode"),)),
    "other exits": Disturbance((event("exit_provisioning_mode"),)),
    "other holds": Disturbance((hold_is_written,)),
    "other releases": Disturbance((hold_is_removed,)),
    "other prepares": Disturbance((values_are_changed,)),
    "client stops": Disturbance((event("stop_ccmexec"),)),
    "answer late": Disturbance(fate=Fate(late=25.0), ends=True),
    **{name: Disturbance(fate=fate, ends=True) for name, fate in _LOST.items()},
    **{f"{name}, task sequence": Disturbance((task_sequence_starts,), fate, ends=True) for name, fate in _LOST.items()},
    "answer lost, out of time": Disturbance((hours_pass,), _LOST["answer lost"], ends=True),
}
