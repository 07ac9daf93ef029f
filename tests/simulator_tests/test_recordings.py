# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded requests, sent again: the simulator must answer each with the shape that Windows answered."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from recordings import FOLDER as RECORDINGS
from simulator.client import Simulator
from simulator_tests.test_http import IDENTIFY
from simulator_tests.wire import SHELL, WMI, Host, call, pull, query

pytestmark = [
    pytest.mark.needs_shared,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings in {RECORDINGS}"),
]

# What differs between two hosts, or two runs on one, and what clients may not depend on.
_ACTIVITY = re.compile(r"<p:ActivityId>[^<]*</p:ActivityId>")
_OUTPUT = re.compile(r'<rsp:Stream Name="\w+" CommandId="[^"]*">[^<]*</rsp:Stream>')
_TAG = re.compile(r"<[^>]+>")
_VALUE = re.compile(r'(?<!xmlns:)\b([\w:]+)="[^"]*"')
_GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")

SESSIONS = sorted({path.name.split("_0")[0] for path in RECORDINGS.glob("pypsrp/*_00_*_request.xml")})


def skeleton(message: str) -> list[str]:
    """Tags in order, with their namespaces and the names of their attributes."""
    found = []
    for tag in _TAG.findall(_OUTPUT.sub("", _ACTIVITY.sub("", message))):
        # `Code="…" Machine="…"` stand before or after xmlns, by the version of Windows.
        name, *attributes = _VALUE.sub(r"\1", tag.strip("<>/")).split()
        found.append(" ".join([name, *sorted(attributes)]))
    return found


def post(host: Host, message: str) -> tuple[int, str]:
    answer = requests.post(
        f"http://{host.address}:{host.fleet.http_port}/wsman",
        message.encode(),
        auth=requests.auth.HTTPBasicAuth(host.entry["username"], host.entry["password"]),
        headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
        timeout=10,
    )
    return answer.status_code, answer.content.decode()


@pytest.fixture(scope="module")
def hasty() -> Iterator[Simulator]:
    """A fleet whose clock runs ahead where a command takes its time."""
    with Simulator({"waits": "skipped", "endpoints": []}) as fleet:
        yield fleet


@pytest.fixture
def patient(hasty: Simulator) -> Iterator[Host]:
    """An endpoint of the test's own, so that it holds no other test's shells."""
    hasty.add({"name": "PC-PLAIN", "allow_unencrypted": True, "auth": ["negotiate", "basic"]})
    yield Host(hasty, "PC-PLAIN")
    hasty.remove("PC-PLAIN")


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions(patient: Host, session: str) -> None:
    host = patient
    ours: dict[str, str] = {}
    for path in sorted(RECORDINGS.glob(f"pypsrp/{session}_*_request.xml")):
        message = _GUID.sub(lambda found: ours.get(found[0], found[0]), path.read_text(encoding="utf-8"))
        (recorded,) = RECORDINGS.glob(f"pypsrp/{path.name.replace('_request.xml', '_response_*.xml')}")
        status, answer = post(host, message)
        expected = recorded.read_text(encoding="utf-8")
        assert f"_{status}.xml" in recorded.name, answer
        assert skeleton(answer) == skeleton(expected)
        for name in ("ShellId", "CommandId"):
            theirs, own = (
                re.search(f"<rsp:{name}>({_GUID.pattern})</rsp:{name}>", text) for text in (expected, answer)
            )
            if theirs and own:
                ours[theirs[1]] = own[1]


def template(name: str, **values: str) -> str:
    """A request of somebody's client, with its blanks and lines."""
    text = (RECORDINGS / "txwinrm" / "request" / f"{name}.xml").read_text(encoding="utf-8")
    for key, value in {"envelope_size": "153600", "locale": "en-US", "timeout": "60", **values}.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def test_requests_of_another_client_are_understood(patient: Host) -> None:
    def found(pattern: str, name: str, **values: str) -> str:
        status, answer = post(patient, template(name, **values))
        assert status == 200, answer
        match = re.search(pattern, answer)
        assert match, answer
        return match[1]

    shell = found(r"<rsp:ShellId>([^<]+)<", "create", code_page="65001")
    line = f'<rsp:CommandLine xmlns:rsp="{SHELL}"><rsp:Command>sort</rsp:Command></rsp:CommandLine>'
    command = found(r"<rsp:CommandId>([^<]+)<", "command", shell_id=shell, command_line_elem=line)
    names = {"shell_id": shell, "command_id": command}
    found("(SendResponse)", "send", base64_encoded_command="eA==", **names)
    context = found("<n:EnumerationContext>uuid:([^<]+)<", "enum_shells")
    assert found("<rsp:ShellId>([^<]+)<", "pull_shells", uuid=context) == shell
    found("(SignalResponse)", "signal", signal_code=f"{SHELL}/signal/ctrl_c", **names)
    found("(CommandState/Done)", "receive", **names)
    found("(DeleteResponse)", "delete", shell_id=shell)
    resource = f"{WMI}root/cimv2/*"
    wql = {"wql": "SELECT Name FROM Win32_Service", "resource_uri": resource}
    context = found("<n:EnumerationContext>([^<]+)<", "enumerate", **wql)
    found("(<n:Items>)", "pull", enumeration_context=context, resource_uri=resource)


def test_a_reference_as_an_argument_is_understood(patient: Host) -> None:
    """Windows' own client names an object of a class that is not here: the answer is about the class."""
    text = (RECORDINGS / "openwsman" / "invoke_epr_winrm_exe_request.xml").read_text(encoding="utf-8")
    status, answer = post(
        patient, text[text.index("<s:Envelope") : text.rindex("</s:Body>")] + "</s:Body></s:Envelope>"
    )
    assert (status, "DestinationUnreachable" in answer) == (500, True)


@pytest.mark.parametrize(
    ("name", "schemes"),
    [
        ("http_401_all_schemes", ["negotiate", "kerberos", "basic", "credssp"]),
        ("http_401_workgroup_basic", ["negotiate", "basic"]),
    ],
)
def test_who_is_not_logged_in(fresh: Host, name: str, schemes: list[str]) -> None:
    fresh.fleet.patch(fresh.name, auth=schemes, allow_unencrypted=True)
    recorded = (RECORDINGS / "misc" / f"{name}.txt").read_text(encoding="utf-8").strip()
    theirs, ours = (
        re.sub("Date: .*", "Date", text).splitlines() for text in (recorded, fresh.post(b"").decode().strip())
    )
    assert ours == theirs


def test_identify(patient: Host) -> None:
    recorded = (RECORDINGS / "misc" / "identify_response_authenticated_2012R2.xml").read_text(encoding="utf-8")
    patient.fleet.patch(patient.name, https=False)
    _, answer = post(patient, IDENTIFY.decode())
    assert skeleton(answer) == skeleton(recorded)
    assert re.findall("secprofile/([^<]+)", answer) == re.findall("secprofile/([^<]+)", recorded)


def test_not_optimised(patient: Host) -> None:
    recorded = [
        (RECORDINGS / "r4sd" / f"{name}.xml").read_text(encoding="utf-8").rpartition("-->")[2]
        for name in ("recorded_computersystem_enumerate", "recorded_pull_guestnetworkadapterconfiguration")
    ]
    _, first = post(patient, query("SELECT * FROM Win32_Service", optimised=False))
    assert skeleton(first) == skeleton(recorded[0])
    context = re.search(r"<n:EnumerationContext>(uuid:[^<]+)<", first)
    assert context
    _, second = post(patient, pull(context[1], most=None))
    theirs, ours = (
        [re.sub(r"p:\w+", "p:Class", part) for part in skeleton(text) if not part.startswith("p:") or "xmlns" in part]
        for text in (recorded[1], second)
    )
    assert ours == theirs


def test_fault_of_a_query(fleet: Simulator) -> None:
    recorded = (RECORDINGS / "winrb" / "soap_fault_v2.xml").read_text(encoding="utf-8").partition("?>")[2]
    status, answer = post(Host(fleet, "PC-PLAIN"), query("Select * from Win32_Processa"))
    assert status == 500
    assert skeleton(answer) == skeleton(recorded)


def test_fault_of_a_quota(fleet: Simulator) -> None:
    host = Host(fleet, "PC-QUOTA")
    recorded = (RECORDINGS / "winrb" / "wmi_error_v2.xml").read_text(encoding="utf-8").replace("'", '"')
    status, answer = post(host, query("SELECT * FROM Win32_Service"))
    assert status == 500
    assert skeleton(answer) == skeleton(recorded)


def test_enum_key(fleet: Simulator) -> None:
    recorded = (RECORDINGS / "openwsman" / "EnumKey.xml").read_text(encoding="utf-8").partition("?>")[2]
    resource = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/default/StdRegProv"
    arguments = [("hDefKey", "2147483650"), ("sSubKeyName", "SOFTWARE\\Microsoft")]
    _, answer = post(Host(fleet, "PC-PLAIN"), call(resource, "EnumKey", arguments))
    assert sorted(set(skeleton(answer))) == sorted(set(skeleton(recorded)))
    assert skeleton(answer)[:12] == skeleton(recorded)[:12]
    assert skeleton(answer)[-5:] == skeleton(recorded)[-5:]


@pytest.mark.parametrize("kind", ["star", "all"])
def test_one_row(fleet: Simulator, kind: str) -> None:
    recorded = (RECORDINGS / f"txwinrm/server_2008/Win32_OperatingSystem_{kind}_000.xml").read_text(encoding="utf-8")
    wql = "SELECT * FROM Win32_OperatingSystem" if kind == "star" else "SELECT Version FROM Win32_OperatingSystem"
    _, answer = post(Host(fleet, "PC-PLAIN"), query(wql))
    head = recorded.index("<p:BootDevice>" if kind == "star" else "<BootDevice>")
    tail = "</p:Win32_OperatingSystem>" if kind == "star" else "</w:XmlFragment>"
    ours = re.split(r"(?<=_Type\">)" if kind == "star" else r"(?<=wsman\.xsd\">)(?=<Version)", answer, maxsplit=1)[0]
    assert skeleton(ours) == skeleton(recorded[:head])
    assert skeleton(answer[answer.index(tail) :]) == skeleton(recorded[recorded.index(tail) :])


@pytest.mark.parametrize("number", [0, 1, 3])
def test_many_rows(fleet: Simulator, number: int) -> None:
    recorded = (RECORDINGS / f"txwinrm/server_2008/Win32_Service_star_00{number}.xml").read_text(encoding="utf-8")
    host = Host(fleet, "PC-PLAIN")
    _, answer = post(host, query("SELECT * FROM Win32_Service", size=32768))
    while number and (context := re.search(r"<n:EnumerationContext>(uuid:[^<]+)<", answer)):
        _, answer = post(host, pull(context[1], most=9))
        if number == 1:
            break
    theirs, ours = ([part for part in skeleton(text) if not part.startswith("p:")] for text in (recorded, answer))
    assert ours == theirs
