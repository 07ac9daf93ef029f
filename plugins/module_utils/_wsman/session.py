# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation with one endpoint: Get, Enumerate, Delete, Invoke, and raw requests for other resources.

A request that writes is sent only inside ``judged_by``, and each time it is sent, a repetition included, the judge is
asked in the moment before. So nobody can write first and ask later, or ask once and write twice. All that a judge asks
and the write that it lets pass go over one connection: a restart of the endpoint survives none, so that no judgement is
made of what was before one and what is after it.
"""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager, nullcontext
from xml.etree.ElementTree import Element

from . import envelope, uris
from .cim import CimObject, Reference, Value, encode, text_of
from .deadline import Deadline
from .errors import (
    ConnectionLost,
    EndpointUnreachable,
    Fault,
    LoginLost,
    LoginRejected,
    LoginUnavailable,
    NotFound,
    NotSent,
    OperationTimedOut,
    ProtocolError,
    StaleConnection,
    Unjudged,
    WSManError,
)
from .settings import Settings
from .uris import Spelling
from .xml import local_name

MAX_PULLS = 1000
"""Far above what any query here needs; it ends an enumeration that never ends."""

Log = t.Callable[[str], None]


class Transport(t.Protocol):
    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        """The SOAP reply to *message*, faults included, within *read_timeout* seconds of silence.

        With *single* it takes one HTTP exchange, over the connection that is open and logged in. StaleConnection then
        means that this would have taken a new connection or a new login, and that nothing was carried out.

        Raises EndpointUnreachable, LoginRejected, ConnectionLost, DeadlineExceeded or ProtocolError.
        """

    def close(self) -> None:
        ...


Connect = t.Callable[[], Transport]
"""Builds a fresh transport; logging in may wait until the first message."""

Judge = t.Callable[[], None]
"""Reads what must be true before a write, and raises whatever keeps it from being sent."""

Witness = t.Callable[[str, str], t.ContextManager[None]]
"""Sees each request that writes, its operation and its resource URI, from before it is judged until it is answered."""


def _nobody(operation: str, resource_uri: str) -> t.ContextManager[None]:
    return nullcontext()


class Session:
    """One authenticated connection, opened at the first call, for as long as the *deadline* lasts.

    ``calls`` counts the requests, ``writes_sent`` those that write and were carried out, or
    may have been: all that went out but for those that the endpoint refused.

    A call that can be repeated without harm survives one loss of a kept-alive connection; any other raises
    ConnectionLost, since whether it was carried out is not known.
    """

    def __init__(self, settings: Settings, connect: Connect, deadline: Deadline, log: Log = lambda line: None) -> None:
        self.deadline = deadline
        self.calls = 0
        self.writes_sent = 0
        self._settings = settings
        self._connect = connect
        self._log = log
        self._transport: Transport | None = None
        self._answered = False
        self._judge: Judge | None = None
        self._witness: Witness = _nobody
        self._asked_by_judge: int | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    @contextmanager
    def judged_by(self, judge: Judge, witness: Witness = _nobody) -> t.Iterator[None]:
        """Inside, requests that write are sent, each right after *judge* let it pass. The innermost judge counts.

        What *witness* raises before a request keeps it from being judged and sent.
        """
        outer = self._judge, self._witness
        self._judge, self._witness = judge, witness
        try:
            yield
        finally:
            self._judge, self._witness = outer

    def get(self, namespace: str, class_name: str, selectors: t.Mapping[str, str] | None = None) -> CimObject:
        """An instance by its keys, or a singleton without any."""
        uri = uris.wmi_uri(namespace, class_name)
        return CimObject(_only_child(self.request(uris.GET, uri, "", selectors=selectors, repeatable=True)))

    def query(self, namespace: str, wql: str) -> list[CimObject]:
        """All rows of a WQL query, each under its own class; projected rows are of class ``XmlFragment``."""
        asked = f'<w:Filter Dialect="{uris.WQL}">{text_of(wql)}</w:Filter>'
        return [CimObject(item) for item in self._enumerate(uris.wmi_uri(namespace, "*"), asked, wql)]

    def instances(self, namespace: str, class_name: str) -> list[tuple[CimObject, Reference]]:
        """All instances of a class, each with the keys by which the endpoint itself addresses it."""
        asked = "<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>"
        return [_with_reference(item) for item in self._enumerate(uris.wmi_uri(namespace, class_name), asked)]

    def delete(self, namespace: str, class_name: str, selectors: t.Mapping[str, str]) -> None:
        """Deletes the instance with these keys, which is a write; one that is gone already is no error.

        Where no answer comes, a Get decides whether it was carried out. One that was not is repeated once after the
        loss of the connection; after a time-out the error is raised.
        """
        uri = uris.wmi_uri(namespace, class_name)
        for last_attempt in (False, True):
            try:
                self.request(uris.DELETE, uri, "", selectors=selectors, writes=True)
                return
            except NotFound:
                return
            except (ConnectionLost, OperationTimedOut) as error:
                self._log(f"Delete gave no answer ({error}); reading back")
                try:
                    self.get(namespace, class_name, selectors)
                except NotFound:
                    return
                if last_attempt or not isinstance(error, ConnectionLost):
                    raise

    def _enumerate(self, uri: str, asked: str, subject: str = "") -> list[Element]:
        body = (
            f'<n:Enumerate xmlns:n="{uris.ENUMERATION}"><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>'
            f"{asked}</n:Enumerate>"
        )
        # A lost Pull cannot be repeated, its context is used up: then the whole query is.
        for attempt in (1, 2):
            try:
                page = _only_child(self.request(uris.ENUMERATE, uri, body, subject=subject))
                rows, context = _page(page)
                for _pull in range(MAX_PULLS):
                    if context is None:
                        return rows
                    page = _only_child(self.request(uris.PULL, uri, _pull_body(context), subject=subject))
                    more, context = _page(page)
                    rows += more
                raise ProtocolError(f"an enumeration of {uri} did not end after {MAX_PULLS} pages")
            except StaleConnection:
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        parameters: t.Mapping[str, Value],
        *,
        writes: bool,
        selectors: t.Mapping[str, str] | None = None,
        repeatable: bool = False,
        spelling: Spelling = Spelling.WMI,
    ) -> CimObject:
        """The method's output; *selectors* name an instance, none the class itself (a static method).

        *writes* says whether the method changes anything on the endpoint.
        """
        uri, of_class = uris.class_address(namespace, class_name, spelling)
        body = f'<p:{method}_INPUT xmlns:p="{uri}">{encode(parameters)}</p:{method}_INPUT>'
        subject = ", ".join(value for value in parameters.values() if isinstance(value, str))
        reply = self.request(
            f"{uri}/{method}",
            uri,
            body,
            selectors={**of_class, **(selectors or {})},
            repeatable=repeatable,
            writes=writes,
            subject=subject,
        )
        output = _only_child(reply)
        if local_name(output.tag) != f"{method}_OUTPUT":
            raise ProtocolError(f"the answer to {method} is a {local_name(output.tag)}")
        return CimObject(output)

    def request(
        self,
        action: str,
        resource_uri: str,
        body: str,
        *,
        selectors: t.Mapping[str, str] | None = None,
        options: t.Mapping[str, str] | None = None,
        repeatable: bool = False,
        writes: bool = False,
        subject: str = "",
    ) -> Element:
        """The reply's ``s:Body``; raises the fault that it holds. *subject* says in messages what was asked for.

        One that *writes* raises what its judge raises, or NotSent where the judge could not tell. It is sent again only
        where nothing of it was sent; after any other loss who writes reads back, whatever is *repeatable*.
        """

        def deliver() -> tuple[float, int, bytes]:
            if writes:
                self._ask_the_judge()
            message = envelope.request(
                action,
                resource_uri,
                body,
                to=self._settings.url,
                operation_timeout=min(self._settings.operation_timeout, self.deadline.available()),
                max_envelope_size=self._settings.max_envelope_size,
                selectors=selectors,
                options=options,
            )
            started = time.monotonic()
            try:
                reply = self._send(message, single=writes or self._within_judgement())
            except StaleConnection:
                raise  # nothing of it was sent
            except WSManError:
                self.writes_sent += writes
                raise
            return started, len(message), reply

        operation = f"{action.rpartition('/')[2]} of {resource_uri.partition('/1/')[2]}"
        if subject:
            operation += f" ({subject})"
        with self._witness(operation, resource_uri) if writes else nullcontext():
            try:
                started, size, reply = deliver()
            except StaleConnection as error:
                if not (repeatable or writes) or self._within_judgement():
                    raise
                self._log(f"{error}; connecting again")
                started, size, reply = deliver()
            elapsed = time.monotonic() - started
            self._log(f"{operation}: {size} bytes sent, {len(reply)} received in {elapsed * 1000:.0f} ms")
            refused = False
            try:
                return envelope.read(reply)
            except Fault as fault:
                fault.operation = operation
                refused = not isinstance(fault, OperationTimedOut)
                raise
            finally:
                self.writes_sent += writes and not refused

    def _ask_the_judge(self) -> None:
        judge, self._judge = self._judge, None  # who judges does not write
        if judge is None:
            raise Unjudged("a request that writes, and nobody judges whether it may be sent")
        try:
            for last_attempt in (False, False, True):
                self._asked_by_judge = 0
                try:
                    judge()
                    return
                except ConnectionLost as error:
                    if last_attempt:
                        raise
                    self._log(f"{error}; judging anew")
        except WSManError as error:
            raise NotSent(f"nothing was written, since what decides could not be read: {error}", error.layer) from error
        finally:
            self._judge, self._asked_by_judge = judge, None

    def _within_judgement(self) -> bool:
        """Whether what is asked now must come over the connection that the judge's first question went over."""
        return bool(self._asked_by_judge)

    def _send(self, message: bytes, *, single: bool) -> bytes:
        if self._transport is None:
            self._transport = self._connect()
        self.calls += 1
        try:
            reply = self._transport.send(message, self._settings.read_timeout, single=single)
        except StaleConnection:
            self._transport = None
            raise
        except EndpointUnreachable as error:
            if self._answered:  # it was there a moment ago, and may have carried out what it was asked
                raise ConnectionLost(f"the endpoint answered before, and then {error}") from error
            raise
        except (LoginRejected, LoginUnavailable) as error:
            if self._answered:
                raise LoginLost(f"the endpoint let this account in before, and then {error}", error.layer) from error
            raise
        self._answered = True
        if self._asked_by_judge is not None:
            self._asked_by_judge += 1
        return reply


def _only_child(body: Element) -> Element:
    if len(body) != 1:
        raise ProtocolError(f"the answer's body holds {len(body)} elements instead of one")
    return body[0]


def _pull_body(context: str) -> str:
    return (
        f'<n:Pull xmlns:n="{uris.ENUMERATION}"><n:EnumerationContext>{text_of(context)}</n:EnumerationContext>'
        "<n:MaxElements>32000</n:MaxElements></n:Pull>"
    )


def _with_reference(item: Element) -> tuple[CimObject, Reference]:
    """An ``Item`` holds the instance and its endpoint reference (DSP0226 8.7)."""
    reference = CimObject(item).reference("EndpointReference")
    if reference is None or len(item) != 2:
        raise ProtocolError("an enumerated item is not an instance with its reference")
    return CimObject(item[0]), reference


def _page(response: Element) -> tuple[list[Element], str | None]:
    """Rows and the next context (None at the end) of an EnumerateResponse or PullResponse.

    Items and EndOfSequence stand in the WS-Management namespace in the former and in WS-Enumeration's in the latter.
    """
    rows: list[Element] = []
    context: str | None = None
    ended = False
    for element in response:
        name = local_name(element.tag)
        if name == "Items":
            rows += element
        elif name == "EnumerationContext":
            context = (element.text or "").strip() or None
        elif name == "EndOfSequence":
            ended = True
    if not ended and context is None:
        raise ProtocolError("an enumeration that neither ends nor can be continued")
    return rows, None if ended else context
