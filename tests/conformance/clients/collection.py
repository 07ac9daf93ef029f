# SPDX-License-Identifier: GPL-3.0-or-later
"""This collection: its session, over pywinrm and over pypsrp, and its commands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ansible_collections.configmgr.client.plugins.module_utils._wsman import shell, uris
from ansible_collections.configmgr.client.plugins.module_utils._wsman.cim import CimObject, text_of
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import (
    EndpointUnreachable,
    Fault,
    LoginRejected,
)
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.connect import transport

from .base import NO_REALM, Client, Refused, Result, Row

_CMD = r"C:\Windows\System32\cmd.exe"
_CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
_NO_USE = "nothing in it needs that"


@contextlib.contextmanager
def telling() -> Iterator[None]:
    try:
        yield
    except LoginRejected as error:
        raise Refused("login", text=str(error)) from error
    except Fault as error:
        raise Refused("fault", error.detail.code, error.detail.reason) from error
    except EndpointUnreachable as error:
        status = 413 if "413" in str(error) else None
        raise Refused("tls" if error.layer == "tls" else "http", status, str(error)) from error


class Collection(Client):
    name = "this collection"
    library = "pywinrm"
    lacks: ClassVar[dict[str, str]] = {
        **NO_REALM,
        "code page": "it asks for UTF-8 always",
        "environment": _NO_USE,
        "identify": _NO_USE,
        "input": _NO_USE,
        "interrupt": "a command that does not end is ended with its shell",
        "leaked shell": "it closes each shell that it opens",
        "negotiate": "it logs in by pywinrm, which speaks NTLM or Kerberos, not SPNEGO",
        "one call": "its commands are one call: see the rows above",
        "plain text": "it refuses to send plain text over HTTP",
        "pull": "it pulls an enumeration to its end at once",
        "shells": _NO_USE,
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        login = self.login
        settings = Settings(
            host=self.host.address,
            port=login.port(self.host),
            scheme=login.scheme,
            auth=login.auth,
            username=self.host.entry["username"],
            password=login.password(self.host),
            ca_trust_path=self.host.fleet.ca_file if login.trusts_the_authority else None,
            operation_timeout=10,
            library=self.library,
        )
        deadline = Deadline(120)
        self._session = Session(settings, lambda: transport(settings, deadline), deadline)

    def close(self) -> None:
        self._session.__exit__()

    def hello(self) -> None:
        self.get("root/ccm/SMS_Client", {})

    def largest_envelope(self) -> int:
        with telling():
            (found,) = self._session.request(uris.GET, _CONFIG, "")
        return CimObject(found).integer("MaxEnvelopeSizekb") or 0

    def get(self, resource: str, selectors: Mapping[str, str]) -> Row:
        with telling():
            return _row(self._session.get(*_parted(resource), selectors))

    def query(self, wql: str, namespace: str = "root/cimv2") -> list[Row]:
        with telling():
            return [_row(found) for found in self._session.query(namespace, wql)]

    def invoke(self, resource: str, method: str, arguments: Mapping[str, str], **options: str) -> Row:
        if not options:
            with self._allowed():
                return _row(self._session.invoke(*_parted(resource), method, dict(arguments), writes=True))
        uri = uris.wmi_uri(*_parted(resource))
        inputs = "".join(f"<p:{name}>{text_of(text)}</p:{name}>" for name, text in arguments.items())
        body = f'<p:{method}_INPUT xmlns:p="{uri}">{inputs}</p:{method}_INPUT>'
        with telling():
            (output,) = self._session.request(f"{uri}/{method}", uri, body, options=options)
        return _row(CimObject(output))

    def invoke_by_class(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, str]) -> Row:
        with self._allowed():
            output = self._session.invoke(
                namespace, class_name, method, dict(arguments), writes=True, spelling=uris.Spelling.DMTF
            )
            return _row(output)

    @contextlib.contextmanager
    def _allowed(self) -> Iterator[None]:
        """Here, everything may be written. The judge reads, as one does: a write opens no connection of its own."""
        with telling(), self._session.judged_by(self.hello):
            yield

    def run(self, line: str, **options: Any) -> Result:
        return self.run_program(_CMD, "/c", line)

    def run_program(self, application: str, *arguments: str) -> Result:
        with self._allowed():
            found = shell.run(self._session, application, arguments, writes=True)
        return Result(found.exit_code, found.stdout, found.stderr)


class CollectionOverPsrp(Collection):
    name = "the same, psrp"
    library = "pypsrp"
    lacks: ClassVar[dict[str, str]] = {
        feature: why for feature, why in Collection.lacks.items() if feature != "negotiate"
    }


class CollectionOverPyspnego(Collection):
    name = "the same, sweep"
    library = "pyspnego"
    lacks: ClassVar[dict[str, str]] = {**Collection.lacks, "https": "it is for NTLM over HTTP alone"}


def _parted(resource: str) -> tuple[str, str]:
    namespace, _, class_name = resource.rpartition("/")
    return namespace, class_name


def _row(found: CimObject) -> Row:
    return Row(found.class_name, found.strings)
