# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as Windows writes them: one line, its usual prefixes, no declaration. Made for these tests.

Namespaces are written out once more here, from the specifications: a slip in the code must not be repeated by its test.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
X = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
P = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
F = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
MSFT_WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
ANONYMOUS = f"{A}/role/anonymous"
NAMESPACES = {"s": S, "a": A, "x": X, "n": N, "w": W, "p": P, "f": F, "rsp": RSP, "cim": CIM, "xsi": XSI}


def envelope(body: str, *, action: str = "", relates_to: str = "uuid:1", language: str = "en-US") -> bytes:
    """A reply. The Microsoft prefix p is bound in the header and again, to the class, within the body."""
    related = f"<a:RelatesTo>{relates_to}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="{language}" xmlns:s="{S}" xmlns:a="{A}" xmlns:x="{X}" xmlns:n="{N}" xmlns:w="{W}"'
        f' xmlns:p="{P}"><s:Header><a:Action>{action}</a:Action>'
        "<a:MessageID>uuid:5B1C7E0A-0000-4000-8000-000000000001</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To>{related}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def row(class_name: str, properties: str, namespace: str = "root/cimv2") -> str:
    """A whole instance, as SELECT * and Get return it."""
    return (
        f'<p:{class_name} xmlns:xsi="{XSI}" xmlns:p="{WMI}/{namespace}/{class_name}" xmlns:cim="{CIM}"'
        f' xsi:type="p:{class_name}_Type">{properties}</p:{class_name}>'
    )


def projected(properties: str) -> str:
    """A row of SELECT a,b: its properties are in no namespace."""
    return f'<w:XmlFragment xmlns:xsi="{XSI}" xmlns:w="{W}">{properties}</w:XmlFragment>'


def output(class_name: str, method: str, properties: str, namespace: str = "root/default") -> bytes:
    """What a method returns."""
    uri = f"{WMI}/{namespace}/{class_name}"
    return envelope(
        f'<p:{method}_OUTPUT xmlns:xsi="{XSI}" xmlns:p="{uri}" xmlns:cim="{CIM}">{properties}</p:{method}_OUTPUT>',
        action=f"{uri}/{method}Response",
    )


def first_page(items: str, context: str = "", *, end: bool = False) -> bytes:
    """An EnumerateResponse: Items and EndOfSequence stand in WS-Management's namespace."""
    ended = "<w:EndOfSequence/>" if end else ""
    return envelope(
        f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>"
        f"<w:Items>{items}</w:Items>{ended}</n:EnumerateResponse>"
    )


def next_page(items: str, context: str = "", *, end: bool = False) -> bytes:
    """A PullResponse: Items and EndOfSequence stand in WS-Enumeration's namespace; the last has no context."""
    continued = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else ""
    ended = "<n:EndOfSequence/>" if end else ""
    return envelope(f"<n:PullResponse>{continued}<n:Items>{items}</n:Items>{ended}</n:PullResponse>")


def fault_body(subcode: str, reason: str, detail: str, *, sender: str = "s:Sender", language: str = "en-US") -> str:
    below = f"<s:Subcode><s:Value>{subcode}</s:Value></s:Subcode>" if subcode else ""
    return (
        f"<s:Fault><s:Code><s:Value>{sender}</s:Value>{below}</s:Code>"
        f'<s:Reason><s:Text xml:lang="{language}">{escape(reason)}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )


def wsman_fault(
    code: int | str,
    subcode: str = "w:InternalError",
    reason: str = "It failed.",
    message: str = "",
    *,
    language: str = "en-US",
    relates_to: str = "uuid:1",
) -> bytes:
    """A fault of the first shape: f:WSManFault. *message* is text or further XML."""
    detail = (
        f'<f:WSManFault xmlns:f="{F}" Code="{code}" Machine="pc-0001">'
        f"<f:Message>{message or escape(reason)}</f:Message></f:WSManFault>"
    )
    return envelope(
        fault_body(subcode, reason, detail, language=language),
        action="http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        language=language,
        relates_to=relates_to,
    )


def wmi_error_fault(code: int, subcode: str, message: str) -> bytes:
    """A fault of the second shape: p:MSFT_WmiError, as seen without a RelatesTo."""
    detail = (
        '<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
        f' xmlns:cim="{CIM}" xmlns:p="{MSFT_WMI_ERROR}" xsi:type="p:MSFT_WmiError_Type" xmlns:xsi="{XSI}">'
        '<p:CIMStatusCode xsi:type="cim:cimUnsignedInt">27</p:CIMStatusCode>'
        '<p:ErrorSource xsi:nil="true" xsi:type="cim:cimString"/>'
        f'<p:Message xsi:type="cim:cimString">{escape(message)}</p:Message>'
        f'<p:MessageID xsi:type="cim:cimString">HRESULT {code:#x}</p:MessageID>'
        '<p:error_Category xsi:type="cim:cimUnsignedInt">30</p:error_Category>'
        f'<p:error_Code xsi:type="cim:cimUnsignedInt">{code}</p:error_Code>'
        '<p:error_Type xsi:type="cim:cimString">HRESULT</p:error_Type>'
        f'<p:error_WindowsErrorMessage xsi:type="cim:cimString">{escape(message)}</p:error_WindowsErrorMessage>'
        "</p:MSFT_WmiError>"
    )
    return envelope(fault_body(subcode, "The request was refused.", detail), relates_to="")
