# SPDX-License-Identifier: GPL-3.0-or-later
"""bare_pywinrm.py USER PASSWORD THREADS FILE: reads two registry values of each endpoint, with pywinrm and no more.

FILE has an address and a port a line.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import requests
import xmltodict
from winrm.protocol import Protocol

URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/default/StdRegProv"
KEY = r"SOFTWARE\Microsoft\CCM\CcmExec"

username, password, threads, path = sys.argv[1:]


def ask(line: str) -> None:
    address, port = line.split()
    protocol = Protocol(f"http://{address}:{port}/wsman", transport="ntlm", username=username, password=password)
    try:
        for name in ("ProvisioningMode", "SystemTaskExcludes"):
            header = protocol.build_wsman_header(resource_uri=URI, action=f"{URI}/GetStringValue")
            arguments = {"@xmlns:r": URI, "r:hDefKey": "2147483650", "r:sSubKeyName": KEY, "r:sValueName": name}
            envelope = {**header, "env:Body": {"r:GetStringValue_INPUT": arguments}}
            protocol.send_message(xmltodict.unparse({"env:Envelope": envelope}))
    except requests.exceptions.ConnectTimeout:
        pass  # it is switched off
    finally:
        protocol.transport.close_session()


with open(path, encoding="utf-8") as file, ThreadPoolExecutor(int(threads)) as pool:
    for _ in pool.map(ask, file):
        pass
