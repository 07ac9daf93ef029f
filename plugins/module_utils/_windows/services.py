# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services through Win32_Service; dependencies as the registry has them, since that class has no such property."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._wsman.cim import Value
from .._wsman.session import Session
from .commands import Commands
from .errors import PermissionRefused, WindowsError
from .registry import Registry

CIMV2 = "root/cimv2"

# ReturnValue of Win32_Service's methods; these are not Win32 error numbers.
_MEANINGS = {
    1: "not supported",
    2: "access denied",
    3: "dependent services are running",
    5: "the service cannot accept this now",
    6: "the service is not active",
    7: "the service did not answer in time",
    8: "unknown failure",
    9: "its program is missing",
    10: "already running",
    13: "a service it depends on failed",
    14: "the service is disabled",
    15: "its logon failed",
    16: "the service is marked for deletion",
    21: "invalid parameter",
}
_ALREADY_RUNNING, _NOT_ACTIVE, _DENIED = 10, 6, 2


@dataclass(frozen=True)
class Service:
    """``state`` (Running, Stopped, ...) and ``start_mode`` (Auto, Manual, Disabled) as WMI spells them."""

    name: str
    state: str
    start_mode: str
    process_id: int

    @property
    def running(self) -> bool:
        return self.state == "Running"

    @property
    def stopped(self) -> bool:
        return self.state == "Stopped"

    @property
    def disabled(self) -> bool:
        return self.start_mode == "Disabled"


class Services:
    def __init__(self, session: Session, registry: Registry, commands: Commands) -> None:
        self._session = session
        self._registry = registry
        self._commands = commands

    def read(self, *names: str) -> dict[str, Service]:
        """The installed ones of *names*, each by its name in lower case."""
        where = " OR ".join(f"Name='{name}'" for name in names)
        rows = self._session.query(CIMV2, f"SELECT Name,State,StartMode,ProcessId FROM Win32_Service WHERE {where}")
        found = {}
        for row in rows:
            name = row.string("Name") or ""
            found[name.lower()] = Service(
                name, row.string("State") or "", row.string("StartMode") or "", row.integer("ProcessId") or 0
            )
        return found

    def dependencies(self, name: str) -> list[str]:
        return self._registry.get_strings(rf"SYSTEM\CurrentControlSet\Services\{name}", "DependOnService")

    def set_dependencies(self, name: str, dependencies: t.Sequence[str]) -> None:
        """Replaces them, an empty list clears them.

        By sc.exe, since the service control manager keeps its own copy of what the registry holds, and an empty
        array cannot be told from an omitted one in a call of Win32_Service.Change over WS-Management.
        """
        result = self._commands.run("sc.exe", ["config", name, "depend=", "/".join(dependencies) or "/"], writes=True)
        if result.exit_code != 0:
            kind = PermissionRefused if result.exit_code == 5 else WindowsError
            # sc.exe prints its errors on standard output.
            detail = " ".join((result.stdout or result.stderr).split())
            raise kind(f"sc.exe config {name} failed with code {result.exit_code}: {detail}", result.exit_code)

    def start(self, name: str) -> None:
        """Asks for the start; one that runs already is no error."""
        self._control(name, "StartService", {}, accept=_ALREADY_RUNNING)

    def stop(self, name: str) -> None:
        """Asks for the stop; one that is stopped already is no error."""
        self._control(name, "StopService", {}, accept=_NOT_ACTIVE)

    def change_start_mode(self, name: str, start_mode: str) -> None:
        """*start_mode* is Automatic, Manual or Disabled (the property then reads Auto for the first)."""
        self._control(name, "ChangeStartMode", {"StartMode": start_mode}, accept=0)

    def _control(self, name: str, method: str, parameters: t.Mapping[str, Value], accept: int) -> None:
        output = self._session.invoke(CIMV2, "Win32_Service", method, parameters, selectors={"Name": name}, writes=True)
        code = output.integer("ReturnValue") or 0
        if code in (0, accept):
            return
        kind = PermissionRefused if code == _DENIED else WindowsError
        raise kind(f"{method} of service {name} failed: {_MEANINGS.get(code, f'code {code}')}", code)
