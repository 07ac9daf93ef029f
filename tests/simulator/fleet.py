# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet file: reads it, merges profiles in, and says exactly what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import yaml

from .endpoint import NETWORK_EVENTS, EndpointSpec
from .server.accounts import Account
from .server.certificates import CertificateMapping
from .site.spec import RecordSpec, SiteSpec
from .windows.events import EVENTS
from .windows.reading import Reader, SpecError
from .windows.spec import MODEL_KEYS, MachineSpec
from .wsman.planting import PlantError, Rule, read_faults, read_triggers
from .wsman.settings import WsmanSettings

PROFILES = Path(__file__).parent / "windows" / "profiles.yml"
ENTRY_KEYS = frozenset({"name", "inventory_name", "address", "profile", "count"})
SERVER_KEYS = frozenset(
    {
        "credentials",
        "auth",
        "allow_unencrypted",
        "http",
        "https",
        "idle_timeout",
        "round_trip",
        "keytab",
        "local_accounts",
        "channel_binding",
        "certificate_mapping",
        "url_prefix",
        "wsman",
        "faults",
        "triggers",
        "site",
    }
)
PATCH_KEYS = SERVER_KEYS | MODEL_KEYS
SCHEMES = ("negotiate", "kerberos", "basic", "credssp")

_FLEET_KEYS = ("clock", "waits", "credentials", "lockout", "endpoints", "site")
_DEFAULT_ACCOUNT = Account("CORP\\operator", "Sim-Pass-1!")
_LOOPBACK = "127.0.0.0/8, or ::1"
_FIRST_ADDRESS = IPv4Address("127.20.0.1")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
# xml:lang by Win32_OperatingSystem.OSLanguage, for the languages that fleets mostly have.
_LANGUAGES = {
    1028: "zh-TW",
    1029: "cs-CZ",
    1030: "da-DK",
    1031: "de-DE",
    1033: "en-US",
    1036: "fr-FR",
    1040: "it-IT",
    1041: "ja-JP",
    1042: "ko-KR",
    1043: "nl-NL",
    1044: "nb-NO",
    1045: "pl-PL",
    1046: "pt-BR",
    1049: "ru-RU",
    1053: "sv-SE",
    1055: "tr-TR",
    2052: "zh-CN",
    2057: "en-GB",
    3082: "es-ES",
}


def load(path: Path) -> Fleet:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: not YAML: {error}") from error
    return Fleet.read(data)


@dataclass
class Fleet:
    """The endpoints of a fleet, and what further ones need to fit in."""

    clock_start: datetime | None = None
    account: Account = _DEFAULT_ACCOUNT
    endpoints: list[EndpointSpec] = field(default_factory=list)
    skips_waits: bool = False
    """Whether what takes its time moves the clock on instead of waiting for it."""
    lockout_threshold: int = 0
    """After how many wrong passwords a domain locks an account; 0: never."""
    site: SiteSpec | None = None

    @classmethod
    def read(cls, data: Any) -> Fleet:
        reader = Reader(data, "fleet", _FLEET_KEYS)
        fleet = cls(_clock(reader), _account(reader.raw("credentials"), "fleet.credentials", _DEFAULT_ACCOUNT))
        fleet.skips_waits = reader.one_of("waits", ("passed", "skipped"), "passed") == "skipped"
        lockout = Reader(reader.raw("lockout"), reader.where("lockout"), ("threshold",))
        fleet.lockout_threshold = lockout.number("threshold", 0, minimum=0)
        if "site" in reader:
            fleet.site = SiteSpec.read(reader.raw("site"), "site", fleet.account)
        fleet.add(reader.raw("endpoints", []), "endpoints")
        return fleet

    def add(self, entries: Any, where: str) -> list[EndpointSpec]:
        """Validates and takes in further endpoints; either all of them or, with an error, none."""
        if not isinstance(entries, list):
            raise SpecError(f"{where}: {entries!r} … allowed: a list of endpoints")
        expanded = [each for number, entry in enumerate(entries) for each in _expand(entry, f"{where}[{number}]")]
        self._check_names(expanded)
        specs = [
            endpoint_spec(entry, at, str(address), self.account)
            for (entry, at, _), address in zip(expanded, self._addresses(expanded), strict=True)
        ]
        self.endpoints += specs
        return specs

    def remove(self, name: str) -> None:
        self.endpoints = [spec for spec in self.endpoints if spec.name != name]

    def _check_names(self, expanded: Iterable[_Expanded]) -> None:
        known = {spec.name.lower() for spec in self.endpoints}
        for entry, where, _ in expanded:
            if entry["name"].lower() in known:
                raise SpecError(f"{where}.name: {entry['name']!r} … allowed: a name that no other endpoint has")
            known.add(entry["name"].lower())

    def _addresses(self, expanded: list[_Expanded]) -> Iterator[Address]:
        """Given addresses, and free ones for endpoints that name none."""
        taken = {ip_address(spec.address) for spec in self.endpoints}
        for _, where, address in expanded:
            if address is not None and address in taken:
                raise SpecError(f"{where}.address: {address} … allowed: an address that no other endpoint has")
            if address is not None:
                taken.add(address)
        free = _FIRST_ADDRESS
        for _, _, address in expanded:
            if address is None:
                while free in taken:
                    free += 1
                taken.add(free)
                address = free
            yield address


Address = IPv4Address | IPv6Address
_Expanded = tuple[dict[str, Any], str, "Address | None"]


def _expand(entry: Any, where: str) -> Iterator[_Expanded]:
    """One entry may stand for many endpoints: `PC-{0001..0500}`, or `count: 500`; addresses then count up."""
    reader = Reader(entry, where, PATCH_KEYS | ENTRY_KEYS)
    name = reader.text("name", "")
    if not re.fullmatch(r"[A-Za-z0-9_.{}-]+", name):
        raise SpecError(f"{where}.name: {name!r} … allowed: letters, digits, - _ . and one range such as {{00..09}}")
    first = _address(reader) if "address" in reader else None
    names = _names(name, reader)
    for number, each in enumerate(names):
        address = None if first is None else first + number
        if address is not None and not address.is_loopback:
            raise SpecError(f"{where}.address: {first} … allowed: room for {len(names)} addresses in {_LOOPBACK}")
        values = {key: value for key, value in entry.items() if key not in {"count", "address"}}
        yield {**values, "name": each}, where, address


def _names(name: str, reader: Reader) -> list[str]:
    found = _RANGE.search(name)
    if found is None and ("{" in name or "}" in name):
        raise reader.wrong("name", "one range such as PC-{0001..0500}")
    if found is not None:
        if "count" in reader:
            raise reader.wrong("count", "a range in the name, or a count, not both")
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise reader.wrong("name", "a range that counts up")
        width = len(found[1])
        return [f"{name[: found.start()]}{each:0{width}d}{name[found.end() :]}" for each in range(first, last + 1)]
    if "count" in reader:
        count = reader.number("count", 1, minimum=1)
        return [f"{name}-{each:0{max(4, len(str(count)))}d}" for each in range(1, count + 1)]
    return [name]


def _address(reader: Reader) -> Address:
    text = reader.text("address", "")
    try:
        address = ip_address(text)
    except ValueError:
        raise reader.wrong("address", f"an address in {_LOOPBACK}") from None
    if not address.is_loopback:
        raise reader.wrong("address", f"an address in {_LOOPBACK}")
    return address


def endpoint_spec(entry: Mapping[str, Any], where: str, address: str, account: Account) -> EndpointSpec:
    """One endpoint from its own keys over those of its profile."""
    profile = entry.get("profile", "normal")
    known = profiles()
    if profile not in known:
        raise SpecError(f"{where}.profile: {profile!r} … allowed: {', '.join(known)}")
    merged = merge(known[profile], {key: value for key, value in entry.items() if key != "profile"})
    merged.setdefault("machine_name", entry["name"].upper())
    # What the inventory hands out is what the operator believes: a profile may know better.
    given = _account(entry.get("credentials"), f"{where}.credentials", account)
    return spec_of(merged, where, address, account, given)


def spec_of(merged: Mapping[str, Any], where: str, address: str, account: Account, given: Account) -> EndpointSpec:
    reader = Reader(merged, where, PATCH_KEYS | ENTRY_KEYS)
    machine = MachineSpec.from_mapping({key: value for key, value in merged.items() if key in MODEL_KEYS}, where)
    schemes_http, schemes_https = _schemes(reader)
    return EndpointSpec(
        name=reader.text("name", ""),
        address=address,
        account=_account(merged.get("credentials"), f"{where}.credentials", account),
        given=given,
        machine=machine,
        inventory_name=reader.text("inventory_name", ""),
        schemes_http=schemes_http,
        schemes_https=schemes_https,
        allow_unencrypted=reader.boolean("allow_unencrypted", EndpointSpec.allow_unencrypted),
        http=reader.boolean("http", EndpointSpec.http),
        https=reader.boolean("https", EndpointSpec.https),
        keytab=reader.text("keytab", EndpointSpec.keytab),
        local_accounts=reader.texts("local_accounts", EndpointSpec.local_accounts),
        idle_timeout=_seconds(reader, "idle_timeout", EndpointSpec.idle_timeout),
        round_trip=reader.duration("round_trip", EndpointSpec.round_trip),
        channel_binding=reader.one_of("channel_binding", ("none", "relaxed", "strict"), EndpointSpec.channel_binding),
        certificate_mapping=_certificate_mapping(reader),
        url_prefix=reader.text("url_prefix", EndpointSpec.url_prefix).strip("/"),
        wsman=_wsman(reader, machine),
        faults=_rules(read_faults, reader, "faults"),
        site=RecordSpec.read(merged.get("site"), f"{where}.site"),
        triggers=_rules(partial(read_triggers, events=(*EVENTS, *NETWORK_EVENTS)), reader, "triggers"),
        source=merged,
    )


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


_profiles: dict[str, dict[str, Any]] = {}


def profiles() -> dict[str, dict[str, Any]]:
    if not _profiles:
        _profiles.update(yaml.safe_load(PROFILES.read_text(encoding="utf-8")))
    return _profiles


def _clock(reader: Reader) -> datetime | None:
    value = reader.raw("clock")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise reader.wrong("clock", "a moment such as 2026-11-02T08:00:00Z") from None
    if value is not None and not isinstance(value, datetime):
        raise reader.wrong("clock", "a moment such as 2026-11-02T08:00:00Z")
    if value is None or value.tzinfo:
        return value
    return value.replace(tzinfo=timezone.utc)


def _account(data: Any, where: str, default: Account) -> Account:
    reader = Reader(data, where, ("username", "password"))
    username, password = reader.text("username", default.username), reader.text("password", default.password)
    if not username or ":" in username:
        raise reader.wrong("username", "a name without a colon")
    if ":" in password or not password or "\n" in password:
        raise SpecError(f"{where}.password: {password!r} … allowed: a text without colons, on one line")
    return Account(username, password)


def _schemes(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A list for both listeners, or a mapping of http and https. Basic is not offered unencrypted unless told so."""
    given = reader.raw("auth")
    if isinstance(given, Mapping):
        each = Reader(given, reader.where("auth"), ("http", "https"))
        http, https = each.texts("http", EndpointSpec.schemes_http), each.texts("https", EndpointSpec.schemes_https)
    elif given is not None:
        https = reader.texts("auth")
        unencrypted = reader.boolean("allow_unencrypted", False)
        http = tuple(scheme for scheme in https if scheme != "basic" or unencrypted)
    else:
        http, https = EndpointSpec.schemes_http, EndpointSpec.schemes_https
    for scheme in (*http, *https):
        if scheme not in SCHEMES:
            raise SpecError(f"{reader.where('auth')}: {scheme!r} … allowed: {', '.join(SCHEMES)}")
    return http, https


def _certificate_mapping(reader: Reader) -> CertificateMapping | None:
    given = reader.raw("certificate_mapping")
    if given is None:
        return None
    each = Reader(given, reader.where("certificate_mapping"), ("subject", "issuer"))
    issuer = Path(each.text("issuer", ""))
    if not issuer.is_file():
        raise each.wrong("issuer", "a file with the certificate of a CA")
    return CertificateMapping(each.text("subject", ""), issuer)


def _seconds(reader: Reader, key: str, default: float) -> float:
    value = reader.raw(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise reader.wrong(key, "a number of seconds above 0")
    return float(value)


def _wsman(reader: Reader, machine: MachineSpec) -> WsmanSettings:
    where = reader.where("wsman")
    given = Reader(reader.raw("wsman"), where, [each.name for each in fields(WsmanSettings)])
    values: dict[str, Any] = {"language": _LANGUAGES.get(machine.os.language, "en-US")}
    for each in fields(WsmanSettings):
        if each.name not in given:
            continue
        default = getattr(WsmanSettings, each.name)
        if "allowed" in each.metadata:
            values[each.name] = given.one_of(each.name, each.metadata["allowed"], default)
        elif isinstance(default, bool):
            values[each.name] = given.boolean(each.name, default)
        elif isinstance(default, int):
            values[each.name] = given.number(each.name, default, minimum=1)
        else:
            values[each.name] = given.text(each.name, default)
    return WsmanSettings(**values)


def _rules(read: Any, reader: Reader, key: str) -> tuple[Rule, ...]:
    try:
        return tuple(read(reader.raw(key) or [], reader.where(key)))
    except PlantError as error:
        raise SpecError(str(error)) from None
