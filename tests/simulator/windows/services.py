# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager (SCM).

It keeps its own database in memory and writes the changes that go through it to the registry too. What others write
below ``SYSTEM\\CurrentControlSet\\Services`` it sees at the next boot only ([MS-SCMR] 3.1.1, 3.1.4.11; official).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from .processes import ProcessTable
from .registry import Registry, RegType, RegValue
from .service_record import START_MODES, START_TYPES, Service, StartMode, background_services
from .timeline import Appointment, Timeline

# Win32 error codes (official: system error codes).
SUCCESS = 0
ACCESS_DENIED = 5
INVALID_PARAMETER = 87
DEPENDENT_SERVICES_RUNNING = 1051
INVALID_SERVICE_CONTROL = 1052
SERVICE_ALREADY_RUNNING = 1056
SERVICE_DISABLED = 1058
CIRCULAR_DEPENDENCY = 1059
SERVICE_DOES_NOT_EXIST = 1060
SERVICE_CANNOT_ACCEPT_CONTROL = 1061
SERVICE_NOT_ACTIVE = 1062
SERVICE_DEPENDENCY_FAIL = 1068
SERVICE_MARKED_FOR_DELETE = 1072
SERVICE_DEPENDENCY_DELETED = 1075

_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
# Drivers and filters that services depend on; they are no services of this model and always run.
_DRIVERS = frozenset(
    ("afd", "bowser", "fileinfo", "http", "mpsdrv", "mrxdav", "mrxsmb20", "mup", "netbt", "nsiproxy", "rdpdr", "srv2")
) | {"tcpip"}


class ScmError(Exception):
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Scm:
    """`started` and `stopped` are told of every service that starts or stops.

    A service that takes its time has a process and the state Start Pending meanwhile, and takes no control (official).
    """

    def __init__(self, registry: Registry, processes: ProcessTable, timeline: Timeline) -> None:
        self._registry = registry
        self._processes = processes
        self._timeline = timeline
        self._starting: dict[str, Appointment] = {}
        self.keeps_empty_dependencies = False
        """Whether clearing the dependencies leaves an empty registry value instead of none (not known)."""
        self._services = dict(background_services())
        self.started: Callable[[str], None] = lambda name: None
        self.stopped: Callable[[str], None] = lambda name: None

    def __iter__(self) -> Iterator[Service]:
        return iter(sorted(self._services.values(), key=lambda service: service.name.lower()))

    def find(self, name: str) -> Service | None:
        return self._services.get(name.lower())

    def service(self, name: str) -> Service:
        found = self.find(name)
        if found is None:
            raise ScmError(SERVICE_DOES_NOT_EXIST)
        return found

    def dependents(self, name: str) -> list[Service]:
        return [each for each in self if name.lower() in (other.lower() for other in each.depend_on)]

    def install(self, service: Service) -> None:
        self._put(service)
        write_to_registry(self._registry, service)

    def uninstall(self, name: str) -> None:
        self._forget_start(name)
        self._services.pop(name.lower(), None)
        self._registry.delete_key(f"{_KEY}\\{name}")

    def start(self, name: str) -> None:
        service = self.service(name)
        if not service.is_stopped:
            raise ScmError(SERVICE_ALREADY_RUNNING)
        if service.marked_for_deletion:
            raise ScmError(SERVICE_MARKED_FOR_DELETE)
        if service.start_mode == "Disabled":
            raise ScmError(SERVICE_DISABLED)
        for other in service.depend_on:
            self._start_dependency(other)
        process_id = self._processes.start_service(service.path, service.own_process)
        self._put(replace(service, state="Start Pending", process_id=process_id, exit_code=0))
        if service.start_time:
            later = self._timeline.after(service.start_time, lambda: self._run(service.name))
            self._starting[service.name.lower()] = later
        else:
            self._run(service.name)

    def _run(self, name: str) -> None:
        self._starting.pop(name.lower(), None)
        self._put(replace(self.service(name), state="Running"))
        self.started(name)

    def _forget_start(self, name: str) -> None:
        if later := self._starting.pop(name.lower(), None):
            later.cancel()

    def _start_dependency(self, name: str) -> None:
        if name.lower() in _DRIVERS or name.startswith("+"):
            return
        dependency = self.find(name)
        if dependency is None:
            raise ScmError(SERVICE_DEPENDENCY_DELETED)
        if not dependency.is_stopped:
            return
        try:
            self.start(name)
        except ScmError:
            raise ScmError(SERVICE_DEPENDENCY_FAIL) from None

    def stop(self, name: str) -> None:
        service = self.service(name)
        if service.is_stopped:
            raise ScmError(SERVICE_NOT_ACTIVE)
        if not service.is_running:
            raise ScmError(SERVICE_CANNOT_ACCEPT_CONTROL)
        if not service.accepts_stop:
            raise ScmError(INVALID_SERVICE_CONTROL)
        if any(each.is_running for each in self.dependents(name)):
            raise ScmError(DEPENDENT_SERVICES_RUNNING)
        self.terminate(name)

    def terminate(self, name: str) -> None:
        """Ends a running service without asking anybody."""
        service = self.service(name)
        if not service.is_stopped:
            self._forget_start(name)
            if service.own_process:
                self._processes.end(service.process_id)
            self._put(replace(service, state="Stopped", process_id=0, exit_code=0))
            if service.is_running:
                self.stopped(service.name)

    def change_config(
        self,
        name: str,
        *,
        start_mode: StartMode | None = None,
        depend_on: Iterable[str] | None = None,
        display_name: str | None = None,
        path: str | None = None,
        start_name: str | None = None,
    ) -> None:
        """None keeps what is set; an empty `depend_on` means no dependencies ([MS-SCMR] 3.1.4.11; official)."""
        service = self.service(name)
        if service.marked_for_deletion:
            raise ScmError(SERVICE_MARKED_FOR_DELETE)
        names = service.depend_on if depend_on is None else tuple(depend_on)
        if depend_on is not None and self._depends_on_itself(service.name, names):
            raise ScmError(CIRCULAR_DEPENDENCY)
        changed = replace(
            service,
            start_mode=start_mode or service.start_mode,
            depend_on=names,
            display_name=display_name or service.display_name,
            path=path or service.path,
            start_name=start_name or service.start_name,
        )
        self._put(changed)
        write_to_registry(self._registry, changed)
        if depend_on is not None and not names and self.keeps_empty_dependencies:
            self._registry.set_value(f"{_KEY}\\{service.name}", "DependOnService", RegValue.multi_sz())

    def _depends_on_itself(self, name: str, names: tuple[str, ...]) -> bool:
        waiting, seen = list(names), set[str]()
        while waiting:
            other = waiting.pop().lower()
            if other == name.lower():
                return True
            if other not in seen:
                seen.add(other)
                known = self.find(other)
                waiting += known.depend_on if known else ()
        return False

    def force_state(self, name: str, *, running: bool) -> None:
        """Sets a machine up: without the SCM's rules, and nobody is told."""
        self._forget_start(name)
        service = self.service(name)
        if service.is_running == running and service.state != "Start Pending":
            return
        if running:
            process_id = self._processes.start_service(service.path, service.own_process)
            self._put(replace(service, state="Running", process_id=process_id, exit_code=0))
        else:
            if service.own_process:
                self._processes.end(service.process_id)
            self._put(replace(service, state="Stopped", process_id=0))

    def power_off(self) -> None:
        for service in list(self._services.values()):
            self._forget_start(service.name)
            if not service.is_stopped and service.own_process:
                self._put(replace(service, state="Stopped", process_id=0))

    def boot(self, held_back: Collection[str] = ()) -> None:
        """Reads the database from the registry and starts what starts by itself."""
        for service in list(self._services.values()):
            self._put(self._from_registry(replace(service, state="Stopped", process_id=0)))
        for service in list(self._services.values()):
            usual = background_services().get(service.name.lower())
            wanted = service.start_mode == "Auto" or (service.start_mode == "Manual" and usual and usual.is_running)
            if wanted and self.service(service.name).is_stopped and service.name not in held_back:
                with contextlib.suppress(ScmError):
                    self.start(service.name)

    def _from_registry(self, service: Service) -> Service:
        key = f"{_KEY}\\{service.name}"
        number = self._registry.number(key, "Start")
        dependencies = self._registry.value(key, "DependOnService")
        return replace(
            service,
            start_mode=service.start_mode if number is None else START_MODES.get(number, service.start_mode),
            delayed=bool(self._registry.number(key, "DelayedAutostart")),
            depend_on=dependencies.data if dependencies and isinstance(dependencies.data, tuple) else (),
        )

    def _put(self, service: Service) -> None:
        self._services[service.name.lower()] = service


def write_to_registry(registry: Registry, service: Service) -> None:
    """As ScmWriteDependencies of ReactOS does it, an empty list of dependencies is no value at all."""
    key = f"{_KEY}\\{service.name}"
    registry.set_value(key, "Type", RegValue.dword(service.type_number))
    registry.set_value(key, "Start", RegValue.dword(START_TYPES[service.start_mode]))
    registry.set_value(key, "ErrorControl", RegValue.dword(1))
    registry.set_value(key, "ImagePath", RegValue(RegType.EXPAND_SZ, service.path))
    registry.set_value(key, "DisplayName", RegValue.sz(service.display_name))
    registry.set_value(key, "ObjectName", RegValue.sz(service.start_name))
    if service.delayed:
        registry.set_value(key, "DelayedAutostart", RegValue.dword(1))
    else:
        registry.delete_value(key, "DelayedAutostart")
    if service.depend_on:
        registry.set_value(key, "DependOnService", RegValue.multi_sz(*service.depend_on))
    else:
        registry.delete_value(key, "DependOnService")
