# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet file says about one machine, validated. Describes only; builds nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from .access import Account
from .files import FileAccess
from .reading import Reader, SpecError, duration
from .registry import RegType, RegValue
from .variants import Variants

__all__ = ["MODEL_KEYS", "MachineSpec", "SpecError"]


@dataclass(frozen=True)
class OsSpec:
    version: str = "10.0.19045"
    caption: str = "Microsoft Windows 10 Enterprise"
    language: int = 1033
    time_zone: int = 0
    """Minutes east of UTC."""
    product_type: int = 1
    directory: str = "C:\\Windows"
    """Where Win32_OperatingSystem says that Windows is; files and programs are below C:\\Windows all the same."""

    @classmethod
    def read(cls, data: Any, where: str) -> OsSpec:
        reader = Reader(data, where, ("version", "caption", "language", "time_zone", "product_type", "directory"))
        version = reader.text("version", cls.version)
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            raise reader.wrong("version", "major.minor.build, such as 10.0.19045")
        return cls(
            version,
            reader.text("caption", cls.caption),
            reader.number("language", cls.language, minimum=1),
            reader.number("time_zone", cls.time_zone),
            reader.one_of("product_type", (1, 2, 3), cls.product_type),
            reader.text("directory", cls.directory),
        )


@dataclass(frozen=True)
class Ago:
    """A moment told from the machine's own clock; negative for the future."""

    delta: timedelta


Entered = Ago | datetime | int | str | None
"""When the mode was entered: relative, absolute, epoch seconds, raw text of a broken value, or not recorded."""


@dataclass(frozen=True)
class ProvisioningSpec:
    mode: bool | None = False
    """None: the ProvisioningMode value is absent."""
    entered: Entered = Ago(timedelta(days=200))
    entered_type: Literal["qword", "dword", "string", "binary"] = "qword"
    max_minutes: int | None = None
    excludes: str | None = None
    """None: what belongs to the mode."""
    casing: Literal["lower", "title"] = "lower"

    @classmethod
    def read(cls, data: Any, where: str) -> ProvisioningSpec:
        reader = Reader(data, where, ("mode", "entered", "entered_type", "max_minutes", "excludes", "casing"))
        mode = reader.one_of("mode", (True, False, "absent"), cls.mode)
        limit = reader.raw("max_minutes", "absent")
        excludes = reader.text("excludes", "default")
        entered = _entered(reader) if "entered" in reader else cls.entered
        entered_type = reader.one_of("entered_type", ("qword", "dword", "string", "binary"), cls.entered_type)
        if isinstance(entered, str) and entered_type in ("qword", "dword"):
            raise reader.wrong("entered", "a raw text only with entered_type: string or binary")
        return cls(
            None if mode == "absent" else mode,
            entered,
            entered_type,
            None if limit == "absent" else reader.number("max_minutes", 0, minimum=0),
            None if excludes == "default" else excludes,
            reader.one_of("casing", ("lower", "title"), cls.casing),
        )


def _entered(reader: Reader) -> Entered:
    value = reader.raw("entered")
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise reader.wrong("entered", '"30h ago", "in 5h", an ISO date and time, epoch seconds, absent, or "raw:text"')
    if value == "absent":
        return None
    if value.startswith("raw:"):
        return value.removeprefix("raw:")
    if value.endswith(" ago"):
        return Ago(duration(value.removesuffix(" ago"), reader.where("entered")))
    if value.startswith("in "):
        return Ago(-duration(value.removeprefix("in "), reader.where("entered")))
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise reader.wrong(
            "entered", '"30h ago", "in 5h", an ISO date and time, epoch seconds, absent, or "raw:text"'
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class RequestSpec:
    """An execution request. `received` is told like `30h ago`; without it, it came when the mode was entered."""

    properties: Mapping[str, Any]
    received: Ago | Literal["entered", "absent"] = "entered"

    @classmethod
    def read(cls, data: Mapping[str, Any], where: str) -> RequestSpec:
        properties = {name: value for name, value in data.items() if name != "received"}
        received = str(data.get("received", "entered"))
        if received in ("entered", "absent"):
            return cls(properties, "entered" if received == "entered" else "absent")
        if received.startswith("in "):
            return cls(properties, Ago(-duration(received.removeprefix("in "), f"{where}.received")))
        return cls(properties, Ago(duration(received.removesuffix(" ago"), f"{where}.received")))


@dataclass(frozen=True)
class ServiceSpec:
    """Each field that is None keeps what the service has."""

    state: Literal["Running", "Stopped"] | None = None
    start_mode: Literal["Auto", "Manual", "Disabled"] | None = None
    depend_on: tuple[str, ...] | None = None
    marked_for_deletion: bool = False
    start_time: timedelta = timedelta(0)
    exists: bool = True

    @classmethod
    def read(cls, data: Any, where: str) -> ServiceSpec:
        if data == "absent":
            return cls(exists=False)
        reader = Reader(data, where, ("state", "start_mode", "depend_on", "marked_for_deletion", "start_time"))
        return cls(
            reader.one_of("state", ("Running", "Stopped"), "") if "state" in reader else None,
            reader.one_of("start_mode", ("Auto", "Manual", "Disabled"), "") if "start_mode" in reader else None,
            reader.texts("depend_on") if "depend_on" in reader else None,
            reader.boolean("marked_for_deletion", False),
            reader.duration("start_time", cls.start_time),
        )


@dataclass(frozen=True)
class RecordSpec:
    """A line of a log. ``at`` is told by the machine's own clock."""

    at: Ago
    message: str
    component: str
    severity: int
    source: str
    thread: int

    @classmethod
    def read(cls, data: Any, where: str) -> RecordSpec:
        reader = Reader(data, where, ("at", "message", "component", "severity", "source", "thread"))
        return cls(
            _ago(reader, "at"),
            reader.text("message", ""),
            reader.text("component", ""),
            reader.one_of("severity", (0, 1, 2, 3), 1),
            reader.text("source", ""),
            reader.number("thread", 2148),
        )


@dataclass(frozen=True)
class FileSpec:
    """A file: a bare text, or its content as text, hexadecimal digits, or records of a kind of log."""

    text: str = ""
    data: bytes = b""
    records: tuple[RecordSpec, ...] = ()
    kind: Literal["cmtrace", "setup"] = "cmtrace"
    encoding: str = "utf-8"
    hole: int = 0
    modified: Ago | None = None
    """None: when the last record was written, or now."""
    access: FileAccess = "writing"
    exists: bool = True

    @classmethod
    def read(cls, data: Any, where: str) -> FileSpec:
        if data == "absent":
            return cls(exists=False)
        if isinstance(data, str):
            return cls(text=data)
        keys = ("text", "hex", "records", "kind", "encoding", "hole", "modified", "access")
        reader = Reader(data, where, keys)
        records = reader.raw("records") or []
        if not isinstance(records, list):
            raise reader.wrong("records", "a list of mappings")
        try:
            octets = bytes.fromhex(reader.text("hex", ""))
        except ValueError:
            raise reader.wrong("hex", "hexadecimal digits") from None
        return cls(
            reader.text("text", ""),
            octets,
            tuple(RecordSpec.read(each, f"{where}.records[{n}]") for n, each in enumerate(records)),
            reader.one_of("kind", ("cmtrace", "setup"), "cmtrace"),
            reader.one_of("encoding", ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"), "utf-8"),
            reader.number("hole", 0, minimum=0),
            _ago(reader, "modified") if "modified" in reader else None,
            reader.one_of("access", ("writing", "closed", "locked", "denied"), "writing"),
        )


def _ago(reader: Reader, key: str) -> Ago:
    text = reader.text(key, "0s ago")
    if not text.endswith(" ago"):
        raise reader.wrong(key, "a time such as 30h ago")
    return Ago(duration(text.removesuffix(" ago"), reader.where(key)))


@dataclass(frozen=True)
class MachineSpec:
    os: OsSpec = OsSpec()
    machine_name: str = "PC-0001"
    domain: str = "corp.example"
    account: Account = "administrator"
    client_version: str | None = "5.00.9128.1007"
    """None: no client is installed."""
    provisioning: ProvisioningSpec = ProvisioningSpec()
    services: Mapping[str, ServiceSpec] = field(default_factory=dict)
    processes: tuple[str, ...] = ()
    setup: Mapping[str, int | str] = field(default_factory=dict)
    winpe: bool = False
    ts_requests: tuple[RequestSpec, ...] = ()
    programs: tuple[RequestSpec, ...] = ()
    """Execution requests of programs."""
    maintenance_requests: tuple[Mapping[str, Any], ...] = ()
    task_sequence_resumes_in: timedelta | None = None
    """The machine stands in the gap after a restart by its task sequence, which goes on after so much time."""
    policies: tuple[Mapping[str, Any], ...] = ()
    """Properties of CCM_ClientAgentConfig in the default machine policy, beside the one that every client has."""
    registry: tuple[tuple[str, str, RegValue], ...] = ()
    files: Mapping[str, FileSpec] = field(default_factory=dict)
    uptime: timedelta = timedelta(days=3)
    clock_skew: timedelta = timedelta(0)
    restart_seconds: timedelta = timedelta(seconds=2)
    """The gap until CcmExec is back after the mode changed."""
    boot_seconds: timedelta = timedelta(0)
    """How long the machine answers nothing while it restarts."""
    powershell_start: timedelta = timedelta(0)
    """How long powershell.exe takes before it does anything."""
    on_battery: bool = False
    self_exit: Literal["working", "broken"] = "working"
    broken_classes: Mapping[str, str] = field(default_factory=dict)
    """WMI classes that cannot be read, and how they fail."""
    past_due: tuple[str, ...] = ()
    """Required deployments whose deadline passed while the client was in the mode."""
    variants: Variants = field(default_factory=Variants)
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The mapping that this was read from."""

    @property
    def netbios_name(self) -> str:
        """The name of the days before DNS has room for fifteen characters (official); the host name stays whole."""
        return self.machine_name[:15].upper()

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], where: str) -> MachineSpec:
        reader = Reader(mapping, where, MODEL_KEYS)
        return cls(
            os=OsSpec.read(reader.raw("os"), reader.where("os")),
            machine_name=reader.text("machine_name", cls.machine_name),
            domain=reader.text("domain", cls.domain),
            account=reader.one_of("account", ("administrator", "limited", "denied"), cls.account),
            client_version=_client_version(reader),
            provisioning=ProvisioningSpec.read(reader.raw("provisioning"), reader.where("provisioning")),
            services={
                name: ServiceSpec.read(data, f"{reader.where('services')}.{name}")
                for name, data in reader.mapping("services").items()
            },
            processes=reader.texts("processes"),
            setup=_setup(reader),
            winpe=reader.boolean("winpe", cls.winpe),
            ts_requests=_requests(reader, "ts_requests"),
            programs=_requests(reader, "programs"),
            maintenance_requests=_mappings(reader, "maintenance_requests"),
            task_sequence_resumes_in=(
                reader.duration("task_sequence_resumes_in", timedelta())
                if "task_sequence_resumes_in" in reader
                else None
            ),
            policies=_mappings(reader, "policies"),
            registry=_registry(reader),
            files={
                path: FileSpec.read(data, f"{reader.where('files')}.{path}")
                for path, data in reader.mapping("files").items()
            },
            uptime=reader.duration("uptime", cls.uptime),
            clock_skew=reader.duration("clock_skew", cls.clock_skew),
            restart_seconds=reader.duration("restart_seconds", cls.restart_seconds),
            boot_seconds=reader.duration("boot_seconds", cls.boot_seconds),
            powershell_start=reader.duration("powershell_start", cls.powershell_start),
            on_battery=reader.boolean("on_battery", cls.on_battery),
            self_exit=reader.one_of("self_exit", ("working", "broken"), cls.self_exit),
            broken_classes=_broken_classes(reader),
            past_due=reader.texts("past_due"),
            variants=Variants.read(
                Reader(reader.raw("variants"), reader.where("variants"), Variants.__dataclass_fields__)
            ),
            source=dict(mapping),
        )


MODEL_KEYS = frozenset(MachineSpec.__dataclass_fields__) - {"source"}


def _client_version(reader: Reader) -> str | None:
    value = reader.raw("client_version", MachineSpec.client_version)
    if value is None or value == "absent":
        return None
    if not isinstance(value, str) or not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", value):
        raise reader.wrong("client_version", "four numbers, such as 5.00.9128.1007, or absent")
    return value


_SETUP_VALUES = {
    "SystemSetupInProgress": int,
    "OOBEInProgress": int,
    "SetupPhase": int,
    "SetupType": int,
    "CmdLine": str,
    "SetupShutdownRequired": int,
    "UpgradeInProgress": int,
    "SetupProgress": int,
    "BoxResult": int,
    "ImageState": str,
}


def _setup(reader: Reader) -> Mapping[str, int | str]:
    values = Reader(reader.raw("setup"), reader.where("setup"), _SETUP_VALUES)
    return {
        name: values.text(name, "") if kind is str else values.number(name, 0, minimum=0)
        for name, kind in _SETUP_VALUES.items()
        if name in values
    }


def _mappings(reader: Reader, key: str) -> tuple[Mapping[str, Any], ...]:
    found = reader.raw(key) or []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise reader.wrong(key, "a list of mappings of WMI properties")
    return tuple(found)


def _requests(reader: Reader, key: str) -> tuple[RequestSpec, ...]:
    return tuple(RequestSpec.read(each, reader.where(key)) for each in _mappings(reader, key))


def _broken_classes(reader: Reader) -> Mapping[str, str]:
    from .cim.model import HRESULTS

    broken = reader.mapping("broken_classes")
    for name, kind in broken.items():
        if kind not in HRESULTS:
            raise SpecError(f"{reader.where('broken_classes')}.{name}: {kind!r} … allowed: {', '.join(HRESULTS)}")
    return broken


def _registry(reader: Reader) -> tuple[tuple[str, str, RegValue], ...]:
    """`{HKLM\\Path: {Name: {type: dword, data: 1}}}`; a bare text is a REG_SZ, a bare number a REG_DWORD."""
    found = []
    for path, values in reader.mapping("registry").items():
        where = f"{reader.where('registry')}.{path}"
        if not isinstance(values, Mapping):
            raise SpecError(f"{where}: {values!r} … allowed: a mapping of value names")
        found += [(path, name, _reg_value(data, f"{where}.{name}")) for name, data in values.items()]
    return tuple(found)


def _reg_value(data: Any, where: str) -> RegValue:
    if isinstance(data, str):
        return RegValue.sz(data)
    if isinstance(data, int) and not isinstance(data, bool):
        return RegValue.dword(data)
    if isinstance(data, list) and all(isinstance(each, str) for each in data):
        return RegValue.multi_sz(*data)
    reader = Reader(data, where, ("type", "data"))
    kind = RegType[reader.one_of("type", [each.name.lower() for each in RegType], "").upper()]
    raw = reader.raw("data")
    if kind is RegType.BINARY and isinstance(raw, str):
        try:
            raw = bytes.fromhex(raw)
        except ValueError:
            raise reader.wrong("data", "hexadecimal text") from None
    try:
        return RegValue(kind, tuple(raw) if isinstance(raw, list) else raw)
    except TypeError:
        raise reader.wrong("data", f"what a REG_{kind.name} holds") from None
