# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded requests, sent again: the simulator must answer each with the shape that Windows answered.

The recordings belong to others and are not part of the project. They are looked for in the folder that
CONFIGMGR_CLIENT_RECORDINGS names, else in ../shared/recordings beside the checkout.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import requests
from simulator.client import Simulator
from simulator_tests.wire import Host, call, pull, query

ROOT = Path(__file__).parents[2]
RECORDINGS = Path(os.environ.get("CONFIGMGR_CLIENT_RECORDINGS") or ROOT.parent / "shared" / "recordings")
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

SESSIONS = sorted({path.name.split("_0")[0] for path in RECORDINGS.glob("pypsrp/winrs_*_00_*_request.xml")})
# Their commands run for seconds, or are read by pieces.
SESSIONS = [name for name in SESSIONS if name not in {"winrs_operation_timeout", "winrs_send"}]


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


@pytest.mark.parametrize("session", SESSIONS)
def test_shell_sessions(fleet: Simulator, session: str) -> None:
    host = Host(fleet, "PC-PLAIN")
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


def test_fault_of_a_query(fleet: Simulator) -> None:
    recorded = (RECORDINGS / "winrb" / "soap_fault_v2.xml").read_text(encoding="utf-8").partition("?>")[2]
    status, answer = post(Host(fleet, "PC-PLAIN"), query("Select * from Win32_Processa"))
    assert status == 500
    assert skeleton(answer) == skeleton(recorded)


def test_fault_of_a_quota(fleet: Simulator) -> None:
    host = Host(fleet, "PC-PLAIN")
    fleet.patch(host.name, faults=[{"match": {}, "then": "shell_quota"}])
    recorded = (RECORDINGS / "winrb" / "wmi_error_v2.xml").read_text(encoding="utf-8").replace("'", '"')
    status, answer = post(host, query("SELECT * FROM Win32_Service"))
    fleet.patch(host.name, faults=[])
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
