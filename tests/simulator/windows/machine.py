# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows machine."""

from __future__ import annotations

from .access import Access
from .cim import repository
from .clock import Clock
from .journal import Journal
from .providers.stdregprov import StdRegProv
from .registry import Registry, RegValue
from .spec import MachineSpec
from .timeline import Timeline
from .wmi import Wmi
from .world import World


class _Gate:
    def namespaces(self) -> set[str]:
        return repository.windows().namespaces()

    def check(self, namespace: str, class_name: str) -> None:
        pass

    def check_call(self, namespace: str, class_name: str, method: str) -> None:
        pass


class Machine:
    def __init__(self, spec: MachineSpec, clock: Clock) -> None:
        timeline = Timeline(clock, spec.clock_skew)
        self._world = World(spec, timeline, Journal(timeline), Access(spec.account), Registry())
        key = "HKLM\\SOFTWARE\\Microsoft\\CCM\\CcmExec"
        mode = bool(spec.provisioning.mode)
        excludes = "SchedulerStartup;SchedulerShutdown;SchedulerLogon;SchedulerLogoff;ClientRegistrationStartup"
        self._world.registry.set_value(key, "ProvisioningMode", RegValue.sz(str(mode).lower()))
        self._world.registry.set_value(key, "SystemTaskExcludes", RegValue.sz(excludes if mode else ""))
        stdregprov = StdRegProv(self._world)
        self.wmi = Wmi(
            repository.windows(),
            {(namespace, "StdRegProv"): stdregprov for namespace in ("root/default", "root/cimv2")},
            _Gate(),
            timeline.catch_up,
            lambda: self._world.variants.parameter_names == "any_case",
        )
