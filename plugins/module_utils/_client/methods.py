# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of SMS_Client, the client's own WMI class, by the ladder: natively, else by the article's command lines.

Whether its methods can be invoked over WS-Management is disputed and unproven in public, and so is which spelling of
the class's address works: the URI that holds the namespace, or the one that the CIM cmdlets write. A refusal means
"this way does not work here", and leads to the next: the second spelling, then a command over WinRS. One spelling that
is refused says nothing about the client; both do. Access denied is no refusal, nor is a client that fails: those would
fail on the other ways as well.

A refusal comes before the method is carried out. Should one ever lie, the guard, which is asked before each way, reads
back what the call was to change.
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
from .._wsman.uris import Spelling
from . import constants
from .errors import MethodFailed, NotReady

SPELLINGS = {"wmi": Spelling.WMI, "cim": Spelling.DMTF}
WAYS = (*SPELLINGS, "command")
VIA = ("auto", *WAYS)

PATH_REFUSED = (OperationRefused, InvalidRequest, NotFound)
"""What means that methods cannot be invoked this way."""
PASSING = (ProviderFailure, NotReady, OperationTimedOut, ConnectionLost)
"""What a client shows that is starting, or that takes its time: the same call may succeed later."""


class ClientMethods:
    """``way`` is wmi, cim or command once a call succeeded; the next calls of the task take it at once.

    Every call writes: it is made inside ``Guard.writing``, and each further way is judged anew.
    """

    def __init__(self, endpoint: Endpoint, via: str, log: t.Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._log = log
        self._ways = WAYS if via == "auto" else (via,)
        self._refusals: dict[str, str] = {}
        self.way: str | None = None

    @property
    def refusal(self) -> str | None:
        """What the endpoint said to the ways that it refused before ``way``; None where it refused none."""
        before = WAYS[: WAYS.index(self.way)] if self.way else WAYS
        return "; ".join(f"{way}: {self._refusals[way]}" for way in before if way in self._refusals) or None

    def set_mode(self, enabled: bool) -> None:
        """SetClientProvisioningMode. Not sent again by itself where the answer is lost: what is read back decides."""
        text = "True" if enabled else "False"
        self._call("SetClientProvisioningMode", {"bEnable": enabled}, f'"{text}"', f"${text.lower()}")

    def trigger(self, identifier: str) -> None:
        """TriggerSchedule, for a schedule by its id."""
        self._call("TriggerSchedule", {"sScheduleID": identifier}, f'"{identifier}"', f"'{identifier}'")

    def _call(self, method: str, parameters: dict[str, bool | str], wmic: str, powershell: str) -> None:
        for place, way in enumerate(self._ways):
            try:
                if way in SPELLINGS:
                    self._invoke(method, parameters, SPELLINGS[way])
                else:
                    self._run(method, wmic, powershell)
            except PATH_REFUSED as error:
                if way not in SPELLINGS:
                    raise
                self._note_refusal(method, way, error, further=self._ways[place + 1 :])
            except PASSING:
                self._ways = self._ways[place:]  # it leads to the client: what was refused need not be tried again
                raise
            else:
                self._ways, self.way = (way,), way
                return

    def _note_refusal(self, method: str, way: str, error: Fault, further: t.Sequence[str]) -> None:
        self._refusals[way] = str(error)
        if further:
            self._log(f"{constants.CLIENT_CLASS}.{method} is refused by way of {way} ({error}); trying {further[0]}")
            return
        hint = "" if self.way else f". Only via={way} was tried: another spelling or a command may do, see via=auto"
        raise MethodFailed(f"the endpoint refuses {constants.CLIENT_CLASS}.{method}: {error}{hint}") from error

    def _invoke(self, method: str, parameters: dict[str, bool | str], spelling: Spelling) -> None:
        output = self._endpoint.session.invoke(
            constants.CLIENT_NAMESPACE,
            constants.CLIENT_CLASS,
            method,
            parameters,
            writes=True,
            spelling=spelling,
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
    for _attempt in backoff:
        try:
            with writing():
                methods.trigger(identifier)
        except PASSING as error:
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
