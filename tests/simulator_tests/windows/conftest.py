# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines whose time stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import yaml
from simulator.windows import profiles_file
from simulator.windows.cim.model import Value
from simulator.windows.clock import Clock, standing
from simulator.windows.machine import Machine
from simulator.windows.spec import MODEL_KEYS, MachineSpec

START = datetime(2026, 11, 2, 8, 0, tzinfo=timezone.utc)
PROFILES: dict[str, dict[str, Any]] = yaml.safe_load(profiles_file().read_text(encoding="utf-8"))
HKLM = "2147483650"
CCMEXEC = "SOFTWARE\\Microsoft\\CCM\\CcmExec"


class Endpoint:
    """A machine with its clock, and short words for what tests ask of it."""

    def __init__(self, profile: str = "normal", **overrides: Any) -> None:
        self.clock = Clock(START, standing)
        mapping = {key: value for key, value in PROFILES[profile].items() if key in MODEL_KEYS} | overrides
        self.machine = Machine(MachineSpec.from_mapping(mapping, profile), self.clock)
        self.wmi = self.machine.wmi

    def advance(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration))

    def call(self, namespace: str, class_name: str, method: str, /, **arguments: str | list[str]) -> dict[str, Value]:
        return self.call_on(namespace, class_name, method, {}, **arguments)

    def call_on(
        self, namespace: str, class_name: str, method: str, keys: dict[str, str], /, **arguments: str | list[str]
    ) -> dict[str, Value]:
        texts: dict[str, list[str | None]] = {
            name: list(value) if isinstance(value, list) else [value] for name, value in arguments.items()
        }
        return {out.name: out.value for out in self.wmi.invoke(namespace, class_name, method, keys, texts)}

    def registry(self, method: str, path: str = CCMEXEC, **arguments: str | list[str]) -> dict[str, Value]:
        return self.call("root/default", "StdRegProv", method, hDefKey=HKLM, sSubKeyName=path, **arguments)

    def text(self, name: str, path: str = CCMEXEC) -> Value:
        return self.registry("GetStringValue", path, sValueName=name)["sValue"]

    def service(self, method: str, name: str, **arguments: str | list[str]) -> Value:
        return self.call_on("root/cimv2", "Win32_Service", method, {"Name": name}, **arguments)["ReturnValue"]

    def set_mode(self, enable: bool) -> dict[str, Value]:
        return self.call("root/ccm", "SMS_Client", "SetClientProvisioningMode", bEnable=str(enable).lower())

    def rows(self, namespace: str, wql: str) -> list[dict[str, Value]]:
        rows = self.wmi.query(namespace, wql).instances
        return [{out.name: out.value for out in row.properties} for row in rows]

    def ccmexec(self) -> dict[str, Value]:
        return self.rows("root/cimv2", "SELECT * FROM Win32_Service WHERE Name='CcmExec'")[0]

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.machine.describe()["events"]]

    @property
    def mode(self) -> str:
        return str(self.machine.describe()["mode"])
