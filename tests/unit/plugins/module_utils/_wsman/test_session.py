# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import itertools
import re
import typing as t
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import MAX_PULLS, Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.uris import Spelling
from tests.unit import wire
from tests.unit.fakes import SETTINGS, Clock, Wire, body, header, selectors
from tests.unit.wire import NAMESPACES

WQL = "SELECT Name FROM Win32_Service WHERE State<>'Stopped' AND Name>='A&B'"
STALE = errors.StaleConnection("the connection was closed")
GET = wire.envelope(wire.row("SMS_Client", "<p:ClientVersion>5.00.9128.1007</p:ClientVersion>", "root/ccm"))
DONE = wire.output("Win32_Service", "StartService", "<p:ReturnValue>0</p:ReturnValue>", "root/cimv2")


def item(name: str) -> str:
    return wire.projected(f"<Name>{name}</Name>")


def rows(endpoint: Wire) -> list[str | None]:
    return [row.string("Name") for row in endpoint.session().query("root/cimv2", WQL)]


# Get


def test_get_of_a_singleton_has_neither_selectors_nor_a_body() -> None:
    endpoint = Wire([GET])
    client = endpoint.session().get("root/ccm", "SMS_Client")
    assert (client.class_name, client.string("ClientVersion")) == ("SMS_Client", "5.00.9128.1007")
    (sent,) = endpoint.sent
    assert header(sent, "a:Action") == f"{wire.X}/Get"
    assert header(sent, "w:ResourceURI") == f"{wire.WMI}/root/ccm/SMS_Client"
    assert header(sent, "a:To") == "https://pc-0001.corp.example:5986/wsman"
    assert selectors(sent) == {}
    assert body(sent) == []


def test_get_of_an_instance_names_its_keys() -> None:
    endpoint = Wire([GET])
    endpoint.session().get("root\\cimv2", "Win32_Service", {"Name": "CcmExec"})
    assert header(endpoint.sent[0], "w:ResourceURI") == f"{wire.WMI}/root/cimv2/Win32_Service"
    assert selectors(endpoint.sent[0]) == {"Name": "CcmExec"}


@pytest.mark.parametrize("content", ["", wire.row("A", "") + wire.row("B", "")], ids=["nothing", "two"])
def test_get_accepts_one_instance_only(content: str) -> None:
    with pytest.raises(errors.ProtocolError):
        Wire([wire.envelope(content)]).session().get("root/ccm", "SMS_Client")


def test_fault_is_raised_as_what_it_is() -> None:
    endpoint = Wire([wire.wsman_fault(2150858752, "a:DestinationUnreachable")])
    with pytest.raises(errors.NotFound):
        endpoint.session().get("root/ccm", "SMS_Client")


# Enumerate and Pull


def test_query_is_one_optimised_enumeration_over_the_namespace() -> None:
    endpoint = Wire([wire.first_page(item("a"), end=True)])
    assert rows(endpoint) == ["a"]
    (sent,) = endpoint.sent
    assert header(sent, "a:Action") == f"{wire.N}/Enumerate"
    assert header(sent, "w:ResourceURI") == f"{wire.WMI}/root/cimv2/*"
    (enumerate_,) = body(sent)
    assert enumerate_.tag == f"{{{wire.N}}}Enumerate"
    assert enumerate_.find("w:OptimizeEnumeration", NAMESPACES) is not None
    assert int(enumerate_.findtext("w:MaxElements", "", NAMESPACES)) > 1
    query = enumerate_.find("w:Filter", NAMESPACES)
    assert query.get("Dialect") == "http://schemas.microsoft.com/wbem/wsman/1/WQL"
    assert query.text == WQL


def test_first_page_of_one_row_is_followed_by_pulls_each_with_the_newest_context() -> None:
    """Server 2008 R2 and 2012 answer so, whatever MaxElements says."""
    endpoint = Wire(
        [
            wire.first_page(item("a"), "uuid:1"),
            wire.next_page(item("b") + item("c"), "uuid:2"),
            wire.next_page(item("d"), "uuid:3"),
            wire.next_page(item("e"), end=True),
        ]
    )
    assert rows(endpoint) == ["a", "b", "c", "d", "e"]
    assert endpoint.actions == ["Enumerate", "Pull", "Pull", "Pull"]
    contexts = [message.findtext(".//n:EnumerationContext", None, NAMESPACES) for message in endpoint.sent]
    assert contexts == [None, "uuid:1", "uuid:2", "uuid:3"]


def test_first_page_without_rows_is_followed_by_pulls() -> None:
    """As not optimised: the first answer is a context alone."""
    nothing_yet = wire.envelope(
        "<n:EnumerateResponse><n:EnumerationContext>uuid:1</n:EnumerationContext></n:EnumerateResponse>"
    )
    assert rows(Wire([nothing_yet, wire.next_page(item("a"), "uuid:2"), wire.next_page(item("b"), end=True)])) == [
        "a",
        "b",
    ]


EMPTY = {
    "no items": wire.first_page("", end=True),
    "no element for items": wire.envelope(
        "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:EndOfSequence/></n:EnumerateResponse>"
    ),
    "nothing but the end": wire.envelope("<n:EnumerateResponse><w:EndOfSequence/></n:EnumerateResponse>"),
}


@pytest.mark.parametrize("page", EMPTY.values(), ids=EMPTY)
def test_query_without_rows(page: bytes) -> None:
    endpoint = Wire([page])
    assert rows(endpoint) == []
    assert endpoint.actions == ["Enumerate"]


def test_end_counts_even_beside_a_context() -> None:
    endpoint = Wire([wire.first_page(item("a"), "uuid:1", end=True)])
    assert rows(endpoint) == ["a"]
    assert endpoint.actions == ["Enumerate"]


def test_rows_come_under_their_own_class() -> None:
    items = wire.row("Win32_Service", "") + wire.row("Win32_TerminalService", "") + item("x")
    found = Wire([wire.first_page(items, end=True)]).session().query("root/cimv2", "SELECT * FROM Win32_Service")
    assert [row.class_name for row in found] == ["Win32_Service", "Win32_TerminalService", "XmlFragment"]


def test_page_that_neither_ends_nor_goes_on_is_refused() -> None:
    with pytest.raises(errors.ProtocolError):
        rows(Wire([wire.first_page(item("a"))]))


def test_enumeration_that_never_ends_is_ended() -> None:
    endpoint = Wire([wire.first_page("", "uuid:0"), *[wire.next_page("", "uuid:1")] * (MAX_PULLS + 1)])
    with pytest.raises(errors.ProtocolError, match=str(MAX_PULLS)):
        rows(endpoint)


def test_context_is_text_not_markup() -> None:
    endpoint = Wire([wire.first_page("", "a&lt;b&gt;&amp;c"), wire.next_page("", end=True)])
    rows(endpoint)
    assert endpoint.sent[1].findtext(".//n:EnumerationContext", "", NAMESPACES) == "a<b>&c"


# Instances with their references


def addressed(name: str, selectors: str) -> str:
    reference = (
        f"<a:EndpointReference><a:Address>{wire.ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{wire.WMI}/root/ccm/{name}</w:ResourceURI><w:SelectorSet>{selectors}</w:SelectorSet>"
        "</a:ReferenceParameters></a:EndpointReference>"
    )
    return f"<w:Item>{wire.row(name, '<p:ClientID>x</p:ClientID>', 'root/ccm')}{reference}</w:Item>"


def test_instances_come_with_the_keys_that_the_endpoint_says() -> None:
    keys = '<w:Selector Name="TaskID">{1}</w:Selector><w:Selector Name="User">S&amp;1</w:Selector>'
    endpoint = Wire([wire.first_page(addressed("A", keys), "uuid:1"), wire.next_page(addressed("B", ""), end=True)])
    (one, reference), (other, without) = endpoint.session().instances("root/ccm", "A")
    assert (one.class_name, one.string("ClientID"), other.class_name) == ("A", "x", "B")
    assert (reference.selectors, without.selectors) == ({"TaskID": "{1}", "User": "S&1"}, {})
    sent = endpoint.sent[0]
    assert header(sent, "w:ResourceURI") == f"{wire.WMI}/root/ccm/A"
    (enumerate_,) = body(sent)
    assert enumerate_.findtext("w:EnumerationMode", "", NAMESPACES) == "EnumerateObjectAndEPR"
    assert enumerate_.find("w:Filter", NAMESPACES) is None


@pytest.mark.parametrize("item_", [wire.row("A", ""), "<w:Item/>", f"<w:Item>{wire.row('A', '')}</w:Item>"])
def test_item_without_a_reference_is_refused(item_: str) -> None:
    with pytest.raises(errors.ProtocolError):
        Wire([wire.first_page(item_, end=True)]).session().instances("root/ccm", "A")


# Delete

KEYS = {"RequestID": "{6D7C9B1E-0000-4000-8000-000000000001}"}
DELETED = wire.envelope("", action=f"{wire.X}/DeleteResponse")
GONE = wire.wsman_fault(2150858752, "a:DestinationUnreachable")
LOST = errors.ConnectionLost("it stopped answering")
TIMED_OUT = wire.wsman_fault(2150858793, "w:TimedOut")


def delete(endpoint: Wire) -> None:
    endpoint.writable().delete("root/ccm/SoftMgmtAgent", "CCM_TSExecutionRequest", KEYS)


def test_delete_names_the_instance_and_has_no_body() -> None:
    endpoint = Wire([DELETED])
    delete(endpoint)
    (sent,) = endpoint.sent
    assert header(sent, "a:Action") == f"{wire.X}/Delete"
    assert header(sent, "w:ResourceURI") == f"{wire.WMI}/root/ccm/SoftMgmtAgent/CCM_TSExecutionRequest"
    assert (selectors(sent), body(sent)) == (KEYS, [])


def test_deleting_what_is_gone_is_as_wanted() -> None:
    endpoint = Wire([GONE])
    delete(endpoint)
    assert endpoint.actions == ["Delete"]


@pytest.mark.parametrize("answer", [LOST, TIMED_OUT], ids=["lost", "timed out"])
def test_delete_without_an_answer_is_decided_by_reading_back(answer: bytes | Exception) -> None:
    endpoint = Wire([answer, GONE])
    delete(endpoint)
    assert endpoint.actions == ["Delete", "Get"]
    assert selectors(endpoint.sent[1]) == KEYS


def test_delete_that_took_too_long_is_not_repeated() -> None:
    endpoint = Wire([TIMED_OUT, GET])
    with pytest.raises(errors.OperationTimedOut):
        delete(endpoint)
    assert endpoint.actions == ["Delete", "Get"]


def test_delete_that_was_not_sent_is_sent_again() -> None:
    endpoint = Wire([STALE, DELETED])
    delete(endpoint)
    assert endpoint.actions == ["Delete", "Delete"]


def test_delete_that_was_lost_is_repeated_once_and_only_what_is_still_there() -> None:
    endpoint = Wire([LOST, GET, DELETED])
    delete(endpoint)
    assert endpoint.actions == ["Delete", "Get", "Delete"]
    endpoint = Wire([LOST, GET, LOST, GET])
    with pytest.raises(errors.ConnectionLost):
        delete(endpoint)
    assert endpoint.actions == ["Delete", "Get"] * 2


def test_delete_that_is_refused_is_not_repeated() -> None:
    endpoint = Wire([wire.wsman_fault(2150859013)])
    with pytest.raises(errors.AccessDenied):
        delete(endpoint)
    assert endpoint.actions == ["Delete"]


# Invoke


def test_static_method_has_no_selectors() -> None:
    endpoint = Wire(
        [wire.output("StdRegProv", "GetDWORDValue", "<p:uValue>5</p:uValue><p:ReturnValue>0</p:ReturnValue>")]
    )
    parameters = {"hDefKey": 0x80000002, "sSubKeyName": "SYSTEM\\Setup", "sValueName": "SetupType"}
    output = endpoint.session().invoke("root/default", "StdRegProv", "GetDWORDValue", parameters, writes=False)
    assert output.integer("uValue") == 5
    (sent,) = endpoint.sent
    uri = f"{wire.WMI}/root/default/StdRegProv"
    assert header(sent, "a:Action") == f"{uri}/GetDWORDValue"
    assert header(sent, "w:ResourceURI") == uri
    assert selectors(sent) == {}
    (input_,) = body(sent)
    assert input_.tag == f"{{{uri}}}GetDWORDValue_INPUT"
    assert [(child.tag, child.text) for child in input_] == [
        (f"{{{uri}}}hDefKey", "2147483650"),
        (f"{{{uri}}}sSubKeyName", "SYSTEM\\Setup"),
        (f"{{{uri}}}sValueName", "SetupType"),
    ]


def test_method_of_an_instance_names_it() -> None:
    endpoint = Wire([DONE])
    endpoint.session().invoke(
        "root/cimv2", "Win32_Service", "StartService", {}, selectors={"Name": "CcmExec"}, writes=False
    )
    assert selectors(endpoint.sent[0]) == {"Name": "CcmExec"}


@pytest.mark.parametrize("namespace", ["root/ccm", r"root\ccm"])
def test_method_of_a_class_that_the_dmtf_uri_names(namespace: str) -> None:
    """Every part of the request is in the URI that names the class alone (MS-WSMV 4.11.2)."""
    uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/SMS_Client"
    endpoint, told = Wire([wire.output("SMS_Client", "TriggerSchedule", "", "root/ccm")]), []
    endpoint.session(log=told.append).invoke(
        namespace, "SMS_Client", "TriggerSchedule", {"sScheduleID": "x"}, writes=False, spelling=Spelling.DMTF
    )
    (sent,) = endpoint.sent
    assert (header(sent, "w:ResourceURI"), header(sent, "a:Action")) == (uri, f"{uri}/TriggerSchedule")
    assert selectors(sent) == {"__cimnamespace": "root/ccm"}
    (inputs,) = body(sent)
    assert [each.tag for each in (inputs, *inputs)] == [f"{{{uri}}}TriggerSchedule_INPUT", f"{{{uri}}}sScheduleID"]
    assert "TriggerSchedule of cim-schema/2/SMS_Client" in told[0]


def test_boolean_parameter_is_lower_case() -> None:
    endpoint = Wire([wire.output("SMS_Client", "SetClientProvisioningMode", "", "root/ccm")])
    endpoint.session().invoke("root/ccm", "SMS_Client", "SetClientProvisioningMode", {"bEnable": False}, writes=False)
    assert [child.text for child in body(endpoint.sent[0])[0]] == ["false"]


def test_output_of_another_method_is_refused() -> None:
    with pytest.raises(errors.ProtocolError, match="StartService_OUTPUT"):
        Wire([DONE]).session().invoke("root/cimv2", "Win32_Service", "StopService", {}, writes=False)


# Stale connections


@pytest.mark.parametrize("repeatable", [True, False])
def test_only_what_may_be_repeated_is_repeated(repeatable: bool) -> None:
    endpoint = Wire([STALE, DONE])
    session = endpoint.session()
    call = ("root/cimv2", "Win32_Service", "StartService", {})
    if repeatable:
        session.invoke(*call, writes=False, repeatable=True)
    else:
        with pytest.raises(errors.ConnectionLost):
            session.invoke(*call, writes=False)
    assert len(endpoint.sent) == endpoint.connections == session.calls == (2 if repeatable else 1)


def test_second_stale_connection_is_the_end() -> None:
    endpoint = Wire([STALE, STALE, GET])
    with pytest.raises(errors.StaleConnection):
        endpoint.session().get("root/ccm", "SMS_Client")
    assert len(endpoint.sent) == 2


@pytest.mark.parametrize(
    "error",
    [
        errors.ConnectionLost("it stopped answering"),
        errors.EndpointUnreachable("refused", "port"),
        errors.LoginRejected("no"),
        errors.DeadlineExceeded("over"),
        errors.ProtocolError("garbage"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_other_error_is_ever_repeated(error: errors.WSManError) -> None:
    endpoint = Wire([error, GET, GET])
    with pytest.raises(type(error)):
        endpoint.session().get("root/ccm", "SMS_Client")
    with pytest.raises(type(error)):
        dataclasses.replace(endpoint, replies=[error, GET]).session().query("root/cimv2", WQL)
    assert len(endpoint.sent) == 2


def test_query_that_loses_its_connection_starts_again_and_counts_no_row_twice() -> None:
    endpoint = Wire(
        [
            wire.first_page(item("a"), "uuid:1"),
            STALE,
            wire.first_page(item("a"), "uuid:2"),
            wire.next_page(item("b"), end=True),
        ]
    )
    assert rows(endpoint) == ["a", "b"]
    assert endpoint.actions == ["Enumerate", "Pull", "Enumerate", "Pull"]
    assert endpoint.connections == 2


def test_query_starts_again_once_only() -> None:
    endpoint = Wire(
        [wire.first_page("", "uuid:1"), STALE, wire.first_page("", "uuid:2"), STALE, wire.first_page("", end=True)]
    )
    with pytest.raises(errors.StaleConnection):
        rows(endpoint)
    assert endpoint.connections == 2


# Writes and who judges them

CALLS: dict[str, t.Callable[[Session, bool], object]] = {
    "invoke": lambda session, again: session.invoke(
        "root/cimv2", "Win32_Service", "StartService", {}, writes=True, repeatable=again
    ),
    "request": lambda session, again: session.request("x/Put", "uri", "", writes=True, repeatable=again),
}
"""Each writes, and says whether it may be repeated without harm."""
ANY_CALL = pytest.mark.parametrize("write", CALLS.values(), ids=CALLS)


class Court:
    """A judge that asks *endpoint* one question, and then raises what is next of *verdicts*."""

    def __init__(self, endpoint: Wire, *verdicts: Exception | None) -> None:
        self.endpoint = endpoint
        self.session = endpoint.session()
        self.verdicts = list(verdicts)

    def judge(self) -> None:
        self.session.get("root/ccm", "SMS_Client")
        verdict = self.verdicts.pop(0) if self.verdicts else None
        if verdict:
            raise verdict

    @property
    def sent(self) -> list[str]:
        """``?`` for what the judge asks and for other reads, ``!`` for what was sent as one exchange."""
        assert self.endpoint.single == [action != "Get" for action in self.endpoint.actions]
        return ["!" if single else "?" for single in self.endpoint.single]


class Running(Exception):
    """Something runs, says a judge."""


@ANY_CALL
def test_write_without_a_judge_is_not_sent(write: t.Callable[[Session, bool], object]) -> None:
    endpoint = Wire([GET])
    session = endpoint.session()
    with pytest.raises(errors.Unjudged):
        write(session, True)
    with pytest.raises(errors.Unjudged):
        session.delete("root/ccm", "SMS_Client", KEYS)
    with session.judged_by(lambda: None):
        pass
    with pytest.raises(errors.Unjudged):
        write(session, True)
    assert (endpoint.sent, endpoint.connections) == ([], 0)


@pytest.mark.parametrize(
    ("answers", "again", "sent", "error"),
    [
        ([GET, DONE], False, "?!", None),
        # Not sent at all, so it may go out once more whatever it is.
        ([GET, STALE, GET, DONE], False, "?!?!", None),
        ([GET, STALE, GET, STALE], True, "?!?!", errors.StaleConnection),
        # Perhaps carried out.
        ([GET, LOST], False, "?!", errors.ConnectionLost),
        ([GET, LOST], True, "?!", errors.ConnectionLost),
        # What the judge reads takes a new connection by itself.
        ([STALE, GET, DONE], False, "??!", None),
        # The endpoint's own refusal is not repeated.
        ([GET, wire.wsman_fault(5)], True, "?!", errors.AccessDenied),
        ([GET, TIMED_OUT], True, "?!", errors.OperationTimedOut),
    ],
)
def test_judge_is_asked_right_before_each_sending(
    answers: list[bytes | Exception], again: bool, sent: str, error: type[Exception] | None
) -> None:
    court = Court(Wire(list(answers)))
    with court.session.judged_by(court.judge):
        if error:
            with pytest.raises(error) as caught:
                CALLS["invoke"](court.session, again)
            assert caught.type is error
        else:
            CALLS["invoke"](court.session, again)
    assert "".join(court.sent) == sent
    assert court.endpoint.replies == []


@given(
    st.lists(st.sampled_from(["done", "stale", "lost", "timed out", "running", "unreadable"]), max_size=6),
    st.sampled_from(["once", "repeatable", "delete"]),
)
def test_nothing_is_ever_written_that_was_not_judged_right_before(events: list[str], how: str) -> None:
    """Whatever happens to a write and to its judge, each message of it follows an answer that let it pass."""
    answers = {"done": DELETED if how == "delete" else DONE, "stale": STALE, "lost": LOST, "timed out": TIMED_OUT}
    pending, log = list(events), ["begin"]

    class Endpoint(Wire):
        def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
            log.append("write" if single else "read")
            self.replies[:] = [
                answers[pending.pop(0) if pending and pending[0] in answers else "done"] if single else GET
            ]
            return super().send(message, read_timeout, single=single)

    def judge() -> None:
        verdict = pending.pop(0) if pending and pending[0] not in answers else ""
        log.append(verdict or "let pass")
        if verdict == "running":
            raise Running
        if verdict == "unreadable":
            raise errors.ProtocolError("garbage")

    session = Endpoint([]).session()
    with suppress(errors.WSManError, Running), session.judged_by(judge):
        if how == "delete":
            session.delete("root/ccm", "SMS_Client", KEYS)
        else:
            CALLS["invoke"](session, how == "repeatable")
    for before, then in itertools.pairwise(log):
        assert (then == "write") == (before == "let pass")
    assert log.count("write") <= (4 if how == "delete" else 2)
    if {"running", "unreadable"} & set(log):
        assert log[-1] in ("running", "unreadable")


def test_second_try_of_a_delete_is_judged_anew() -> None:
    court = Court(Wire([GET, LOST, GET, GET]), None, Running())
    with pytest.raises(Running), court.session.judged_by(court.judge):
        court.session.delete("root/ccm", "SMS_Client", KEYS)
    assert court.sent == ["?", "!", "?", "?"]


def test_reads_are_not_judged() -> None:
    endpoint = Wire([GET, wire.first_page(item("a"), end=True), wire.first_page("", end=True), DONE])
    session = endpoint.session()

    def judge() -> None:
        raise AssertionError("asked before a read")

    with session.judged_by(judge):
        session.get("root/ccm", "SMS_Client")
        session.query("root/cimv2", WQL)
        session.instances("root/ccm", "A")
        session.invoke("root/cimv2", "Win32_Service", "StartService", {}, writes=False)
    assert endpoint.single == [False] * 4


@ANY_CALL
def test_judge_cannot_write_and_judges_on_afterwards(write: t.Callable[[Session, bool], object]) -> None:
    endpoint = Wire([])
    session = endpoint.session()
    with session.judged_by(lambda: write(session, True)):
        for _attempt in range(2):
            with pytest.raises(errors.Unjudged):
                write(session, True)
    assert endpoint.sent == []


@pytest.mark.parametrize(
    ("answer", "layer"),
    [
        (wire.wsman_fault(5), "permission"),
        (errors.ConnectionLost("it stopped answering"), "connection"),
        (errors.EndpointUnreachable("refused", "port"), "port"),
        (errors.LoginRejected("no"), "login"),
        (errors.DeadlineExceeded("over"), "timeout"),
        (b"<html/>", "protocol"),
    ],
)
@ANY_CALL
def test_write_is_held_back_where_the_judge_cannot_tell(
    write: t.Callable[[Session, bool], object], answer: bytes | Exception, layer: str
) -> None:
    lost = isinstance(answer, errors.ConnectionLost)  # what the judge asks is asked anew over a new connection
    court = Court(Wire([answer] * (3 if lost else 1)))
    with pytest.raises(errors.NotSent, match="nothing was written") as caught, court.session.judged_by(court.judge):
        write(court.session, True)
    assert caught.value.layer == layer
    assert court.sent == ["?"] * (3 if lost else 1)


def test_judge_asks_all_over_one_connection() -> None:
    """What it heard before a restart says nothing of the time after it."""
    endpoint = Wire([GET, STALE, GET, GET, DONE])
    session = endpoint.session()

    def judge() -> None:
        session.get("root/ccm", "A")
        session.get("root/ccm", "B")

    with session.judged_by(judge):
        CALLS["invoke"](session, False)
    assert endpoint.single == [False, True, False, True, True]


@pytest.mark.parametrize("verdict", [Running("a task sequence runs"), ValueError("x"), KeyboardInterrupt()], ids=repr)
def test_whatever_the_judge_raises_passes_through(verdict: t.Any) -> None:
    court = Court(Wire([GET, GET, DONE]), verdict)
    with court.session.judged_by(court.judge):
        with pytest.raises(type(verdict)) as caught:
            CALLS["invoke"](court.session, True)
        assert caught.value is verdict
        CALLS["invoke"](court.session, True)  # and the same judge is asked the next time
    assert court.sent == ["?", "?", "!"]


def test_repetition_that_the_judge_forbids_is_not_sent() -> None:
    court = Court(Wire([GET, STALE, GET]), None, Running())
    with pytest.raises(Running), court.session.judged_by(court.judge):
        CALLS["invoke"](court.session, True)
    assert court.sent == ["?", "!", "?"]


def test_write_whose_answer_is_lost_is_not_sent_again() -> None:
    court = Court(Wire([GET, LOST]))
    with pytest.raises(errors.ConnectionLost), court.session.judged_by(court.judge):
        CALLS["invoke"](court.session, True)
    assert court.sent == ["?", "!"]


def test_repetition_is_a_message_of_its_own_and_asks_for_the_time_that_is_left() -> None:
    clock = Clock()
    endpoint = Wire([STALE, DONE])
    session = endpoint.session(Deadline(60, clock))
    with session.judged_by(lambda: clock.sleep(25)):
        CALLS["invoke"](session, False)
    first, second = endpoint.sent
    assert header(first, "a:MessageID") != header(second, "a:MessageID")
    assert header(second, "w:OperationTimeout") == "PT10.000S"


@pytest.mark.parametrize("error", [None, Running()])
def test_innermost_judge_counts_and_the_outer_one_returns(error: Exception | None) -> None:
    endpoint = Wire([DONE] * 4)
    session, asked = endpoint.session(), list[str]()

    def write() -> None:
        CALLS["invoke"](session, False)

    with session.judged_by(lambda: asked.append("outer")):
        write()
        with suppress(Running), session.judged_by(lambda: asked.append("inner")):
            write()
            if error:
                raise error
        write()
        with session.judged_by(lambda: asked.append("innermost")):
            write()
    assert asked == ["outer", "inner", "outer", "innermost"]
    with pytest.raises(errors.Unjudged):
        write()
    assert endpoint.single == [True] * 4


# Life of a session


def test_nothing_is_sent_before_the_first_call_and_one_connection_carries_all() -> None:
    endpoint = Wire([GET, GET, wire.first_page(item("a"), "uuid:1"), wire.next_page("", end=True)])
    with endpoint.session() as session:
        assert (endpoint.connections, session.calls) == (0, 0)
        session.get("root/ccm", "SMS_Client")
        session.get("root/ccm", "SMS_Client")
        assert session.calls == 2
        session.query("root/cimv2", WQL)
        assert (endpoint.connections, session.calls, endpoint.closed) == (1, 4, 0)
    assert endpoint.closed == 1


def test_session_that_was_never_used_closes_nothing() -> None:
    endpoint = Wire([])
    with endpoint.session():
        pass
    assert (endpoint.connections, endpoint.closed) == (0, 0)


def test_connection_is_closed_after_an_error() -> None:
    endpoint = Wire([wire.wsman_fault(5)])
    with pytest.raises(errors.AccessDenied), endpoint.session() as session:
        session.get("root/ccm", "SMS_Client")
    assert endpoint.closed == 1


def test_nothing_is_sent_after_the_deadline() -> None:
    clock = Clock()
    endpoint = Wire([GET, GET], before_reply=lambda: clock.sleep(40))
    session = endpoint.session(Deadline(60, clock))
    session.get("root/ccm", "SMS_Client")
    session.get("root/ccm", "SMS_Client")
    with pytest.raises(errors.DeadlineExceeded, match="60 s"):
        session.get("root/ccm", "SMS_Client")
    assert len(endpoint.sent) == 2


def test_endpoint_is_asked_to_finish_before_the_deadline() -> None:
    clock = Clock()
    endpoint = Wire([GET, GET], before_reply=lambda: clock.sleep(50))
    session = endpoint.session(Deadline(60, clock), dataclasses.replace(SETTINGS, operation_timeout=20))
    session.get("root/ccm", "SMS_Client")
    session.get("root/ccm", "SMS_Client")
    asked = [header(message, "w:OperationTimeout") for message in endpoint.sent]
    assert [float(re.fullmatch(r"PT([\d.]+)S", text)[1]) for text in asked] == [20, 10]


def test_endpoint_is_asked_for_no_larger_envelopes_than_the_settings_allow() -> None:
    endpoint = Wire([GET])
    session = endpoint.session(settings=dataclasses.replace(SETTINGS, max_envelope_size=9000))
    session.get("root/ccm", "SMS_Client")
    assert header(endpoint.sent[0], "w:MaxEnvelopeSize") == "9000"


def test_log_tells_each_call_and_no_secret() -> None:
    lines: list[str] = []
    endpoint = Wire([STALE, GET])
    endpoint.session(log=lines.append).get("root/ccm", "SMS_Client")
    assert any("connecting again" in line for line in lines)
    assert any("Get" in line and "SMS_Client" in line for line in lines)
    assert SETTINGS.password not in "".join(lines)


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (DONE, 1),
        (wire.wsman_fault(5, "w:AccessDenied"), 0),
        (wire.wsman_fault(2150858793, "w:TimedOut"), 1),
        (errors.ConnectionLost("gone"), 1),
        (STALE, 0),
    ],
)
def test_what_may_have_been_carried_out_counts_as_sent(answer: t.Any, sent: int) -> None:
    session = Wire([GET, answer, answer]).session()
    session.get("root/ccm", "SMS_Client")
    with suppress(errors.WSManError), session.judged_by(lambda: None):
        session.invoke("root/cimv2", "Win32_Service", "StartService", {}, selectors={"Name": "CcmExec"}, writes=True)
    assert session.writes_sent == sent


def test_endpoint_that_was_there_a_moment_ago_is_a_lost_connection() -> None:
    session = Wire([GET, errors.EndpointUnreachable("refused", "port")]).session()
    session.get("root/ccm", "SMS_Client")
    with pytest.raises(errors.ConnectionLost, match="refused"):
        session.get("root/ccm", "SMS_Client")


@pytest.mark.parametrize("refusal", [errors.LoginRejected("rejected"), errors.TicketUnavailable("expired")], ids=str)
def test_account_that_was_let_in_a_moment_ago_is_a_lost_login(refusal: errors.WSManError) -> None:
    """Not unreachable, since it was asked something; and not a lost connection, since that is tried again."""
    session = Wire([GET, refusal]).session()
    session.get("root/ccm", "SMS_Client")
    with pytest.raises(errors.LoginLost, match=str(refusal)) as caught:
        session.get("root/ccm", "SMS_Client")
    assert caught.value.layer == refusal.layer
    assert not isinstance(caught.value, (errors.ConnectionLost, errors.LoginRejected, errors.LoginUnavailable))
