# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the wire: XML namespaces, actions and dialects of WS-Management (DSP0226, MS-WSMV)."""

from __future__ import annotations

from enum import Enum, auto

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
MS_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
CIM_SCHEMA = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"
WMI_ERROR = f"{CIM_SCHEMA}/MSFT_WmiError"
CIM_COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"

ANONYMOUS = f"{ADDRESSING}/role/anonymous"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"

GET = f"{TRANSFER}/Get"
CREATE = f"{TRANSFER}/Create"
DELETE = f"{TRANSFER}/Delete"
ENUMERATE = f"{ENUMERATION}/Enumerate"
PULL = f"{ENUMERATION}/Pull"
SHELL_CMD = f"{SHELL}/cmd"
SHELL_COMMAND = f"{SHELL}/Command"
SHELL_RECEIVE = f"{SHELL}/Receive"
SHELL_SIGNAL = f"{SHELL}/Signal"
SHELL_TERMINATE = f"{SHELL}/signal/terminate"
SHELL_DONE = f"{SHELL}/CommandState/Done"

NAMESPACE_SELECTOR = "__cimnamespace"


class Spelling(Enum):
    """How a request addresses a WMI class: Windows knows both spellings (MS-WSMV 3.1.4.1.1).

    ``WMI``: the namespace stands in the resource URI. ``DMTF``: the URI names the class alone and a selector the
    namespace; Microsoft's CIM cmdlets write it so.
    """

    WMI = auto()
    DMTF = auto()


def wmi_uri(namespace: str, class_name: str) -> str:
    """Resource URI of a WMI class; *namespace* in either spelling (``root/ccm`` or ``root\\ccm``)."""
    return f"{WMI}/{_with_slashes(namespace)}/{class_name}"


def class_address(namespace: str, class_name: str, spelling: Spelling) -> tuple[str, dict[str, str]]:
    """The resource URI of a WMI class, and the selectors that belong to it whatever instance is meant."""
    if spelling is Spelling.WMI:
        return wmi_uri(namespace, class_name), {}
    return f"{CIM_SCHEMA}/{class_name}", {NAMESPACE_SELECTOR: _with_slashes(namespace)}


def _with_slashes(namespace: str) -> str:
    return namespace.replace(chr(92), "/")
