# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded reply of a real host is read without loss."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from recordings import FOLDER

from ansible_collections.configmgr.client.plugins.module_utils._wsman import envelope
from ansible_collections.configmgr.client.plugins.module_utils._wsman.cim import CimObject, parse_datetime
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import Fault, ProtocolError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings

S = "{http://www.w3.org/2003/05/soap-envelope}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

pytestmark = pytest.mark.needs_shared


def replies() -> dict[str, Path]:
    """The recorded envelopes that a host sent, by their path within the folder."""
    found = {}
    for path in sorted(FOLDER.rglob("*.xml")):
        name = path.relative_to(FOLDER).as_posix()
        if "request" not in name.lower() and b"Envelope" in path.read_bytes():
            found[name] = path
    return found


REPLIES = replies()
MISSING = pytest.param("none", marks=pytest.mark.skip(reason=f"no recordings in {FOLDER}"))


def parametrize(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names or [MISSING])


def body(name: str) -> Element:
    """What a parser that is not ours makes of the body."""
    found = ElementTree.parse(REPLIES[name]).getroot().find(f"{S}Body")
    assert found is not None
    return found


def local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def is_fault(name: str) -> bool:
    return body(name).find(f"{S}Fault") is not None


FAULTS = [name for name in REPLIES if is_fault(name)]
OTHERS = [name for name in REPLIES if name not in FAULTS]
PAGES = [name for name in OTHERS if len(body(name)) and local(body(name)[0]) in ("EnumerateResponse", "PullResponse")]


@pytest.mark.skipif(not REPLIES, reason=f"no recordings in {FOLDER}")
def test_recordings_of_every_kind_are_there() -> None:
    """Or the tests below would pass for want of anything to read."""
    assert len(REPLIES) >= 60
    assert len(FAULTS) >= 5
    assert len(PAGES) >= 20


@parametrize(OTHERS)
def test_reply_is_read_without_loss(name: str) -> None:
    read = envelope.read(REPLIES[name].read_bytes())
    assert ElementTree.canonicalize(ElementTree.tostring(read)) == ElementTree.canonicalize(
        ElementTree.tostring(body(name))
    )


@parametrize(FAULTS)
def test_fault_keeps_its_codes_and_its_words(name: str) -> None:
    with pytest.raises(Fault) as caught:
        envelope.read(REPLIES[name].read_bytes())
    detail = caught.value.detail
    codes = {int(element.get("Code", "")) for element in body(name).iter() if local(element) == "WSManFault"}
    codes |= {int(element.text or "") for element in body(name).iter() if local(element) == "error_Code"}
    assert detail.code in codes if codes else detail.code is None
    values = [(element.text or "").strip() for element in body(name).iter(f"{S}Value")]
    assert detail.subcode == values[:2][-1].rpartition(":")[2]
    reason = next(body(name).iter(f"{S}Text"))
    assert detail.reason.split() == (reason.text or "").split()
    assert str(caught.value)


@parametrize([name for name in FAULTS if "omi" not in name])
def test_fault_of_windows_has_a_class_of_its_own(name: str) -> None:
    with pytest.raises(Fault) as caught:
        envelope.read(REPLIES[name].read_bytes())
    assert type(caught.value) is not Fault, caught.value.detail


class Replay:
    """A transport that answers with recordings, and then ends the enumeration."""

    END = (
        f'<s:Envelope xmlns:s="{S[1:-1]}"><s:Body><n:PullResponse xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/'
        'enumeration"><n:Items/><n:EndOfSequence/></n:PullResponse></s:Body></s:Envelope>'
    ).encode()

    def __init__(self, replies: list[bytes]) -> None:
        self.replies = replies

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        return self.replies.pop(0) if self.replies else self.END

    def close(self) -> None:
        pass


def query(replies: list[bytes]) -> list[CimObject]:
    settings = Settings(host="recorded", auth="kerberos")
    with Session(settings, lambda: Replay(replies), Deadline(60)) as session:
        return session.query("root/cimv2", "SELECT * FROM recorded")


def instances(name: str) -> list[Element]:
    return [item for items in body(name)[0] if local(items) == "Items" for item in items]


@parametrize(PAGES)
def test_every_row_keeps_every_property(name: str) -> None:
    rows = query([REPLIES[name].read_bytes()])
    assert [row.class_name for row in rows] == [local(item) for item in instances(name)]
    for row, item in zip(rows, instances(name), strict=True):
        for wanted in {local(child) for child in item}:
            same = [child for child in item if local(child) == wanted]
            assert wanted.upper() in row
            check_property(row, wanted, same)


def check_property(row: CimObject, name: str, elements: list[Element]) -> None:
    present = [element for element in elements if element.get(f"{XSI}nil") != "true"]
    if not present:
        assert row.string(name) is None
        assert row.strings(name) == []
    elif any(len(element) for element in present):
        (child,) = present[0]
        if local(child) == "Datetime":
            assert row.datetime(name) == parse_datetime((child.text or "").strip())
        elif local(child) == "Interval":
            assert row.interval(name) is not None
        else:
            assert row.objects(name)
    else:
        assert row.strings(name) == [element.text or "" for element in present]
        if len(present) == 1:
            assert row.string(name) == (present[0].text or "")
            check_readings(row, name, present[0].text or "")


def check_readings(row: CimObject, name: str, text: str) -> None:
    if text.lstrip("-").isdigit() and len(text) < 20:
        assert row.integer(name) == int(text)
    if text in ("true", "false"):
        assert row.boolean(name) is (text == "true")
    if not text:
        with pytest.raises(ProtocolError):
            row.integer(name)


def paged() -> list[str]:
    """Recorded queries by the part of their names before the number of the page."""
    return sorted({name.rpartition("_")[0] for name in PAGES if name[-8:-4].lstrip("_").isdigit()})


@parametrize(paged())
def test_pages_of_a_query_join_in_order(name: str) -> None:
    pages = [page for page in PAGES if page.rpartition("_")[0] == name]
    rows = query([REPLIES[page].read_bytes() for page in pages])
    assert len(rows) == sum(len(instances(page)) for page in pages)
