# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in for the network and for time."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings

from .wire import NAMESPACES

SETTINGS = Settings(host="pc-0001.corp.example", username="admin", password="secret")


class Clock:
    """A monotonic clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@dataclass
class Wire:
    """Hands out *replies* one by one, over however many connections; an exception among them is raised.

    ``single`` says of each message in ``sent`` whether it was to take one exchange over the open connection.
    """

    replies: list[bytes | Exception]
    sent: list[Element] = field(default_factory=list)
    single: list[bool] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    before_reply: t.Callable[[], None] = lambda: None
    _judged: ExitStack = field(default_factory=ExitStack)

    def connect(self) -> t.Any:
        self.connections += 1
        return self

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        self.sent.append(ElementTree.fromstring(message))
        self.single.append(single)
        self.before_reply()
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None:
        self.closed += 1

    def session(self, deadline: Deadline | None = None, settings: Settings = SETTINGS, **options: t.Any) -> Session:
        return Session(settings, self.connect, deadline or Deadline(60), **options)

    def writable(self, judge: t.Callable[[], None] = lambda: None, **options: t.Any) -> Session:
        """A session that may write, for tests of what is written and not of who lets it pass."""
        session = self.session(**options)
        self._judged.enter_context(session.judged_by(judge))
        return session

    @property
    def actions(self) -> list[str]:
        """The last word of each action that was asked for."""
        return [header(message, "a:Action").rpartition("/")[2] for message in self.sent]


def header(message: Element, name: str) -> str:
    """The text of a header of *message*, which must be there."""
    element = message.find(f"s:Header/{name}", NAMESPACES)
    assert element is not None, f"no header {name}"
    return element.text or ""


def body(message: Element) -> list[Element]:
    """The children of the body of *message*."""
    found = message.find("s:Body", NAMESPACES)
    assert found is not None
    return list(found)


def selectors(message: Element) -> dict[str, str]:
    return {item.get("Name", ""): item.text or "" for item in message.iterfind(".//w:Selector", NAMESPACES)}
