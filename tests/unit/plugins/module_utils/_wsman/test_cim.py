# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
import string
import typing as t
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman.cim import (
    CimObject,
    Reference,
    encode,
    parse_datetime,
    parse_interval,
    text_of,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from tests.unit import wire

UTC = dt.timezone.utc
NAMES = st.text(string.ascii_letters, min_size=1, max_size=12)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r")
)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
# Windows counts time from 1601, and writes microseconds.
TIMES = st.datetimes(dt.datetime(1601, 1, 1), dt.datetime(9998, 12, 31), timezones=st.just(UTC))


def cim(properties: str, class_name: str = "Win32_Thing") -> CimObject:
    return CimObject(ElementTree.fromstring(wire.row(class_name, properties)))


def read_back(parameters: dict[str, t.Any]) -> CimObject:
    """What a reader makes of what the encoder wrote."""
    return CimObject(ElementTree.fromstring(f'<p:X_INPUT xmlns:p="urn:class">{encode(parameters)}</p:X_INPUT>'))


# What is written is what is read


@given(NAMES, TEXTS)
def test_string_survives(name: str, value: str) -> None:
    assert read_back({name: value}).string(name) == value


@given(NAMES, INTEGERS)
def test_integer_survives(name: str, value: int) -> None:
    assert read_back({name: value}).integer(name) == value


@given(NAMES, st.booleans())
def test_boolean_survives(name: str, value: bool) -> None:
    assert read_back({name: value}).boolean(name) is value


@given(NAMES, TIMES)
def test_time_survives(name: str, value: dt.datetime) -> None:
    assert read_back({name: value}).datetime(name) == value


@given(TIMES, st.integers(-14 * 60, 14 * 60))
def test_time_of_another_zone_is_the_same_moment(value: dt.datetime, offset: int) -> None:
    assume(1602 < value.year < 9998)
    elsewhere = value.astimezone(dt.timezone(dt.timedelta(minutes=offset)))
    assert read_back({"When": elsewhere}).datetime("When") == value


@given(NAMES, st.lists(TEXTS, max_size=4))
def test_array_of_strings_survives(name: str, values: list[str]) -> None:
    assert read_back({name: values}).strings(name) == values


@given(NAMES, st.lists(INTEGERS, max_size=4))
def test_array_of_integers_survives(name: str, values: list[int]) -> None:
    assert read_back({name: values}).integers(name) == values


@given(st.dictionaries(NAMES.map(str.lower), INTEGERS, max_size=5))
def test_parameters_do_not_get_in_each_others_way(parameters: dict[str, int]) -> None:
    output = read_back(parameters)
    assert {name: output.integer(name) for name in parameters} == parameters


def test_order_of_parameters_is_kept() -> None:
    root = ElementTree.fromstring(f'<x xmlns:p="urn:class">{encode({"b": 1, "a": 2, "c": [3, 4]})}</x>')
    assert [(element.tag, element.text) for element in root] == [
        ("{urn:class}b", "1"), ("{urn:class}a", "2"), ("{urn:class}c", "3"), ("{urn:class}c", "4"),
    ]  # fmt: skip


def test_text_cannot_become_an_element() -> None:
    value = "</p:sValue><p:hDefKey>1</p:hDefKey>&amp;<![CDATA[x]]>"
    output = read_back({"sValue": value})
    assert output.string("sValue") == value
    assert "hDefKey" not in output


@given(st.characters(codec="utf-8") | st.sampled_from("\ud800\udfff"))
def test_character_is_written_whole_or_refused(character: str) -> None:
    """XML 1.0, production 2 (Char), and nothing else."""
    point = ord(character)
    allowed = (
        point in (0x9, 0xA, 0xD) or 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or 0x10000 <= point <= 0x10FFFF
    )
    try:
        text = text_of(character)
    except ValueError:
        assert not allowed
    else:
        assert allowed
        assert ElementTree.fromstring(f"<x>{text}</x>").text == character


@pytest.mark.parametrize("character", ["\0", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_character_that_xml_cannot_carry_is_named(character: str) -> None:
    with pytest.raises(ValueError, match="position 2"):
        encode({"sValue": f"ab{character}"})


# Null, absent and empty


def test_null_scalar_is_written_as_nil() -> None:
    assert read_back({"sValue": None}).string("sValue") is None
    assert "sValue" in read_back({"sValue": None})


@pytest.mark.parametrize("reader", ["string", "integer", "boolean", "datetime", "interval", "reference"])
@pytest.mark.parametrize(
    "properties", ["", '<p:X xsi:nil="true"/>', '<p:X xsi:nil="1"></p:X>'], ids=["absent", "nil", "1"]
)
def test_scalar_that_is_null_or_absent_is_none(reader: str, properties: str) -> None:
    assert getattr(cim(properties), reader)("X") is None


@pytest.mark.parametrize("reader", ["strings", "integers", "objects"])
@pytest.mark.parametrize("properties", ["", '<p:X xsi:nil="true"/>'], ids=["absent", "nil"])
def test_array_that_is_null_or_absent_is_empty(reader: str, properties: str) -> None:
    assert getattr(cim(properties), reader)("X") == []


@pytest.mark.parametrize("properties", ["<p:X></p:X>", "<p:X/>", '<p:X xsi:nil="false"></p:X>'])
def test_empty_string_is_not_null(properties: str) -> None:
    assert cim(properties).string("X") == ""
    assert cim(properties).strings("X") == [""]


def test_empty_array_is_no_element() -> None:
    assert encode({"sValue": []}) == ""


# Times


@given(TIMES, st.integers(-12 * 60, 14 * 60))
def test_both_spellings_of_a_time_agree(moment: dt.datetime, offset: int) -> None:
    """DMTF writes local time and the minutes by which it is ahead of UTC."""
    local = moment + dt.timedelta(minutes=offset)
    assume(1601 <= local.year < 9999)
    dmtf = f"{local:%Y%m%d%H%M%S}.{local.microsecond:06d}{offset:+04d}"
    iso = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}Z"
    assert parse_datetime(dmtf) == parse_datetime(iso) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.7Z", dt.datetime(2026, 1, 2, 3, 4, 5, 700000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567Z", dt.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05+02:00", dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05-05:30", dt.datetime(2026, 1, 2, 8, 34, 5, tzinfo=UTC)),
        ("1601-01-01T00:00:00Z", dt.datetime(1601, 1, 1, tzinfo=UTC)),
        ("20260102030405.000000+120", dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("20260102030405.500000-060", dt.datetime(2026, 1, 2, 4, 4, 5, 500000, tzinfo=UTC)),
    ],
)
def test_known_times(text: str, moment: dt.datetime) -> None:
    assert parse_datetime(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-02",
        "2026-13-01T00:00:00Z",
        "2026-01-02T25:00:00Z",
        "20260102******.000000+***",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "00010101000000.000000+720",
        "99991231235959.000000-720",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.X"):
        cim(f"<p:X><cim:Datetime>{text}</cim:Datetime></p:X>").datetime("X")


@pytest.mark.parametrize(
    "row",
    [
        "<p:X><cim:Datetime>2026-01-02T03:04:05Z</cim:Datetime></p:X>",
        "<p:X>2026-01-02T03:04:05Z</p:X>",
        "<X><Datetime>2026-01-02T03:04:05Z</Datetime></X>",
        "<p:X>20260102030405.000000+000</p:X>",
    ],
    ids=["whole row", "bare", "projected row", "dmtf"],
)
def test_time_is_read_from_every_place_it_stands_in(row: str) -> None:
    assert cim(row).datetime("X") == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(st.timedeltas(dt.timedelta(0), dt.timedelta(days=99999)))
def test_both_spellings_of_an_interval_agree(interval: dt.timedelta) -> None:
    hours, rest = divmod(interval.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    dmtf = f"{interval.days:08d}{hours:02d}{minutes:02d}{seconds:02d}.{interval.microseconds:06d}:000"
    iso = f"P{interval.days}DT{hours}H{minutes}M{seconds}.{interval.microseconds:06d}S"
    assert parse_interval(dmtf) == parse_interval(iso) == interval


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("P0DT0H0M1.25S", dt.timedelta(seconds=1.25)),
        ("P0DT0H5M0S", dt.timedelta(minutes=5)),
        ("PT7200.000S", dt.timedelta(hours=2)),
        ("P3D", dt.timedelta(days=3)),
    ],
)
def test_known_intervals(text: str, interval: dt.timedelta) -> None:
    assert cim(f"<p:X><cim:Interval>{text}</cim:Interval></p:X>").interval("X") == interval


@pytest.mark.parametrize("text", ["", "P", "1", "P1Y", "P2M", "P99999999999D", f"P{'9' * 400}D", f"P{'9' * 5000}D"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.X"):
        cim(f"<p:X><cim:Interval>{text}</cim:Interval></p:X>").interval("X")


# Types


@pytest.mark.parametrize("text", ["18446744073709551615", "+5", " 7 ", "-1", "0"])
def test_integers_of_all_sizes(text: str) -> None:
    assert cim(f"<p:X>{text}</p:X>").integer("X") == int(text)


@pytest.mark.parametrize("text", ["", "-", "1.5", "0x10", "1e3", "12 3", "true", "\u0661", "\u00b2", "9" * 5000])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.X"):
        cim(f"<p:X>{text}</p:X>").integer("X")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("False", False), ("0", False)]
)
def test_booleans_in_every_case(text: str, value: bool) -> None:
    assert cim(f"<p:X>{text}</p:X>").boolean("X") is value


@pytest.mark.parametrize("text", ["", "yes", "2", "-1", "falsetrue"])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.X"):
        cim(f"<p:X>{text}</p:X>").boolean("X")


@pytest.mark.parametrize("reader", ["string", "integer", "boolean"])
@pytest.mark.parametrize("properties", ["<p:X>1</p:X><p:X>1</p:X>", "<p:X><p:Y>1</p:Y></p:X>"], ids=["array", "object"])
def test_scalar_reader_refuses_more_than_one_plain_value(reader: str, properties: str) -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.X"):
        getattr(cim(properties), reader)("X")


def test_array_reader_refuses_rows() -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.X"):
        cim("<p:X><p:Y>1</p:Y></p:X>").strings("X")


# Rows


@given(st.text(string.ascii_letters, min_size=1, max_size=12), st.data())
def test_names_of_properties_have_no_case(name: str, data: st.DataObject) -> None:
    spelled = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in name)
    assert cim(f"<p:{name}>5</p:{name}>").integer(spelled) == 5
    assert spelled in cim(f"<p:{name}>5</p:{name}>")


def test_row_of_a_derived_class_says_so() -> None:
    assert cim("<p:Name>TermService</p:Name>", "Win32_TerminalService").class_name == "Win32_TerminalService"


def test_projected_row_has_no_class_and_its_properties() -> None:
    fragment = CimObject(ElementTree.fromstring(wire.projected('<Name>x</Name><InstallDate xsi:nil="true"/>')))
    assert (fragment.class_name, fragment.string("name"), fragment.string("InstallDate")) == ("XmlFragment", "x", None)


def test_embedded_rows_keep_their_own_class() -> None:
    inner = (
        '<p:Setting xsi:type="p:Win32_SpecialSetting_Type"><p:Id>1</p:Id></p:Setting>'
        "<p:Setting><p:Id>2</p:Id></p:Setting>"
    )
    objects = cim(inner).objects("Setting")
    assert [(item.class_name, item.integer("Id")) for item in objects] == [("Win32_SpecialSetting", 1), ("Setting", 2)]


def test_reference_holds_resource_and_selectors() -> None:
    endpoint = (
        f'<p:Job xmlns:a="{wire.A}" xmlns:w="{wire.W}"><a:Address>{wire.ANONYMOUS}</a:Address><a:ReferenceParameters>'
        "<w:ResourceURI>urn:job</w:ResourceURI><w:SelectorSet>"
        '<w:Selector Name="InstanceID">7</w:Selector><w:Selector Name="Empty"></w:Selector>'
        "</w:SelectorSet></a:ReferenceParameters></p:Job>"
    )
    assert cim(endpoint).reference("Job") == Reference("urn:job", {"InstanceID": "7", "Empty": ""})


def test_what_is_no_reference_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"Win32_Thing\.Job"):
        cim("<p:Job>7</p:Job>").reference("Job")
