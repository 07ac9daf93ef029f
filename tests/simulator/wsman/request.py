# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a request envelope as Windows does: required headers, mustUnderstand, selectors, options, time-out."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from . import faults, names
from .text import seconds_of

# The smallest envelope that a client may ask for (specified: MS-WSMV 3.1.4.1.18).
SMALLEST_ENVELOPE = 8192
# Windows raises a shorter time-out to this (specified: MS-WSMV).
SHORTEST_TIMEOUT = 0.5

_UNDERSTOOD = {
    *(
        f"{{{names.ADDRESSING}}}{name}"
        for name in ("Action", "To", "MessageID", "ReplyTo", "From", "FaultTo", "RelatesTo")
    ),
    *(
        f"{{{names.WSMAN}}}{name}"
        for name in (
            "ResourceURI",
            "SelectorSet",
            "OptionSet",
            "OperationTimeout",
            "MaxEnvelopeSize",
            "Locale",
            "FragmentTransfer",
            "RequestEPR",
            "RequestTotalItemsCountEstimate",
        )
    ),
    *(
        f"{{{names.MICROSOFT}}}{name}"
        for name in ("DataLocale", "SessionId", "OperationID", "SequenceId", "FlagsEx", "CompressionType", "ActivityId")
    ),
}


@dataclass(frozen=True)
class Request:
    action: str
    resource_uri: str
    message_id: str
    host: str = ""
    address: str = ""
    body: Element | None = None
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    max_envelope_size: int | None = None
    operation_timeout: float | None = None
    operation_id: str = ""
    sequence_id: str = ""

    def selector(self, name: str) -> str:
        """Selector names are case-insensitive (specified)."""
        return next((value for key, value in self.selectors.items() if key.lower() == name.lower()), "")

    def option(self, name: str) -> str:
        return next((value for key, value in self.options.items() if key.lower() == name.lower()), "")


class BadRequest(Exception):
    """A request that ends in a fault before anything was done, with what could be read of it."""

    def __init__(self, fault: faults.Fault, message_id: str = "", host: str = "") -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.message_id = message_id
        self.host = host


def parse(data: bytes) -> Element:
    """An envelope's root element. A document type is refused like any other invalid XML."""
    try:
        root = defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadRequest(faults.invalid_xml()) from error
    if root.tag != f"{{{names.SOAP}}}Envelope":
        raise BadRequest(faults.soap_version() if root.tag.endswith("}Envelope") else faults.invalid_xml())
    return root


def read(root: Element) -> Request:
    header = root.find(f"{{{names.SOAP}}}Header")
    if header is None:
        raise BadRequest(faults.header_required("s:Header"))
    message_id = _text(header, names.ADDRESSING, "MessageID")
    address = _text(header, names.ADDRESSING, "To")
    host = _host(address)
    try:
        return _read(root, header, message_id, address, host)
    except faults.Fault as fault:
        raise BadRequest(fault, message_id, host) from fault


def _read(root: Element, header: Element, message_id: str, address: str, host: str) -> Request:
    for child in header:
        if _is_true(child.get(f"{{{names.SOAP}}}mustUnderstand")) and child.tag not in _UNDERSTOOD:
            raise faults.must_understand(child.tag.rpartition("}")[2])
    reply_to = header.find(f"{{{names.ADDRESSING}}}ReplyTo")
    for name, present in (
        ("wsa:Action", bool(_text(header, names.ADDRESSING, "Action"))),
        ("wsa:To", bool(address)),
        ("wsa:MessageID", bool(message_id)),
        ("wsa:ReplyTo", reply_to is not None),
    ):
        if not present:
            raise faults.header_required(name)
    resource_uri = _text(header, names.WSMAN, "ResourceURI")
    if not resource_uri:
        raise faults.invalid_resource_uri()
    body = root.find(f"{{{names.SOAP}}}Body")
    if body is None:
        raise faults.invalid_body()
    return Request(
        action=_text(header, names.ADDRESSING, "Action"),
        resource_uri=resource_uri,
        message_id=message_id,
        host=host,
        address=address,
        body=next(iter(body), None),
        selectors=_selectors(header),
        options=_options(header),
        max_envelope_size=_envelope_size(header),
        operation_timeout=_timeout(header),
        operation_id=_text(header, names.MICROSOFT, "OperationID"),
        sequence_id=_text(header, names.MICROSOFT, "SequenceId"),
    )


def _text(header: Element, namespace: str, name: str) -> str:
    # Spaces around a value are as good as none: a client that sends them was accepted (recorded).
    return (header.findtext(f"{{{namespace}}}{name}") or "").strip()


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_true(value: str | None) -> bool:
    return (value or "").strip().lower() in {"true", "1"}


def _selectors(header: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for selector in header.iterfind(f"{{{names.WSMAN}}}SelectorSet/{{{names.WSMAN}}}Selector"):
        name = selector.get("Name", "")
        if name.lower() in (known.lower() for known in found):
            raise faults.duplicate_selectors()
        found[name] = selector.text or ""
    return found


def _options(header: Element) -> dict[str, str]:
    path = f"{{{names.WSMAN}}}OptionSet/{{{names.WSMAN}}}Option"
    return {option.get("Name", ""): (option.text or "").strip() for option in header.iterfind(path)}


def _envelope_size(header: Element) -> int | None:
    text = _text(header, names.WSMAN, "MaxEnvelopeSize")
    if not text:
        return None
    # Nothing longer than ten digits is a number of bytes; and int() of a megabyte of digits takes its time.
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise faults.schema_validation()
    if int(text) < SMALLEST_ENVELOPE:
        raise faults.envelope_too_small()
    return int(text)


def _timeout(header: Element) -> float | None:
    text = _text(header, names.WSMAN, "OperationTimeout")
    if not text:
        return None
    try:
        seconds = seconds_of(text)
    except ValueError:
        seconds = -1.0
    if seconds < 0:
        raise faults.invalid_header(
            "The WS-Management service cannot process the request. The request contains an invalid timeout field in "
            f"the SOAP header: {text} "
        )
    return max(seconds, SHORTEST_TIMEOUT)
