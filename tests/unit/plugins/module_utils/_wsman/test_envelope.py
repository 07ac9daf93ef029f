# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman import envelope, errors
from tests.unit import wire
from tests.unit.fakes import body, header, selectors
from tests.unit.wire import NAMESPACES

URI = f"{wire.WMI}/root/ccm/SMS_Client"
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))


def request(**options: t.Any) -> ElementTree.Element:
    arguments = {"to": "https://pc-0001", "operation_timeout": 20.0, "max_envelope_size": 9000, **options}
    return ElementTree.fromstring(envelope.request(f"{URI}/GetAssignedSite", URI, "", **arguments))


def fault(document: bytes) -> errors.Fault:
    with pytest.raises(errors.Fault) as caught:
        envelope.read(document)
    return caught.value


# Requests: MS-WSMV 2.2.4 and DSP0226


def test_request_has_the_headers_that_windows_demands() -> None:
    message = request()
    assert header(message, "a:To") == "https://pc-0001"
    assert header(message, "a:Action") == f"{URI}/GetAssignedSite"
    assert header(message, "w:ResourceURI") == URI
    assert header(message, "a:ReplyTo/a:Address") == wire.ANONYMOUS
    assert header(message, "w:OperationTimeout") == "PT20.000S"
    assert header(message, "w:MaxEnvelopeSize") == "9000"
    assert message.find("s:Header/w:Locale", NAMESPACES).get(f"{{{wire.XML}}}lang") == "en-US"
    assert message.find("s:Header/p:DataLocale", NAMESPACES).get(f"{{{wire.XML}}}lang") == "en-US"
    assert body(message) == []


def test_headers_that_must_be_understood_say_so() -> None:
    message = request(options={"x": "y"})
    must = {"w:ResourceURI", "a:Action", "a:ReplyTo/a:Address", "w:MaxEnvelopeSize", "w:OptionSet"}
    for name in must:
        assert message.find(f"s:Header/{name}", NAMESPACES).get(f"{{{wire.S}}}mustUnderstand") == "true", name
    for name in ("w:Locale", "p:DataLocale"):
        assert message.find(f"s:Header/{name}", NAMESPACES).get(f"{{{wire.S}}}mustUnderstand") == "false", name


def test_message_ids_are_unique_and_in_windows_spelling() -> None:
    ids = {header(request(), "a:MessageID") for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"uuid:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", item) for item in ids)


def test_no_selectors_no_selector_set() -> None:
    """A static method has none at all, and neither has a singleton."""
    assert request().find(".//w:SelectorSet", NAMESPACES) is None
    assert request(selectors={}).find(".//w:SelectorSet", NAMESPACES) is None
    assert request().find(".//w:OptionSet", NAMESPACES) is None


@given(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3))
def test_selectors_and_options_arrive_as_they_are(pairs: dict[str, str]) -> None:
    message = request(selectors=pairs, options=pairs)
    assert selectors(message) == pairs
    assert {item.get("Name"): item.text or "" for item in message.iterfind(".//w:Option", NAMESPACES)} == pairs


def test_request_has_no_declaration_and_one_line() -> None:
    message = envelope.request(
        "urn:action", "urn:resource", "", to="urn:to", operation_timeout=1, max_envelope_size=9000
    )
    assert message.startswith(b"<s:Envelope ")
    assert b"\n" not in message


# Replies


def test_body_of_a_reply() -> None:
    assert [child.tag for child in envelope.read(wire.envelope("<x:One/><x:Two/>"))] == [
        f"{{{wire.X}}}One",
        f"{{{wire.X}}}Two",
    ]


def test_prefixes_mean_nothing() -> None:
    reply = f'<env:Envelope xmlns:env="{wire.S}"><env:Body><One xmlns="urn:x"/></env:Body></env:Envelope>'
    assert envelope.read(reply.encode())[0].tag == "{urn:x}One"


# Faults


def test_fault_of_the_first_shape() -> None:
    document = wire.wsman_fault(2150858843, "w:InvalidSelectors", "The selectors are \n wrong. ", "No such command. ")
    error = fault(document)
    assert error.detail == errors.FaultDetail(
        2150858843, "InvalidSelectors", "The selectors are wrong.", "No such command."
    )


def test_fault_of_the_second_shape_which_relates_to_nothing() -> None:
    error = fault(wire.wmi_error_fault(2150859173, "w:QuotaLimit", "This user has 30 shells already."))
    assert isinstance(error, errors.QuotaExceeded)
    assert error.detail.code == 2150859173
    assert error.detail.provider == "This user has 30 shells already."


def test_fault_without_detail() -> None:
    """As from OMI."""
    document = wire.envelope(
        wire.fault_body("w:InternalError", "get-instance: a name is missing", "").replace("<s:Detail></s:Detail>", "")
    )
    error = fault(document)
    assert type(error) is errors.Fault
    assert error.detail == errors.FaultDetail(None, "InternalError", "get-instance: a name is missing")
    assert "get-instance: a name is missing" in str(error)


def test_blanks_around_a_subcode_mean_nothing() -> None:
    """As from OMI, which breaks its lines there."""
    document = wire.envelope(wire.fault_body("\n  w:TimedOut\n  ", "It took too long.", ""))
    assert isinstance(fault(document), errors.OperationTimedOut)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("s:Sender", errors.Fault),
        ("env:Receiver", errors.Fault),
        ("\n s:VersionMismatch\n", errors.Fault),
        ("s:MustUnderstand", errors.InvalidRequest),
    ],
)
def test_fault_without_a_subcode_keeps_its_code(code: str, kind: type[errors.Fault]) -> None:
    error = fault(wire.envelope(wire.fault_body("", "It was refused.", "", sender=code)))
    assert type(error) is kind
    name = code.strip().partition(":")[2]
    assert error.detail == errors.FaultDetail(None, name, "It was refused.")
    assert str(error) == f"It was refused. [{name}]"


NESTED = (
    '<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">'
    f'<f:WSManFault xmlns:f="{wire.F}" Code="2150858778" Machine="pc-0001"><f:Message>{{text}}</f:Message>'
    "</f:WSManFault>"
    '<f:ExtendedError><q:__ExtendedStatus xmlns:q="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/ccm/__ExtendedStatus"'
    f' xmlns:xsi="{wire.XSI}" xsi:type="q:__ExtendedStatus_Type"><q:Description xsi:nil="true"/>'
    "<q:Operation>ExecQuery</q:Operation><q:ProviderName>WinMgmt</q:ProviderName></q:__ExtendedStatus></f:ExtendedError>"
    "</f:ProviderFault>"
)


def test_nested_provider_fault_says_what_the_provider_said() -> None:
    nested = NESTED.format(text="The class does not exist in this namespace.")
    error = fault(wire.wsman_fault(2150858778, "n:CannotProcessFilter", "The filter failed.", nested))
    assert isinstance(error, errors.FilterRejected)
    assert error.detail.provider == "The class does not exist in this namespace."
    assert error.detail.reason == "The filter failed."


def test_provider_fault_that_is_text() -> None:
    text = '<f:ProviderFault provider="Shell cmd plugin" path="winrscmd.dll">The file is not there. </f:ProviderFault>'
    error = fault(wire.wsman_fault(2147942402, message=text))
    assert isinstance(error, errors.FileMissing)
    assert error.detail.provider == "The file is not there."


def test_outer_code_wins_over_the_nested_one() -> None:
    assert fault(wire.wsman_fault(2150858752, message=NESTED.format(text="x"))).detail.code == 2150858752


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja-JP", "\u30a2\u30af\u30bb\u30b9\u304c\u62d2\u5426\u3055\u308c\u307e\u3057\u305f\u3002"),
        ("de-DE", "Zugriff verweigert"),
        ("en-US", "The shell quota class does not exist: timed out"),
    ],
)
def test_language_decides_nothing_and_is_kept(language: str, text: str) -> None:
    error = fault(wire.wsman_fault(5, "w:AccessDenied", text, language=language))
    assert isinstance(error, errors.AccessDenied)
    assert text in str(error)


@pytest.mark.parametrize("code", ["", "none", "--1", "-", "0x5", "\u00b2", "9" * 5000], ids=lambda code: code[:8])
def test_code_that_is_no_number_leaves_the_subcode(code: str) -> None:
    error = fault(wire.wsman_fault(code, "w:TimedOut"))
    assert isinstance(error, errors.OperationTimedOut)
    assert error.detail.code is None


def test_code_written_as_a_negative_number_is_the_same_code() -> None:
    assert fault(wire.wsman_fault(0x80338029 - 2**32)).detail.code == 0x80338029
