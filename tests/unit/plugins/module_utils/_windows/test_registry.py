# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import PermissionRefused, WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.registry import (
    ABSENT,
    KeyAbsent,
    Registry,
    RegistryType,
    StoredValue,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError, StaleConnection
from tests.unit import wire
from tests.unit.fakes import Wire, body, header

KEY = r"SOFTWARE\Microsoft\CCM\CcmExec"
OK = "<p:ReturnValue>0</p:ReturnValue>"


def code(value: int) -> str:
    return f"<p:ReturnValue>{value}</p:ReturnValue>"


def registry(method: str, properties: str) -> tuple[Registry, Wire]:
    endpoint = Wire([wire.output("StdRegProv", method, properties)])
    return Registry(endpoint.writable()), endpoint


def parameters(endpoint: Wire) -> list[tuple[str, str]]:
    (sent,) = endpoint.sent
    return [(child.tag.rpartition("}")[2], child.text or "") for child in body(sent)[0]]


READS: list[tuple[int, str, str, t.Any]] = [
    (1, "GetStringValue", "<p:sValue>true</p:sValue>", "true"),
    (1, "GetStringValue", "<p:sValue></p:sValue>", ""),
    (2, "GetExpandedStringValue", r"<p:sValue>C:\Windows</p:sValue>", r"C:\Windows"),
    (3, "GetBinaryValue", "<p:uValue>0</p:uValue><p:uValue>255</p:uValue>", b"\x00\xff"),
    (3, "GetBinaryValue", "", b""),
    (4, "GetDWORDValue", "<p:uValue>4294967295</p:uValue>", 2**32 - 1),
    (7, "GetMultiStringValue", "<p:sValue>a</p:sValue><p:sValue>b</p:sValue>", ["a", "b"]),
    (7, "GetMultiStringValue", "", []),
    (11, "GetQWORDValue", "<p:uValue>18446744073709551615</p:uValue>", 2**64 - 1),
]


@pytest.mark.parametrize(("type_", "method", "properties", "data"), READS)
def test_value_is_read_by_its_type(type_: int, method: str, properties: str, data: t.Any) -> None:
    reader, endpoint = registry(method, properties + OK)
    assert reader.get(KEY, "Value", type_) == data
    assert header(endpoint.sent[0], "a:Action") == f"{wire.WMI}/root/default/StdRegProv/{method}"
    assert parameters(endpoint) == [("hDefKey", "2147483650"), ("sSubKeyName", KEY), ("sValueName", "Value")]


@pytest.mark.parametrize("absent", [1, 2])
@pytest.mark.parametrize("output", ["", '<p:sValue xsi:nil="true"/>'], ids=["absent", "nil"])
def test_value_that_is_not_there_is_none(absent: int, output: str) -> None:
    """Both codes have been seen."""
    assert registry("GetStringValue", output + code(absent))[0].get_string(KEY, "Value") is None
    assert registry("GetMultiStringValue", output + code(absent))[0].get_strings(KEY, "Value") == []
    assert registry("GetDWORDValue", output + code(absent))[0].get_dword(KEY, "Value") is None


@pytest.mark.parametrize("denied", [5, 2147749891, 2147749891 - 2**32])
def test_missing_permission_is_said(denied: int) -> None:
    with pytest.raises(PermissionRefused, match="CcmExec"):
        registry("GetStringValue", code(denied))[0].get_string(KEY, "Value")


@pytest.mark.parametrize("failure", [6, 87, 2147749893])
def test_other_codes_are_failures_not_absence(failure: int) -> None:
    with pytest.raises(WindowsError) as caught:
        registry("GetStringValue", code(failure))[0].get_string(KEY, "Value")
    assert type(caught.value) is WindowsError
    assert caught.value.code == failure


@pytest.mark.parametrize("output", ["", '<p:ReturnValue xsi:nil="true"/>', "<p:ReturnValue>?</p:ReturnValue>"])
def test_answer_without_a_code_is_no_answer(output: str) -> None:
    with pytest.raises(ProtocolError):
        registry("GetStringValue", f"<p:sValue>x</p:sValue>{output}")[0].get_string(KEY, "Value")


@pytest.mark.parametrize("properties", [OK, f"<p:uValue>x</p:uValue>{OK}"])
def test_number_that_is_none_is_refused(properties: str) -> None:
    with pytest.raises(ProtocolError):
        registry("GetDWORDValue", properties)[0].get_dword(KEY, "Value")


@pytest.mark.parametrize("byte", ["256", "-1"])
def test_byte_that_is_none_is_refused(byte: str) -> None:
    with pytest.raises(ProtocolError):
        registry("GetBinaryValue", f"<p:uValue>{byte}</p:uValue>{OK}")[0].get(KEY, "Value", RegistryType.BINARY)


@pytest.mark.parametrize("type_", [0, 5, 6, 8, 99])
def test_type_without_a_reader_is_said_without_a_call(type_: int) -> None:
    endpoint = Wire([])
    with pytest.raises(WindowsError, match=f"type {type_}"):
        Registry(endpoint.session()).get(KEY, "Value", type_)
    assert endpoint.sent == []


# Types of a key's values


def test_types_by_name_in_lower_case() -> None:
    names = "<p:sNames>ProvisioningMode</p:sNames><p:sNames></p:sNames>"
    reader, _endpoint = registry("EnumValues", f"{names}<p:Types>1</p:Types><p:Types>11</p:Types>{OK}")
    assert reader.types(KEY) == {"provisioningmode": 1, "": 11}


def test_key_without_values_has_no_types() -> None:
    assert registry("EnumValues", OK)[0].types(KEY) == {}


@pytest.mark.parametrize("absent", [1, 2])
def test_key_that_is_not_there(absent: int) -> None:
    with pytest.raises(KeyAbsent, match="CcmExec"):
        registry("EnumValues", code(absent))[0].types(KEY)
    assert registry("EnumKey", code(absent))[0].key_exists(KEY) is False


def test_key_that_is_there() -> None:
    assert registry("EnumKey", OK)[0].key_exists(KEY) is True
    with pytest.raises(PermissionRefused):
        registry("EnumKey", code(5))[0].key_exists(KEY)


def test_more_names_than_types_are_refused() -> None:
    with pytest.raises(ProtocolError):
        registry("EnumValues", f"<p:sNames>a</p:sNames>{OK}")[0].types(KEY)


@pytest.mark.parametrize("method", ["EnumValues", "EnumKey"])
def test_strict_takes_only_2_for_absence(method: str) -> None:
    """What decides over a write must be absent for certain, and 1 may mean anything."""

    def ask(value: int) -> t.Any:
        reader, _endpoint = registry(method, code(value))
        return (reader.types if method == "EnumValues" else reader.key_exists)(KEY, strict=True)

    with pytest.raises(WindowsError) as caught:
        ask(1)
    assert (type(caught.value), caught.value.code) == (WindowsError, 1)
    if method == "EnumValues":
        with pytest.raises(KeyAbsent):
            ask(2)
    else:
        assert (ask(2), ask(0)) == (False, True)


NAMED = "<p:sNames>Number</p:sNames><p:Types>{}</p:Types>" + OK


def of_key(*replies: tuple[str, str]) -> tuple[Registry, Wire]:
    endpoint = Wire([wire.output("StdRegProv", method, properties) for method, properties in replies])
    return Registry(endpoint.session()), endpoint


@pytest.mark.parametrize(
    ("replies", "number"),
    [
        ([("EnumValues", NAMED.format(4)), ("GetDWORDValue", "<p:uValue>0</p:uValue>" + OK)], 0),
        ([("EnumValues", NAMED.format(11)), ("GetQWORDValue", "<p:uValue>4294967296</p:uValue>" + OK)], 2**32),
        ([("EnumValues", NAMED.format(4).replace("Number", "Other"))], None),
        ([("EnumValues", OK)], ProtocolError),
        ([("EnumValues", code(2))], None),
        ([("EnumValues", code(1))], WindowsError),
        ([("EnumValues", code(5))], PermissionRefused),
        ([("EnumValues", NAMED.format(99))], WindowsError),
        ([("EnumValues", NAMED.format(1)), ("GetStringValue", "<p:sValue>0</p:sValue>" + OK)], ProtocolError),
        ([("EnumValues", NAMED.format(4)), ("GetDWORDValue", code(1))], ProtocolError),
        ([("EnumValues", NAMED.format(4)), ("GetDWORDValue", code(2))], ProtocolError),
    ],
)
def test_number_is_a_number_or_absent_for_certain(replies: list[tuple[str, str]], number: t.Any) -> None:
    reader, endpoint = of_key(*replies)
    if isinstance(number, type):
        with pytest.raises(number):
            reader.number(KEY, "NUMBER")
    else:
        assert reader.number(KEY, "NUMBER") == number
    assert endpoint.replies == []


def test_keys_below_a_key() -> None:
    assert registry("EnumKey", f"<p:sNames>A</p:sNames><p:sNames>b</p:sNames>{OK}")[0].keys(KEY) == ["A", "b"]
    assert registry("EnumKey", OK)[0].keys(KEY) == registry("EnumKey", code(2))[0].keys(KEY) == []
    with pytest.raises(PermissionRefused):
        registry("EnumKey", code(5))[0].keys(KEY)


def test_stored_value_has_the_type_that_its_key_tells() -> None:
    binary = ("GetBinaryValue", "<p:uValue>1</p:uValue><p:uValue>255</p:uValue>" + OK)
    reader, endpoint = of_key(("EnumValues", NAMED.format(3)), binary)
    found = reader.stored(KEY, "NUMBER")
    assert (found, found.data_for_result()) == (StoredValue(b"\x01\xff", 3), "01ff")
    assert endpoint.actions == ["EnumValues", "GetBinaryValue"]
    reader, endpoint = of_key(binary)
    assert reader.stored(KEY, "NUMBER", {"number": 3}) == found
    assert endpoint.actions == ["GetBinaryValue"]
    assert of_key()[0].stored(KEY, "Number", {}) == ABSENT
    assert of_key(("EnumValues", OK))[0].stored(KEY, "Number") == ABSENT
    with pytest.raises(KeyAbsent):
        of_key(("EnumValues", code(2)))[0].stored(KEY, "Number")
    for replies in ([("EnumValues", code(1))], [("EnumValues", NAMED.format(4)), ("GetDWORDValue", code(1))]):
        with pytest.raises(WindowsError) as failure:
            of_key(*replies)[0].stored(KEY, "Number")
        assert not isinstance(failure.value, KeyAbsent)


# Writes


@pytest.mark.parametrize(
    ("type_", "method", "data", "sent"),
    [
        (RegistryType.SZ, "SetStringValue", "a<b", [("sValue", "a<b")]),
        (RegistryType.DWORD, "SetDWORDValue", 720, [("uValue", "720")]),
        (RegistryType.QWORD, "SetQWORDValue", 2**64 - 1, [("uValue", "18446744073709551615")]),
        (RegistryType.MULTI_SZ, "SetMultiStringValue", ["a", "b"], [("sValue", "a"), ("sValue", "b")]),
        (RegistryType.BINARY, "SetBinaryValue", b"\x01\xff", [("uValue", "1"), ("uValue", "255")]),
    ],
)
def test_value_is_written_by_its_type(
    type_: RegistryType, method: str, data: t.Any, sent: list[tuple[str, str]]
) -> None:
    writer, endpoint = registry(method, OK)
    writer.set(KEY, "Value", type_, data)
    assert header(endpoint.sent[0], "a:Action").endswith(f"/{method}")
    assert parameters(endpoint)[3:] == sent


@given(st.integers())
def test_number_is_written_whole_or_not_at_all(number: int) -> None:
    writer, endpoint = registry("SetDWORDValue", OK)
    try:
        writer.set(KEY, "Value", RegistryType.DWORD, number)
    except ValueError:
        assert not 0 <= number < 2**32
        assert endpoint.sent == []
    else:
        assert parameters(endpoint)[3:] == [("uValue", str(number))]
        assert 0 <= number < 2**32


def test_what_is_to_go_may_be_gone() -> None:
    registry("DeleteValue", code(2))[0].delete_value(KEY, "Value")
    registry("DeleteKey", code(2))[0].delete_key(KEY)


def test_what_is_to_be_written_needs_its_key() -> None:
    with pytest.raises(KeyAbsent):
        registry("SetDWORDValue", code(2))[0].set(KEY, "Value", RegistryType.DWORD, 1)


@pytest.mark.parametrize("denied", [5, 2147749891])
def test_write_without_permission(denied: int) -> None:
    with pytest.raises(PermissionRefused):
        registry("DeleteValue", code(denied))[0].delete_value(KEY, "Value")


def test_reads_and_writes_survive_a_stale_connection() -> None:
    done = wire.output("StdRegProv", "SetDWORDValue", OK)
    endpoint = Wire([StaleConnection("closed"), done])
    Registry(endpoint.writable()).set(KEY, "Value", RegistryType.DWORD, 1)
    assert len(endpoint.sent) == 2
    endpoint = Wire([StaleConnection("closed"), wire.output("StdRegProv", "EnumKey", OK)])
    assert Registry(endpoint.session()).key_exists(KEY)
    assert endpoint.single == [False, False]


@pytest.mark.parametrize(
    ("output", "may"),
    [
        ("<p:bGranted>true</p:bGranted>" + OK, True),
        ("<p:bGranted>false</p:bGranted>" + OK, False),
        ("<p:bGranted>true</p:bGranted>" + code(2), False),
        (OK, False),
    ],
)
def test_whether_the_account_may_write_is_asked(output: str, may: bool) -> None:
    reader, endpoint = registry("CheckAccess", output)
    assert reader.may_write(KEY) is may
    assert parameters(endpoint) == [("hDefKey", "2147483650"), ("sSubKeyName", KEY), ("uRequired", "6")]
