# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP envelopes: one function writes a request, one reads a reply."""

from __future__ import annotations

import re
import typing as t
import uuid
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from . import uris
from .cim import text_of
from .errors import FaultDetail, ProtocolError, fault
from .xml import local_name, parse


def request(
    action: str,
    resource_uri: str,
    body: str,
    *,
    to: str,
    operation_timeout: float,
    max_envelope_size: int,
    selectors: t.Mapping[str, str] | None = None,
    options: t.Mapping[str, str] | None = None,
) -> bytes:
    """An envelope ready to send. *body* is XML; *operation_timeout* is in seconds, *max_envelope_size* in octets."""
    optional = ""
    if selectors:
        items = "".join(f"<w:Selector Name={quoteattr(k)}>{text_of(v)}</w:Selector>" for k, v in selectors.items())
        optional += f"<w:SelectorSet>{items}</w:SelectorSet>"
    if options:
        items = "".join(f"<w:Option Name={quoteattr(k)}>{text_of(v)}</w:Option>" for k, v in options.items())
        optional += f'<w:OptionSet s:mustUnderstand="true">{items}</w:OptionSet>'
    return (
        f'<s:Envelope xmlns:s="{uris.SOAP}" xmlns:a="{uris.ADDRESSING}" xmlns:w="{uris.WSMAN}"'
        f' xmlns:m="{uris.MS_WSMAN}"><s:Header>'
        f"<a:To>{text_of(to)}</a:To>"
        f'<w:ResourceURI s:mustUnderstand="true">{text_of(resource_uri)}</w:ResourceURI>'
        f'<a:ReplyTo><a:Address s:mustUnderstand="true">{uris.ANONYMOUS}</a:Address></a:ReplyTo>'
        f'<a:Action s:mustUnderstand="true">{text_of(action)}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">{max_envelope_size}</w:MaxEnvelopeSize>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f'<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>'
        f'<m:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
        f"<w:OperationTimeout>PT{operation_timeout:.3f}S</w:OperationTimeout>"
        f"{optional}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def read(document: bytes) -> Element:
    """The ``s:Body`` of a reply; raises the Fault that it holds, or ProtocolError."""
    root = parse(document)
    body = root.find(f"{{{uris.SOAP}}}Body")
    if root.tag != f"{{{uris.SOAP}}}Envelope" or body is None:
        raise ProtocolError("the answer is XML, but not a SOAP 1.2 envelope: this is not a WinRM service")
    soap_fault = body.find(f"{{{uris.SOAP}}}Fault")
    if soap_fault is not None:
        raise fault(_fault_detail(soap_fault))
    return body


def _fault_detail(soap_fault: Element) -> FaultDetail:
    soap_code = f"{{{uris.SOAP}}}Code"
    value = f"{{{uris.SOAP}}}Value"
    subcode = soap_fault.findtext(f"{soap_code}/{{{uris.SOAP}}}Subcode/{value}", "").strip()
    subcode = subcode or soap_fault.findtext(f"{soap_code}/{value}", "").strip()
    reason = " ".join(soap_fault.findtext(f"{{{uris.SOAP}}}Reason/{{{uris.SOAP}}}Text", "").split())
    code: int | None = None
    provider = ""
    for element in soap_fault.iter():
        name = local_name(element.tag)
        if name == "WSManFault" and code is None:
            code = _number(element.get("Code"))
        elif name == "error_Code" and code is None:
            code = _number(element.text)
        # The innermost text is the provider's own words, the most exact that there is.
        if name in ("Message", "ProviderFault", "error_WindowsErrorMessage") and (element.text or "").strip():
            provider = " ".join((element.text or "").split())
    return FaultDetail(code=code, subcode=subcode.rpartition(":")[2], reason=reason, provider=provider)


def _number(text: str | None) -> int | None:
    match = re.fullmatch(r"\s*(-?[0-9]{1,10})\s*", text or "")
    return int(match[1]) & 0xFFFFFFFF if match else None
