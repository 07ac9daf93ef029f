# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the conformance table: what a client does, and what must come of it.

Each operation is written once, for all clients. It judges by what the client made of the answers, and by what the
simulator knows of the endpoint; what it returns is shown in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from simulator_tests.wire import CCMEXEC, HKLM, Host

from .clients.base import TIMED_OUT, Capability, Client, Login, Refused

Open = Callable[..., Client]
"""Makes the client anew, for the endpoint at hand; takes a Login."""
Run = Callable[[Open, Host], str | None]

STDREGPROV = "root/default/StdRegProv"
_SORT = r"C:\Windows\System32\sort.exe"
_FILE = r"C:\Windows\CCM\Logs\conformance.log"
_LONG = "".join(f"{number:06d} a line of a log that is longer than one answer\r\n" for number in range(8000))
_SLOW = 'powershell.exe Write-Host "first"; Start-Sleep 25; Write-Host "last"'


@dataclass(frozen=True)
class Operation:
    name: str
    run: Run
    needs: tuple[Capability, ...] = ()
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    """What the endpoint's entry in the fleet file says."""


OPERATIONS: list[Operation] = []


def operation(name: str, *needs: Capability, **endpoint: Any) -> Callable[[Run], Run]:
    def add(run: Run) -> Run:
        OPERATIONS.append(Operation(name, run, needs, endpoint))
        return run

    return add


def refused(what: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        what()
    return caught.value


def faulty(code: int, *, shape: str = "wsman") -> Callable[[Callable[[], object]], str]:
    """The operation ends with that fault. pypsrp reads no code out of the shape MSFT_WmiError."""

    def check(what: Callable[[], object]) -> str:
        found = refused(what)
        assert found.kind == "fault", found
        assert found.code == code or (shape == "wmi_error" and found.code is None), found
        return "" if found.code else "no code"

    return check


# -- logins ------------------------------------------------------------------------------------------------------------


def login(name: str, how: Login, *needs: Capability, **endpoint: Any) -> None:
    def run(open_client: Open, host: Host) -> None:
        open_client(how).hello()

    if how.scheme == "https":
        needs = (*needs, "https")
    operation(name, *needs, **endpoint)(run)


login("log in: NTLM over HTTP, messages encrypted", Login())
login("log in: SPNEGO over HTTP, messages encrypted", Login("negotiate"), "negotiate")
login("log in: NTLM over HTTPS, bound to the channel", Login(scheme="https"), channel_binding="strict")
login(
    "log in: SPNEGO over HTTPS, bound to the channel",
    Login("negotiate", "https"),
    "negotiate",
    channel_binding="strict",
)
login("log in: Kerberos", Login("kerberos"), "kerberos")
login("log in: Basic over HTTPS", Login("basic", "https"), credentials={"username": "local-user", "password": "Sim-1!"})


@operation("log in: a wrong password")
def _(open_client: Open, host: Host) -> None:
    assert refused(open_client(Login(wrong_password=True)).hello).kind == "login"
    assert host.fleet.traffic(host.name)["calls"] == []


@operation("log in: a certificate of an unknown authority", "https")
def _(open_client: Open, host: Host) -> None:
    assert refused(open_client(Login(scheme="https", trusts_the_authority=False)).hello).kind == "tls"


@operation("log in: plain text where that is not allowed", "plain text")
def _(open_client: Open, host: Host) -> None:
    found = refused(open_client(Login(encrypts=False)).hello)
    assert (found.kind, found.code) == ("http", 500)


@operation("go on after the endpoint closed an idle connection", "stale connection")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    client.hello()
    host.fleet.event(host.name, "drop_connections")
    try:
        client.ask_again()
    except Refused as found:
        if (found.kind, found.code) == ("http", 400):
            return "HTTP 400"
        raise
    return "connects again"


# -- the service -------------------------------------------------------------------------------------------------------


@operation("Identify", "identify")
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).identify() == "OS: 10.0.19045 SP: 0.0 Stack: 3.0"


@operation("configuration: the largest envelope", "configuration", wsman={"max_envelope_kb": 150})
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).largest_envelope() == 150


# -- WMI ---------------------------------------------------------------------------------------------------------------


@operation("Get: by key", "wmi")
def _(open_client: Open, host: Host) -> None:
    found = open_client(Login()).get("root/cimv2/Win32_Service", {"Name": "CcmExec"})
    assert (found.class_name, found.texts("State")) == ("Win32_Service", ["Running"])


@operation("Get: a singleton", "wmi")
def _(open_client: Open, host: Host) -> None:
    found = open_client(Login()).get("root/ccm/SMS_Client", {})
    assert found.texts("ClientVersion") == ["5.00.9128.1007"]


@operation("Get: an instance that is not there", "wmi")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150858752)(lambda: client.get("root/cimv2/Win32_Service", {"Name": "nothing"}))


@operation("Enumerate: one row", "wmi")
def _(open_client: Open, host: Host) -> None:
    (found,) = open_client(Login()).query("SELECT * FROM Win32_OperatingSystem")
    assert found.texts("CSName") == [host.name]


@operation("Enumerate: many rows, in pages by size", "wmi", wsman={"max_envelope_kb": 32})
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())

    in_pages = [row.texts("Name") for row in client.query("SELECT * FROM Win32_Service")]
    answers = len(host.fleet.traffic(host.name)["calls"])
    assert answers > 3
    host.fleet.patch(host.name, wsman={"max_envelope_kb": 500, "first_page": "all"})
    assert in_pages == [row.texts("Name") for row in client.query("SELECT Name FROM Win32_Service")]
    assert len(host.fleet.traffic(host.name)["calls"]) == answers + 1
    return f"{answers} answers"


@operation("Enumerate: no rows", "wmi")
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).query("SELECT * FROM Win32_Service WHERE Name = 'nothing'") == []


@operation("Enumerate: rows of derived classes", "wmi")
def _(open_client: Open, host: Host) -> None:
    rows = open_client(Login()).query("SELECT * FROM Win32_Service")
    assert {row.class_name for row in rows} == {"Win32_Service", "Win32_TerminalService"}


@operation("Enumerate: a SELECT list", "wmi")
def _(open_client: Open, host: Host) -> None:
    (found,) = open_client(Login()).query("SELECT CSName, Version FROM Win32_OperatingSystem")
    assert (found.class_name, found.texts("CSName"), found.texts("Caption")) == ("XmlFragment", [host.name], [])


@operation("Enumerate: NULL, and an array without elements", "wmi")
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())
    (found,) = client.query("SELECT * FROM Win32_Process WHERE ProcessId = 4")
    assert (found.texts("Name"), found.texts("CommandLine")) == (["System"], [])
    empty = client.invoke(STDREGPROV, "EnumKey", {"hDefKey": HKLM, "sSubKeyName": r"SOFTWARE\Classes"})
    assert (empty.texts("sNames"), empty.texts("ReturnValue")) == ([], ["0"])


@operation("Pull: a context that was used, and one that expired", "pull")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    context = client.begin("SELECT * FROM Win32_Service")
    client.pull(context)
    faulty(2150858779)(lambda: client.pull(context))
    late = client.begin("SELECT * FROM Win32_Service")
    host.fleet.advance("5m")
    return faulty(2150858779)(lambda: client.pull(late))


@operation("Invoke: a static method", "wmi", profile="stuck")
def _(open_client: Open, host: Host) -> None:
    arguments = {"hDefKey": HKLM, "sSubKeyName": CCMEXEC, "sValueName": "ProvisioningMode"}
    found = open_client(Login()).invoke(STDREGPROV, "GetStringValue", arguments)
    assert (found.class_name, found.texts("sValue")) == ("GetStringValue_OUTPUT", ["true"])


@operation("Invoke: a static method of the class that the DMTF's URI names", "wmi", profile="stuck")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    found = client.invoke_by_class("root/ccm", "SMS_Client", "SetClientProvisioningMode", {"bEnable": "false"})
    assert (found.class_name, found.texts("ReturnValue")) == ("SetClientProvisioningMode_OUTPUT", ["0"])
    host.fleet.patch(host.name, wsman={"client_dmtf_uri": "not_dmtf"})
    return faulty(2150859065)(lambda: client.invoke_by_class("root/ccm", "SMS_Client", "GetAssignedSite", {}))


@operation("Invoke: an argument of a wrong type", "wmi")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150858817)(lambda: client.invoke(STDREGPROV, "EnumKey", {"hDefKey": "many"}))


@operation(
    "Invoke: the registry's views of 64 and of 32 bits",
    "wmi",
    wsman={"provider_architecture": "honoured"},
    registry={
        r"HKLM\SOFTWARE\Conformance": {"Bits": "64"},
        r"HKLM\SOFTWARE\WOW6432Node\Conformance": {"Bits": "32"},
    },
)
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())

    def bits(key: str, **options: str) -> list[str]:
        arguments = {"hDefKey": HKLM, "sSubKeyName": key, "sValueName": "Bits"}
        return client.invoke(STDREGPROV, "GetStringValue", arguments, **options).texts("sValue")

    key = r"SOFTWARE\Conformance"
    assert bits(key) == ["64"]
    assert bits(r"SOFTWARE\WOW6432Node\Conformance") == ["32"]
    assert bits(key, __ProviderArchitecture="32") == ["32"]
    host.fleet.patch(host.name, wsman={"provider_architecture": "ignored"})
    assert bits(key, __ProviderArchitecture="32") == ["64"]


@operation("fault: no such class, told with its provider", "wmi")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150858778)(lambda: client.query("SELECT * FROM Win32_Nothing"))


@operation("fault: no such namespace, told as MSFT_WmiError", "wmi")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150858778, shape="wmi_error")(lambda: client.query("SELECT * FROM A", "root/nowhere"))


@operation("fault: access denied", "wmi", account="denied")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150859012)(lambda: client.get("root/ccm/SMS_Client", {}))


@operation("fault: in German, and in Japanese", "wmi", os={"language": 1031})
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())
    for language, words in ((1031, "Datenquelle"), (1041, "フィルター")):
        host.fleet.patch(host.name, os={"language": language})
        found = refused(lambda: client.query("SELECT * FROM Win32_Nothing"))
        assert found.code == 2150858778
        assert words in found.text


@operation("fault: OperationTimeout", "wmi", faults=[{"match": {"class": "SMS_Client"}, "then": "hang 30"}])
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(TIMED_OUT)(lambda: client.get("root/ccm/SMS_Client", {}))


@operation("fault: an answer larger than an envelope", "wmi", os={"caption": "x" * 9000}, wsman={"max_envelope_kb": 16})
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150858790)(lambda: client.get("root/cimv2/Win32_OperatingSystem", {}))


@operation("fault: a request larger than an envelope", "wmi", "large request", wsman={"max_envelope_kb": 16})
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())
    found = refused(lambda: client.query(f"SELECT * FROM Win32_Service WHERE Name = '{'x' * 30000}'"))
    assert (found.kind, found.code) == ("http", 413)


@operation("quota: operations of the user", "wmi", faults=[{"match": {"class": "SMS_Client"}, "then": "quota"}])
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150859174, shape="wmi_error")(lambda: client.get("root/ccm/SMS_Client", {}))


@operation(
    "quota: operations on the WMI plug-in",
    "wmi",
    faults=[{"match": {"class": "SMS_Client"}, "then": "fault 2150859240"}],
)
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    return faulty(2150859240)(lambda: client.get("root/ccm/SMS_Client", {}))


# -- shells and commands -----------------------------------------------------------------------------------------------


def file(text: str) -> dict[str, Any]:
    return {_FILE: {"text": text}}


@operation("command: its output, and a closed shell", "command", files=file("one line\r\n"))
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())
    found = client.run(f"type {_FILE}")
    assert (found.exit_code, found.stdout, found.stderr) == (0, "one line\r\n", "")
    client.close()
    assert host.fleet.endpoint(host.name)["shells"] == []


@operation("command: an exit code, and what it says of its error", "command")
def _(open_client: Open, host: Host) -> None:
    found = open_client(Login()).run(r"type C:\nothing.txt & sc.exe query nothing")
    assert (found.exit_code, "cannot find the file" in found.stderr) == (1060, True)


@operation("command: output that takes several answers", "command", files=file(_LONG))
def _(open_client: Open, host: Host) -> str:
    assert open_client(Login()).run(f"type {_FILE}").stdout == _LONG
    received = [call for call in host.fleet.traffic(host.name)["calls"] if call["operation"] == "Receive"]
    assert len(received) > 1
    return f"{len(received)} answers"


@operation("command: output in UTF-8", "command", files=file("Größe 日本語\r\n"))
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).run(f"type {_FILE}").stdout == "Größe 日本語\r\n"


@operation("command: output before its end, and time-outs on the way", "command", files=file("now\n"))
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).run(f"type {_FILE} & {_SLOW}").stdout.split() == ["now", "first", "last"]
    received = [call["status"] for call in host.fleet.traffic(host.name)["calls"] if call["operation"] == "Receive"]
    assert received == [200, 500, 500, 200]


@operation("command: its standard input", "command", "input")
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).run("sort", input=b"b\r\na\r\n").stdout == "a\r\nb\r\n"


@operation("command: the code page of the system and another", "command", "code page", os={"language": 1041})
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())
    host.fleet.patch(host.name, files=file("日本語\r\n"))
    for page in (932, 65001):
        assert client.run(f"type {_FILE}", code_page=page).stdout == "日本語\r\n"
    assert client.run(f"type {_FILE}", code_page=437).stdout == "???\r\n"


@operation("command: a shell with its environment", "command", "environment")
def _(open_client: Open, host: Host) -> None:
    assert open_client(Login()).run("hostname", environment={"CONFORMANCE": "1"}).stdout.strip() == host.name


@operation("command: Ctrl+C", "interrupt")
def _(open_client: Open, host: Host) -> None:
    found = open_client(Login()).interrupt(_SLOW)
    assert (found.exit_code % 2**32, found.stdout) == (0xC000013A, "first\n")


@operation("command: without cmd.exe", "program")
def _(open_client: Open, host: Host) -> None:
    found = open_client(Login()).run_program(r"C:\Windows\System32\sc.exe", "query", "CcmExec")
    assert (found.exit_code, "RUNNING" in found.stdout) == (0, True)


@operation("command: a program that is not there", "program")
def _(open_client: Open, host: Host) -> str:
    client = open_client(Login())
    faulty(2147942402)(lambda: client.run_program("sc.exe"))
    assert host.fleet.endpoint(host.name)["shells"] == []
    return ""


@operation("command: in one call", "one call", files=file("one line\r\n"))
def _(open_client: Open, host: Host) -> None:
    """Session.run_cmd, Client.execute_cmd, and `ansible` with the module raw."""
    found = open_client(Login()).run_in_one_call(f"type {_FILE}")
    assert (found.exit_code, found.stdout.strip()) == (0, "one line")
    assert host.fleet.endpoint(host.name)["shells"] == []


@operation("shells: those that are open", "shells", "leaked shell")
def _(open_client: Open, host: Host) -> None:
    client = open_client(Login())
    client.leak_shell()
    client.leak_shell()
    assert sorted(client.shells()) == sorted(shell["shell_id"] for shell in host.fleet.endpoint(host.name)["shells"])


@operation("shells: the quota, and leaked ones that go after two hours", "leaked shell", wsman={"max_shells": 2})
def _(open_client: Open, host: Host) -> str:
    for _shell in range(2):
        open_client(Login()).leak_shell()
    remark = faulty(2150859173, shape="wmi_error")(lambda: open_client(Login()).leak_shell())
    host.fleet.advance("2h1m")
    open_client(Login()).leak_shell()
    assert len(host.fleet.endpoint(host.name)["shells"]) == 1
    return remark


@operation("shells: for administrators only", "command", profile="limited_account")
def _(open_client: Open, host: Host) -> None:
    found = refused(lambda: open_client(Login()).run(f"type {_FILE}"))
    assert found.kind == "fault"
    assert found.code == 5


@operation("shells: commands hold an operation until their shell is closed", "command", wsman={"max_operations": 2})
def _(open_client: Open, host: Host) -> str:
    """Ansible's winrm keeps one shell, and opens another when it meets this quota; the others open one a command."""
    host.fleet.patch(host.name, files=file("x"))
    client = open_client(Login())
    for _command in range(5):
        assert client.run(f"type {_FILE}").stdout == "x"
    return f"{host.fleet.endpoint(host.name)['shells_opened']} shells"
