# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import (
    ComputerNames,
    OperatingSystem,
    Process,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from tests.unit import wire
from tests.unit.fakes import Wire
from tests.unit.wire import NAMESPACES


def one(properties: str) -> Wire:
    return Wire([wire.first_page(wire.projected(properties), end=True)])


def operating_system(endpoint: Wire) -> OperatingSystem:
    return Endpoint(endpoint.session()).system.operating_system()


def test_clock_is_in_utc_whatever_the_endpoint_lives_in() -> None:
    endpoint = one(
        "<Caption>Microsoft Windows 11 Enterprise </Caption><CSName>PC-0001</CSName>"
        "<LastBootUpTime><Datetime>2026-11-20T08:00:00.5+02:00</Datetime></LastBootUpTime>"
        "<LocalDateTime><Datetime>2026-11-20T10:00:00Z</Datetime></LocalDateTime>"
        r"<SystemDirectory>D:\Windows\system32</SystemDirectory><Version>10.0.22631</Version>"
    )
    found = operating_system(endpoint)
    assert found.now == dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.timezone.utc)
    assert found.booted == dt.datetime(2026, 11, 20, 6, 0, 0, 500000, tzinfo=dt.timezone.utc)
    assert (found.computer_name, found.system_directory) == ("PC-0001", r"D:\Windows\system32")
    assert found.caption == "Microsoft Windows 11 Enterprise"


@pytest.mark.parametrize("properties", ["", '<LocalDateTime xsi:nil="true"/>'])
def test_computer_without_a_clock_is_refused(properties: str) -> None:
    with pytest.raises(ProtocolError):
        operating_system(one(properties))


@pytest.mark.parametrize("rows", ["", wire.projected("") * 2], ids=["none", "two"])
def test_there_is_one_computer(rows: str) -> None:
    with pytest.raises(ProtocolError):
        Endpoint(Wire([wire.first_page(rows, end=True)]).session()).system.computer_names()


@pytest.mark.parametrize(
    ("properties", "names"),
    [
        (
            (
                "<DNSHostName>pc-0001</DNSHostName><Domain>corp.example</Domain><Name>PC-0001</Name>"
                "<PartOfDomain>true</PartOfDomain>"
            ),
            ComputerNames("PC-0001", "pc-0001", "corp.example"),
        ),
        (
            (
                '<DNSHostName xsi:nil="true"/><Domain>WORKGROUP</Domain><Name>PC-0001</Name>'
                "<PartOfDomain>false</PartOfDomain>"
            ),
            ComputerNames("PC-0001", "PC-0001", None),
        ),
    ],
    ids=["domain", "workgroup"],
)
def test_names_of_the_computer(properties: str, names: ComputerNames) -> None:
    assert Endpoint(one(properties).session()).system.computer_names() == names


TIMES = "<LocalDateTime>2026-11-20T10:00:00Z</LocalDateTime><LastBootUpTime>2026-11-20T08:00:00Z</LastBootUpTime>"


@pytest.mark.parametrize(
    ("told", "directory"),
    [
        (r"<SystemDirectory>D:\Windows\system32</SystemDirectory>", r"D:\Windows\system32"),
        ('<SystemDirectory xsi:nil="true"/>', r"C:\Windows\system32"),
    ],
)
def test_system_directory_is_asked_for_once(told: str, directory: str) -> None:
    endpoint = one(TIMES + told)
    system = Endpoint(endpoint.session()).system
    assert [system.directory, system.directory] == [directory, directory]
    assert len(endpoint.sent) == 1
    endpoint = one(TIMES + told)
    system = Endpoint(endpoint.session()).system
    assert (system.operating_system().system_directory, system.directory) == (directory, directory)
    assert len(endpoint.sent) == 1


def test_processes_of_a_condition() -> None:
    rows = wire.projected(
        r"<CommandLine>C:\setup.exe /secret</CommandLine><ExecutablePath>C:\setup.exe</ExecutablePath>"
        "<Name>setup.exe</Name><ProcessId>8</ProcessId>"
    ) + wire.projected(
        '<CommandLine xsi:nil="true"/><ExecutablePath xsi:nil="true"/><Name>lsass.exe</Name><ProcessId>700</ProcessId>'
    )
    endpoint = Wire([wire.first_page(rows, end=True)])
    found = Endpoint(endpoint.session()).system.processes("Name LIKE '%setup%' OR Name='lsass.exe'")
    assert found == [
        Process("setup.exe", 8, r"C:\setup.exe", r"C:\setup.exe /secret"),
        Process("lsass.exe", 700),
    ]
    assert "secret" not in repr(found)
    assert endpoint.sent[0].findtext(".//w:Filter", "", NAMESPACES) == (
        "SELECT Name,ProcessId,ExecutablePath,CommandLine FROM Win32_Process"
        " WHERE Name LIKE '%setup%' OR Name='lsass.exe'"
    )


def test_names_of_processes_by_their_ids() -> None:
    endpoint = one("<Name>CcmExec.exe</Name><ProcessId>4711</ProcessId>")
    system = Endpoint(endpoint.session()).system
    assert system.process_names([4711, 8, 8]) == {4711: "CcmExec.exe"}
    assert endpoint.sent[0].findtext(".//w:Filter", "", NAMESPACES).endswith("WHERE ProcessId=8 OR ProcessId=4711")
    assert system.process_names([]) == {}
    assert len(endpoint.sent) == 1
