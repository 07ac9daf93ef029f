# SPDX-License-Identifier: GPL-3.0-or-later
"""A few answers of one endpoint by what is asked, below the session: enough for readers and writers of the client.

How an endpoint really behaves is the simulator's business; here every call is counted and any can be made to fail.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.cim import CimObject
from ansible_collections.configmgr.client.plugins.module_utils._wsman.uris import Spelling

from . import wire
from .fakes import Wire

CCMEXEC = r"SOFTWARE\Microsoft\CCM\CcmExec"
SETUP = r"SYSTEM\Setup"
_TYPES = {"String": 1, "ExpandedString": 2, "Binary": 3, "DWORD": 4, "MultiString": 7, "QWORD": 11}


def cim(name: str, properties: t.Mapping[str, t.Any]) -> CimObject:
    parts = []
    for key, value in properties.items():
        values = value if isinstance(value, list) else [value]
        parts += [f"<p:{key}>{escape(str(item))}</p:{key}>" for item in values if item is not None]
    return CimObject(ElementTree.fromstring(wire.row(name, "".join(parts))))


class Windows:
    """Stands in for a Session, whose judge it asks: ``writes`` are the methods that were let pass, out of ``calls``.

    ``fail`` maps what is asked (a method, or a class) to the exception that answers; ``before`` sees each call first.
    ``spellings`` says of each of ``writes`` how its class was addressed.
    """

    def __init__(self) -> None:
        self._session = Wire([]).session()
        self.deadline = self._session.deadline
        self.judged_by = self._session.judged_by
        self.calls: list[str] = []
        self.writes: list[str] = []
        self.spellings: list[Spelling] = []
        self.before: t.Callable[[str], None] = lambda what: None
        self.fail: dict[str, Exception] = {}
        self.registry: dict[tuple[str, str], tuple[int, t.Any]] = {
            (CCMEXEC, "ProvisioningMode"): (1, "false"),
            (CCMEXEC, "SystemTaskExcludes"): (1, ""),
            (SETUP, "SetupType"): (4, 0),
            (SETUP, "SystemSetupInProgress"): (4, 0),
            (SETUP, "OOBEInProgress"): (4, 0),
        }
        self.keys = {CCMEXEC, SETUP}
        self.rows: dict[str, list[dict[str, t.Any]]] = {
            "Win32_OperatingSystem": [
                {
                    "CSName": "PC-0001",
                    "LocalDateTime": "2026-11-20T12:00:00Z",
                    "LastBootUpTime": "2026-11-11T12:00:00Z",
                    "SystemDirectory": r"C:\Windows\system32",
                }
            ],
            "Win32_ComputerSystem": [
                {"Name": "PC-0001", "DNSHostName": "pc-0001", "Domain": "corp.example", "PartOfDomain": "true"}
            ],
            "Win32_Service": [
                {"Name": "CcmExec", "State": "Running", "StartMode": "Auto", "ProcessId": 4711},
                {"Name": "smstsmgr", "State": "Stopped", "StartMode": "Manual", "ProcessId": 0},
                {"Name": "Winmgmt", "State": "Running", "StartMode": "Auto", "ProcessId": 1234},
            ],
            "Win32_Process": [{"Name": "lsass.exe", "ProcessId": 700}],
            "CCM_TSExecutionRequest": [],
        }
        self.outputs: dict[str, dict[str, t.Any]] = {}
        self.writes_sent = 0

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(t.cast(t.Any, self))

    def set(self, **values: tuple[int, t.Any]) -> None:
        """Values of the client's key, each with its type."""
        self.registry.update({(CCMEXEC, name): value for name, value in values.items()})

    def _count(self, what: str) -> None:
        self.calls.append(what)
        self.before(what)
        if what in self.fail:
            raise self.fail[what]

    def get(self, namespace: str, class_name: str, selectors: object = None) -> CimObject:
        self._count(class_name)
        return cim(class_name, {"ClientVersion": "5.00.9128.1007"})

    def query(self, namespace: str, wql: str) -> list[CimObject]:
        class_name = wql.partition(" FROM ")[2].partition(" ")[0]
        self._count(class_name)
        return [cim("XmlFragment", row) for row in self.rows[class_name]]

    def invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        parameters: t.Any,
        *,
        writes: bool,
        spelling: Spelling = Spelling.WMI,
        **_options: t.Any,
    ) -> CimObject:
        if writes:
            self._session._ask_the_judge()
            self.writes.append(method)
            self.spellings.append(spelling)
            self.writes_sent += 1
        try:
            self._count(method)
        except (errors.Fault, errors.NotSent) as refusal:
            self.writes_sent -= writes and not isinstance(refusal, errors.OperationTimedOut)
            raise
        if class_name == "StdRegProv":
            return cim(f"{method}_OUTPUT", self._registry(method, parameters))
        return cim(f"{method}_OUTPUT", self.outputs.get(method, {"ReturnValue": 0}))

    def _registry(self, method: str, parameters: t.Any) -> dict[str, t.Any]:
        key, name = parameters["sSubKeyName"], parameters.get("sValueName", "")
        if method == "CreateKey":
            self.keys.add(key)
        if key not in self.keys and not any(place[0] == key for place in self.registry):
            return {"ReturnValue": 2}
        if method == "EnumKey":
            below = [other.removeprefix(f"{key}\\") for other in self.keys if other.startswith(f"{key}\\")]
            return {"sNames": [other for other in below if "\\" not in other], "ReturnValue": 0}
        if method == "EnumValues":
            found = {place[1]: value[0] for place, value in self.registry.items() if place[0] == key}
            return {"sNames": list(found), "Types": list(found.values()), "ReturnValue": 0}
        if method == "DeleteKey":
            self.keys.discard(key)
            self.registry = {place: value for place, value in self.registry.items() if place[0] != key}
        elif method == "DeleteValue":
            return {"ReturnValue": 0 if self.registry.pop((key, name), None) else 2}
        elif method.startswith("Set"):
            data = parameters["uValue"] if "uValue" in parameters else parameters["sValue"]
            self.registry[key, name] = (_TYPES[method.removeprefix("Set").removesuffix("Value")], data)
        elif method.startswith("Get"):
            type_, data = self.registry.get((key, name), (0, None))
            if type_ != _TYPES[method.removeprefix("Get").removesuffix("Value")]:
                return {"ReturnValue": 1}
            return {"sValue" if method.endswith("StringValue") else "uValue": data, "ReturnValue": 0}
        return {"bGranted": "true", "ReturnValue": 0}
