# SPDX-License-Identifier: GPL-3.0-or-later
"""bare_pywinrm.py PORT USER PASSWORD ADDRESS...: reads two registry values of each, with pywinrm and nothing else."""

from __future__ import annotations

import sys

import xmltodict
from winrm.protocol import Protocol

URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/default/StdRegProv"
KEY = r"SOFTWARE\Microsoft\CCM\CcmExec"

port, username, password, *addresses = sys.argv[1:]
for address in addresses:
    protocol = Protocol(f"http://{address}:{port}/wsman", transport="ntlm", username=username, password=password)
    for name in ("ProvisioningMode", "SystemTaskExcludes"):
        header = protocol.build_wsman_header(resource_uri=URI, action=f"{URI}/GetStringValue")
        arguments = {"@xmlns:r": URI, "r:hDefKey": "2147483650", "r:sSubKeyName": KEY, "r:sValueName": name}
        envelope = {**header, "env:Body": {"r:GetStringValue_INPUT": arguments}}
        protocol.send_message(xmltodict.unparse({"env:Envelope": envelope}))
    protocol.transport.close_session()
