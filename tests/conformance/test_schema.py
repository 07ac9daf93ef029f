# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulator sends is valid by Microsoft's schemas (MS-WSMV), where they say something about it.

The schemas are not part of the project: they are looked for where the recordings are. Windows' own recorded answers
are not all valid: the description of a new shell has elements in another order than the schema, the configuration one
that is younger. There the simulator follows the recordings, so it may differ from a schema as they do, and not else.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
import requests
import xmlschema
from recordings import FOLDER
from simulator.client import Simulator
from simulator_tests.wire import SHELL, TRANSFER, WMI, Host, call, envelope, query

SCHEMAS = FOLDER / "schema"

pytestmark = [
    pytest.mark.needs_shared,
    pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no schemas in {SCHEMAS}"),
]

FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
_NAMES = {SHELL: "ms-wsman-shell", FAULT: "ms-wsman-fault", CONFIG: "ms-wsman-config"}
# The shells' schema refers to SOAP's, which is not handed over with it: as much of it as is referred to.
_SOAP = """
<xs:schema targetNamespace="http://www.w3.org/2003/05/soap-envelope" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:s="http://www.w3.org/2003/05/soap-envelope" elementFormDefault="qualified">
  <xs:complexType name="Envelope"><xs:sequence><xs:any processContents="lax" maxOccurs="unbounded"/></xs:sequence>
  </xs:complexType>
  <xs:attribute name="mustUnderstand" type="xs:boolean"/>
</xs:schema>
"""


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, xmlschema.XMLSchema]:
    soap = tmp_path_factory.mktemp("schema") / "soap-envelope.xsd"
    soap.write_text(_SOAP, encoding="utf-8")
    locations = {"http://www.w3.org/2003/05/soap-envelope": str(soap)}
    return {
        namespace: xmlschema.XMLSchema(str(SCHEMAS / f"{name}.xsd"), locations=locations, allow="all")
        for namespace, name in _NAMES.items()
    }


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    endpoint = {"name": "PC-PLAIN", "allow_unencrypted": True, "auth": ["negotiate", "basic"]}
    with Simulator({"waits": "skipped", "endpoints": [endpoint]}) as fleet:
        yield Host(fleet, "PC-PLAIN")


def judged(message: str, schemas: dict[str, xmlschema.XMLSchema]) -> dict[str, list[str]]:
    """What the schemas say of each outermost element of theirs: nothing where it is valid."""
    found: dict[str, list[str]] = {}

    def visit(element: ElementTree.Element) -> None:
        namespace, _, name = element.tag.lstrip("{").rpartition("}")
        schema = schemas.get(namespace)
        if schema is None:
            for child in element:
                visit(child)
        else:
            found.setdefault(name, []).extend(str(error.reason) for error in schema.iter_errors(element))

    visit(ElementTree.fromstring(message))
    return found


def send(host: Host, message: str) -> str:
    login = requests.auth.HTTPBasicAuth(host.entry["username"], host.entry["password"])
    url = f"http://{host.address}:{host.fleet.http_port}/wsman"
    headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
    return requests.post(url, message.encode(), auth=login, headers=headers, timeout=10).content.decode()


@pytest.fixture(scope="module")
def recorded(schemas: dict[str, xmlschema.XMLSchema]) -> dict[str, set[str]]:
    """What the schemas say of real hosts' answers, by element."""
    found: dict[str, set[str]] = {}
    for path in FOLDER.rglob("*.xml"):
        text = path.read_text(encoding="utf-8-sig")
        if "request" not in path.name and "<s:Envelope" in text:
            for element, errors in judged(text[text.index("<s:Envelope") :].strip(), schemas).items():
                found.setdefault(element, set()).update(errors)
    return found


def rsp(element: str, content: str = "", **attributes: str) -> str:
    named = "".join(f' {name}="{text}"' for name, text in attributes.items())
    return f'<rsp:{element} xmlns:rsp="{SHELL}"{named}>{content}</rsp:{element}>'


def conversation(host: Host) -> Iterator[tuple[str, str]]:
    """Every kind of answer that a schema says something about, by the name of its element."""

    def about_shell(action: str, body: str, **shell: str) -> str:
        return send(host, envelope(f"{SHELL}/cmd", action, body, selectors=shell))

    def text(message: str, name: str) -> str:
        return next(ElementTree.fromstring(message).iter(f"{{{SHELL}}}{name}")).text or ""

    created = about_shell(f"{TRANSFER}/Create", rsp("Shell"))
    yield "Shell", created
    shell = {"ShellId": text(created, "ShellId")}
    started = about_shell(f"{SHELL}/Command", rsp("CommandLine", rsp("Command", "sort")), **shell)
    yield "CommandResponse", started
    command = {"CommandId": text(started, "CommandId")}
    data = rsp("Stream", "eA==", Name="stdin", End="true", **command)
    yield "SendResponse", about_shell(f"{SHELL}/Send", rsp("Send", data), **shell)
    wanted = rsp("Receive", rsp("DesiredStream", "stdout stderr", **command))
    yield "ReceiveResponse", about_shell(f"{SHELL}/Receive", wanted, **shell)
    yield "WSManFault", about_shell(f"{SHELL}/Receive", wanted, **shell)
    code = rsp("Signal", rsp("Code", f"{SHELL}/signal/terminate"), **command)
    yield "SignalResponse", about_shell(f"{SHELL}/Signal", code, **shell)
    yield "Config", send(host, envelope(CONFIG, f"{TRANSFER}/Get"))
    yield "WSManFault", send(host, query("SELECT * FROM Win32_Nothing"))
    yield "WSManFault", send(host, call(f"{WMI}root/cimv2/Nothing", "Method"))
    yield "WSManFault", send(host, envelope(f"{WMI}root/cimv2/Win32_Service", f"{TRANSFER}/Get"))
    yield "WSManFault", send(host, "<s/>")


def test_every_answer_is_as_valid_as_those_of_windows(
    host: Host, schemas: dict[str, xmlschema.XMLSchema], recorded: dict[str, set[str]]
) -> None:
    for name, message in conversation(host):
        verdict = judged(message, schemas)
        assert list(verdict) == [name], message
        assert set(verdict[name]) <= recorded.get(name, set()), message
