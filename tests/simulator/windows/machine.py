# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows machine, as the server in front of it sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from . import assembly, description, events
from .cim import repository
from .clock import Clock
from .gate import Gate
from .programs import shell
from .programs.result import ProgramNotFound, ProgramResult
from .providers.registration import providers, providers_32_bit
from .site_channel import SiteChannel
from .spec import MachineSpec
from .wmi import Wmi

__all__ = ["Machine", "ProgramNotFound", "ProgramResult"]


class Machine:
    """Whoever looks at it, or does something to it, first lets it catch up with the clock."""

    def __init__(self, spec: MachineSpec, clock: Clock) -> None:
        self._world = assembly.assemble(spec, clock)
        classes = repository.windows()
        self.wmi = Wmi(
            classes,
            providers(self._world),
            Gate(self._world, classes),
            self._world.timeline.catch_up,
            lambda: self._world.variants.parameter_names == "any_case",
        )
        self._world.wmi = self.wmi
        self.wmi32 = self.wmi.with_providers(providers_32_bit(self._world))
        """WMI as a client that asks for a provider of 32 bits sees it."""

    def time_taken(self) -> float:
        """How many seconds the last call takes until it is answered; asked once."""
        taken, self._world.busy = self._world.busy, 0.0
        return taken

    @property
    def is_up(self) -> bool:
        """False while the machine restarts: nothing of it answers."""
        self._world.timeline.catch_up()
        return self._world.power.is_up

    @property
    def channel(self) -> SiteChannel:
        """What its ConfigMgr client does for the site."""
        self._world.timeline.catch_up()
        return SiteChannel(self._world)

    def run_program(self, application: str | None, command_line: str, stdin: str = "") -> ProgramResult:
        """Runs a program to its end. Without an application, cmd.exe takes the command line.

        Raises ProgramNotFound where an application is given and does not exist.
        """
        self._world.timeline.catch_up()
        self.time_taken()
        result = shell.run_program(self._world, application, command_line, stdin)
        return replace(result, duration=result.duration + self.time_taken())

    def reads_input(self, application: str | None, command_line: str) -> bool:
        """Whether what the command line starts with waits for its standard input to end."""
        return shell.reads_input(self._world, application, command_line)

    def fire(self, event: str, /, **detail: Any) -> None:
        """Something happens to the machine; ValueError names the events that there are."""
        self._world.timeline.catch_up()
        events.fire(self._world, event, detail)

    def patch(self, mapping: Mapping[str, Any]) -> None:
        """Changes what the mapping names, with the keys of a fleet file, and leaves the rest as it is by now."""
        self._world.timeline.catch_up()
        spec = MachineSpec.from_mapping(_merged(self._world.spec.source, mapping), self._world.spec.machine_name)
        given: dict[str, Collection[str]] = {
            key: list(value) if isinstance(value, Mapping) else () for key, value in mapping.items()
        }
        assembly.patch(self._world, spec, given)

    def describe(self) -> dict[str, Any]:
        self._world.timeline.catch_up()
        return description.describe(self._world)


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
