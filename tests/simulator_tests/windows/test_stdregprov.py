# SPDX-License-Identifier: GPL-3.0-or-later
"""StdRegProv: methods, types and return codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.windows.wmi import WmiError

from .conftest import CCMEXEC, HKLM, Endpoint

KEY = "SOFTWARE\\Example\\Deep"


@pytest.fixture
def machine() -> Endpoint:
    endpoint = Endpoint()
    assert endpoint.registry("CreateKey", KEY) == {"ReturnValue": 0}
    return endpoint


@pytest.mark.parametrize(
    ("kind", "out", "texts", "value"),
    [
        ("String", "sValue", "one", "one"),
        ("ExpandedString", "sValue", "%SystemRoot%\\x", "C:\\Windows\\x"),
        ("MultiString", "sValue", ["a", "b"], ["a", "b"]),
        ("DWORD", "uValue", "4294967295", 4294967295),
        ("QWORD", "uValue", "18446744073709551615", 18446744073709551615),
        ("Binary", "uValue", ["0", "255"], [0, 255]),
    ],
)
def test_what_is_written_is_read(machine: Endpoint, kind: str, out: str, texts: str | list[str], value: object) -> None:
    assert machine.registry(f"Set{kind}Value", KEY, sValueName="v", **{out: texts}) == {"ReturnValue": 0}
    assert machine.registry(f"Get{kind}Value", KEY.upper(), sValueName="V") == {out: value, "ReturnValue": 0}


def test_both_namespaces_show_one_registry(machine: Endpoint) -> None:
    machine.registry("SetDWORDValue", KEY, sValueName="v", uValue="7")
    outs = machine.call("root/cimv2", "StdRegProv", "GetDWORDValue", sSubKeyName=KEY, sValueName="v")
    assert outs == {"uValue": 7, "ReturnValue": 0}


@pytest.mark.parametrize(("variant", "code"), [(1, 1), (2, 2)])
def test_a_missing_value(variant: int, code: int) -> None:
    endpoint = Endpoint(variants={"missing_value_code": variant})
    assert endpoint.registry("GetStringValue", sValueName="Nope") == {"sValue": None, "ReturnValue": code}


def test_other_failures(machine: Endpoint) -> None:
    assert machine.registry("GetStringValue", "SOFTWARE\\Nope", sValueName="x")["ReturnValue"] == 2
    assert machine.registry("GetDWORDValue", sValueName="ProvisioningMode")["ReturnValue"] == 2147749893
    assert machine.registry("EnumKey", "SECURITY")["ReturnValue"] == 5
    assert machine.registry("DeleteValue", KEY, sValueName="Nope") == {"ReturnValue": 2}
    assert machine.registry("DeleteKey", "SOFTWARE\\Example") == {"ReturnValue": 5}
    wrong_hive = machine.call("root/default", "StdRegProv", "EnumKey", hDefKey="7", sSubKeyName="SOFTWARE")
    assert wrong_hive == {"sNames": None, "ReturnValue": 6}


def test_outputs_of_a_failure_may_be_left_out() -> None:
    endpoint = Endpoint(variants={"nil_on_failure": "absent"})
    assert endpoint.registry("GetStringValue", sValueName="Nope") == {"ReturnValue": 1}


def test_enumerations(machine: Endpoint) -> None:
    assert machine.registry("EnumKey", "SOFTWARE\\Example") == {"sNames": ["Deep"], "ReturnValue": 0}
    assert machine.registry("EnumValues", KEY) == {"sNames": None, "Types": None, "ReturnValue": 0}
    found = machine.registry("EnumValues", CCMEXEC)
    assert found["sNames"] == ["ProvisioningMode", "SystemTaskExcludes", "ProvisioningEnabledTime"]
    assert found["Types"] == [1, 1, 11]


def test_check_access() -> None:
    assert Endpoint().registry("CheckAccess", uRequired="2") == {"bGranted": True, "ReturnValue": 0}
    limited = Endpoint("limited_account")
    assert limited.registry("CheckAccess", uRequired="1") == {"bGranted": True, "ReturnValue": 0}
    assert limited.registry("CheckAccess", uRequired="2") == {"bGranted": False, "ReturnValue": 5}


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("hDefKey", "HKLM", "type_mismatch"),
        ("hDefKey", "-1", "type_mismatch"),
        ("sSubkeyname", "SOFTWARE", "invalid_method_parameters"),
    ],
)
def test_arguments_that_do_not_fit(name: str, text: str, kind: str) -> None:
    with pytest.raises(WmiError) as caught:
        Endpoint().call("root/default", "StdRegProv", "EnumKey", **{name: text})
    assert caught.value.kind == kind


def test_parameter_names_in_any_case() -> None:
    endpoint = Endpoint(variants={"parameter_names": "any_case"})
    outs = endpoint.call("root/default", "StdRegProv", "EnumKey", HDEFKEY=HKLM, ssubkeyname="SOFTWARE\\Microsoft\\CCM")
    assert outs["ReturnValue"] == 0


names = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.dictionaries(names, st.text(max_size=20), max_size=6))
def test_names_ignore_case_and_keep_their_first_spelling(values: dict[str, str]) -> None:
    endpoint = Endpoint()
    endpoint.registry("CreateKey", KEY)
    for name, text in values.items():
        endpoint.registry("SetStringValue", KEY, sValueName=name, sValue=text)
    for name, text in {name.lower(): text for name, text in values.items()}.items():
        assert endpoint.registry("GetStringValue", KEY, sValueName=name) == {"sValue": text, "ReturnValue": 0}
    found = endpoint.registry("EnumValues", KEY)["sNames"] or []
    assert isinstance(found, list)
    assert len(found) == len({name.lower() for name in values})


@pytest.mark.parametrize(
    ("bits", "path", "expected"),
    [
        (64, "SOFTWARE\\Vendor", "64"),
        (32, "SOFTWARE\\Vendor", "32"),
        (32, "software", None),
        (32, "SOFTWARE\\WOW6432Node\\Vendor", "32"),
        (32, "SOFTWAREX", "shared"),
    ],
)
def test_views_of_a_provider(bits: int, path: str, expected: str | None) -> None:
    registry = {
        "HKLM\\SOFTWARE\\Vendor": {"Bits": "64"},
        "HKLM\\SOFTWARE\\WOW6432Node\\Vendor": {"Bits": "32"},
        "HKLM\\SOFTWARE": {"Bits": "64"},
        "HKLM\\SOFTWAREX": {"Bits": "shared"},
    }
    machine = Endpoint(registry=registry).machine
    arguments: dict[str, list[str | None]] = {"hDefKey": [HKLM], "sSubKeyName": [path], "sValueName": ["Bits"]}
    wmi = machine.wmi if bits == 64 else machine.wmi32
    outs = {out.name: out.value for out in wmi.invoke("root/default", "StdRegProv", "GetStringValue", {}, arguments)}
    assert outs["sValue"] == expected
