# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP faults: the two detail shapes that Windows uses, and the catalogue of those that this simulator answers with.

Recorded: InvalidSelectors, TimedOut, InvalidParameter, CannotProcessFilter, QuotaLimit (MSFT_WmiError),
InternalError of the shell plug-in. Specified (MS-WSMV, wsmerror.h): the other codes and their texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from . import names
from .text import escape, new_id
from .translations import localised

WMI_PLUGIN = ("WMI Provider", r"%systemroot%\system32\WsmWmiPl.dll")
SHELL_PLUGIN = ("Shell cmd plugin", r"%systemroot%\system32\winrscmd.dll")


@dataclass(frozen=True)
class Place:
    """Who answers: what a fault says about the machine, and in which language."""

    host: str  # the name or address that the client used (recorded: Machine="192.168.56.15")
    machine_name: str
    language: str = "en-US"


class Fault(Exception):
    """One SOAP fault. Texts end with a space, as those of Windows do (recorded)."""

    def __init__(
        self,
        code: int,
        subcode: str,
        reason: str,
        *,
        value: Literal["s:Sender", "s:Receiver", "s:MustUnderstand"] = "s:Sender",
        detail_uri: str = "",
        message: str = "",
        provider: tuple[str, str] | None = None,
        nested: bool = False,
        extended_status: tuple[str, str] | None = None,
        shape: Literal["wsman", "wmi_error"] = "wsman",
        relates: bool = True,
        status: int = 500,
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.value = value
        self.detail_uri = detail_uri
        self.message = message or reason
        self.provider = provider
        self.nested = nested
        self.extended_status = extended_status  # (namespace, WQL)
        self.shape = shape
        self.relates = relates
        self.status = status

    @property
    def action(self) -> str:
        """The action follows the vocabulary of the subcode (recorded for n: and w:, specified for a:)."""
        if self.subcode.startswith("n:"):
            return f"{names.ENUMERATION}/fault"
        if self.subcode.startswith("w:"):
            return "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
        return f"{names.ADDRESSING}/fault"

    def render(self, place: Place, relates_to: str) -> str:
        related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to and self.relates else ""
        declared = "".join(f' xmlns:{p}="{names.PREFIXES[p]}"' for p in ("s", "a", "x", "e", "n", "w", "p"))
        subcode = f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode>" if self.subcode else ""
        detail = self._wmi_error(place) if self.shape == "wmi_error" else self._wsman_fault(place)
        reason = escape(localised(self.reason, place.language))
        return (
            f'<s:Envelope xml:lang="{place.language}"{declared}><s:Header><a:Action>{self.action}</a:Action>'
            f"<a:MessageID>uuid:{new_id()}</a:MessageID><a:To>{names.ANONYMOUS}</a:To>{related}</s:Header>"
            f"<s:Body><s:Fault><s:Code><s:Value>{self.value}</s:Value>{subcode}</s:Code>"
            f'<s:Reason><s:Text xml:lang="{place.language}">{reason}</s:Text></s:Reason>'
            f"<s:Detail>{detail}</s:Detail></s:Fault></s:Body></s:Envelope>"
        )

    def _wsman_fault(self, place: Place) -> str:
        uri = f"<w:FaultDetail>{names.FAULT_DETAIL}{self.detail_uri}</w:FaultDetail>" if self.detail_uri else ""
        return f"{uri}{self._fault_element(self._message_content(place), place.host)}"

    def _message_content(self, place: Place) -> str:
        text = escape(localised(self.message, place.language))
        if self.provider is None:
            return text
        if self.nested:
            text = self._fault_element(text, place.machine_name) + self._extended_error()
        name, path = self.provider
        return f'<f:ProviderFault provider="{name}" path="{path}">{text}</f:ProviderFault>'

    def _fault_element(self, content: str, machine: str) -> str:
        return (
            f'<f:WSManFault xmlns:f="{names.FAULT}" Code="{self.code}" Machine="{escape(machine)}">'
            f"<f:Message>{content}</f:Message></f:WSManFault>"
        )

    def _extended_error(self) -> str:
        if self.extended_status is None:
            return ""
        namespace, wql = self.extended_status
        uri = f"{names.WMI_ROOT}{namespace}/__ExtendedStatus"
        return (
            f'<f:ExtendedError><p:__ExtendedStatus xmlns:xsi="{names.XSI}" xmlns:p="{escape(uri)}"'
            f' xmlns:cim="{names.CIM}" xsi:type="p:__ExtendedStatus_Type"><p:Description xsi:nil="true"/>'
            f"<p:Operation>ExecQuery</p:Operation><p:ParameterInfo>{escape(wql)}</p:ParameterInfo>"
            f'<p:ProviderName>WinMgmt</p:ProviderName><p:StatusCode xsi:nil="true"/></p:__ExtendedStatus>'
            f"</f:ExtendedError>"
        )

    def _wmi_error(self, place: Place) -> str:
        text = escape(localised(self.message, place.language))
        fields: list[tuple[str, str, str | None]] = [
            ("CIMStatusCode", "UnsignedInt", "27"),
            ("CIMStatusCodeDescription", "String", None),
            ("ErrorSource", "String", None),
            ("ErrorSourceFormat", "UnsignedShort", "0"),
            ("ErrorType", "UnsignedShort", "0"),
            ("Message", "String", text),
            ("MessageID", "String", f"HRESULT 0x{self.code:08x}"),
            ("OtherErrorSourceFormat", "String", None),
            ("OtherErrorType", "String", None),
            ("OwningEntity", "String", None),
            ("PerceivedSeverity", "UnsignedShort", "0"),
            ("ProbableCause", "UnsignedShort", "0"),
            ("ProbableCauseDescription", "String", None),
            ("error_Category", "UnsignedInt", "30"),
            ("error_Code", "UnsignedInt", str(self.code)),
            ("error_Type", "String", "HRESULT"),
            ("error_WindowsErrorMessage", "String", text),
        ]
        rendered = "".join(
            f'<p:{name} xsi:nil="true" xsi:type="cim:cim{kind}"/>'
            if value is None
            else f'<p:{name} xsi:type="cim:cim{kind}">{value}</p:{name}>'
            for name, kind, value in fields
        )
        return (
            f'<p:MSFT_WmiError xmlns:p="{names.CIM_SCHEMA}MSFT_WmiError" b:IsCIM_Error="true"'
            f' xmlns:b="{names.CIM_BINDING}" xmlns:cim="{names.CIM}" xsi:type="p:MSFT_WmiError_Type"'
            f' xmlns:xsi="{names.XSI}">{rendered}</p:MSFT_WmiError>'
        )


def access_denied() -> Fault:
    """The security descriptor of WinRM or of a plug-in refuses: a Win32 code, not an HRESULT (reported)."""
    return Fault(5, "w:AccessDenied", "Access is denied. ")


def wmi_access_denied(code: int = 2150859012) -> Fault:
    who = {
        2150859012: "The WMI service returned an 'access denied' error. ",
        2150859013: "The WMI provider returned an 'access denied' error. ",
        2150859014: "An 'access denied' error was received when connecting to the WMI service on the computer "
        "specified. ",
    }[code]
    text = f"The WS-Management service cannot process the request. {who}"
    return Fault(code, "w:AccessDenied", text, provider=WMI_PLUGIN, nested=True)


def action_not_supported(action: str) -> Fault:
    text = f"The WS-Management service does not support the action specified in the request. Action: {action} "
    return Fault(2150858771, "a:ActionNotSupported", text, detail_uri="InvalidAction")


def action_mismatch() -> Fault:
    text = (
        "The WS-Management service cannot process the request because the WS-Addressing Action URI in the request "
        "is not compatible with the resource. "
    )
    return Fault(2150858801, "w:ActionMismatch", text)


def cannot_process_filter(message: str, namespace: str, wql: str) -> Fault:
    """Recorded: the class is missing; the nested text then says so, in the language of the machine."""
    return Fault(
        2150858778,
        "n:CannotProcessFilter",
        "The data source could not process the filter. The filter might be missing or it might be invalid. "
        "Change the filter and try the request again.  ",
        message=message,
        provider=WMI_PLUGIN,
        nested=True,
        extended_status=(namespace, wql),
    )


def filter_without_namespace() -> Fault:
    """Reported: a query in a namespace that does not exist answers with this code in the other shape."""
    text = "The data source could not process the filter. The filter might be missing or it might be invalid. "
    return Fault(2150858778, "n:CannotProcessFilter", text, shape="wmi_error")


def not_found(message: str) -> Fault:
    text = (
        "The WS-Management service cannot process the request. The service cannot find the resource identified by "
        "the resource URI and selectors. "
    )
    return Fault(
        2150858752,
        "a:DestinationUnreachable",
        text,
        detail_uri="InvalidResourceURI",
        message=message,
        provider=WMI_PLUGIN,
        nested=True,
    )


def invalid_resource_uri() -> Fault:
    text = (
        "The WS-Management service cannot process the request. The resource URI is missing or it has an incorrect "
        "format. Check the documentation or use the following command for information on how to construct a resource "
        'URI: "winrm help uris". '
    )
    return Fault(2150858811, "a:DestinationUnreachable", text, detail_uri="InvalidResourceURI")


def keys_needed() -> Fault:
    text = (
        "The WinRM client cannot process the request. The resource URI is not valid: it does not contain keys, but the "
        "class selected is not a singleton. To access an instance which is not a singleton, keys must be provided. "
    )
    return Fault(
        2150859002, "a:DestinationUnreachable", text, detail_uri="InvalidResourceURI", provider=WMI_PLUGIN, nested=True
    )


def query_uri() -> Fault:
    text = (
        "The WinRM client cannot process the request. The resource URI for an enumeration operation with WQL filter "
        "must not contain keys and the class name must be '*' (star). "
    )
    return Fault(
        2150859003, "a:DestinationUnreachable", text, detail_uri="InvalidResourceURI", provider=WMI_PLUGIN, nested=True
    )


def enumerate_with_keys() -> Fault:
    text = (
        "The WS-Management service cannot process the request. The resource URI for an Enumerate operation must not "
        "contain keys. "
    )
    return Fault(2150859016, "w:InvalidSelectors", text, detail_uri="UnexpectedSelectors", provider=WMI_PLUGIN)


def invalid_context() -> Fault:
    text = (
        "The WS-Enumeration context in the enumeration is not valid. Enumeration may have been completed or canceled. "
        "You cannot use this enumeration context anymore. Start a new enumeration. "
    )
    return Fault(2150858779, "n:InvalidEnumerationContext", text, value="s:Receiver")


def filter_dialect() -> Fault:
    text = "The data source does not support the dialect of the filter. "
    return Fault(2150858777, "n:FilterDialectRequestedUnavailable", text)


def schema_validation(message: str = "") -> Fault:
    text = (
        "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and retry. "
    )
    return Fault(2150858817, "w:SchemaValidationError", text, message=message)


def invalid_xml() -> Fault:
    """Specified (wsmerror.h); the SOAP subcode is inferred."""
    text = "The WS-Management service cannot process the request because the XML is invalid. "
    return Fault(2150858819, "w:SchemaValidationError", text)


def invalid_body() -> Fault:
    text = (
        "The WS-Management service cannot process the request because the request packet does not have a valid SOAP "
        "body. "
    )
    return Fault(2150858791, "w:SchemaValidationError", text)


def soap_version() -> Fault:
    text = "The WS-Management service does not support the SOAP version specified in the request. "
    return Fault(2150858765, "", text)


def header_required(name: str) -> Fault:
    text = (
        "The WS-Management service cannot process the request. "
        f"The request does not have all the expected SOAP headers. Missing header: {name} "
    )
    return Fault(2150858769, "a:MessageInformationHeaderRequired", text)


def invalid_header(text: str) -> Fault:
    return Fault(2150858767, "a:InvalidMessageInformationHeader", text)


def must_understand(name: str) -> Fault:
    text = (
        "The WS-Management service cannot process a SOAP header in the request that is marked as mustUnderstand by the "
        f"client. Header: {name} "
    )
    return Fault(2150858768, "", text, value="s:MustUnderstand")


def envelope_too_small() -> Fault:
    text = (
        "The WS-Management service cannot process the request because the envelope size in the request is too small. "
    )
    return Fault(2150858878, "w:EncodingLimit", text, detail_uri="MinimumEnvelopeLimit")


def response_too_large() -> Fault:
    text = "The WS-Management service cannot process the response because it is larger than the maximum size allowed. "
    return Fault(2150858790, "w:EncodingLimit", text, detail_uri="MaxEnvelopeSize")


def invalid_selectors(message: str = "") -> Fault:
    """Recorded for a command identifier that does not exist."""
    text = (
        "The WS-Management service cannot process the request because the request contained invalid selectors for the "
        "resource. "
    )
    return Fault(2150858843, "w:InvalidSelectors", text, detail_uri="UnexpectedSelectors", message=message)


def duplicate_selectors() -> Fault:
    text = "The WS-Management service cannot process the request because the request contains duplicate selectors. "
    return Fault(2150858847, "w:InvalidSelectors", text, detail_uri="DuplicateSelectors")


def namespace_conflict() -> Fault:
    text = "The WS-Management service cannot process the request. The namespace selector conflicts with the URI. "
    return Fault(2150859067, "w:InternalError", text, value="s:Receiver")


def not_a_dmtf_class() -> Fault:
    """Specified (wsmerror.h), as the next one; the subcode of both is inferred."""
    text = (
        "The WS-Management service cannot process the request. A DMTF resource URI names a class that is none of the "
        "DMTF's. Try again with another resource URI. "
    )
    return Fault(2150859065, "a:DestinationUnreachable", text, detail_uri="InvalidResourceURI", provider=WMI_PLUGIN)


def other_dmtf_version() -> Fault:
    text = (
        "The WS-Management service cannot process the request. The class has another major version than the DMTF "
        "resource URI asks for. "
    )
    return Fault(2150859066, "a:DestinationUnreachable", text, detail_uri="InvalidResourceURI", provider=WMI_PLUGIN)


def timed_out() -> Fault:
    text = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  "
    return Fault(2150858793, "w:TimedOut", text, value="s:Receiver")


def shell_parameter() -> Fault:
    return Fault(
        87, "w:InvalidParameter", "The parameter is incorrect. ", detail_uri="InvalidValue", provider=SHELL_PLUGIN
    )


def program_not_found() -> Fault:
    return Fault(
        2147942402,
        "w:InternalError",
        "The system cannot find the file specified. ",
        value="s:Receiver",
        provider=SHELL_PLUGIN,
    )


def too_many_shells(limit: int) -> Fault:
    """Recorded, without RelatesTo: quotas are checked before the envelope is."""
    return Fault(
        2150859173,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this user "
        "has been exceeded. Close existing shells or raise the quota for this user. ",
        message="The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
        shape="wmi_error",
        relates=False,
    )


def too_many_operations(limit: int, shape: str = "wmi_error") -> Fault:
    return Fault(
        2150859174,
        "w:InternalError",
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent operations, which has been exceeded. Close existing operations for this user, or raise "
        "the quota for this user. ",
        value="s:Receiver",
        shape="wmi_error" if shape == "wmi_error" else "wsman",
        relates=shape != "wmi_error",
    )


def too_many_plugin_operations() -> Fault:
    """Specified (wsmerror.h); that it comes in this shape, and with the subcode of the shells' quota, is inferred."""
    text = (
        "The WS-Management service cannot process the request. This user runs as many operations at once as the "
        "plug-in allows. Retry later or raise the quota Maximum Operations per User. "
    )
    return Fault(2150859240, "w:QuotaLimit", text)


def too_many_commands() -> Fault:
    """Specified (wsmerror.h); the subcode is inferred."""
    text = (
        "The WS-Management service cannot process the request. As many commands run in this shell at once as are "
        "allowed. Retry later or raise the quota Maximum Commands per Shell. "
    )
    return Fault(2150859241, "w:QuotaLimit", text)


def code_page_not_supported() -> Fault:
    """The code is specified (wsmerror.h); that the service answers Create with it is inferred."""
    text = "The WinRS client cannot process the request. The server cannot set Code Page. "
    return Fault(2150859072, "w:InvalidOptions", text, detail_uri="InvalidValue", provider=SHELL_PLUGIN)


def wmi_unknown(hresult: int) -> Fault:
    """A WBEM status without a WS-Management code of its own travels as it is (reported)."""
    text = f"The WMI service or the WMI provider returned an unknown error: HRESULT 0x{hresult:08x} "
    return Fault(hresult, "w:InternalError", text, value="s:Receiver", provider=WMI_PLUGIN, nested=True)


def provider_not_capable() -> Fault:
    text = (
        "The WS-Management service cannot process the request. The WMI service reported that the WMI provider could "
        "not perform the requested operation. "
    )
    return Fault(2150859010, "w:InternalError", text, value="s:Receiver", provider=WMI_PLUGIN, nested=True)


def invalid_parameter() -> Fault:
    text = (
        "The WS-Management service cannot process the request. The WMI provider returned an 'invalid parameter' error. "
    )
    return Fault(2150859038, "w:InvalidParameter", text, provider=WMI_PLUGIN, nested=True)


def any_code(code: int) -> Fault:
    """A fault that was asked for by its code alone."""
    known: dict[int, Fault] = {
        fault.code: fault
        for fault in (
            access_denied(),
            wmi_access_denied(2150859012),
            wmi_access_denied(2150859013),
            wmi_access_denied(2150859014),
            cannot_process_filter("The specified class does not exist in the given namespace. ", "root/cimv2", ""),
            not_found("The WS-Management service cannot process the request. The object was not found. "),
            invalid_resource_uri(),
            invalid_context(),
            schema_validation(),
            invalid_selectors(),
            timed_out(),
            program_not_found(),
            shell_parameter(),
            too_many_shells(30),
            too_many_operations(1500),
            too_many_plugin_operations(),
            too_many_commands(),
            code_page_not_supported(),
            provider_not_capable(),
            invalid_parameter(),
        )
    }
    return known.get(code) or wmi_unknown(code)
