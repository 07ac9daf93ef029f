# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets of a fleet: every endpoint has an address of its own, the ports are the same for all."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_ATTEMPTS = 50
# A message that waits longer than this for its TCP handshake is not the simulator's fault.
_BACKLOG = 128


class PortsTaken(OSError):
    """A port that was asked for is in use on one of the addresses."""


def raise_file_limit() -> None:
    """A listening socket is an open file: the usual limit of 1024 ends at 500 endpoints."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def reserve(addresses: Iterable[str], port: int) -> tuple[int, dict[str, socket.socket]]:
    """Bound sockets with one port on all addresses; 0 finds a port that is free everywhere."""
    wanted = list(addresses)
    for _ in range(1 if port else _ATTEMPTS):
        chosen = port or _free_port(wanted)
        bound: dict[str, socket.socket] = {}
        try:
            for address in wanted:
                bound[address] = bind(address, chosen)
        except OSError as error:
            for each in bound.values():
                each.close()
            if port:
                raise PortsTaken(f"port {port} is not free on {wanted[len(bound)]}: {error.strerror}") from error
        else:
            return chosen, bound
    raise PortsTaken(f"no port is free on all of {len(wanted)} addresses")


def bind(address: str, port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found


def _free_port(addresses: list[str]) -> int:
    with bind(addresses[0] if addresses else "127.0.0.1", 0) as probe:
        return int(probe.getsockname()[1])


async def listen(found: socket.socket, serve: Serve, context: ssl.SSLContext | None) -> asyncio.Server:
    return await asyncio.start_server(serve, sock=found, ssl=context, backlog=_BACKLOG)
