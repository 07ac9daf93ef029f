# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests say on the wire: envelopes of their own, sent by other people's clients or by a bare socket."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from pypsrp.wsman import WSMan
from simulator.client import Simulator
from winrm.protocol import Protocol

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
CIM_SCHEMA = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
STDREGPROV = f"{WMI}root/default/StdRegProv"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
HKLM = "2147483650"
CCMEXEC = "SOFTWARE\\Microsoft\\CCM\\CcmExec"
NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": ENUMERATION,
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "rsp": SHELL,
}


def envelope(
    resource: str,
    action: str,
    body: str = "",
    *,
    selectors: Mapping[str, str] | None = None,
    headers: str = "",
    timeout: str = "PT20S",
    size: int = 153600,
    message_id: str = "",
) -> str:
    selected = "".join(
        f'<w:Selector Name="{key}">{escape(text)}</w:Selector>' for key, text in (selectors or {}).items()
    )
    selected = f"<w:SelectorSet>{selected}</w:SelectorSet>" if selected else ""
    return (
        f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:a="{NS["a"]}" xmlns:w="{NS["w"]}" xmlns:n="{NS["n"]}"><s:Header>'
        "<a:To>http://endpoint.example:5985/wsman</a:To>"
        f'<w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>'
        f"<a:ReplyTo><a:Address>{NS['a']}/role/anonymous</a:Address></a:ReplyTo>"
        f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
        f"<w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize><w:OperationTimeout>{timeout}</w:OperationTimeout>"
        f"<a:MessageID>{message_id or f'uuid:{uuid.uuid4()}'}</a:MessageID>{selected}{headers}"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def call(resource: str, method: str, arguments: Sequence[tuple[str, str]] = (), **options: Any) -> str:
    inputs = "".join(f"<p:{name}>{escape(text)}</p:{name}>" for name, text in arguments)
    body = f'<p:{method}_INPUT xmlns:p="{resource}">{inputs}</p:{method}_INPUT>'
    return envelope(resource, f"{resource}/{method}", body, **options)


def read_value(name: str, key: str = CCMEXEC, method: str = "GetStringValue", **options: Any) -> str:
    arguments = [("hDefKey", HKLM), ("sSubKeyName", key), ("sValueName", name)]
    return call(STDREGPROV, method, arguments, **options)


def query(wql: str, namespace: str = "root/cimv2", *, optimised: bool = True, most: int = 32000, **options: Any) -> str:
    asked = f"<w:OptimizeEnumeration/><w:MaxElements>{most}</w:MaxElements>" if optimised else ""
    dialect = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
    body = f'<n:Enumerate>{asked}<w:Filter Dialect="{dialect}">{escape(wql)}</w:Filter></n:Enumerate>'
    return envelope(f"{WMI}{namespace}/*", f"{ENUMERATION}/Enumerate", body, **options)


def pull(context: str, namespace: str = "root/cimv2", most: int | None = 32000, **options: Any) -> str:
    count = "" if most is None else f"<n:MaxElements>{most}</n:MaxElements>"
    body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>{count}</n:Pull>"
    return envelope(f"{WMI}{namespace}/*", f"{ENUMERATION}/Pull", body, **options)


class Host:
    """One endpoint, and the ways to reach it."""

    def __init__(self, fleet: Simulator, name: str) -> None:
        self.fleet = fleet
        self.name = name
        self.entry = next(entry for entry in fleet.endpoints() if entry["name"] == name)
        self.address = str(self.entry["address"])

    def pywinrm(self, scheme: str = "http", transport: Any = "ntlm", **options: Any) -> Protocol:
        port = self.fleet.https_port if scheme == "https" else self.fleet.http_port
        return Protocol(
            f"{scheme}://{self.address}:{port}/wsman",
            transport,
            self.entry["username"],
            self.entry["password"],
            ca_trust_path=self.fleet.ca_file,
            **options,
        )

    def pypsrp(self, auth: str = "ntlm", *, ssl: bool = False, **options: Any) -> WSMan:
        return WSMan(
            self.address,
            port=self.fleet.https_port if ssl else self.fleet.http_port,
            username=self.entry["username"],
            password=self.entry["password"],
            auth=auth,
            ssl=ssl,
            **{"cert_validation": self.fleet.ca_file, **options},
        )

    def send(self, message: str) -> ElementTree.Element:
        return ElementTree.fromstring(self.pywinrm().send_message(message))

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address, self.fleet.http_port), timeout=10)

    def raw(self, request: bytes) -> bytes:
        """Everything that comes back on one connection until the server closes it."""
        with self.connect() as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def post(self, body: bytes, *headers: str) -> bytes:
        lines = ["POST /wsman HTTP/1.1", f"Host: {self.address}", f"Content-Length: {len(body)}", *headers]
        return self.raw("\r\n".join([*lines, "", ""]).encode() + body)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def local_names(element: ElementTree.Element) -> list[str]:
    return [child.tag.rpartition("}")[2] for child in element]
