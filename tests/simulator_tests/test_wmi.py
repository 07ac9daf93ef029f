# SPDX-License-Identifier: GPL-3.0-or-later
"""Get, method calls and queries: the envelopes. What clients make of them is in the conformance table."""

from __future__ import annotations

import re
import uuid
from xml.etree import ElementTree

import pytest
from simulator_tests.wire import (
    CIM_SCHEMA,
    ENUMERATION,
    NS,
    STDREGPROV,
    TRANSFER,
    WMI,
    Host,
    call,
    envelope,
    local_names,
    pull,
    query,
    read_value,
)
from winrm.exceptions import WSManFaultError

SERVICES = "SELECT * FROM Win32_Service"


def fault(host: Host, message: str) -> WSManFaultError:
    with pytest.raises(WSManFaultError) as caught:
        host.pywinrm().send_message(message)
    assert caught.value.code == 500
    return caught.value


def code(host: Host, message: str) -> tuple[int, str]:
    found = fault(host, message)
    return int(found.wsman_fault_code or found.wmierror_code or 0), str(found.fault_subcode)


# ---- envelopes ---------------------------------------------------------------------------------------------------


def test_response_headers(pc: Host) -> None:
    message_id = f"uuid:{uuid.uuid4()}"
    answer = pc.pywinrm().send_message(read_value("ProvisioningMode", message_id=message_id)).decode()
    assert answer.startswith('<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"')
    root = ElementTree.fromstring(answer)
    assert local_names(root[0]) == ["Action", "MessageID", "To", "RelatesTo"]
    assert root.findtext("s:Header/a:Action", None, NS) == f"{STDREGPROV}/GetStringValueResponse"
    assert root.findtext("s:Header/a:RelatesTo", None, NS) == message_id
    assert re.fullmatch(r"uuid:[0-9A-F-]{36}", root.findtext("s:Header/a:MessageID", "", NS))


def test_operation_id_and_sequence_id_come_back(pc: Host) -> None:
    p = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
    headers = f'<p:OperationID xmlns:p="{p}">uuid:A</p:OperationID><p:SequenceId xmlns:p="{p}">1</p:SequenceId>'
    root = pc.send(read_value("ProvisioningMode", headers=headers))
    assert root.findtext(f"s:Header/{{{p}}}OperationID", None, NS) == "uuid:A"
    assert root.findtext(f"s:Header/{{{p}}}SequenceId", None, NS) == "1"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("<s:Envelope", "<s:Envelop"), (2150858819, "w:SchemaValidationError")),
        (("2003/05/soap-envelope", "2001/12/soap-envelope"), (2150858765, "None")),
        (("<a:ReplyTo>", "<a:ReplyTwo>"), (2150858819, "w:SchemaValidationError")),
        (("<s:Header>", '<s:Header><x:Y xmlns:x="urn:x" s:mustUnderstand="true"/>'), (2150858768, "None")),
        (("PT20S", "PT-1S"), (2150858767, "a:InvalidMessageInformationHeader")),
        (("PT20S", "soon"), (2150858767, "a:InvalidMessageInformationHeader")),
        ((">153600<", ">8191<"), (2150858878, "w:EncodingLimit")),
        ((">153600<", ">" + "9" * 5000 + "<"), (2150858817, "w:SchemaValidationError")),
        (("<s:Envelope", '<!DOCTYPE a [<!ENTITY b "c">]><s:Envelope'), (2150858819, "w:SchemaValidationError")),
        (("root/default/StdRegProv</w:", "</w:"), (2150858811, "a:DestinationUnreachable")),
        (("/wsman/1/wmi/", "/wsman/1/other/"), (2150858811, "a:DestinationUnreachable")),
    ],
)
def test_faulty_envelopes(pc: Host, change: tuple[str, str], expected: tuple[int, str]) -> None:
    message = read_value("ProvisioningMode").replace(*change)
    if "<a:ReplyTwo>" in message:
        message = message.replace("</a:ReplyTo>", "")
    assert code(pc, message) == expected


def test_missing_header(pc: Host) -> None:
    message = re.sub("<a:ReplyTo>.*</a:ReplyTo>", "", read_value("ProvisioningMode"))
    assert code(pc, message) == (2150858769, "a:MessageInformationHeaderRequired")


def test_deeply_nested_xml_is_survived(pc: Host) -> None:
    message = read_value("ProvisioningMode", headers="<x>" * 20000 + "</x>" * 20000)
    assert pc.send(message) is not None


# ---- method calls ------------------------------------------------------------------------------------------------


def test_method_call(pc: Host) -> None:
    (output,) = pc.send(read_value("ProvisioningMode")).find("s:Body", NS) or []
    assert output.tag == f"{{{STDREGPROV}}}GetStringValue_OUTPUT"
    assert [(name, child.text) for name, child in zip(local_names(output), output, strict=True)] == [
        ("sValue", "true"),
        ("ReturnValue", "0"),
    ]


def test_missing_key_is_a_return_value(pc: Host) -> None:
    output = pc.send(read_value("x", "SOFTWARE\\Nothing")).find("s:Body", NS)
    assert output is not None
    assert output[0].findtext(f"{{{STDREGPROV}}}ReturnValue") == "2"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (call(f"{WMI}root/nowhere/Class", "Method"), (2150858752, "a:DestinationUnreachable")),
        (call(f"{WMI}root/cimv2/Nothing", "Method"), (2150858752, "a:DestinationUnreachable")),
        (call(STDREGPROV, "GetNothing"), (2150858771, "a:ActionNotSupported")),
        (call(STDREGPROV, "EnumKey", [("hDefKey", "many")]), (2150858817, "w:SchemaValidationError")),
        (call(STDREGPROV, "EnumKey", [("nothing", "x")]), (2150858817, "w:SchemaValidationError")),
        (envelope(STDREGPROV, f"{STDREGPROV}/EnumKey"), (2150858791, "w:SchemaValidationError")),
        (envelope(STDREGPROV, f"{STDREGPROV}/EnumKey", "<a/>"), (2150858817, "w:SchemaValidationError")),
        (envelope(STDREGPROV, "http://example.com/Something", "<a/>"), (2150858771, "a:ActionNotSupported")),
        (envelope(STDREGPROV, f"{TRANSFER}/Put"), (2150858801, "w:ActionMismatch")),
    ],
)
def test_method_call_faults(pc: Host, message: str, expected: tuple[int, str]) -> None:
    assert code(pc, message) == expected


def test_fault_shape_of_what_is_missing(pc: Host) -> None:
    found = fault(pc, call(f"{WMI}root/cimv2/Nothing", "Method"))
    root = ElementTree.fromstring(found.response)
    assert root.findtext("s:Header/a:Action", "", NS) == "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault"
    detail = root.find("s:Body/s:Fault/s:Detail", NS)
    assert detail is not None
    assert detail.findtext("w:FaultDetail", "", NS).endswith("/faultDetail/InvalidResourceURI")
    outer = detail.find("f:WSManFault", NS)
    assert outer is not None
    assert outer.get("Machine") == "endpoint.example"  # as the client called it
    inner = outer.find("f:Message/f:ProviderFault/f:WSManFault", NS)
    assert inner is not None
    assert (inner.get("Code"), inner.get("Machine")) == ("2150858752", "PC-0001")


# ---- Get ---------------------------------------------------------------------------------------------------------


def test_get_by_key(pc: Host) -> None:
    uri = f"{WMI}root/cimv2/Win32_Service"
    (service,) = pc.send(envelope(uri, f"{TRANSFER}/Get", selectors={"name": "ccmexec"})).find("s:Body", NS) or []
    assert service.tag == f"{{{uri}}}Win32_Service"
    assert service.findtext(f"{{{uri}}}Name") == "CcmExec"


@pytest.mark.parametrize(
    ("uri", "selectors", "expected"),
    [
        ("root/cimv2/Win32_Service", {}, 2150859002),
        ("root/cimv2/Win32_Service", {"Name": "nothing"}, 2150858752),
        ("root/cimv2/Win32_Service", {"Colour": "red"}, 2150858843),
        ("root/cimv2/Win32_Nothing", {"Name": "x"}, 2150858752),
    ],
)
def test_get_faults(pc: Host, uri: str, selectors: dict[str, str], expected: int) -> None:
    assert code(pc, envelope(WMI + uri, f"{TRANSFER}/Get", selectors=selectors))[0] == expected


def test_cim_schema_alias(pc: Host) -> None:
    uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Win32_Service"
    selectors = {"__cimnamespace": "root/cimv2", "Name": "CcmExec"}
    (service,) = pc.send(envelope(uri, f"{TRANSFER}/Get", selectors=selectors)).find("s:Body", NS) or []
    assert service.findtext(f"{{{uri}}}Name") == "CcmExec"
    selectors["__cimnamespace"] = "root/default"
    assert code(pc, envelope(f"{WMI}root/cimv2/Win32_Service", f"{TRANSFER}/Get", selectors=selectors))[0] == 2150859067


CLIENT, CLIENT_BY_CLASS = f"{WMI}root/ccm/SMS_Client", f"{CIM_SCHEMA}SMS_Client"
IN_CCM = {"__cimnamespace": "root/ccm"}
LEAVE = ("SetClientProvisioningMode", [("bEnable", "false")])


def test_method_by_the_dmtf_uri(fresh: Host) -> None:
    uri = CLIENT_BY_CLASS
    root = fresh.send(call(uri, *LEAVE, selectors={"__CIMNamespace": "ROOT\\ccm"}))
    assert root.findtext("s:Header/a:Action", None, NS) == f"{uri}/SetClientProvisioningModeResponse"
    assert root.findtext(f"s:Body/{{{uri}}}SetClientProvisioningMode_OUTPUT/{{{uri}}}ReturnValue", None, NS) == "0"
    assert fresh.fleet.endpoint(fresh.name)["mode"] == "normal"
    in_ccm = {"class": "SMS_Client", "namespace": "root/ccm"}
    fresh.fleet.patch(fresh.name, faults=[{"match": in_ccm, "then": "fault 0x80041001"}])
    assert code(fresh, call(uri, *LEAVE, selectors=IN_CCM))[0] == 0x80041001


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (call(CLIENT_BY_CLASS, *LEAVE), 2150858752),  # in root/hardware, the namespace of who names none
        (call(CLIENT_BY_CLASS, *LEAVE, selectors={"__cimnamespace": "root/cimv2"}), 2150858752),
        (call(CLIENT_BY_CLASS, "SetNothing", selectors=IN_CCM), 2150858771),
        (call(CLIENT, *LEAVE, selectors=IN_CCM).replace(f">{CLIENT}<", f">{CLIENT_BY_CLASS}<"), 2150858771),
        (
            call(CLIENT_BY_CLASS, *LEAVE, selectors=IN_CCM).replace(f'p="{CLIENT_BY_CLASS}"', f'p="{CLIENT}"'),
            2150858817,
        ),
    ],
)
def test_faults_of_the_dmtf_uri(pc: Host, message: str, expected: int) -> None:
    assert code(pc, message)[0] == expected
    assert pc.fleet.endpoint(pc.name)["mode"] == "provisioning"


def test_rows_are_spelled_as_they_were_asked_for(pc: Host) -> None:
    body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>9</w:MaxElements></n:Enumerate>"
    (response,) = (
        pc.send(envelope(CLIENT_BY_CLASS, f"{ENUMERATION}/Enumerate", body, selectors=IN_CCM)).find("s:Body", NS) or []
    )
    (row,) = response.find("w:Items", NS) or []
    assert row.findtext(f"{{{CLIENT_BY_CLASS}}}ClientVersion") == "5.00.9128.1007"


REFUSED = {"unknown_uri": 2150858811, "unknown_action": 2150858771, "not_found": 2150858752}


@pytest.mark.parametrize(
    ("setting", "how", "expected"),
    [
        *(("client_wmi_uri", how, expected) for how, expected in {**REFUSED, "bad_parameters": 2150858817}.items()),
        *(("client_dmtf_uri", how, expected) for how, expected in REFUSED.items()),
        ("client_dmtf_uri", "not_dmtf", 2150859065),
        ("client_dmtf_uri", "other_version", 2150859066),
        ("client_dmtf_uri", "other_namespace", 2150859067),
    ],
)
def test_one_spelling_is_refused_and_the_other_is_not(fresh: Host, setting: str, how: str, expected: int) -> None:
    fresh.fleet.patch(fresh.name, wsman={setting: how})
    spelled = {
        "client_wmi_uri": call(CLIENT, *LEAVE),
        "client_dmtf_uri": call(CLIENT_BY_CLASS, *LEAVE, selectors=IN_CCM),
    }
    assert code(fresh, spelled.pop(setting))[0] == expected
    assert fresh.fleet.endpoint(fresh.name)["mode"] == "provisioning"
    (other,) = spelled.values()
    fresh.send(other)
    assert fresh.fleet.endpoint(fresh.name)["mode"] == "normal"


def test_a_client_that_refuses_does_so_by_every_spelling(fresh: Host) -> None:
    fresh.fleet.patch(fresh.name, variants={"sms_client_invoke": "refused"})
    for message in (call(CLIENT, *LEAVE), call(CLIENT_BY_CLASS, *LEAVE, selectors=IN_CCM)):
        assert code(fresh, message)[0] == 2150858817
    assert fresh.fleet.endpoint(fresh.name)["mode"] == "provisioning"


# ---- Enumerate and Pull ------------------------------------------------------------------------------------------


def test_one_row_comes_at_once(pc: Host) -> None:
    (response,) = pc.send(query("SELECT * FROM Win32_OperatingSystem")).find("s:Body", NS) or []
    assert [child.tag for child in response] == [
        f"{{{ENUMERATION}}}EnumerationContext",
        f"{{{NS['w']}}}Items",
        f"{{{NS['w']}}}EndOfSequence",
    ]
    assert response[0].text is None
    system = response[1][0]
    names = local_names(system)
    assert names == sorted(names, key=str.lower)
    assert system.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "p:Win32_OperatingSystem_Type"
    uri = f"{WMI}root/cimv2/Win32_OperatingSystem"
    date = system.findtext(f"{{{uri}}}LocalDateTime/{{http://schemas.dmtf.org/wbem/wscim/1/common}}Datetime")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", date or "")


def test_a_select_list_comes_as_fragments(pc: Host) -> None:
    wql = "SELECT Version, CSName, LocalDateTime FROM Win32_OperatingSystem"
    (response,) = pc.send(query(wql)).find("s:Body", NS) or []
    fragment = response[1][0]
    assert fragment.tag == f"{{{NS['w']}}}XmlFragment"
    assert [child.tag for child in fragment] == ["CSName", "LocalDateTime", "Version"]
    assert fragment[1][0].tag == "Datetime"


def test_many_rows_come_in_pages_by_size(pc: Host) -> None:
    client = pc.pywinrm()
    raw = client.send_message(query(SERVICES, size=32768))
    (response,) = ElementTree.fromstring(raw).find("s:Body", NS) or []
    assert local_names(response) == ["EnumerationContext", "Items"]
    assert len(response[1]) == 1
    rows, contexts = list(response[1]), [response[0].text or ""]
    while contexts[-1]:
        raw = client.send_message(pull(contexts[-1], size=32768))
        assert len(raw) <= 32768 / 2
        (response,) = ElementTree.fromstring(raw).find("s:Body", NS) or []
        items = response.find("n:Items", NS)
        assert items is not None
        rows += list(items)
        contexts.append(response.findtext("n:EnumerationContext", "", NS))
        assert (response.find("n:EndOfSequence", NS) is None) == bool(contexts[-1])
    assert len(set(contexts)) == len(contexts) > 2
    assert len(rows) == len({ElementTree.tostring(row) for row in rows}) > 10


def test_not_optimised_comes_one_by_one(pc: Host) -> None:
    client = pc.pywinrm()
    wql = "SELECT * FROM Win32_Service WHERE Name = 'CcmExec' OR Name = 'Winmgmt'"
    (response,) = ElementTree.fromstring(client.send_message(query(wql, optimised=False))).find("s:Body", NS) or []
    assert local_names(response) == ["EnumerationContext"]
    shapes = []
    while context := response.findtext("n:EnumerationContext", "", NS):
        (response,) = ElementTree.fromstring(client.send_message(pull(context, most=None))).find("s:Body", NS) or []
        shapes.append(local_names(response))
    assert shapes == [["EnumerationContext", "Items"], ["Items", "EndOfSequence"]]


def test_no_rows(pc: Host) -> None:
    (response,) = pc.send(query("SELECT * FROM Win32_Service WHERE Name = 'nothing'")).find("s:Body", NS) or []
    assert local_names(response) == ["EnumerationContext", "Items", "EndOfSequence"]
    assert len(response[1]) == 0


def test_release(pc: Host) -> None:
    (response,) = pc.send(query(SERVICES)).find("s:Body", NS) or []
    context = response.findtext("n:EnumerationContext", "", NS)
    body = f"<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>"
    released = pc.send(envelope(f"{WMI}root/cimv2/*", f"{ENUMERATION}/Release", body)).find("s:Body", NS)
    assert released is not None
    assert len(released) == 0
    assert code(pc, pull(context)) == (2150858779, "n:InvalidEnumerationContext")


def test_enumerate_a_class_uri(pc: Host) -> None:
    uri = f"{WMI}root/cimv2/Win32_ComputerSystem"
    message = envelope(uri, f"{ENUMERATION}/Enumerate", "<n:Enumerate><w:OptimizeEnumeration/></n:Enumerate>")
    (response,) = pc.send(message).find("s:Body", NS) or []
    assert local_names(response[1]) == ["Win32_ComputerSystem"]


@pytest.mark.parametrize(
    ("wql", "text"),
    [
        ("SELECT * FROM Win32_Nothing", "The specified class does not exist in the given namespace. "),
        ("SELECT FROM WHERE", "The WS-Management service cannot process the request. The WQL query is invalid. "),
    ],
)
def test_query_faults(pc: Host, wql: str, text: str) -> None:
    found = fault(pc, query(wql))
    assert (found.wsman_fault_code, found.fault_subcode) == (2150858778, "n:CannotProcessFilter")
    root = ElementTree.fromstring(found.response)
    assert root.findtext("s:Header/a:Action", "", NS) == f"{ENUMERATION}/fault"
    path = "s:Body/s:Fault/s:Detail/f:WSManFault/f:Message/f:ProviderFault"
    assert root.findtext(f"{path}/f:WSManFault/f:Message", "", NS) == text
    status = f"{{{WMI}root/cimv2/__ExtendedStatus}}"
    assert root.findtext(f"{path}/f:ExtendedError/{status}__ExtendedStatus/{status}ParameterInfo", "", NS) == wql


def test_query_in_a_missing_namespace_uses_the_other_shape(pc: Host) -> None:
    found = fault(pc, query("SELECT * FROM A", "root/nowhere"))
    assert (found.wsman_fault_code, found.wmierror_code) == (None, 2150858778)


@pytest.mark.parametrize(
    ("resource", "selectors", "expected"),
    [("root/cimv2/Win32_Service", None, 2150859003), ("root/cimv2/*", {"Name": "x"}, 2150859003)],
)
def test_a_query_needs_the_star(pc: Host, resource: str, selectors: dict[str, str] | None, expected: int) -> None:
    message = query(SERVICES, selectors=selectors).replace("root/cimv2/*", resource)
    assert code(pc, message)[0] == expected


def test_enumerate_with_keys(pc: Host) -> None:
    uri = f"{WMI}root/cimv2/Win32_Service"
    assert (
        code(pc, envelope(uri, f"{ENUMERATION}/Enumerate", "<n:Enumerate/>", selectors={"Name": "x"}))[0] == 2150859016
    )
