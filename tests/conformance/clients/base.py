# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operations of the conformance table ask of a client, whoever wrote it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from xml.etree import ElementTree

from simulator_tests.wire import Host

NO_REALM: dict[Capability, str] = {"kerberos": "needs a realm: the tests named test_kerberos.py bring one"}
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TIMED_OUT = 2150858793
# How pywinrm and pypsrp spell the code of a fault, and that of HTTP.
_CODE = re.compile(r"(?:'wsmanfault_code': |\(Code: )(\d+)")
_STATUS = re.compile(r"Code:? (4\d\d|5\d\d)\b")

Capability = Literal[
    "code page",
    "command",
    "configuration",
    "environment",
    "https",
    "identify",
    "input",
    "interrupt",
    "kerberos",
    "large request",
    "leaked shell",
    "negotiate",
    "one call",
    "plain text",
    "program",
    "pull",
    "shells",
    "stale connection",
    "wmi",
]
"""What not every client can do. Logging in, and failing to, is what each can."""


@dataclass(frozen=True)
class Login:
    auth: Literal["ntlm", "negotiate", "kerberos", "basic"] = "ntlm"
    scheme: Literal["http", "https"] = "http"
    wrong_password: bool = False
    trusts_the_authority: bool = True
    encrypts: bool = True

    def password(self, host: Host) -> str:
        return "wrong" if self.wrong_password else str(host.entry["password"])

    def port(self, host: Host) -> int:
        return host.fleet.https_port if self.scheme == "https" else host.fleet.http_port


@dataclass
class Refused(Exception):
    """How an operation ended that did not succeed, as far as the client tells."""

    kind: Literal["login", "tls", "http", "fault"]
    code: int | None = None
    """The status of HTTP, or the code of the fault; None where the client does not tell it."""
    text: str = ""


@dataclass(frozen=True)
class Row:
    class_name: str
    texts: Callable[[str], list[str]]
    """The texts of a property by its name: none where it is NULL or absent, one, or those of an array."""


@dataclass(frozen=True)
class Result:
    exit_code: int
    stdout: str
    stderr: str


class Client(ABC):
    name: ClassVar[str]
    lacks: ClassVar[Mapping[Capability, str]]
    """What it cannot do, and why: the explained skips of the table."""

    def __init__(self, host: Host, login: Login = Login()) -> None:
        self.host = host
        self.login = login

    @abstractmethod
    def hello(self) -> None:
        """The least that needs a login."""

    def ask_again(self) -> None:
        """Something over the connection that hello() opened."""
        self.hello()

    @abstractmethod
    def close(self) -> None:
        """Ends what may be open."""

    # Every method below belongs to the capability that its docstring names.

    def identify(self) -> str:
        """identify: ProductVersion."""
        raise NotImplementedError

    def largest_envelope(self) -> int:
        """configuration: MaxEnvelopeSize in KiB."""
        raise NotImplementedError

    def get(self, resource: str, selectors: Mapping[str, str]) -> Row:
        """wmi: an instance; resource is `namespace/Class`."""
        raise NotImplementedError

    def query(self, wql: str, namespace: str = "root/cimv2") -> list[Row]:
        """wmi: all rows."""
        raise NotImplementedError

    def invoke(self, resource: str, method: str, arguments: Mapping[str, str], **options: str) -> Row:
        """wmi: the output of a static method."""
        raise NotImplementedError

    def invoke_by_class(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, str]) -> Row:
        """wmi: the output of a static method of the class that the URI of the DMTF names."""
        raise NotImplementedError

    def begin(self, wql: str) -> str:
        """pull: the context of an enumeration that is not at its end."""
        raise NotImplementedError

    def pull(self, context: str) -> tuple[list[Row], str]:
        """pull: one page, and the context of the next."""
        raise NotImplementedError

    def run(self, line: str, **options: object) -> Result:
        """command: a line of cmd.exe; with input=, code_page=, environment= where it can do that."""
        raise NotImplementedError

    def run_program(self, application: str, *arguments: str) -> Result:
        """program: without cmd.exe."""
        raise NotImplementedError

    def run_in_one_call(self, line: str) -> Result:
        """one call: what it offers to who only wants a command's result."""
        raise NotImplementedError

    def interrupt(self, line: str) -> Result:
        """interrupt: starts a command, sends Ctrl+C, and takes what is left."""
        raise NotImplementedError

    def leak_shell(self) -> None:
        """leaked shell: opens a shell and forgets it."""
        raise NotImplementedError

    def shells(self) -> list[str]:
        """shells: the identifiers of the open ones."""
        raise NotImplementedError


def row(element: ElementTree.Element) -> Row:
    """As anybody who parses XML reads it."""

    def texts(name: str) -> list[str]:
        found = [child for child in element if local(child) == name and child.get(XSI_NIL) != "true"]
        return ["".join(child.itertext()) for child in found]

    return Row(local(element), texts)


def local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def refused_in_words(message: str) -> Refused:
    """What a client says that wraps errors into text."""
    if re.search("credentials were rejected|failed to authenticate", message, re.IGNORECASE):
        return Refused("login", text=message)
    if "CERTIFICATE_VERIFY_FAILED" in message:
        return Refused("tls", text=message)
    if code := _CODE.search(message):
        return Refused("fault", int(code[1]), message)
    if "extended fault data" in message:
        return Refused("fault", text=message)
    if status := _STATUS.search(message):
        return Refused("http", int(status[1]), message)
    raise AssertionError(f"an error that tells nothing: {message}")
