# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever belongs to somebody is planted wherever a message has room, and none of it comes through."""

from __future__ import annotations

import string
import typing as t
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._doctor.allowlist import ALLOWLIST
from ansible_collections.configmgr.client.plugins.module_utils._doctor.redaction import Allowlist, Redactor
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from tests.unit import wire

CLIENT = f"{wire.WMI}/root/ccm/SMS_Client"
DMTF = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


def letters(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


HOSTS = st.builds("{}-{}".format, letters("BDGHJKQ", 3, 6), letters(string.digits, 4, 6))
SECRETS = st.one_of(
    HOSTS,
    HOSTS.map("{}.corp.example".format),
    HOSTS.map("https://{}.corp.example:5986/wsman".format),
    st.builds("{}\\{}".format, HOSTS, letters("bdghjkq", 4, 8)),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded),
    matching(r"[0-9A-F]{2}(-[0-9A-F]{2}){5}"),
    st.uuids().map(str),
    st.uuids().map("{{{}}}".format),
    matching(r"S-1-5-21(-[0-9]{8}){3}-[0-9]{4}"),
    matching(r"[0-9A-F]{40}"),
    matching(r"[QXZ]{3}"),  # a site's code
    matching(r"C:\\Users\\[bdghjkq]{4,8}\\[a-z]{3}\.txt"),
    matching(r"[BDGHJKQ]{4}[!-~]{4,12}"),  # a password
)
ELEMENTS = st.sampled_from(
    [
        *("s:Text", "s:Value", "a:To", "a:Action", "a:Address", "a:MessageID", "a:RelatesTo", "w:ResourceURI"),
        *("w:Filter", "w:Selector", "w:MaxElements", "w:OperationTimeout", "n:EnumerationContext", "f:Message"),
        *("f:WSManFault", "p:CSName", "p:Version", "p:ClientVersion", "p:ReturnValue", "p:Types", "p:sNames"),
        *("p:sValueName", "p:State", "p:sSiteCode", "p:Name", "p:SystemDirectory", "cim:Datetime", "o:error_Code"),
        *("o:Anything", "Name", "Version"),
    ]
)
ATTRIBUTES = st.sampled_from(
    ["Machine", "Code", "path", "provider", "Dialect", "type", "lang", "Else", "xsi:type", "xsi:nil", "o:Code"]
)
TEXTS = st.one_of(SECRETS, st.builds("Name='{}'".format, SECRETS), st.builds("SELECT {} FROM x".format, SECRETS))
PLANTED = st.lists(st.tuples(ELEMENTS, TEXTS, ATTRIBUTES, SECRETS, SECRETS), min_size=1, max_size=6)


def scrub(document: bytes) -> str:
    return Redactor(ALLOWLIST).message(document)


def planted(items: list[tuple[str, str, str, str, str]], around: str = "p:SMS_Client") -> bytes:
    inner = "".join(
        f"<{tag} {attribute}={quoteattr(value)}>{escape(text)}</{tag}>{escape(tail)}"
        for tag, text, attribute, value, tail in items
    )
    return wire.envelope(
        f'<{around} xmlns:p="{CLIENT}" xmlns:o="urn:other" xmlns:xsi="{wire.XSI}" xmlns:cim="{wire.CIM}"'
        f' xmlns:f="{wire.F}">{inner}</{around}>'
    )


def everything(message: str) -> list[str]:
    """The message as it is, and each of its values as a reader of XML sees it."""
    found = [message]
    for element in ElementTree.fromstring(message).iter():
        found += [element.tag, element.text or "", element.tail or "", *element.attrib, *element.attrib.values()]
    return found


@given(PLANTED)
def test_nothing_of_anybody_comes_through(items: list[tuple[str, str, str, str, str]]) -> None:
    secrets = {part for item in items for part in item[1:] if part != item[2]}
    scrubbed = everything(scrub(planted(items)))
    for secret in secrets:
        assert not any(secret.lower() in text.lower() for text in scrubbed)


AROUND = st.sampled_from(["{}", "'{}'", "x='{}'", "SELECT {}", "'{}", "\\'{}'"])


@given(st.lists(SECRETS, min_size=1, max_size=4), AROUND)
def test_nothing_of_anybody_comes_through_in_a_query(secrets: list[str], around: str) -> None:
    query = " ".join(around.format(secret) for secret in secrets)
    scrubbed = everything(scrub(wire.envelope(f"<w:Filter>{escape(query)}</w:Filter>")))
    for secret in secrets:
        assert not any(secret.lower() in text.lower() for text in scrubbed)


@given(matching("[BDGHJKQ]{5,9}"))
def test_names_that_nobody_publishes_stay_only_below_a_published_class(name: str) -> None:
    """There they are its schema's; elsewhere they could be anybody's."""
    document = wire.envelope(
        f'<p:SMS_Client xmlns:p="{CLIENT}"><p:{name}>1</p:{name}></p:SMS_Client>'
        f'<w:Selector Name="{name}">1</w:Selector>'
    )
    assert f"<p:{name}>" in scrub(document) and f'Name="{name}"' in scrub(document)
    elsewhere = wire.envelope(
        f'<q:{name} xmlns:q="{wire.WMI}/root/{name}/SMS_Client" xmlns:o="urn:{name}" {name}="1" o:Code="2">'
        f"<s:{name}/><{name}/></q:{name}>"
        f'<q:{name} xmlns:q="{DMTF}/{name}"/>'
    )
    assert name not in scrub(elsewhere)


def test_attributes_of_one_name_stay_apart() -> None:
    scrubbed = scrub(wire.envelope('<s:Text xmlns:o="urn:o" xmlns:q="urn:q" Code="1" o:Code="2" q:Code="3"/>'))
    (element,) = ElementTree.fromstring(scrubbed).iterfind(".//s:Text", wire.NAMESPACES)
    assert sorted(element.attrib.values()) == ["1", "2", "3"]


@given(st.lists(SECRETS, min_size=2, max_size=6))
def test_equal_values_stay_equal_and_different_ones_different(values: list[str]) -> None:
    redactor = Redactor(ALLOWLIST)
    scrubbed = []
    for value in values:
        root = ElementTree.fromstring(redactor.message(wire.envelope(f"<s:Text>{escape(value)}</s:Text>")))
        scrubbed.append(root.findtext(".//s:Text", namespaces=wire.NAMESPACES))
    for one, scrubbed_one in zip(values, scrubbed, strict=True):
        for other, scrubbed_other in zip(values, scrubbed, strict=True):
            assert (one == other) == (scrubbed_one == scrubbed_other)


@given(PLANTED)
def test_the_shape_stays(items: list[tuple[str, str, str, str, str]]) -> None:
    document = planted(items)

    def shape(element: ElementTree.Element) -> t.Any:
        return len(element.attrib), bool((element.text or "").strip()), [shape(child) for child in element]

    assert shape(ElementTree.fromstring(scrub(document))) == shape(ElementTree.fromstring(document))


# What a reader needs to see


def text(message: str, path: str) -> str | None:
    namespaces = {**wire.NAMESPACES, "p": CLIENT}
    return ElementTree.fromstring(message).findtext(f"s:Body//{path}", namespaces=namespaces)


def test_a_fault_tells_its_codes_and_not_its_words() -> None:
    scrubbed = scrub(wire.wsman_fault(2150858817, "w:SchemaValidationError", "PC-0001 says no", "see PC-0001"))
    assert 'Code="2150858817"' in scrubbed
    assert "<s:Value>s:Sender</s:Value>" in scrubbed and "<s:Value>w:SchemaValidationError</s:Value>" in scrubbed
    assert "pc-0001" not in scrubbed.lower() and "says" not in scrubbed


def test_an_error_of_wmi_tells_its_code() -> None:
    scrubbed = scrub(wire.wmi_error_fault(0x8004100E, "w:DestinationUnreachable", "Namespace of PC-0001"))
    assert ">2147749902<" in scrubbed and ">HRESULT 0x8004100e<" in scrubbed and ">HRESULT<" in scrubbed
    assert "PC-0001" not in scrubbed


@pytest.mark.parametrize(
    ("element", "value"),
    [
        *(("p:ReturnValue", number) for number in ("0", "2", "2147749893", "-2147217394")),
        *(("p:enabled", word) for word in ("true", "false")),
        ("p:ClientVersion", "5.00.9128.1007"),
        ("p:Types", "11"),
        ("p:sNames", "ProvisioningEnabledTime"),
        ("p:sSubKeyName", r"SOFTWARE\Microsoft\CCM\CcmExec"),
        ("a:Action", f"{CLIENT}/GetAssignedSiteResponse"),
        ("a:Action", f"{DMTF}/SMS_Client/GetAssignedSiteResponse"),
        ("w:ResourceURI", f"{DMTF}/SMS_Client"),
        ("a:Action", f"{wire.N}/PullResponse"),
        ("a:Action", "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"),
        ("w:ResourceURI", f"{wire.WMI}/root/cimv2/*"),
        ("w:Filter", "SELECT MP FROM SMS_MPInformation"),
    ],
)
def test_what_is_nobodys_stays(element: str, value: str) -> None:
    assert text(scrub(wire.envelope(f'<x xmlns:p="{CLIENT}"><{element}>{value}</{element}></x>')), element) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("uuid:5B1C7E0A-0000-4000-8000-000000000001", "guid"),
        ("{5b1c7e0a-0000-4000-8000-000000000001}", "guid"),
        ("S-1-5-18", "sid"),
        ("00-15-5D-01-02-03", "mac"),
        ("192.0.2.7", "address"),
        ("fe80::1", "address"),
        ("2026-11-20T12:00:00Z", "time"),
        ("20261120120000.000000+060", "time"),
        ("4711", "number"),
        ("http://pc-0001:5985/wsman", "url"),
        (r"D:\Anything", "path"),
        ("PC-0001", "text"),
    ],
)
def test_a_placeholder_tells_what_kind_of_value_it_stands_for(value: str, kind: str) -> None:
    assert Redactor(Allowlist()).value("Text", value) == f"{kind}-1"


@pytest.mark.parametrize("document", [b"", b"PC-0001", b"<a>", b'<!DOCTYPE a SYSTEM "x"><a/>'])
def test_what_is_no_xml_is_refused(document: bytes) -> None:
    with pytest.raises(ProtocolError):
        scrub(document)
