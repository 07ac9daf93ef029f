# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile answers. Whatever arrives, the reader ends with a ProtocolError and never with anything else."""

from __future__ import annotations

import codecs
import encodings.aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman import envelope
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import Fault, ProtocolError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.xml import MAX_BYTES, MAX_DEPTH, local_name, parse
from tests.unit import wire

GOOD = wire.envelope("<x:Thing/>")
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
HOSTILE = {
    "empty": b"",
    "blank": b" \r\n",
    "text": b"Bad Request",
    "html": b"<!DOCTYPE html><html><body><p>It works!<br></body></html>",
    "xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    "json": b'{"fault": "no"}',
    "dtd": b"<!DOCTYPE x>" + GOOD,
    "entity expansion": LAUGHS + b"<x>&c;</x>",
    "external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
    "external dtd": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
    "parameter entity": b'<!DOCTYPE x [<!ENTITY % e SYSTEM "file:///etc/hostname"> %e;]><x/>',
    "unknown entity": GOOD.replace(b"<x:Thing/>", b"&nbsp;"),
    "unbound prefix": GOOD.replace(b"<x:Thing/>", b"<zz:Thing/>"),
    "two roots": GOOD + GOOD,
    "rest behind": GOOD + b"garbage",
    "nul": GOOD.replace(b"Thing", b"Th\0ing"),
    "not utf-8": GOOD.replace(b"<x:Thing/>", b"<x:Thing>\xff\xfe\x80</x:Thing>"),
    "soap 1.1": b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
    "no namespace": b"<Envelope><Body/></Envelope>",
    "no body": f'<s:Envelope xmlns:s="{wire.S}"><s:Header/></s:Envelope>'.encode(),
    "body elsewhere": f'<s:Envelope xmlns:s="{wire.S}"><s:Header><s:Body/></s:Header></s:Envelope>'.encode(),
    "body alone": f'<s:Body xmlns:s="{wire.S}"/>'.encode(),
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answer_ends_in_a_protocol_error(document: bytes) -> None:
    with pytest.raises(ProtocolError):
        envelope.read(document)


@given(st.binary(max_size=300))
def test_noise_ends_in_a_protocol_error(document: bytes) -> None:
    with pytest.raises(ProtocolError):
        envelope.read(document)


@given(st.integers(0, len(GOOD) - 1))
def test_truncated_answer_ends_in_a_protocol_error(length: int) -> None:
    with pytest.raises(ProtocolError):
        envelope.read(GOOD[:length])


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3))
def test_damaged_answer_is_read_or_refused(position: int, damage: bytes) -> None:
    try:
        envelope.read(GOOD[:position] + damage + GOOD[position + len(damage) :])
    except (ProtocolError, Fault):
        pass


@pytest.mark.parametrize("encoding", sorted(set(encodings.aliases.aliases.values())))
def test_every_declared_encoding_is_read_or_refused(encoding: str) -> None:
    """Expat asks Python for encodings that it does not know, and some of Python's are none of text."""
    document = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + GOOD
    try:
        body = envelope.read(document)
    except ProtocolError:
        return
    assert codecs.lookup(encoding).decode(GOOD)[0] == GOOD.decode()
    assert len(body) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_encodings_that_every_parser_knows_are_read(encoding: str) -> None:
    text = GOOD.decode().replace("<x:Thing/>", "<x:Thing>\u4eee\u60f3</x:Thing>")
    assert envelope.read(text.encode(encoding))[0].text == "\u4eee\u60f3"


def test_nothing_larger_than_the_bound_is_parsed() -> None:
    fits = b"<x>" + b" " * (MAX_BYTES - len(b"<x></x>")) + b"</x>"
    assert parse(fits).tag == "x"
    with pytest.raises(ProtocolError, match=str(MAX_BYTES)):
        parse(fits.replace(b"<x>", b"<x> "))


def test_nothing_deeper_than_the_bound_is_parsed() -> None:
    assert parse(b"<x>" * MAX_DEPTH + b"</x>" * MAX_DEPTH).tag == "x"
    with pytest.raises(ProtocolError, match=str(MAX_DEPTH)):
        parse(b"<x>" * (MAX_DEPTH + 1) + b"</x>" * (MAX_DEPTH + 1))
    with pytest.raises(ProtocolError, match=str(MAX_DEPTH)):
        parse(b"<x>" * 100_000)


def test_depth_is_not_breadth() -> None:
    siblings = 10 * MAX_DEPTH
    assert len(parse(b"<r>" + b"<x><y/></x>" * siblings + b"</r>")) == siblings


@pytest.mark.parametrize(("tag", "name"), [("{urn:x}Name", "Name"), ("Name", "Name"), ("{}Name", "Name")])
def test_local_name_has_no_namespace(tag: str, name: str) -> None:
    assert local_name(tag) == name
