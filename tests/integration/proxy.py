# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy for HTTP on loopback: tunnels for CONNECT, and requests for absolute URIs over one connection each."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO
from urllib.parse import urlsplit


class Proxy:
    """`hosts` are the addresses of names that no name server knows.

    `requested` are the methods and targets that clients asked for; one that refuses answers 403 to all.

    `ended` tells that an endpoint has closed its connection, and the proxy the client's.
    """

    def __init__(self, *, refuses: bool = False, hosts: Mapping[str, str] | None = None) -> None:
        self._hosts = hosts or {}
        self.requested: list[tuple[str, str]] = []
        self.ended = threading.Event()
        self._refuses = refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exception: object) -> None:
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client, client.makefile("rb") as stream:
            upstream: socket.socket | None = None
            while line := stream.readline():
                method, target, _version = line.decode("latin-1").split()
                self.requested.append((method, target))
                head = _rest_of_head(stream)
                if self._refuses:
                    client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
                if upstream is None:
                    upstream = self._connect(client, parts.hostname or "", parts.port or 80, method == "CONNECT")
                if method == "CONNECT":
                    while data := stream.read1(65536):
                        upstream.sendall(data)
                    return
                length = re.search(rb"(?im)^content-length: *(\d+)", head)
                body = stream.read(int(length[1])) if length else b""
                upstream.sendall(f"{method} {parts.path} HTTP/1.1\r\n".encode() + head + body)

    def _connect(self, client: socket.socket, host: str, port: int, tunnel: bool) -> socket.socket:
        upstream = socket.create_connection((self._hosts.get(host, host), port))
        self._open.append(upstream)
        if tunnel:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self._pump, args=(upstream, client), daemon=True).start()
        return upstream

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        self.ended.set()


def _rest_of_head(stream: BinaryIO) -> bytes:
    lines = b""
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines += line
    return lines + b"\r\n"
