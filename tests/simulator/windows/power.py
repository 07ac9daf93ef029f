# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts: what ends, what is read again, what starts by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .registry_image import RUN_ONCE

if TYPE_CHECKING:
    from .world import World


class Power:
    def __init__(self, world: World) -> None:
        self._world = world
        self.is_up = True

    def restart(self, why: str, resume_setup: bool = True) -> None:
        """A restart in the middle ends a live task sequence, or interrupts it; official docs name it as the cause of
        stuck clients.
        """
        world = self._world
        world.journal.happened(why)
        if world.task_sequences.is_alive:
            world.task_sequences.interrupted()
        world.task_sequences.powered_off()
        self.is_up = False
        world.scm.power_off()
        world.processes.reboot()
        if world.client:
            world.client.powered_off()
        if world.spec.boot_seconds > timedelta(0):
            world.timeline.after(world.spec.boot_seconds, lambda: self._boot(resume_setup))
        else:
            self._boot(resume_setup)

    def _boot(self, resume_setup: bool) -> None:
        world = self._world
        self.is_up = True
        world.processes.reboot()
        world.scm.boot(world.task_sequences.held_back)
        world.journal.happened("booted")
        if resume_setup:
            world.task_sequences.resume()
        world.task_sequences.booted()
        world.scheduled_tasks.booted()

    def administrator_logs_on(self) -> None:
        """RunOnce of HKLM: values are deleted before their command runs, and only an administrator's logon counts.

        Official docs. A name that starts with `!` is deleted after its command ran instead.
        """
        world = self._world
        world.journal.happened("administrator.logged_on")
        key = world.registry.key(RUN_ONCE)
        for name, value in list(key.values()) if key else []:
            if not name.startswith("!"):
                world.registry.delete_value(RUN_ONCE, name)
            world.journal.happened("runonce", str(value.data))
            world.run_detached(str(value.data))
            world.registry.delete_value(RUN_ONCE, name)
