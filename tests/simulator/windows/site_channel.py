# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site can do with the machine through its ConfigMgr client: run scripts, ask by CMPivot, notify.

Scripts run as PowerShell's own would, as far as two of them go; any other prints nothing. Which processes they look at
is read from their texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from . import schedules
from .cim.model import Instance, WmiError
from .client import SERVICE, ClientError
from .client_registry import CCMEXEC, ENTERED, EXCLUDES, MAX_MINUTES, MODE
from .registry import RegType, RegValue
from .world import World

_HOLD = "HKLM\\SOFTWARE\\configmgr.client\\Hold"
_SETUP = "HKLM\\SYSTEM\\Setup"
_MINI_NT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\MiniNT"
_AUTOPILOT = "HKLM\\SOFTWARE\\Microsoft\\Windows\\Autopilot\\EnrollmentStatusTracking\\Device\\Setup"
_SETUP_VALUES = (
    *("SetupType", "SystemSetupInProgress", "OOBEInProgress", "Upgrade", "RollbackActive"),
    *("FactoryPreInstallInProgress", "SetupPhase"),
)
_TYPES = {RegType.QWORD: "qword", RegType.DWORD: "dword", RegType.SZ: "string"}
_BEFORE_THE_CALL = timedelta(seconds=30)
_SETTLING = timedelta(minutes=15)
_FILTERS = re.compile(r"-Filter (?:@'\r?\n(?P<here>.*?)\r?\n'@|'(?P<quoted>(?:[^']|'')*)')", re.DOTALL)
_TELLING = re.compile(r"^\$telling = '(.*)'\r?$", re.MULTILINE)
_NOTIFICATIONS = {
    8: schedules.MACHINE_POLICY_REQUEST,
    13: "{00000000-0000-0000-0000-000000000121}",
    14: "{00000000-0000-0000-0000-000000000108}",
}


class SiteChannel:
    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def answers(self) -> bool:
        """Whether the client runs, and so has its connection to the site."""
        return self._world.client is not None and self._world.client.loaded is not None

    @property
    def in_mode(self) -> bool:
        client = self._world.client
        return client is not None and client.loaded is not None and client.loaded.provisioning

    @property
    def policy_received(self) -> datetime | None:
        return self._world.client.policy_received if self._world.client else None

    def notify(self, kind: int) -> None:
        client, schedule = self._world.client, _NOTIFICATIONS.get(kind)
        self._world.journal.happened("site.notified", str(kind))
        if client and schedule:
            try:
                client.trigger_schedule(schedule)
            except ClientError:
                self._world.journal.happened("site.notification_failed", str(kind))

    def run_script(self, text: str) -> str:
        """What it prints."""
        name = text.partition("\n")[0].strip("# \r")
        self._world.journal.happened("site.script", name)
        known: Mapping[str, Callable[[str], dict[str, Any]]] = {
            "configmgr.client read_mode 1": self._read_mode,
            "configmgr.client leave_mode 1": self._leave_mode,
        }
        return json.dumps(known[name](text), separators=(",", ":")) if name in known else ""

    # -- the two scripts -------------------------------------------------------------------------------------------

    def _read_mode(self, text: str) -> dict[str, Any]:
        errors: dict[str, str] = {}
        answer: dict[str, Any] = {"version": 1, "script": "read_mode", "errors": errors}

        def read(signal: str, reader: Callable[[], Any]) -> None:
            try:
                answer[signal] = reader()
            except (WmiError, ValueError) as error:
                answer[signal] = None
                errors[signal] = str(error)[:120]

        read("mode", lambda: self._world.registry.text(CCMEXEC, MODE))
        read("excludes", lambda: self._world.registry.text(CCMEXEC, EXCLUDES))
        read("entered_at", lambda: _typed(self._world.registry.value(CCMEXEC, ENTERED)))
        read("max_minutes", lambda: _typed(self._world.registry.value(CCMEXEC, MAX_MINUTES)))
        read("hold", self._hold)
        read(
            "client_version", lambda: self._rows("root/ccm", "SELECT ClientVersion FROM SMS_Client")[0]["ClientVersion"]
        )
        read("clock", self._clock)
        read("setup", self._setup)
        read("winpe", lambda: self._world.registry.key(_MINI_NT) is not None)
        read("audit", lambda: bool(self._world.registry.number(f"{_SETUP}\\Status", "AuditBoot")))
        read("autopilot", lambda: self._world.registry.number(_AUTOPILOT, "HasProvisioningCompleted") == 0)
        read("requests", self._requests)
        read("services", self._services)
        telling = re.compile(_TELLING.findall(text)[0], re.IGNORECASE)
        read("processes", lambda: [_process(row, telling) for row in self._processes(text)][:20])
        return answer

    def _leave_mode(self, text: str) -> dict[str, Any]:
        reason = self._why_not(text)
        answer = {"version": 1, "script": "leave_mode", "result": "refused", "reason": reason[:200]}
        if reason == "it is not in provisioning mode":
            answer["result"] = "nothing_to_do"
        elif not reason:
            answer["result"] = "started"
            self._world.timeline.after(_BEFORE_THE_CALL, lambda: self._leave(text))
        return answer

    def _leave(self, text: str) -> None:
        """The process that the script has left behind; it ends with the machine, and nobody hears of it."""
        reason = self._why_not(text)
        if reason:
            self._world.journal.happened("site.left_alone", reason)
            return
        self._world.journal.written("SMS_Client.SetClientProvisioningMode", "bEnable=false")
        client = self._world.client
        if client:
            try:
                client.set_provisioning_mode(False)
            except ClientError as error:
                self._world.journal.happened("site.script_failed", str(error))

    def _why_not(self, text: str) -> str:
        """The guard, in the order of the script."""
        world, now = self._world, self._world.timeline.now
        try:
            if world.registry.key(_MINI_NT) is not None:
                return "this is Windows PE"
            if now - world.processes.boot_time < _SETTLING:
                return "it started less than 15 minutes ago"
            mode, excludes = (world.registry.text(CCMEXEC, name) for name in (MODE, EXCLUDES))
            if (mode or "").lower() != "true" and not excludes:
                return "it is not in provisioning mode"
            entered = world.registry.value(CCMEXEC, ENTERED)
            if entered is not None and not isinstance(entered.data, int):
                return "could not read: it cannot be converted to a number"
            moment = entered.data if entered is not None and isinstance(entered.data, int) else 0
            if moment and now.timestamp() - moment < _SETTLING.total_seconds():
                return "it entered the mode less than 15 minutes ago"
            held = self._hold()
            if held is not None:
                hold = json.loads(held)
                if hold.get("entered") in (None, moment) and hold.get("expires", 10**12) > now.timestamp():
                    return "somebody holds it in the mode"
            setup = self._setup()
            for name in ("SetupType", "SystemSetupInProgress", "OOBEInProgress"):
                if name not in setup:
                    return f"SYSTEM\\Setup has no {name}"
            for name, value in setup.items():
                if value:
                    return f"SYSTEM\\Setup has {name}={value}"
            if world.registry.number(f"{_SETUP}\\Status", "AuditBoot"):
                return "Windows is in audit mode"
            if world.registry.number(_AUTOPILOT, "HasProvisioningCompleted") == 0:
                return "Windows Autopilot is setting it up"
            services = self._services()
            if "Winmgmt" not in services:
                return "its services cannot be read"
            agent = services.get("smstsmgr")
            if agent and agent["state"] != "Stopped":
                return f"the task sequence agent is {agent['state']}"
            names = [str(row["Name"]) for row in self._processes(text)]
            if "lsass.exe" not in names:
                return "its processes cannot be read"
            return next((f"{name} runs" for name in names if name != "lsass.exe"), "")
        except (WmiError, ValueError) as error:
            return f"could not read: {error}"

    # -- what both read --------------------------------------------------------------------------------------------

    def _rows(self, namespace: str, query: str) -> list[Instance]:
        return self._world.wmi.query(namespace, query).instances

    def _hold(self) -> str | None:
        if self._world.registry.value(_HOLD, "Expires") is not None:
            raise ValueError("the hold is of an earlier form")
        return self._world.registry.text(_HOLD, "Hold")

    def _clock(self) -> dict[str, Any]:
        (row,) = self._rows("root/cimv2", "SELECT * FROM Win32_OperatingSystem")
        return {
            "name": row["CSName"],
            "now": _iso(row["LocalDateTime"]),
            "booted": _iso(row["LastBootUpTime"]),
            "offset": row["CurrentTimeZone"],
            "os": row["Version"],
        }

    def _setup(self) -> dict[str, int]:
        found = {name: self._world.registry.number(_SETUP, name) for name in _SETUP_VALUES}
        return {name: number for name, number in found.items() if number is not None}

    def _requests(self) -> list[str]:
        rows = self._rows("root/ccm/SoftMgmtAgent", "SELECT * FROM CCM_TSExecutionRequest")
        return [
            "/".join(str(row[name] or "") for name in ("State", "RunningState", "CompletionState")) for row in rows[:10]
        ]

    def _services(self) -> dict[str, dict[str, str]]:
        rows = self._rows("root/cimv2", "SELECT Name,State,StartMode FROM Win32_Service")
        wanted = (SERVICE, "smstsmgr", "Winmgmt")
        return {
            str(row["Name"]): {"state": str(row["State"]), "start_mode": str(row["StartMode"])}
            for row in rows
            if row["Name"] in wanted
        }

    def _processes(self, text: str) -> list[Instance]:
        """By the condition that stands in the script: the one that tells processes."""
        found = [match["here"] or match["quoted"].replace("''", "'") for match in _FILTERS.finditer(text)]
        (condition,) = (each for each in found if "lsass.exe" in each)
        return self._rows(
            "root/cimv2", f"SELECT Name,ProcessId,ExecutablePath,CommandLine FROM Win32_Process WHERE {condition}"
        )

    # -- CMPivot ---------------------------------------------------------------------------------------------------

    def entity(self, name: str, argument: str) -> list[dict[str, str | None]]:
        """The rows of an entity of CMPivot, all values as texts."""
        if name == "Registry":
            key = self._world.registry.key(argument.replace("HKLM:", "HKLM"))
            return [{"Property": each, "Value": _text(value)} for each, value in key.values()] if key else []
        queries = {
            "Service": ("Win32_Service", ("Name", "State", "StartMode")),
            "Process": ("Win32_Process", ("Name", "ProcessId", "ExecutablePath")),
            "OS": ("Win32_OperatingSystem", ("Version", "LastBootUpTime")),
        }
        class_name, columns = queries[name]
        try:
            rows = self._rows("root/cimv2", f"SELECT * FROM {class_name}")
        except WmiError:
            return []
        return [{column: _shown(row[column]) for column in columns} for row in rows]


def _typed(value: RegValue | None) -> dict[str, str] | None:
    if value is None:
        return None
    return {"type": _TYPES.get(value.type, "other"), "data": str(value.data)[:40]}


def _process(row: Instance, telling: re.Pattern[str]) -> dict[str, Any]:
    found = telling.search(str(row["CommandLine"] or ""))
    return {
        "name": row["Name"],
        "id": row["ProcessId"],
        "path": row["ExecutablePath"] or "",
        "switch": found[0] if found else "",
    }


def _iso(value: Any) -> str:
    moment: datetime = value
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _text(value: RegValue) -> str:
    data = value.data
    return ";".join(data) if isinstance(data, tuple) else data.hex() if isinstance(data, bytes) else str(data)


def _shown(value: Any) -> str | None:
    if isinstance(value, datetime):
        return f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"
    return None if value is None else str(value)
