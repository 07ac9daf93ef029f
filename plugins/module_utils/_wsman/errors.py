# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between here and an answer, as a small family that says what happened.

``EndpointUnreachable`` means that nothing was asked; ``Fault`` is the endpoint's own answer;
the rest lies between the two. ``layer`` names the place for reports and messages.
"""

from __future__ import annotations

from dataclasses import dataclass


class WSManError(Exception):
    """Base of all. ``layer`` is the place where it happened, one word; ``remedy`` a key of the advice for it."""

    layer = "wsman"
    remedy = ""


class EndpointUnreachable(WSManError):
    """No WS-Management service answered: ``layer`` is dns, port, proxy, tls, timeout or http.

    ``remedy`` is the advice to give, where there is a better one than that of the layer.
    """

    def __init__(self, message: str, layer: str, remedy: str = "") -> None:
        super().__init__(message)
        self.layer = layer
        self.remedy = remedy or layer


class LoginRejected(WSManError):
    """The endpoint refused the credentials. Never retried."""

    layer = "login"


class LoginUnavailable(WSManError):
    """The endpoint offers no login that may be used, or lets nobody in: no credentials were judged."""

    layer = "login"


class LoginWithheld(LoginUnavailable):
    """No login was tried, since one more that is rejected might lock the account."""


class LoginLost(WSManError):
    """The endpoint let this account in and answered, and then refused a login: ``layer`` is that one's. Never retried.

    What it had been asked before stands.
    """

    def __init__(self, message: str, layer: str) -> None:
        super().__init__(message)
        self.layer = layer


class TicketUnavailable(LoginUnavailable):
    """Kerberos gave no ticket for this endpoint, or the endpoint took none. The message says what to do."""

    layer = "kerberos"


class ConnectionLost(WSManError):
    """The connection broke after the login. Whether the last request was carried out is not known."""

    layer = "connection"


class StaleConnection(ConnectionLost):
    """A kept-alive connection that the endpoint had closed: a new one may do better."""


class NotSent(WSManError):
    """A request that writes was held back, since what decides could not be read. ``layer`` is where that failed."""

    def __init__(self, message: str, layer: str) -> None:
        super().__init__(message)
        self.layer = layer


class Unjudged(RuntimeError):
    """A defect of ours: something was to be written that nobody judges."""


class DeadlineExceeded(WSManError):
    """The session's deadline passed. Whether the last request was carried out is not known."""

    layer = "timeout"


class ProtocolError(WSManError):
    """The answer is not what WS-Management allows: not XML, truncated, too large, of a wrong type."""

    layer = "protocol"


class SettingsError(WSManError):
    """The settings cannot work; nothing was sent."""

    layer = "settings"


class LibraryMissing(SettingsError):
    """The login that is asked for needs a library that is not installed; nothing was sent."""

    layer = "library"


@dataclass(frozen=True)
class FaultDetail:
    """A SOAP fault as it arrived. Texts are in the endpoint's language: never decide by them.

    ``subcode``: the code of SOAP itself, such as ``Sender``, where the fault has no subcode.
    """

    code: int | None
    subcode: str
    reason: str
    provider: str = ""

    @property
    def text(self) -> str:
        parts = [self.provider or self.reason]
        if self.code is not None:
            name = _CODE_NAMES.get(self.code)
            parts.append(f"[{self.code:#010x}{' ' + name if name else ''}]")
        elif self.subcode:
            parts.append(f"[{self.subcode}]")
        return " ".join(part for part in parts if part)


class Fault(WSManError):
    """The endpoint answered with a fault; ``detail`` keeps code, subcode and texts, ``operation`` what was asked."""

    layer = "fault"

    def __init__(self, detail: FaultDetail) -> None:
        super().__init__(detail.text)
        self.detail = detail
        self.operation = ""

    def __str__(self) -> str:
        return f"{self.operation}: {self.detail.text}" if self.operation else self.detail.text


class AccessDenied(Fault):
    """The account may not do this (WinRM's, the plug-in's, the namespace's or the provider's rights)."""

    layer = "permission"


class NotFound(Fault):
    """No such namespace, class, instance or resource. Windows does not say which."""

    layer = "class"


class FileMissing(Fault):
    """The program that a shell was to start does not exist."""

    layer = "command"


class FilterRejected(NotFound):
    """The query failed: for a query known to be well formed, its namespace or class is missing."""


class QuotaExceeded(Fault):
    """A limit of the WinRM service or of one of its plug-ins is reached; it may pass."""

    layer = "quota"


class OperationTimedOut(Fault):
    """The operation outlasted OperationTimeout; the provider may still be working."""

    layer = "timeout"


class OperationRefused(Fault):
    """The endpoint does not offer this operation or method on this path."""

    layer = "method"


class InvalidRequest(Fault):
    """The endpoint understood the request and found a parameter, selector or header wrong."""

    layer = "request"


class ProviderFailure(Fault):
    """The WMI provider failed or is not ready; it may pass."""

    layer = "provider"


_KINDS: tuple[tuple[type[Fault], dict[int, str]], ...] = (
    (
        AccessDenied,
        {
            0x00000005: "ERROR_ACCESS_DENIED",
            0x80070005: "E_ACCESSDENIED",
            0x80041003: "WBEM_E_ACCESS_DENIED",
            0x80338104: "ERROR_WSMAN_WMI_SVC_ACCESS_DENIED",
            0x80338105: "ERROR_WSMAN_WMI_PROVIDER_ACCESS_DENIED",
            0x80338106: "ERROR_WSMAN_WMI_CANNOT_CONNECT_ACCESS_DENIED",
        },
    ),
    (FileMissing, {0x80070002: "ERROR_FILE_NOT_FOUND", 0x80070003: "ERROR_PATH_NOT_FOUND"}),
    (FilterRejected, {0x8033801A: "ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER"}),
    (
        NotFound,
        {
            0x80338000: "ERROR_WSMAN_RESOURCE_NOT_FOUND",
            0x80338002: "ERROR_WSMAN_INVALID_URI",
            0x8033803B: "ERROR_WSMAN_INVALID_RESOURCE_URI",
            0x80041002: "WBEM_E_NOT_FOUND",
            0x8004100E: "WBEM_E_INVALID_NAMESPACE",
            0x80041010: "WBEM_E_INVALID_CLASS",
        },
    ),
    (
        QuotaExceeded,
        {
            0x803381A5: "ERROR_WSMAN_QUOTA_MAX_SHELLS",
            0x803381A6: "ERROR_WSMAN_QUOTA_MAX_OPERATIONS",
            0x803381A7: "ERROR_WSMAN_QUOTA_USER",
            0x803381A8: "ERROR_WSMAN_QUOTA_SYSTEM",
            0x803381E4: "ERROR_WSMAN_QUOTA_MAX_SHELLS_PPQ",
            0x803381E5: "ERROR_WSMAN_QUOTA_MAX_USERS_PPQ",
            0x803381E6: "ERROR_WSMAN_QUOTA_MAX_PLUGINSHELLS_PPQ",
            0x803381E7: "ERROR_WSMAN_QUOTA_MAX_PLUGINOPERATIONS_PPQ",
            0x803381E8: "ERROR_WSMAN_QUOTA_MAX_OPERATIONS_USER_PPQ",
            0x803381E9: "ERROR_WSMAN_QUOTA_MAX_COMMANDS_PER_SHELL_PPQ",
        },
    ),
    (OperationTimedOut, {0x80338029: "ERROR_WSMAN_OPERATION_TIMEDOUT"}),
    (
        OperationRefused,
        {
            0x80338001: "ERROR_WSMAN_INVALID_ACTIONURI",
            0x80338013: "ERROR_WSMAN_ACTION_NOT_SUPPORTED",
            0x80338031: "ERROR_WSMAN_ACTION_MISMATCH",
            0x80338102: "ERROR_WSMAN_WMI_PROVIDER_NOT_CAPABLE",
            0x80338138: "ERROR_WSMAN_REQUEST_NOT_SUPPORTED_AT_SERVICE",
            0x80338139: "ERROR_WSMAN_URI_NON_DMTF_CLASS",
            0x8033813A: "ERROR_WSMAN_URI_WRONG_DMTF_VERSION",
            0x8004100C: "WBEM_E_NOT_SUPPORTED",
            0x80041024: "WBEM_E_PROVIDER_NOT_CAPABLE",
            0x8004102E: "WBEM_E_INVALID_METHOD",
        },
    ),
    (
        InvalidRequest,
        {
            0x00000057: "ERROR_INVALID_PARAMETER",
            0x8033800F: "ERROR_WSMAN_INVALID_MESSAGE_INFORMATION_HEADER",
            0x80338041: "ERROR_WSMAN_SCHEMA_VALIDATION_ERROR",
            0x8033805A: "ERROR_WSMAN_INSUFFCIENT_SELECTORS",
            0x8033805B: "ERROR_WSMAN_UNEXPECTED_SELECTORS",
            0x8033805E: "ERROR_WSMAN_AMBIGUOUS_SELECTORS",
            0x80338103: "ERROR_WSMAN_WMI_INVALID_VALUE",
            0x8033811E: "ERROR_WSMAN_WMI_PROVIDER_INVALID_PARAMETER",
            0x8033813B: "ERROR_WSMAN_DIFFERENT_CIM_SELECTOR",
            0x80041008: "WBEM_E_INVALID_PARAMETER",
            0x8004102F: "WBEM_E_INVALID_METHOD_PARAMETERS",
        },
    ),
    (
        ProviderFailure,
        {
            0x80004005: "E_FAIL",
            0x80041001: "WBEM_E_FAILED",
            0x80041004: "WBEM_E_PROVIDER_FAILURE",
            0x80041013: "WBEM_E_PROVIDER_LOAD_FAILURE",
            0x80041015: "WBEM_E_TRANSPORT_FAILURE",
            0x80041033: "WBEM_E_SHUTTING_DOWN",
        },
    ),
)
_KIND_BY_CODE = {code: kind for kind, codes in _KINDS for code in codes}
_CODE_NAMES = {code: name for _kind, codes in _KINDS for code, name in codes.items()}

# For faults without a code, and for codes that no table has: the subcode is part of the standard.
_KIND_BY_SUBCODE: dict[str, type[Fault]] = {
    "AccessDenied": AccessDenied,
    "DestinationUnreachable": NotFound,
    "CannotProcessFilter": FilterRejected,
    "QuotaLimit": QuotaExceeded,
    "TimedOut": OperationTimedOut,
    "ActionNotSupported": OperationRefused,
    "ActionMismatch": OperationRefused,
    "InvalidSelectors": InvalidRequest,
    "InvalidParameter": InvalidRequest,
    "SchemaValidationError": InvalidRequest,
    "MustUnderstand": InvalidRequest,
}


def fault(detail: FaultDetail) -> Fault:
    """The exception that says what *detail* means."""
    kind = _KIND_BY_CODE.get(detail.code) if detail.code is not None else None
    return (kind or _KIND_BY_SUBCODE.get(detail.subcode) or Fault)(detail)
