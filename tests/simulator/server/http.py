# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 on one connection, with the header shapes of HTTP.sys and a count of the octets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime

import h11

Headers = list[tuple[str, str]]
_CHUNK = 65536
# HTTP.sys takes request headers of 16 KiB in all; a Kerberos token needs about that.
_LONGEST_HEAD = 65536


@dataclass(frozen=True)
class HttpRequest:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    octets: int

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True)
class HttpResponse:
    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Headers = field(default_factory=list)
    """Headers beside Content-Type, Server, Date and Content-Length."""
    close: bool = False
    reason: str = ""
    """Empty for everything that WinRM answers itself (recorded)."""


class BadHttp(Exception):
    """A request that HTTP.sys answers by itself."""

    def __init__(self, response: HttpResponse, octets: int) -> None:
        super().__init__(response.status)
        self.response = response
        self.octets = octets


def http_sys_page(status: int, reason: str) -> HttpResponse:
    """The small page with which HTTP.sys refuses what never reaches WinRM (inferred)."""
    body = f"<HTML><HEAD><TITLE>{reason}</TITLE></HEAD><BODY><h2>{reason}</h2></BODY></HTML>\r\n".encode()
    return HttpResponse(status, body, "text/html; charset=us-ascii", close=True, reason=reason)


class HttpConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._state = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
        self._received = 0
        self.idle = False
        """Between two requests, when closing it loses nothing."""

    async def next_request(self, idle_timeout: float, body_limit: int) -> HttpRequest | None:
        """The next request, or None where the connection has ended. Reads no more of a body than the limit."""
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
        self.idle = True
        try:
            async with asyncio.timeout(idle_timeout):
                head = await self._head()
                if head is None:
                    return None
                self.idle = False
                return await self._request(head, body_limit)
        except (TimeoutError, OSError):
            return None
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            page = http_sys_page(status, "Request Too Long" if status == 431 else "Bad Request")
            raise BadHttp(page, self._take_count()) from error

    async def _head(self) -> h11.Request | None:
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Request):
                return event
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return None

    async def _request(self, head: h11.Request, body_limit: int) -> HttpRequest:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}
        too_large = HttpResponse(413, close=True)
        length = headers.get("content-length", "0")
        if int(length) > body_limit:
            raise BadHttp(too_large, self._take_count())
        if self._state.they_are_waiting_for_100_continue:
            self._writer.write(self._state.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        body = bytearray()
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > body_limit:
                    raise BadHttp(too_large, self._take_count())
            elif isinstance(event, h11.EndOfMessage):
                break
        target = head.target.decode("latin-1")
        return HttpRequest(head.method.decode("latin-1"), target, headers, bytes(body), self._take_count())

    async def _read(self) -> None:
        data = await self._reader.read(_CHUNK)
        self._received += len(data)
        self._state.receive_data(data)

    def _take_count(self) -> int:
        """The octets of this request; what a client sent ahead belongs to the next one."""
        ahead = len(self._state.trailing_data[0])
        octets = self._received - ahead
        self._received = ahead
        return octets

    def encode(self, response: HttpResponse, now: datetime) -> bytes:
        """The octets of a response. h11 keeps the state, but would put its headers in another order."""
        headers: Headers = [("Content-Type", response.content_type)] if response.content_type else []
        headers.append(("Server", "Microsoft-HTTPAPI/2.0"))
        headers += response.headers
        headers.append(("Date", format_datetime(now.astimezone(timezone.utc), usegmt=True)))
        if response.close:
            headers.append(("Connection", "close"))
        headers.append(("Content-Length", str(len(response.body))))
        for event in (
            h11.Response(status_code=response.status, headers=headers),
            h11.Data(data=response.body),
            h11.EndOfMessage(),
        ):
            self._state.send(event)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"HTTP/1.1 {response.status} {response.reason}\r\n{lines}\r\n".encode("latin-1") + response.body

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    @property
    def reusable(self) -> bool:
        return self._state.our_state is h11.DONE and self._state.their_state is h11.DONE

    @property
    def can_answer(self) -> bool:
        return self._state.our_state in {h11.IDLE, h11.SEND_RESPONSE}
