# SPDX-License-Identifier: GPL-3.0-or-later
"""pywinrm: shells by its Protocol, commands by its Session; for WMI its headers around bodies of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from xml.etree import ElementTree

import requests
import winrm
import xmltodict
from simulator_tests.test_http import IDENTIFY
from simulator_tests.wire import CIM_SCHEMA, ENUMERATION, NS, SHELL, TRANSFER, WMI, call, envelope, pull, query
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from .base import NO_REALM, TIMED_OUT, Client, Refused, Result, Row, row

_CTRL_C = f"{SHELL}/signal/ctrl_c"


@contextlib.contextmanager
def telling() -> Iterator[None]:
    try:
        yield
    except InvalidCredentialsError as error:
        raise Refused("login", text=str(error)) from error
    except WSManFaultError as error:
        raise Refused("fault", error.wsman_fault_code or error.wmierror_code, error.response) from error
    except WinRMOperationTimeoutError as error:
        raise Refused("fault", TIMED_OUT) from error
    except WinRMTransportError as error:
        raise Refused("http", error.code, error.response_text) from error
    except requests.exceptions.SSLError as error:
        raise Refused("tls", text=str(error)) from error


class Pywinrm(Client):
    name = "pywinrm"
    lacks: ClassVar = {**NO_REALM, "negotiate": "it speaks NTLM or Kerberos, not SPNEGO"}

    def _options(self) -> dict[str, Any]:
        return {
            "transport": self.login.auth,
            "ca_trust_path": self.host.fleet.ca_file if self.login.trusts_the_authority else "legacy_requests",
            "message_encryption": "auto" if self.login.encrypts else "never",
            "operation_timeout_sec": 10,
        }

    def _target(self) -> str:
        return f"{self.login.scheme}://{self.host.address}:{self.login.port(self.host)}/wsman"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._protocol = Protocol(
            self._target(),
            username=self.host.entry["username"],
            password=self.login.password(self.host),
            **self._options(),
        )

    def close(self) -> None:
        self._protocol.transport.close_session()

    def _send(self, message: str) -> ElementTree.Element:
        with telling():
            body = ElementTree.fromstring(self._protocol.send_message(message)).find("s:Body", NS)
        assert body is not None
        return body

    def hello(self) -> None:
        self.identify()

    def identify(self) -> str:
        return next(self._send(IDENTIFY.decode()).iterfind(".//{*}ProductVersion")).text or ""

    def largest_envelope(self) -> int:
        uri = "http://schemas.microsoft.com/wbem/wsman/1/config"
        header = self._protocol.build_wsman_header(resource_uri=uri, action=f"{TRANSFER}/Get")
        found = self._send(xmltodict.unparse({"env:Envelope": {**header, "env:Body": {}}}))
        return int(next(found.iterfind(".//{*}MaxEnvelopeSizekb")).text or "")

    def get(self, resource: str, selectors: Mapping[str, str]) -> Row:
        return row(self._send(envelope(WMI + resource, f"{TRANSFER}/Get", selectors=selectors))[0])

    def query(self, wql: str, namespace: str = "root/cimv2") -> list[Row]:
        rows, context = _page(self._send(query(wql, namespace)))
        while context:
            more, context = _page(self._send(pull(context, namespace)))
            rows += more
        return rows

    def begin(self, wql: str) -> str:
        return _page(self._send(query(wql)))[1]

    def pull(self, context: str) -> tuple[list[Row], str]:
        return _page(self._send(pull(context)))

    def invoke(self, resource: str, method: str, arguments: Mapping[str, str], **options: str) -> Row:
        headers = "".join(f'<w:Option Name="{name}">{text}</w:Option>' for name, text in options.items())
        if headers:
            headers = f"<w:OptionSet>{headers}</w:OptionSet>"
        return row(self._send(call(WMI + resource, method, list(arguments.items()), headers=headers))[0])

    def invoke_by_class(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, str]) -> Row:
        selectors = {"__cimnamespace": namespace}
        return row(self._send(call(CIM_SCHEMA + class_name, method, list(arguments.items()), selectors=selectors))[0])

    def run(self, line: str, **options: Any) -> Result:
        with telling():
            shell = self._protocol.open_shell(
                codepage=options.get("code_page", 65001), env_vars=options.get("environment")
            )
            try:
                command = self._protocol.run_command(shell, line, console_mode_stdin=True)
                if "input" in options:
                    self._protocol.send_command_input(shell, command, options["input"], end=True)
                return self._finish(shell, command, options.get("code_page", 65001))
            finally:
                self._protocol.close_shell(shell, close_session=False)

    def _finish(self, shell: str, command: str, code_page: int = 65001) -> Result:
        stdout, stderr, exit_code = self._protocol.get_command_output(shell, command)
        self._protocol.cleanup_command(shell, command)
        codec = "utf-8" if code_page == 65001 else f"cp{code_page}"
        return Result(exit_code, stdout.decode(codec), stderr.decode(codec))

    def run_program(self, application: str, *arguments: str) -> Result:
        with telling():
            shell = self._protocol.open_shell(codepage=65001)
            try:
                command = self._protocol.run_command(shell, application, arguments, skip_cmd_shell=True)
                return self._finish(shell, command)
            finally:
                self._protocol.close_shell(shell, close_session=False)

    def run_in_one_call(self, line: str) -> Result:
        login = (self.host.entry["username"], self.login.password(self.host))
        with telling():
            found = winrm.Session(self._target(), login, **self._options()).run_cmd(line)
        return Result(found.status_code, found.std_out.decode("cp437"), found.std_err.decode("cp437"))

    def interrupt(self, line: str) -> Result:
        with telling():
            shell = self._protocol.open_shell(codepage=65001)
            command = self._protocol.run_command(shell, line)
            body = f'<rsp:Signal xmlns:rsp="{SHELL}" CommandId="{command}"><rsp:Code>{_CTRL_C}</rsp:Code></rsp:Signal>'
            self._send(envelope(f"{SHELL}/cmd", f"{SHELL}/Signal", body, selectors={"ShellId": shell}))
            result = self._finish(shell, command)
            self._protocol.close_shell(shell, close_session=False)
        return result

    def leak_shell(self) -> None:
        with telling():
            self._protocol.open_shell()

    def shells(self) -> list[str]:
        found = self._send(envelope(SHELL, f"{ENUMERATION}/Enumerate", "<n:Enumerate/>"))
        context = found.findtext("n:EnumerateResponse/n:EnumerationContext", "", NS)
        body = (
            f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>99</n:MaxElements></n:Pull>"
        )
        return [
            element.text or ""
            for element in self._send(envelope(SHELL, f"{ENUMERATION}/Pull", body)).iter(f"{{{SHELL}}}ShellId")
        ]


def _page(body: ElementTree.Element) -> tuple[list[Row], str]:
    rows = [row(item) for items in body.iterfind(".//{*}Items") for item in items]
    return rows, next((context.text or "" for context in body.iter(f"{{{ENUMERATION}}}EnumerationContext")), "")
