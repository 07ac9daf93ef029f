# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what a fleet file says about a machine into that machine, and applies later changes to it.

Each key of the fleet file has one function here. It is given the sub-keys that are to be applied: all of them when
the machine is made, and only the named ones when it is patched, so that a patch of one value leaves the rest alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from .access import Access
from .client import SERVICE, Client
from .client_registry import (
    CCM,
    CCMEXEC,
    DISTRIBUTION_STATE,
    ENTERED,
    EXCLUDED_TASKS,
    EXCLUDES,
    MAX_MINUTES,
    MOBILE_CLIENT,
    MODE,
    ClientRegistry,
)
from .clock import Clock
from .files import CCM_LOGS, ClientLogs, File, Files, LogRecord, cmtrace_line, setup_line
from .journal import Journal
from .processes import ProcessTable
from .registry import Registry, RegType, RegValue
from .registry_image import (
    COMPUTER_NAME,
    IMAGE,
    IMAGE_STATE,
    MINI_NT,
    MOSETUP,
    SETUP,
    TCPIP,
    WINDOWS_NT,
    fresh_windows,
)
from .service_record import Service
from .services import Scm
from .spec import Ago, Entered, FileSpec, MachineSpec, ProvisioningSpec, RequestSpec
from .task_sequence import command_line
from .timeline import Timeline
from .world import World

Given = Collection[str]
_SMS = "HKLM\\SOFTWARE\\Microsoft\\SMS"
_SITE = "ABC"
_CLIENT_START = timedelta(minutes=1)
"""How long after boot CcmExec was started: it starts delayed (inferred)."""


def assemble(spec: MachineSpec, clock: Clock) -> World:
    timeline = Timeline(clock, spec.clock_skew)
    registry = Registry(fresh_windows())
    processes = ProcessTable(lambda: timeline.now, timeline.now - spec.uptime)
    scm = Scm(registry, processes, timeline)
    files = Files(timeline)
    world = World(
        spec=spec,
        timeline=timeline,
        journal=Journal(timeline),
        access=Access(spec.account),
        registry=registry,
        processes=processes,
        scm=scm,
        files=files,
        logs=ClientLogs(files, timeline, spec.os.time_zone),
    )
    for apply, key in {apply: key for key, apply in _APPLIERS.items()}.items():
        apply(world, _subkeys(key))
    _connect_client(world)
    return world


def patch(world: World, spec: MachineSpec, given: dict[str, Given]) -> None:
    """`given` names the keys that changed, each with its changed sub-keys."""
    installs = world.client is None and spec.client_version is not None
    world.spec = spec
    for key, apply in _APPLIERS.items():
        if key in given:
            apply(world, given[key])
        elif installs and key in ("provisioning", "services"):
            apply(world, _subkeys(key))
    if world.client:
        _configure_client(world, world.client)
        _tell_client(world, world.client)


def _subkeys(key: str) -> Given:
    return ProvisioningSpec.__dataclass_fields__ if key == "provisioning" else ()


def _identity(world: World, given: Given) -> None:
    spec, registry = world.spec, world.registry
    build = spec.os.version.rpartition(".")[2]
    registry.set_value(WINDOWS_NT, "ProductName", RegValue.sz(spec.os.caption.removeprefix("Microsoft ")))
    registry.set_value(WINDOWS_NT, "CurrentBuild", RegValue.sz(build))
    registry.set_value(WINDOWS_NT, "CurrentBuildNumber", RegValue.sz(build))
    registry.set_value(COMPUTER_NAME, "ComputerName", RegValue.sz(spec.netbios_name))
    registry.set_value(TCPIP, "Hostname", RegValue.sz(spec.machine_name))
    registry.set_value(TCPIP, "Domain", RegValue.sz(spec.domain))
    world.logs.time_zone = spec.os.time_zone


def _account(world: World, given: Given) -> None:
    world.access.account = world.spec.account


def _clock_skew(world: World, given: Given) -> None:
    world.timeline.skew = world.spec.clock_skew


def _uptime(world: World, given: Given) -> None:
    world.processes.boot_time = world.timeline.now - world.spec.uptime


def _variants(world: World, given: Given) -> None:
    world.scm.keeps_empty_dependencies = world.variants.cleared_dependency == "empty"


def _winpe(world: World, given: Given) -> None:
    """The key MiniNT is there in Windows PE only (official)."""
    if world.spec.winpe:
        world.registry.create_key(MINI_NT)
    else:
        world.registry.delete_key(MINI_NT)


def _setup(world: World, given: Given) -> None:
    for name, value in world.spec.setup.items():
        if given and name not in given:
            continue
        key = {"SetupProgress": MOSETUP, "BoxResult": MOSETUP, IMAGE_STATE: IMAGE}.get(name, SETUP)
        data = RegValue.sz(value) if isinstance(value, str) else RegValue.dword(value)
        world.registry.set_value(key, name, data)


# -- the client --------------------------------------------------------------------------------------------------------


def _client(world: World, given: Given) -> None:
    if world.spec.client_version is None:
        _uninstall_client(world)
    elif world.client is None:
        _install_client(world, world.spec.client_version)
    else:
        world.client.version = world.spec.client_version
        _write_version(world, world.spec.client_version)


def _uninstall_client(world: World) -> None:
    if world.client:
        world.client.powered_off()
        world.client = None
    for name in (SERVICE, "smstsmgr"):
        world.scm.uninstall(name)
    world.registry.delete_key(CCM)
    world.registry.delete_key(_SMS)
    world.files.delete_below(CCM_LOGS)


def _install_client(world: World, version: str) -> None:
    """Names, paths and start modes of the two services: MS docs, health check and public scripts."""
    world.scm.install(
        Service(
            SERVICE,
            "SMS Agent Host",
            "C:\\Windows\\CCM\\CcmExec.exe",
            start_mode="Auto",
            depend_on=("winmgmt",),
            delayed=True,
            description="Provides change and configuration services for computer management systems.",
            exit_code=0,
        )
    )
    world.scm.install(
        Service(
            "smstsmgr",
            "ConfigMgr Task Sequence Agent",
            "C:\\Windows\\CCM\\TSManager.exe /service",
            depend_on=("Winmgmt",),
            description="Executes task sequences.",
        )
    )
    _write_version(world, version)
    values = (
        (MOBILE_CLIENT, "AssignedSiteCode", RegValue.sz(_SITE)),
        (MOBILE_CLIENT, "ProductCode", RegValue.sz("{31A56C6B-2E5D-4F3C-9D4B-5A1C7A3F0E11}")),
        (DISTRIBUTION_STATE, "Paused", RegValue.dword(0)),
        (DISTRIBUTION_STATE, "PausedCookie", RegValue.dword(0)),
        (f"{_SMS}\\Client\\Configuration\\Client Properties", "Local SMS Path", RegValue.sz("C:\\Windows\\CCM\\")),
        (f"{CCM}\\Logging\\@GLOBAL", "LogLevel", RegValue.dword(1)),
        (f"{CCM}\\Logging\\@GLOBAL", "LogMaxSize", RegValue.dword(250000)),
        (f"{CCM}\\Logging\\@GLOBAL", "LogMaxHistory", RegValue.dword(1)),
        (f"{CCM}\\Logging\\@GLOBAL", "LogDirectory", RegValue.sz(CCM_LOGS)),
        (f"{CCM}\\CcmEval", "NotifyOnly", RegValue.sz("FALSE")),
    )
    for key, name, value in values:
        world.registry.set_value(key, name, value)
    client = Client(
        version=version,
        site=_SITE,
        registry=ClientRegistry(world.registry),
        scm=world.scm,
        timeline=world.timeline,
        journal=world.journal,
        logs=world.logs,
    )
    _configure_client(world, client)
    world.client = client


def _write_version(world: World, version: str) -> None:
    world.registry.set_value(MOBILE_CLIENT, "SmsClientVersion", RegValue.sz(version))


def _configure_client(world: World, client: Client) -> None:
    client.variants = world.spec.variants
    client.restart_gap = world.spec.restart_seconds
    client.self_exit_works = world.spec.self_exit == "working"
    client.registry.title_case = world.spec.provisioning.casing == "title"


def _past_due(world: World, given: Given) -> None:
    if world.client:
        world.client.past_due = list(world.spec.past_due)


def _connect_client(world: World) -> None:
    """From here on CcmExec's starts and stops are the client's. What it did before is in the past by now."""
    if world.client:
        _tell_client(world, world.client)

    def on_start(name: str) -> None:
        if name == SERVICE and world.client:
            world.client.service_started()

    def on_stop(name: str) -> None:
        if name == SERVICE and world.client:
            world.client.service_stopped()

    world.scm.started, world.scm.stopped = on_start, on_stop


def _tell_client(world: World, client: Client) -> None:
    """Of a CcmExec that was set to running or stopped by the fleet file."""
    service = world.scm.find(SERVICE)
    running = service is not None and service.is_running
    if running and client.loaded is None:
        started = _started_in_the_past(world, client)
        client.service_started(started)
        world.logs.write("CcmExec", "Starting CCMEXEC service...", "entrypoint.cpp:2904", at=started)
    elif not running and client.loaded is not None:
        client.service_stopped()


def _moment(seconds: int | None, now: datetime) -> datetime | None:
    """The time that a registry value tells; None where it tells none that a calendar has."""
    try:
        return datetime.fromtimestamp(seconds, now.tzinfo) if seconds else None
    except (OverflowError, ValueError, OSError):
        return None


def _started_in_the_past(world: World, client: Client) -> datetime:
    """At boot, or after that when it restarted on entering the mode."""
    now = world.timeline.now
    started = world.processes.boot_time + _CLIENT_START
    entered = _moment(client.registry.entered, now)
    if client.registry.mode and entered and started < entered <= now:
        started = min(entered + world.spec.restart_seconds, now)
    return min(started, now)


def _provisioning(world: World, given: Given) -> None:
    if world.client is None:
        return
    spec, registry = world.spec.provisioning, world.registry
    client = world.client
    _configure_client(world, client)
    if "mode" in given or "casing" in given:
        if spec.mode is None:
            registry.delete_value(CCMEXEC, MODE)
        else:
            client.registry.set_flag(spec.mode)
    if "excludes" in given or "mode" in given:
        default = EXCLUDED_TASKS if spec.mode else ""
        registry.set_value(CCMEXEC, EXCLUDES, RegValue.sz(default if spec.excludes is None else spec.excludes))
    if "entered" in given or "entered_type" in given:
        _write_entered(world, client, spec)
    if "max_minutes" in given:
        registry.delete_value(CCMEXEC, MAX_MINUTES)
        if spec.max_minutes is not None:
            registry.set_value(CCMEXEC, MAX_MINUTES, RegValue.dword(spec.max_minutes))
    client.reload()


def _write_entered(world: World, client: Client, spec: ProvisioningSpec) -> None:
    """A client without the timer never writes the time: it has one only where the fleet file says so."""
    by_default = spec.entered == ProvisioningSpec.entered
    if spec.entered is None or (by_default and not client.has_timer):
        world.registry.delete_value(CCMEXEC, ENTERED)
    else:
        world.registry.set_value(CCMEXEC, ENTERED, _timestamp(spec.entered, spec.entered_type, world.timeline.now))


def _timestamp(entered: Entered, kind: str, now: datetime) -> RegValue:
    if isinstance(entered, str):
        return RegValue.sz(entered) if kind == "string" else RegValue(RegType.BINARY, entered.encode())
    moment = now - entered.delta if isinstance(entered, Ago) else entered
    seconds = int(moment.timestamp()) if isinstance(moment, datetime) else moment or 0
    match kind:
        case "dword":
            return RegValue.dword(seconds)
        case "string":
            return RegValue.sz(str(seconds))
        case "binary":
            return RegValue(RegType.BINARY, (seconds & (1 << 64) - 1).to_bytes(8, "little"))
    return RegValue.qword(seconds)


# -- services, processes, requests -------------------------------------------------------------------------------------


def _services(world: World, given: Given) -> None:
    for name, wanted in world.spec.services.items():
        if given and name not in given:
            continue
        if not wanted.exists:
            world.scm.uninstall(name)
            continue
        service = world.scm.find(name) or Service(name, name, f"C:\\Windows\\System32\\{name}.exe")
        mode = wanted.start_mode or service.start_mode
        depend_on = service.depend_on if wanted.depend_on is None else wanted.depend_on
        world.scm.install(
            replace(
                service,
                start_mode=mode,
                depend_on=depend_on,
                marked_for_deletion=wanted.marked_for_deletion,
                start_time=wanted.start_time,
            )
        )
        if wanted.state:
            world.scm.force_state(name, running=wanted.state == "Running")


def _first_services(world: World, given: Given) -> None:
    """CcmExec runs on a machine that is up, unless the fleet file says otherwise."""
    if world.client and not given:
        world.scm.force_state(SERVICE, running=True)
    _services(world, given)


def _processes(world: World, given: Given) -> None:
    for process_id in world.planted.values():
        world.processes.end(process_id)
    world.planted.clear()
    for name in world.spec.processes:
        if "\\" in name:
            world.planted[name] = world.processes.start(name)
        elif not world.processes.named(name):
            world.planted[name] = world.processes.start(command_line(name), name)


def _requests(world: World, given: Given) -> None:
    world.requests.clear()
    for request in world.spec.ts_requests:
        world.requests.add(_received(world, request), **request.properties)


def _programs(world: World, given: Given) -> None:
    world.programs.clear()
    for request in world.spec.programs:
        world.programs.add(_received(world, request), **{"ProgramID": "Install", **request.properties})


def _received(world: World, request: RequestSpec) -> datetime | None:
    now = world.timeline.now
    if isinstance(request.received, Ago):
        return now - request.received.delta
    entered = world.client.registry.entered if world.client else None
    if request.received == "absent":
        return None
    moment = _moment(entered, now)
    return min(moment, now) if moment else now


def _task_sequence_resumes(world: World, given: Given) -> None:
    if world.spec.task_sequence_resumes_in is not None:
        world.task_sequences.wait(world.spec.task_sequence_resumes_in)


def _maintenance_requests(world: World, given: Given) -> None:
    world.maintenance_requests.clear()
    for row in world.spec.maintenance_requests:
        world.maintenance_requests.add(row)


def _policies(world: World, given: Given) -> None:
    world.policies.clear()
    ordinary = {"PolicyID": "{default}", "PolicySource": "CcmDefault", "PolicyVersion": "1.00", "SiteSettingsKey": 1}
    for row in (ordinary, *({**ordinary, **each} for each in world.spec.policies)):
        world.policies.add(row)


def _registry(world: World, given: Given) -> None:
    for path, name, value in world.spec.registry:
        if given and path not in given:
            continue
        world.registry.set_value(path, name, value)


def _files(world: World, given: Given) -> None:
    for path, wanted in world.spec.files.items():
        if given and path not in given:
            continue
        if wanted.exists:
            world.files.put(_file(world, path, wanted))
        else:
            world.files.delete(path)


def _file(world: World, path: str, wanted: FileSpec) -> File:
    now, write = world.timeline.now, cmtrace_line if wanted.kind == "cmtrace" else setup_line
    records = [
        LogRecord(now - each.at.delta, each.message, each.component, each.severity, each.source, each.thread)
        for each in wanted.records
    ]
    text = wanted.text + "".join(write(record, world.spec.os.time_zone) for record in records)
    modified = now - wanted.modified.delta if wanted.modified else max((each.at for each in records), default=now)
    return File(path, text.encode(wanted.encoding) + wanted.data, modified, modified, wanted.hole, wanted.access)


# In the order in which they build on each other.
_APPLIERS: dict[str, Callable[[World, Given], None]] = {
    "account": _account,
    "clock_skew": _clock_skew,
    "uptime": _uptime,
    "os": _identity,
    "machine_name": _identity,
    "domain": _identity,
    "winpe": _winpe,
    "setup": _setup,
    "client_version": _client,
    "provisioning": _provisioning,
    "past_due": _past_due,
    "services": _first_services,
    "processes": _processes,
    "ts_requests": _requests,
    "programs": _programs,
    "task_sequence_resumes_in": _task_sequence_resumes,
    "maintenance_requests": _maintenance_requests,
    "policies": _policies,
    "registry": _registry,
    "files": _files,
    "variants": _variants,
}
