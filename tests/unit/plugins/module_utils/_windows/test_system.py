# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._windows import system
from ansible_collections.configmgr.client.plugins.module_utils._windows.system import ComputerNames
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from tests.unit import wire
from tests.unit.fakes import Wire


def one(properties: str) -> Wire:
    return Wire([wire.first_page(wire.projected(properties), end=True)])


def test_clock_is_in_utc_whatever_the_endpoint_lives_in() -> None:
    endpoint = one(
        "<Caption>Microsoft Windows 11 Enterprise </Caption><CSName>PC-0001</CSName>"
        "<LastBootUpTime><Datetime>2026-11-20T08:00:00.5+02:00</Datetime></LastBootUpTime>"
        "<LocalDateTime><Datetime>2026-11-20T10:00:00Z</Datetime></LocalDateTime>"
        r"<SystemDirectory>D:\Windows\system32</SystemDirectory><Version>10.0.22631</Version>"
    )
    found = system.operating_system(endpoint.session())
    assert found.now == dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.timezone.utc)
    assert found.booted == dt.datetime(2026, 11, 20, 6, 0, 0, 500000, tzinfo=dt.timezone.utc)
    assert (found.computer_name, found.system_directory) == ("PC-0001", r"D:\Windows\system32")
    assert found.caption == "Microsoft Windows 11 Enterprise"


@pytest.mark.parametrize("properties", ["", '<LocalDateTime xsi:nil="true"/>'])
def test_computer_without_a_clock_is_refused(properties: str) -> None:
    with pytest.raises(ProtocolError):
        system.operating_system(one(properties).session())


@pytest.mark.parametrize("rows", ["", wire.projected("") * 2], ids=["none", "two"])
def test_there_is_one_computer(rows: str) -> None:
    with pytest.raises(ProtocolError):
        system.computer_names(Wire([wire.first_page(rows, end=True)]).session())


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
    assert system.computer_names(one(properties).session()) == names


def test_processes_are_named_once() -> None:
    rows = "".join(
        wire.projected(f"<Name>{name}</Name>") for name in ("TSManager.exe", "SetupHost.exe", "SetupHost.exe")
    )
    found = system.processes(Wire([wire.first_page(rows, end=True)]).session(), ["TSManager.exe", "SetupHost.exe"])
    assert found == ["SetupHost.exe", "TSManager.exe"]
