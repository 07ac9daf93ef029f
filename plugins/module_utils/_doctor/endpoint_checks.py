# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that ask the endpoint, over one session."""

from __future__ import annotations

import datetime as dt
import typing as t
from functools import partial
from itertools import takewhile

from .._advice import advice
from .._client import constants
from .._client.identity import mismatch
from .._client.methods import PATH_REFUSED, SPELLINGS
from .._client.releases import release
from .._client.schedules.catalog import MACHINE_POLICY_REQUEST, find
from .._client.schedules.history import read_last_triggers
from .._windows import commands, system
from .._windows.endpoint import Endpoint
from .._windows.errors import PermissionRefused, WindowsError
from .._windows.registry import KeyAbsent, RegistryType
from .._wsman.cim import CimObject
from .._wsman.errors import AccessDenied, Fault, NotFound, ProtocolError, ProviderFailure
from .._wsman.session import Session
from .._wsman.settings import Settings
from .checks import Check

GREATEST_SKEW = 300
"""Seconds; Kerberos refuses more by its default."""

_WRITTEN_BELOW = "SOFTWARE"
_HARMLESS_METHOD = "GetAssignedSite"
"""Static, without input, and documented to tell the site's code."""


ANSWERS = (Fault, ProtocolError, WindowsError)
"""Errors after which the conversation goes on."""


class Inside:
    """``way`` leads to the client's methods: wmi, cim, command, none or unknown."""

    def __init__(self, session: Session, settings: Settings, expected_name: str) -> None:
        self.way = "unknown"
        self.windows: system.OperatingSystem | None = None
        self.client_version: str | None = None
        self._session = session
        self._endpoint = Endpoint(session)
        self._settings = settings
        self._expected_name = expected_name
        self._ahead = dt.timedelta()
        self._fault: Fault | None = None
        self._without_class = False
        self._refused: set[str] = set()
        self._value_types: dict[str, int] = {}
        self._checks: dict[str, t.Callable[[], Check]] = {
            "login": self._login,
            "rights": self._rights,
            "namespaces": self._namespaces,
            **{f"{way}_invoke": partial(self._invoke, way) for way in SPELLINGS},
            "fallback": self._fallback,
            "client": self._client,
            "clock": self._clock,
            "name": self._name,
        }

    def check(self, name: str) -> Check:
        """Raises WSManError or WindowsError."""
        return self._checks[name]()

    def _login(self) -> Check:
        try:
            self.windows = self._endpoint.system.operating_system()
            self._ahead = self.windows.now - dt.datetime.now(dt.timezone.utc)
        except Fault as fault:  # whoever gets a fault for an answer has logged in
            self._fault = fault
        sealed = self._settings.scheme == "http" or self._settings.message_encryption == "always"
        protection = "sealed messages" if sealed else "messages protected by TLS"
        return Check("login", "ok", f"{self._settings.auth} over {self._settings.scheme}, {protection}")

    def _rights(self) -> Check:
        if self._fault is not None:
            raise self._fault
        try:
            granted = self._endpoint.registry.may_write(_WRITTEN_BELOW)
        except (AccessDenied, PermissionRefused):
            granted = False
        except ANSWERS as error:  # what comes after does not rest on this question
            return Check("rights", "warning", f"may read root/cimv2; whether it may write cannot be asked: {error}")
        if granted:
            return Check("rights", "ok", rf"may read root/cimv2, and write below HKLM\{_WRITTEN_BELOW}")
        found = rf"may read root/cimv2, but not write below HKLM\{_WRITTEN_BELOW}"
        return Check("rights", "failed", found, advice("permission", self._settings.names))

    def _namespaces(self) -> Check:
        found, missing = ["root/cimv2", "root/default"], []
        try:
            self._value_types = self._endpoint.registry.types(constants.CCMEXEC_KEY)
            has_key = True
        except KeyAbsent:
            has_key = False
        try:
            self.client_version = self._session.get(constants.CLIENT_NAMESPACE, constants.CLIENT_CLASS).string(
                "ClientVersion"
            )
            found.append(constants.CLIENT_NAMESPACE)
        except ANSWERS as error:
            missing.append(str(error))
            self._without_class = isinstance(error, NotFound)
        if self._without_class and not has_key:
            self.way = "none"
            says = "There is no ConfigMgr client here, so there is nothing to do."
            return Check("namespaces", "failed", f"{', '.join(found)}; not: {missing[0]}", says)
        for place, read in self._readings().items():
            try:
                read()
                found.append(place)
            except ANSWERS as error:
                missing.append(str(error))
        if missing:
            return Check(
                "namespaces",
                "warning",
                f"{', '.join(found)}; not: {'; '.join(missing)}",
                "Modules that need these say so. A client that is still starting may lack some.",
            )
        return Check("namespaces", "ok", ", ".join(found))

    def _readings(self) -> dict[str, t.Callable[[], object]]:
        """What the modules read of the client, by place, each in the way in which they read it."""
        session = self._session
        columns = "RequestID,State,RunningState,CompletionState"
        policy_request = find(MACHINE_POLICY_REQUEST).id
        return {
            constants.REQUEST_NAMESPACE: lambda: session.query(
                constants.REQUEST_NAMESPACE, f"SELECT {columns} FROM {constants.REQUEST_CLASS}"
            ),
            constants.HISTORY_NAMESPACE: lambda: read_last_triggers(self._endpoint, [policy_request]),
            constants.LOCATION_NAMESPACE: lambda: session.query(
                constants.LOCATION_NAMESPACE, f"SELECT MP FROM {constants.LOCATION_CLASS}"
            ),
            constants.MAINTENANCE_CLASS: lambda: session.instances(
                constants.CLIENT_NAMESPACE, constants.MAINTENANCE_CLASS
            ),
            constants.POLICY_NAMESPACE: lambda: session.instances(constants.POLICY_NAMESPACE, constants.POLICY_CLASS),
            constants.SDK_NAMESPACE: lambda: session.invoke(
                constants.SDK_NAMESPACE,
                constants.UTILITIES_CLASS,
                "DetermineIfRebootPending",
                {},
                repeatable=True,
                writes=False,
            ),
        }

    def _invoke(self, way: str) -> Check:
        """Calls a method that only tells: a class that can be read may refuse its methods all the same."""
        name = f"{way}_invoke"
        try:
            output = self._session.invoke(
                constants.CLIENT_NAMESPACE,
                constants.CLIENT_CLASS,
                _HARMLESS_METHOD,
                {},
                repeatable=True,
                writes=False,
                spelling=SPELLINGS[way],
            )
        except ANSWERS as error:
            return self._not_invoked(name, way, error)
        if self.way == "unknown" and self._refused.issuperset(takewhile(lambda each: each != way, SPELLINGS)):
            self.way = way
        returned = _return_value(output)
        return Check(name, "ok", f"{constants.CLIENT_CLASS}.{_HARMLESS_METHOD} answers, ReturnValue {returned}")

    def _not_invoked(self, name: str, way: str, error: Exception) -> Check:
        if self.way != "unknown":  # the modules never come to this one
            return Check(name, "warning", f"not needed, and not to be had: {error}")
        if isinstance(error, ProviderFailure):
            says = "A client that is starting fails so: try again in some minutes. If it stays so, use via=command."
            return Check(name, "failed", str(error), says)
        if not isinstance(error, PATH_REFUSED):
            raise error
        self._refused.add(way)
        if self._without_class and isinstance(error, NotFound) and self._refused_natively:
            self.way = "none"
            return Check(name, "failed", str(error), "The client is in the registry and not in WMI: repair it.")
        return Check(name, "warning", f"refused: {error}")

    @property
    def _refused_natively(self) -> bool:
        return self._refused == set(SPELLINGS)

    def _fallback(self) -> Check:
        directory = self.windows.system_directory if self.windows else system.USUAL_SYSTEM_DIRECTORY
        programs = (commands.WMIC, commands.POWERSHELL)
        there = [program for program in programs if self._endpoint.files.find(rf"{directory}\{program}")]
        unknown = "needed" if self._refused_natively else "whether it is needed is not known"
        use = {**dict.fromkeys(SPELLINGS, "not needed"), "none": "of no use", "unknown": unknown}
        if there:
            found = f"{' and '.join(there)}; {use[self.way]}"
            if self.way == "unknown" and self._refused_natively:
                self.way = "command"
            return Check("fallback", "ok", found)
        found = f"neither {' nor '.join(programs)}; {use[self.way]}"
        if not self._refused_natively:
            return Check("fallback", "warning", found)
        self.way = "none"
        return Check("fallback", "failed", found, "Install the optional feature WMIC on the endpoint.")

    def _client(self) -> Check:
        limit = self._endpoint.registry.get_dword(constants.CCMEXEC_KEY, constants.MAX_MINUTES)
        values = (constants.MODE, constants.EXCLUDES, constants.ENTERED)
        types = [f"{name} {_type_name(self._value_types.get(name.lower()))}" for name in values]
        found = f"{', '.join(types)}, {constants.MAX_MINUTES} {'absent' if limit is None else limit}"
        if self.client_version is None:
            return Check("client", "warning", f"version unknown; {found}", "Without the version, verdicts are unknown.")
        return Check("client", "ok", f"{self.client_version}, release {release(self.client_version)}; {found}")

    def _clock(self) -> Check:
        skew = round(self._ahead.total_seconds())
        found = f"{abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the clock here"
        if abs(skew) > GREATEST_SKEW:
            return Check("clock", "warning", found, "Set the wrong clock: Kerberos refuses more than 5 minutes.")
        return Check("clock", "ok", found)

    def _name(self) -> Check:
        names = self._endpoint.system.computer_names()
        problem = mismatch(self._expected_name, names, "short")
        if problem:
            return Check("name", "failed", problem, advice("wrong_machine", self._settings.names))
        return Check("name", "ok", f"it calls itself {names.dns_host}")


def _type_name(number: int | None) -> str:
    if number is None:
        return "absent"
    return f"REG_{RegistryType(number).name}" if number in list(RegistryType) else f"of registry type {number}"


def _return_value(output: CimObject) -> str:
    if "ReturnValue" not in output:
        return "absent"
    code = output.integer("ReturnValue")
    return "null" if code is None else f"{code & 0xFFFFFFFF:#x}"
