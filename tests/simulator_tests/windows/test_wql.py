# SPDX-License-Identifier: GPL-3.0-or-later
"""The query language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.windows.wmi import WmiError

from .conftest import Endpoint

ENDPOINT = Endpoint()


def services(condition: str) -> set[object]:
    wql = f"SELECT Name FROM Win32_Service WHERE {condition}"
    return {row["Name"] for row in ENDPOINT.rows("root/cimv2", wql)}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Name='ccmexec'", {"CcmExec"}),
        ('Name = "CcmExec"', {"CcmExec"}),
        ("'CcmExec' = Name", {"CcmExec"}),
        ("Name LIKE 'Win[mr]%' AND NOT Name = 'WinRM'", {"Winmgmt"}),
        ("Name LIKE 'smstsmg_'", {"smstsmgr"}),
        ("Name LIKE 'Win[^m]M'", {"WinRM"}),
        ("(Name='BITS' OR Name='BFE') AND StartMode='Auto'", {"BFE"}),
        ("Name='BITS' OR Name='BFE' AND StartMode='Nope'", {"BITS"}),
        ("Name='BITS' AND Started=TRUE", {"BITS"}),
        ("Name='BITS' AND InstallDate IS NULL", {"BITS"}),
        ("Name='BITS' AND InstallDate IS NOT NULL", set()),
        ("Name='BITS' AND ProcessId > 0 AND ProcessId >= '1'", {"BITS"}),
        ("PathName='c:\\\\windows\\\\ccm\\\\ccmexec.exe'", {"CcmExec"}),
        ("__CLASS = 'Win32_TerminalService'", {"TermService"}),
        ("Name <> 'x' AND Name LIKE 'Ccm%'", {"CcmExec"}),
    ],
)
def test_conditions(condition: str, expected: set[object]) -> None:
    assert services(condition) == expected


@pytest.mark.parametrize(
    "wql",
    [
        "",
        "SELECT",
        "SELECT * Win32_Service",
        "SELECT * FROM Win32_Service WHERE",
        "SELECT * FROM Win32_Service WHERE Name",
        "SELECT * FROM Win32_Service WHERE Name='x",
        "SELECT * FROM Win32_Service WHERE (Name='x'",
        "SELECT * FROM Win32_Service WHERE Nope='x'",
        "SELECT Nope FROM Win32_Service",
        "SELECT * FROM Win32_Service WHERE ProcessId='abc'",
        "SELECT * FROM Win32_Service WHERE ProcessId LIKE 'a'",
        "SELECT * FROM Win32_Service; DROP",
        "SELECT * FROM Win32_Service ORDER BY Name",
    ],
)
def test_invalid_queries(wql: str) -> None:
    with pytest.raises(WmiError) as caught:
        ENDPOINT.wmi.query("root/cimv2", wql)
    assert caught.value.kind == "invalid_query"


def test_unknown_class_and_namespace() -> None:
    with pytest.raises(WmiError) as caught:
        ENDPOINT.wmi.query("root/cimv2", "SELECT * FROM Nope")
    assert caught.value.kind == "invalid_class"
    with pytest.raises(WmiError) as caught:
        ENDPOINT.wmi.query("root/nope", "SELECT * FROM Win32_Service")
    assert caught.value.kind == "invalid_namespace"


def test_columns_get_their_declared_names() -> None:
    rows = ENDPOINT.wmi.query("ROOT\\CIMV2", "select NAME, state from win32_service where name='ccmexec'")
    assert rows.projected == ["Name", "State"]
    assert [out.name for out in rows.instances[0].properties] == ["Name", "State"]


@given(st.text(max_size=60))
def test_any_other_text_is_an_invalid_query(text: str) -> None:
    with pytest.raises(WmiError) as caught:  # no generated text is that lucky
        ENDPOINT.wmi.query("root/cimv2", text)
    assert caught.value.kind in ("invalid_query", "invalid_class")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_quoted_text_is_compared_as_it_is(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    expected = {service for service in services("Name LIKE '%'") if str(service).lower() == text.lower()}
    assert services(f"Name='{quoted}'") == expected
