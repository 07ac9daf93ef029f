# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of SMS_Client, the client's own WMI class, by the ladder: natively, else by the article's command lines.

Whether its methods can be invoked over WS-Management is disputed and unproven in public, so a refusal that means
"this path does not work here" leads to a command over WinRS. Access denied is not such a refusal, nor is a client
that fails: those would fail on the other path as well.
"""

from __future__ import annotations

import typing as t

from .._windows.commands import POWERSHELL, WMIC, failure_text
from .._windows.endpoint import Endpoint
from .._wsman.errors import (
    ConnectionLost,
    Fault,
    FaultDetail,
    FileMissing,
    InvalidRequest,
    NotFound,
    OperationRefused,
    OperationTimedOut,
    ProviderFailure,
    fault,
)
from . import constants
from .errors import MethodFailed, NotReady

VIA = ("auto", "wmi", "command")

PATH_REFUSED = (OperationRefused, InvalidRequest, NotFound)
"""What means that methods cannot be invoked this way."""


class ClientMethods:
    """``way`` is wmi or command once a call succeeded; the next calls of the task take it at once.

    Every call writes: it is made inside ``Guard.writing``, and the second way is judged anew.
    """

    def __init__(self, endpoint: Endpoint, via: str, log: t.Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._via = via
        self._log = log
        self.way: str | None = None if via == "auto" else via
        self.refusal: str | None = None

    def set_mode(self, enabled: bool) -> None:
        """SetClientProvisioningMode. Not sent again by itself where the answer is lost: what is read back decides."""
        text = "True" if enabled else "False"
        self._call("SetClientProvisioningMode", {"bEnable": enabled}, f'"{text}"', f"${text.lower()}")

    def trigger(self, identifier: str) -> None:
        """TriggerSchedule, for a schedule by its id."""
        self._call("TriggerSchedule", {"sScheduleID": identifier}, f'"{identifier}"', f"'{identifier}'")

    def _call(self, method: str, parameters: dict[str, bool | str], wmic: str, powershell: str) -> None:
        if self.way != "command":
            try:
                self._invoke(method, parameters)
                self.way = "wmi"
                return
            except PATH_REFUSED as error:
                if self._via == "wmi" or self.way == "wmi":
                    raise MethodFailed(f"the endpoint refuses {constants.CLIENT_CLASS}.{method}: {error}") from error
                self.refusal = str(error)
                self._log(f"{constants.CLIENT_CLASS}.{method} is refused natively ({error}); using a command")
        self._run(method, wmic, powershell)
        self.way = "command"

    def _invoke(self, method: str, parameters: dict[str, bool | str]) -> None:
        output = self._endpoint.session.invoke(
            constants.CLIENT_NAMESPACE,
            constants.CLIENT_CLASS,
            method,
            parameters,
            writes=True,
        )
        # Success is 0, null or no ReturnValue at all: all three have been seen.
        code = output.integer("ReturnValue")
        if code:
            raise _failure(code)(f"{constants.CLIENT_CLASS}.{method} returned {code & 0xFFFFFFFF:#010x}")

    def _run(self, method: str, wmic: str, powershell: str) -> None:
        commands = self._endpoint.commands
        try:
            result = commands.run_line(
                WMIC,
                rf"/namespace:\\root\ccm path sms_client CALL {method} {wmic} /NOINTERACTIVE",
                writes=True,
            )
        except FileMissing:  # WMIC is an optional feature of newer Windows
            result = commands.run_line(
                POWERSHELL,
                "-NoProfile -NonInteractive -Command Invoke-WmiMethod -Namespace 'root\\ccm' -Class 'SMS_Client'"
                f" -Name '{method}' -ArgumentList {powershell}",
                writes=True,
            )
        if result.exit_code != 0:
            code = f"{result.exit_code & 0xFFFFFFFF:#010x}"
            raise _failure(result.exit_code)(
                f"{constants.CLIENT_CLASS}.{method} by command failed with code {code}: {failure_text(result)}"
            )


def _failure(code: int) -> type[MethodFailed]:
    return NotReady if isinstance(fault(FaultDetail(code & 0xFFFFFFFF, "", "")), ProviderFailure) else MethodFailed


def trigger_when_ready(
    methods: ClientMethods,
    identifier: str,
    backoff: t.Iterable[None],
    writing: t.Callable[[], t.ContextManager[None]],
) -> Exception | None:
    """Triggers the schedule of that id, again while the client is starting and *backoff* lasts, each time in *writing*.

    None where it was triggered, else the last failure.
    """
    failure: Exception | None = None
    for _ in backoff:
        try:
            with writing():
                methods.trigger(identifier)
        except (ProviderFailure, NotReady, OperationTimedOut, ConnectionLost) as error:
            failure = error  # twice does no harm
        except (MethodFailed, Fault) as error:
            return error
        else:
            return None
    return failure


_PROPERTIES_KEY = r"SOFTWARE\Microsoft\SMS\Client\Configuration\Client Properties"
_USUAL_DIRECTORY = r"C:\Windows\CCM"


def run_ccmeval(endpoint: Endpoint) -> None:
    """Runs the client's own health evaluation and waits for its end; MethodFailed where it says that it failed.

    It puts services right after an upgrade that died (community, one source). It writes: inside ``Guard.writing``.
    """
    directory = endpoint.registry.get_string(_PROPERTIES_KEY, "Local SMS Path") or _USUAL_DIRECTORY
    directory = directory.rstrip("\\")
    result = endpoint.commands.run(rf"{directory}\ccmeval.exe", [], writes=True)
    if result.exit_code != 0:
        raise MethodFailed(f"ccmeval.exe failed with code {result.exit_code}")
