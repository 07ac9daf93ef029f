# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on 127.0.0.1 that answer badly: a *script* writes what it likes on the bare socket, for each request."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import struct
import threading
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = t.Callable[["Exchange"], None]


class Exchange:
    """One request: its head, its body, and how to answer it. A script that raises or closes ends the connection."""

    def __init__(self, server: BadServer, connection: socket.socket, number: int, head: bytes, body: bytes) -> None:
        self.server = server
        self.number = number
        self.head = head.decode("latin-1")
        self.body = body
        self._connection = connection

    @property
    def authorization(self) -> str:
        found = re.search(r"(?im)^authorization: (.*?)\r?$", self.head)
        return found[1] if found else ""

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        self.write("\r\n".join([*lines, "", ""]).encode() + body)

    def wait(self, seconds: float) -> bool:
        """Whether the test ended meanwhile."""
        return self.server.over.wait(seconds)

    def hang_up(self) -> None:
        raise ConnectionAbortedError


def _head(stream: t.BinaryIO) -> bytes:
    """A request's first lines; empty where the other side has gone."""
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    return b"".join(lines)


class BadServer:
    """Listens on a port of its own; ``exchanges`` are the requests that came, over ``connections`` connections."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.over = threading.Event()
        self.hung_up = threading.Event()
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.exhausted = False
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> BadServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        for sock in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls is None and connection.recv(1, socket.MSG_PEEK) == b"\x16":  # TLS where none is spoken
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                connection.close()
                return
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with contextlib.closing(connection), connection.makefile("rb") as stream:
                while head := _head(stream):
                    if not head.endswith(b"\r\n"):
                        return
                    length = re.search(rb"(?im)^content-length: (\d+)", head)
                    body = stream.read(int(length[1])) if length else b""
                    exchange = Exchange(self, connection, len(self.exchanges), head, body)
                    self.exchanges.append(exchange)
                    self._script(exchange)
                connection.shutdown(socket.SHUT_RDWR)
        self.hung_up.set()

    @property
    def logins(self) -> int:
        """How often somebody sent a proof of a password."""
        proofs = 0
        for exchange in self.exchanges:
            scheme, _blank, token = exchange.authorization.partition(" ")
            if scheme == "Basic":
                proofs += 1
            elif scheme in ("NTLM", "Negotiate"):
                proofs += base64.b64decode(token)[8:12] == struct.pack("<I", 3)
        return proofs


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def ntlm_challenge() -> str:
    """A message of type 2 (MS-NLMP 2.2.1.2), with a challenge that everybody gets."""
    target = "CORP".encode("utf-16-le")
    pairs = [(2, target), (1, "PC-0001".encode("utf-16-le")), (7, struct.pack("<Q", 133_000_000_000_000_000)), (0, b"")]
    info = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in pairs)
    flags = 0xE2898235  # unicode, NTLM, signing and sealing with extended session security, 128 bits, target info
    head = 56
    message = (
        b"NTLMSSP\0"
        + struct.pack("<IHHI", 2, len(target), len(target), head)
        + struct.pack("<I", flags)
        + b"\x01\x23\x45\x67\x89\xab\xcd\xef"
        + bytes(8)
        + struct.pack("<HHI", len(info), len(info), head + len(target))
        + bytes([10, 0, 0x65, 0x58, 0, 0, 0, 15])
        + target
        + info
    )
    return base64.b64encode(message).decode()


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed but itself, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pc-0001")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
