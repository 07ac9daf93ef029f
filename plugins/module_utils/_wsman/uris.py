# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the wire: XML namespaces, actions and dialects of WS-Management (DSP0226, MS-WSMV)."""

from __future__ import annotations

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
MS_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
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


def wmi_uri(namespace: str, class_name: str) -> str:
    """Resource URI of a WMI class; *namespace* in either spelling (``root/ccm`` or ``root\\ccm``)."""
    return f"{WMI}/{namespace.replace(chr(92), '/')}/{class_name}"
