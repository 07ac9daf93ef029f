# SPDX-License-Identifier: GPL-3.0-or-later
"""SMS_Client: what administrators call on a ConfigMgr client. Official class reference; return values community."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..cim.model import HRESULTS, ErrorKind, Row, WmiError
from ..client import Client, ClientError
from ..client_registry import CCM
from ..registry import RegValue
from .base import BaseProvider


class SmsClient(BaseProvider):
    @property
    def _client(self) -> Client:
        if self._world.client is None:
            raise WmiError("invalid_namespace")
        return self._world.client

    def instances(self, class_name: str) -> list[Row]:
        return [
            {
                "AllowLocalAdminOverride": True,
                "ClientType": 1,
                "ClientVersion": self._client.version,
                "EnableAutoAssignment": True,
            }
        ]

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        detail = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)
        if method != "GetAssignedSite":
            self._world.journal.written(f"SMS_Client.{method}", detail)
        if not self._world.access.is_administrator:
            raise WmiError("access_denied")
        try:
            outputs = self._run(method, arguments)
        except ClientError as error:
            raise WmiError(_kind(error.hresult), str(error), error.hresult, error.duration) from None
        match self._world.variants.return_value:
            case "absent":
                return outputs
            case "nil":
                return {**outputs, "ReturnValue": None}
        return {**outputs, "ReturnValue": 0}

    def _run(self, method: str, arguments: Row) -> Row:
        client = self._client
        match method:
            case "SetClientProvisioningMode":
                client.set_provisioning_mode(bool(_needed(arguments, "bEnable")))
            case "TriggerSchedule":
                client.trigger_schedule(str(_needed(arguments, "sScheduleID")))
            case "RequestMachinePolicy":
                client.request_policy()
            case "EvaluateMachinePolicy":
                client.evaluate_policy()
            case "ResetPolicy":
                self._world.journal.happened("policy.reset", str(arguments.get("uFlags")))
            case "GetAssignedSite":
                return {"sSiteCode": client.site}
            case "SetAssignedSite":
                client.assign_site(str(_needed(arguments, "sSiteCode")))
            case "SetGlobalLoggingConfiguration":
                self._set_logging(arguments)
        return {}

    def _set_logging(self, arguments: Row) -> None:
        for name in ("LogLevel", "LogMaxSize", "LogMaxHistory"):
            number = cast("int | None", arguments.get(name))
            if number is not None:
                self._world.registry.set_value(f"{CCM}\\Logging\\@GLOBAL", name, RegValue.dword(number))


def _kind(hresult: int) -> ErrorKind:
    for kind, code in HRESULTS.items():
        if code == hresult:
            return kind
    return "failed"


def _needed(arguments: Row, name: str) -> object:
    """Nothing says what an omitted argument means; inferred: the call is invalid."""
    value = arguments.get(name)
    if value is None:
        raise WmiError("invalid_method_parameters", f"{name} is missing")
    return value
