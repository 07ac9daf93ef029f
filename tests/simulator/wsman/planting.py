# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted faults and triggers: which calls they meet, and what then happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from . import faults
from .calls import Call
from .reply import Reply

OPERATIONS = (
    *("Get", "Put", "Create", "Delete", "Enumerate", "Pull", "Release", "Invoke"),
    *("Command", "Receive", "Send", "Signal"),
)
MATCH_KEYS = ("class", "method", "namespace", "operation", "value", "nth")

_FAULTS: Mapping[str, Callable[[], faults.Fault]] = {
    "access_denied": faults.access_denied,
    "wmi_access_denied": faults.wmi_access_denied,
    "provider_failure": lambda: faults.wmi_unknown(0x80041004),
    "timeout": faults.timed_out,
    "quota": lambda: faults.too_many_operations(1500),
    "shell_quota": lambda: faults.too_many_shells(30),
    "not_found": lambda: faults.not_found("The object was not found. "),
}
_PAGE = b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Proxy error</h1></body></html>"
_GARBAGE = b"<s:Envelope><unclosed>\xff\xfe\x00 not XML"
_DTD = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;">'
    b'<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;">]><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
    b"<s:Header/><s:Body>&lol3;</s:Body></s:Envelope>"
)
_REPLIES: Mapping[str, Reply] = {
    "drop": Reply(200, cut="drop"),
    "garbage": Reply(200, _GARBAGE),
    "html": Reply(200, _PAGE, content_type="text/html", sealed=False),
    "dtd": Reply(200, _DTD),
}
WORDS = (
    *_FAULTS,
    *_REPLIES,
    *("truncate", "drop_after", "no_rows", "http_NNN", "fault CODE", "return CODE", "hang SECONDS"),
)


class PlantError(ValueError):
    """A rule that cannot be read; the text names the key, the value and what is allowed."""


@dataclass(frozen=True)
class Match:
    class_name: str = ""
    method: str = ""
    namespace: str = ""
    operation: str = ""
    value: str = ""
    first: int = 1
    last: int | None = None

    @classmethod
    def read(cls, data: Any, where: str) -> Match:
        if not isinstance(data, Mapping):
            raise PlantError(f"{where}: {data!r} … allowed: a mapping of {', '.join(MATCH_KEYS)}")
        for key in data:
            if key not in MATCH_KEYS:
                raise PlantError(f"{where}.{key}: unknown key … allowed: {', '.join(MATCH_KEYS)}")
        operation = str(data.get("operation", ""))
        known = {name.lower(): name for name in OPERATIONS}
        if operation and operation.lower() not in known:
            raise PlantError(f"{where}.operation: {operation!r} … allowed: {', '.join(OPERATIONS)}")
        first, last = _nth(data.get("nth"), f"{where}.nth")
        texts = {key: str(data.get(key, "")).lower() for key in ("class", "method", "namespace", "value")}
        return cls(
            texts["class"],
            texts["method"],
            texts["namespace"].replace("\\", "/").strip("/"),
            operation.lower(),
            texts["value"],
            first,
            last,
        )

    def meets(self, call: Call) -> bool:
        return (
            self.class_name in {"", call.class_name.lower()}
            and self.method in {"", call.method.lower()}
            and self.namespace in {"", call.namespace.lower()}
            and self.operation in {"", call.operation.lower()}
            and (not self.value or any(self.value in value.lower() for value in (*call.values, call.detail)))
        )

    def counts(self, number: int) -> bool:
        return self.first <= number and (self.last is None or number <= self.last)


def _nth(data: Any, where: str) -> tuple[int, int | None]:
    if data is None:
        return 1, None
    found = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", str(data))
    if found is None or isinstance(data, bool) or int(found[1]) < 1:
        raise PlantError(f'{where}: {data!r} … allowed: 3 (the third only), "3+" (from the third on), "1-3"')
    first = int(found[1])
    if found[2]:
        return first, None
    return first, int(found[3]) if found[3] else first


@dataclass(frozen=True)
class Effect:
    """What happens to one call. Empty: nothing."""

    fault: faults.Fault | None = None
    reply: Reply | None = None
    cut: Literal["", "drop", "half"] = ""
    delay: float = 0.0
    no_rows: bool = False
    """Success with nothing in it: no rows of an enumeration, no elements of a method's arrays."""
    return_value: int | None = None
    """Success with this ReturnValue, and no output unless the call is executed."""
    executed: bool = False
    """A fault or reply that comes although the call took effect: an answer that lies."""

    @classmethod
    def read(cls, data: Any, where: str) -> Effect:
        if isinstance(data, Mapping):
            unknown = set(data) - {"do", "executed", "delay"}
            if unknown or "do" not in data:
                raise PlantError(f"{where}: {data!r} … allowed: a mapping of do, executed, delay")
            effect = cls.read(data["do"], f"{where}.do")
            delay = data.get("delay", effect.delay)
            if isinstance(delay, bool) or not isinstance(delay, (int, float)) or delay < 0:
                raise PlantError(f"{where}.delay: {delay!r} … allowed: seconds")
            return replace(effect, executed=bool(data.get("executed", effect.executed)), delay=float(delay))
        word = str(data).strip()
        if word in _FAULTS:
            return cls(fault=_FAULTS[word]())
        if word in _REPLIES:
            return cls(reply=_REPLIES[word])
        if word == "truncate":
            return cls(cut="half")
        if word == "drop_after":
            return cls(cut="drop")
        if word == "no_rows":
            return cls(no_rows=True)
        if found := re.fullmatch(r"return (\d+|0x[0-9a-fA-F]+)", word):
            return cls(return_value=int(found[1], 0))
        if found := re.fullmatch(r"http_(\d{3})", word):
            return cls(reply=Reply(int(found[1]), sealed=False, content_type=""))
        if found := re.fullmatch(r"fault (?:code )?(\d+|0x[0-9a-fA-F]+)", word):
            return cls(fault=faults.any_code(int(found[1], 0)))
        if found := re.fullmatch(r"hang (\d+(?:\.\d+)?)", word):
            return cls(delay=float(found[1]))
        raise PlantError(f"{where}: {data!r} … allowed: {', '.join(WORDS)}")

    def before(self) -> Reply | None:
        """What stands in for executing the call, if anything does."""
        if self.executed:
            return None
        if self.fault:
            raise self.fault
        return self.reply

    def spoil(self, reply: Reply) -> Reply:
        if self.executed and self.reply:
            reply = self.reply
        return replace(reply, cut=self.cut) if self.cut else reply

    def after(self) -> None:
        if self.executed and self.fault:
            raise self.fault


@dataclass
class Rule:
    """A match with what it leads to, and how often it was met."""

    match: Match
    effect: Effect = Effect()
    event: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    met: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)


class Planted:
    """The planted faults and triggers of one endpoint. `fire` carries out a trigger's event."""

    def __init__(self, fault_rules: Sequence[Rule], trigger_rules: Sequence[Rule], fire: Callable[..., None]) -> None:
        self._faults = list(fault_rules)
        self._triggers = list(trigger_rules)
        self._fire = fire

    def replant(self, fault_rules: Sequence[Rule] | None, trigger_rules: Sequence[Rule] | None) -> None:
        """New rules, counted from now; None keeps those that are there."""
        if fault_rules is not None:
            self._faults = list(fault_rules)
        if trigger_rules is not None:
            self._triggers = list(trigger_rules)

    def take(self, call: Call) -> Effect:
        """The first rule that applies wins; every rule that matches counts."""
        found: Effect | None = None
        for rule in self._faults:
            if rule.match.meets(call):
                rule.met += 1
                if found is None and rule.match.counts(rule.met):
                    found = rule.effect
        return found or Effect()

    def answered(self, call: Call) -> None:
        for rule in self._triggers:
            if rule.match.meets(call):
                rule.met += 1
                if rule.match.counts(rule.met):
                    self._fire(rule.event, **rule.detail)

    def describe(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "faults": [{**rule.source, "met": rule.met} for rule in self._faults],
            "triggers": [{**rule.source, "met": rule.met} for rule in self._triggers],
        }


def read_faults(data: Any, where: str) -> list[Rule]:
    return [
        Rule(Match.read(entry["match"], f"{at}.match"), Effect.read(entry["then"], f"{at}.then"), source=entry)
        for entry, at in _entries(data, where, "match", "then")
    ]


def read_triggers(data: Any, where: str, events: Collection[str]) -> list[Rule]:
    """`do` is the name of an event, or a mapping of `event` and its details."""
    rules = []
    for entry, at in _entries(data, where, "after", "do"):
        do = entry["do"] if isinstance(entry["do"], Mapping) else {"event": entry["do"]}
        if do.get("event") not in events:
            raise PlantError(f"{at}.do: {do.get('event')!r} … allowed: {', '.join(events)}")
        detail = {str(key): value for key, value in do.items() if key != "event"}
        rules.append(Rule(Match.read(entry["after"], f"{at}.after"), event=do["event"], detail=detail, source=entry))
    return rules


def _entries(data: Any, where: str, *keys: str) -> list[tuple[Mapping[str, Any], str]]:
    if not isinstance(data, list):
        raise PlantError(f"{where}: {data!r} … allowed: a list of mappings of {' and '.join(keys)}")
    for number, entry in enumerate(data):
        if not isinstance(entry, Mapping) or set(entry) != set(keys):
            raise PlantError(f"{where}[{number}]: {entry!r} … allowed: a mapping of {' and '.join(keys)}")
    return [(entry, f"{where}[{number}]") for number, entry in enumerate(data)]
