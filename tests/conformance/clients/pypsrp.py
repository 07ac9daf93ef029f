# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp: its WSMan for WMI, WinRS and Process for shells, Client for a command in one call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from xml.etree import ElementTree

import requests
from pypsrp.client import Client as PsrpClient
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import NAMESPACES, OptionSet, SelectorSet, WSMan
from simulator_tests.wire import CIM_SCHEMA, SHELL, WMI

from .base import NO_REALM, Client, Refused, Result, Row, row

_N, _W = NAMESPACES["wsen"], NAMESPACES["wsman"]
_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"


@contextlib.contextmanager
def telling() -> Iterator[None]:
    try:
        yield
    except AuthenticationError as error:
        raise Refused("login", text=str(error)) from error
    except WSManFaultError as error:
        # Of the shape MSFT_WmiError it reads the subcode alone.
        raise Refused("fault", error.code if isinstance(error.code, int) else None, error.reason or "") from error
    except WinRMTransportError as error:
        raise Refused("http", error.code, error.response_text) from error
    except requests.exceptions.SSLError as error:
        raise Refused("tls", text=str(error)) from error


class Pypsrp(Client):
    name = "pypsrp"
    lacks: ClassVar = {**NO_REALM, "identify": "it has no Identify"}

    def _arguments(self) -> dict[str, Any]:
        return {
            "port": self.login.port(self.host),
            "username": self.host.entry["username"],
            "password": self.login.password(self.host),
            "auth": self.login.auth,
            "ssl": self.login.scheme == "https",
            "cert_validation": self.host.fleet.ca_file if self.login.trusts_the_authority else True,
            "encryption": "auto" if self.login.encrypts else "never",
            "operation_timeout": 10,
        }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._wsman = WSMan(self.host.address, **self._arguments())

    def close(self) -> None:
        self._wsman.close()

    def hello(self) -> None:
        self.largest_envelope()

    def largest_envelope(self) -> int:
        with telling():
            return int(next(self._wsman.get(_CONFIG).iterfind(".//{*}MaxEnvelopeSizekb")).text or "")

    def get(self, resource: str, selectors: Mapping[str, str]) -> Row:
        selected = SelectorSet()
        for name, text in selectors.items():
            selected.add_option(name, text)
        with telling():
            return row(self._wsman.get(WMI + resource, selector_set=selected)[0])

    def query(self, wql: str, namespace: str = "root/cimv2") -> list[Row]:
        rows, context = self._begin(wql, namespace)
        while context:
            more, context = self._pull(context, namespace)
            rows += more
        return rows

    def begin(self, wql: str) -> str:
        return self._begin(wql, "root/cimv2")[1]

    def pull(self, context: str) -> tuple[list[Row], str]:
        return self._pull(context, "root/cimv2")

    def _begin(self, wql: str, namespace: str) -> tuple[list[Row], str]:
        asked = ElementTree.Element(f"{{{_N}}}Enumerate")
        ElementTree.SubElement(asked, f"{{{_W}}}OptimizeEnumeration")
        ElementTree.SubElement(asked, f"{{{_W}}}MaxElements").text = "32000"
        ElementTree.SubElement(asked, f"{{{_W}}}Filter", Dialect=_WQL).text = wql
        with telling():
            return _page(self._wsman.enumerate(f"{WMI}{namespace}/*", asked))

    def _pull(self, context: str, namespace: str) -> tuple[list[Row], str]:
        asked = ElementTree.Element(f"{{{_N}}}Pull")
        ElementTree.SubElement(asked, f"{{{_N}}}EnumerationContext").text = context
        ElementTree.SubElement(asked, f"{{{_N}}}MaxElements").text = "32000"
        with telling():
            return _page(self._wsman.pull(f"{WMI}{namespace}/*", asked))

    def invoke(self, resource: str, method: str, arguments: Mapping[str, str], **options: str) -> Row:
        return self._invoke(WMI + resource, method, arguments, options, {})

    def invoke_by_class(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, str]) -> Row:
        return self._invoke(CIM_SCHEMA + class_name, method, arguments, {}, {"__cimnamespace": namespace})

    def _invoke(
        self,
        uri: str,
        method: str,
        arguments: Mapping[str, str],
        options: Mapping[str, str],
        selectors: Mapping[str, str],
    ) -> Row:
        body = ElementTree.Element(f"{{{uri}}}{method}_INPUT")
        for name, text in arguments.items():
            ElementTree.SubElement(body, f"{{{uri}}}{name}").text = text
        asked = OptionSet()
        for name, text in options.items():
            asked.add_option(name, text)
        selected = SelectorSet()
        for name, text in selectors.items():
            selected.add_option(name, text)
        with telling():
            answer = self._wsman.invoke(
                f"{uri}/{method}", uri, body, option_set=asked if options else None, selector_set=selected
            )
        return row(answer.findall("s:Body/*", NAMESPACES)[0])

    def run(self, line: str, **options: Any) -> Result:
        code_page = options.get("code_page", 65001)
        with telling(), WinRS(self._wsman, codepage=code_page, environment=options.get("environment")) as shell:
            process = Process(shell, line)
            process.begin_invoke()
            if "input" in options:
                process.send(options["input"], end=True)
            return _finish(process, code_page)

    def run_program(self, application: str, *arguments: str) -> Result:
        with telling(), WinRS(self._wsman, codepage=65001) as shell:
            process = Process(shell, application, list(arguments), no_shell=True)
            process.begin_invoke()
            return _finish(process, 65001)

    def run_in_one_call(self, line: str) -> Result:
        with telling(), PsrpClient(self.host.address, **self._arguments()) as client:
            stdout, stderr, exit_code = client.execute_cmd(line)
        return Result(exit_code, stdout, stderr)

    def interrupt(self, line: str) -> Result:
        with telling(), WinRS(self._wsman, codepage=65001) as shell:
            process = Process(shell, line)
            process.begin_invoke()
            process.signal(SignalCode.CTRL_C)
            return _finish(process, 65001)

    def leak_shell(self) -> None:
        with telling():
            WinRS(self._wsman).open()

    def shells(self) -> list[str]:
        with telling():
            asked = ElementTree.Element(f"{{{_N}}}Enumerate")
            context = _page(self._wsman.enumerate(SHELL, asked))[1]
            more = ElementTree.Element(f"{{{_N}}}Pull")
            ElementTree.SubElement(more, f"{{{_N}}}EnumerationContext").text = context
            ElementTree.SubElement(more, f"{{{_N}}}MaxElements").text = "99"
            answer = self._wsman.pull(SHELL, more)
        return [element.text or "" for element in answer.iter(f"{{{SHELL}}}ShellId")]


def _finish(process: Process, code_page: int) -> Result:
    process.end_invoke()
    process.signal(SignalCode.TERMINATE)
    codec = "utf-8" if code_page == 65001 else f"cp{code_page}"
    assert process.rc is not None
    return Result(process.rc, process.stdout.decode(codec), process.stderr.decode(codec))


def _page(answer: ElementTree.Element) -> tuple[list[Row], str]:
    rows = [row(item) for items in answer.iterfind(".//{*}Items") for item in items]
    return rows, next((context.text or "" for context in answer.iter(f"{{{_N}}}EnumerationContext")), "")
