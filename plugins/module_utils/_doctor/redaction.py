# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes out of messages everything that belongs to somebody. Pure.

Nothing is searched for: what is not known to belong to the protocol or to a published class is replaced. So a message
keeps its elements, their order, the names of properties and keys, and the values that tell how the endpoint speaks. A
value that is replaced gets the same placeholder wherever it stands, so equal values stay equal.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from .._wsman import uris
from .._wsman.xml import local_name, parse

_PREFIXES = {
    uris.SOAP: "s",
    uris.ADDRESSING: "a",
    uris.TRANSFER: "x",
    uris.ENUMERATION: "n",
    uris.WSMAN: "w",
    uris.MS_WSMAN: "m",
    uris.MS_FAULT: "f",
    uris.CIM_COMMON: "cim",
    uris.XSI: "xsi",
    uris.WMI_ERROR: "e",
    "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd": "b",
    "http://schemas.xmlsoap.org/ws/2004/08/eventing": "v",
    "http://www.w3.org/XML/1998/namespace": "xml",
}
_NAMES = frozenset(
    {
        "Envelope", "Header", "Body", "To", "From", "ReplyTo", "FaultTo", "Address", "Action", "MessageID", "RelatesTo",
        "ResourceURI", "SelectorSet", "Selector", "Name", "OptionSet", "Option", "MaxEnvelopeSize", "Locale",
        "DataLocale", "lang", "mustUnderstand", "OperationTimeout", "OperationID", "SequenceId", "ActivityId",
        "Enumerate", "EnumerateResponse", "EnumerationContext", "EnumerationMode", "EnumerateObjectAndEPR",
        "OptimizeEnumeration", "MaxElements", "Filter", "Dialect", "Pull", "PullResponse", "Release", "Items", "Item",
        "EndOfSequence", "XmlFragment", "EndpointReference", "ReferenceParameters", "Datetime", "Interval", "nil",
        "type", "Fault", "Code", "Subcode", "Value", "Reason", "Text", "Detail", "FaultDetail", "WSManFault", "Message",
        "ProviderFault", "provider", "path", "Machine", "Provider", "ProviderId", "ExtendedError", "__ExtendedStatus",
        "Description", "Operation", "ParameterInfo", "ProviderName", "StatusCode", "MSFT_WmiError", "IsCIM_Error",
        "CIMStatusCode", "CIMStatusCodeDescription", "ErrorSource", "ErrorSourceFormat", "ErrorType",
        "MessageArguments", "OtherErrorSourceFormat", "OtherErrorType", "OwningEntity", "PerceivedSeverity",
        "ProbableCause", "ProbableCauseDescription", "RecommendedActions", "error_Category", "error_Code", "error_Type",
        "error_WindowsErrorMessage", "ReturnValue",
    }
)  # fmt: skip
_NUMBER = r"-?[0-9]{1,10}"
_VALUES = {
    "lang": r"[a-z]{2}-[A-Z]{2}",
    "mustUnderstand": "[01]",
    "Code": rf"{_NUMBER}|0x[0-9A-Fa-f]{{1,8}}",
    "StatusCode": _NUMBER,
    "CIMStatusCode": _NUMBER,
    "ErrorSourceFormat": _NUMBER,
    "ErrorType": _NUMBER,
    "PerceivedSeverity": _NUMBER,
    "ProbableCause": _NUMBER,
    "error_Category": _NUMBER,
    "error_Code": _NUMBER,
    "error_Type": "HRESULT",
    "EnumerationMode": "EnumerateObjectAndEPR|EnumerateEPR",
    "MessageID": "HRESULT 0x[0-9A-Fa-f]{1,8}",
    "MaxElements": _NUMBER,
    "MaxEnvelopeSize": _NUMBER,
    "OperationTimeout": r"PT[0-9]{1,6}(\.[0-9]{1,3})?S",
    "ReturnValue": _NUMBER,
    # Codes and subcodes of faults, with the prefixes that Windows gives them (DSP0226, MS-WSMV).
    "Value": r"s:(Sender|Receiver|MustUnderstand|VersionMismatch|DataEncodingUnknown)|[a-z]{1,5}:("
    "AccessDenied|ActionNotSupported|AlreadyExists|CannotProcessFilter|Concurrency|DestinationUnreachable"
    "|EncodingLimit|EndpointUnavailable|InternalError|InvalidEnumerationContext|InvalidMessageInformationHeader"
    "|InvalidOptions|InvalidParameter|InvalidSelectors|MessageInformationHeaderRequired|QuotaLimit"
    "|SchemaValidationError|TimedOut|UnsupportedFeature|FilteringNotSupported|FilterDialectRequestedUnavailable)",
}
_KINDS = (
    ("guid", r"(?i)(uuid:|urn:uuid:)?\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?"),
    ("sid", r"S-1-[0-9-]+"),
    ("mac", r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}"),
    ("address", r"[0-9]{1,3}(\.[0-9]{1,3}){3}|(?i:[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*)"),
    ("time", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*|[0-9]{14}\.[0-9]{6}[+-][0-9]{3}"),
    ("number", r"[+-]?[0-9]+"),
    ("url", r"(?i)[a-z]+://.*"),
    ("path", r"(?i)[a-z]:\\.*"),
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FAULT_ACTIONS = ("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", f"{uris.ADDRESSING}/fault")
_URIS = frozenset(
    {value for value in vars(uris).values() if str(value).startswith("http")} | {*_PREFIXES, *_FAULT_ACTIONS}
)
_QUERY_PART = re.compile(
    r"'((?:[^'\\]|\\.)*)'|([A-Za-z_][A-Za-z0-9_]*)|([ ,=<>()*]+)|([^A-Za-z_ ,=<>()*']+|')", re.DOTALL
)
_QUERY_WORDS = frozenset({"select", "from", "where", "and", "or"})


@dataclass(frozen=True)
class Allowlist:
    """What may stay besides the protocol's own.

    ``names`` are names of namespaces, classes, methods, properties and parameters; ``patterns`` say by such a name
    which values may stay; ``literals`` are values that may stay anywhere, in any case of letters.
    """

    names: frozenset[str] = frozenset()
    patterns: t.Mapping[str, str] = field(default_factory=dict)
    literals: frozenset[str] = frozenset()


class Redactor:
    """For the messages of one recording, since its placeholders are told apart by their order."""

    def __init__(self, vocabulary: Allowlist) -> None:
        self._names = _NAMES | vocabulary.names
        self._lower = frozenset(name.lower() for name in self._names)
        self._patterns = {**_VALUES, **vocabulary.patterns}
        self._literals = frozenset(literal.lower() for literal in vocabulary.literals)
        self._placeholders: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def message(self, document: bytes) -> str:
        """An envelope, scrubbed; raises ProtocolError for what is no XML."""
        declarations = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in _PREFIXES.items() if prefix != "xml")
        return self._element(parse(document), "", declarations)

    def value(self, name: str, text: str) -> str:
        """*text*, the value of what is called *name*, or its placeholder."""
        if not text.strip():
            return ""
        if name == "Filter":
            return "".join(self._query_part(match) for match in _QUERY_PART.finditer(text))
        return text if self._may_stay(name, text) else self._placeholder(text)

    def _may_stay(self, name: str, text: str) -> bool:
        if text in ("true", "false") or text.lower() in self._literals or text.removesuffix("Response") in _URIS:
            return True
        pattern = self._patterns.get(name)
        if pattern is not None and re.fullmatch(pattern, text):
            return True
        if name == "type" and text.startswith("p:"):  # xsi:type="p:Class_Type"
            return text[2:].removesuffix("_Type") in self._names
        return self._is_of_wmi(text)

    def _is_of_wmi(self, text: str) -> bool:
        """A resource URI, or an action below one, in which every part is known."""
        below = text.removeprefix(f"{uris.WMI}/").removeprefix(f"{uris.CIM_SCHEMA}/")
        return below != text and all(part == "*" or self._known(part) for part in below.split("/"))

    def _known(self, part: str) -> bool:
        return part.removesuffix("Response").lower() in self._lower

    def _query_part(self, match: re.Match[str]) -> str:
        literal, word, signs, other = match.groups()
        if literal is not None:
            return f"'{self.value('', literal)}'"
        if signs is not None:
            return str(signs)
        known = word is not None and (word.lower() in _QUERY_WORDS or word.lower() in self._lower)
        return str(word) if known else self._placeholder(word or other)

    def _placeholder(self, text: str) -> str:
        if text not in self._placeholders:
            kind = next((kind for kind, pattern in _KINDS if re.fullmatch(pattern, text)), "text")
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._placeholders[text] = f"{kind}-{self._counts[kind]}"
        return self._placeholders[text]

    def _element(self, element: Element, class_uri: str, declarations: str = "") -> str:
        """*class_uri* is what the prefix ``p`` stands for around the element."""
        uri, name = self._name(element.tag)
        prefix = _PREFIXES.get(uri, "p") if uri else ""
        if prefix == "p":
            own = self.value("", uri)
            if own != class_uri:
                class_uri = own
                declarations += f" xmlns:p={quoteattr(own)}"
        tag = f"{prefix}:{name}" if prefix else name
        attributes = "".join(self._attribute(each, value) for each, value in element.items())
        keys = name == "Selector" and _IDENTIFIER.fullmatch(element.get("Name", ""))
        if keys:
            attributes = f' Name="{element.get("Name")}"'
        inner = escape(self.value(local_name(element.tag), element.text or ""))
        inner += "".join(self._element(child, class_uri) for child in element)
        return f"<{tag}{declarations}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{declarations}{attributes}/>"

    def _attribute(self, tag: str, value: str) -> str:
        uri, name = self._name(tag)
        prefix = _PREFIXES.get(uri, "")
        if uri and not prefix:
            name = self._placeholder(tag)
        return f" {prefix + ':' if prefix else ''}{name}={quoteattr(self.value(local_name(tag), value))}"

    def _name(self, tag: str) -> tuple[str, str]:
        uri, _brace, name = tag.rpartition("}")
        # Below a known class stand names of its schema, whatever they are.
        known = name in self._names or (_IDENTIFIER.fullmatch(name) and self._is_of_wmi(uri[1:]))
        return uri[1:], name if known else self._placeholder(name)
