# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: serve a fleet, print an inventory of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from .control import Control
from .estate import Estate
from .fleet import Fleet, load
from .inventory import inventory, read_ready_file
from .server.listeners import listen, raise_file_limit, reserve
from .windows.reading import SpecError

_CONTROL_ADDRESS = "127.0.0.1"
_PARENT_CHECK = 0.5


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.verb == "inventory":
        print(inventory(read_ready_file(options.ready_file), https=options.https), end="")
        return 0
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    # The token traces of the NTLM library are of no use here, and long.
    logging.getLogger("spnego").setLevel(logging.WARNING)
    try:
        fleet = load(options.fleet)
    except (SpecError, OSError) as error:
        print(f"{options.fleet}: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(fleet, options))
    except OSError as error:
        print(f"cannot listen: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("serve", help="serve the endpoints of a fleet file")
    serve.add_argument("fleet", type=Path, metavar="FLEET.yml")
    serve.add_argument("--http-port", type=int, default=0, help="the same for all endpoints; 0 picks a free one")
    serve.add_argument("--https-port", type=int, default=0, help="the same for all endpoints; 0 picks a free one")
    serve.add_argument("--control-port", type=int, default=0)
    serve.add_argument("--ready-file", type=Path, help="written when everything listens")
    serve.add_argument("--ca-file", type=Path, help="where the certificate of the fleet's CA goes")
    serve.add_argument("--parent-pid", type=int, help="quit when this process ends")
    serve.add_argument("--verbose", action="store_true")
    listing = verbs.add_parser("inventory", help="print an Ansible inventory of a running fleet")
    listing.add_argument("ready_file", type=Path, metavar="READY_FILE")
    listing.add_argument("--https", action="store_true")
    return parser


async def _serve(fleet: Fleet, options: argparse.Namespace) -> None:
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="simulator-") as directory:
        ca_file = (options.ca_file or Path(directory, "ca.pem")).absolute()
        estate = Estate(fleet, ca_file)
        await estate.start(options.http_port, options.https_port)
        ended = asyncio.Event()
        control_port, sockets = reserve([_CONTROL_ADDRESS], options.control_port)
        server = await listen(sockets[_CONTROL_ADDRESS], Control(estate, ended.set).serve, None)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        ready: dict[str, Any] = {
            "pid": os.getpid(),
            "control": f"http://{_CONTROL_ADDRESS}:{control_port}",
            "http_port": estate.http_port,
            "https_port": estate.https_port,
            "ca_file": str(ca_file),
            "site_port": estate.site_port,
            "endpoints": estate.listing(),
        }
        if options.ready_file:
            _write_atomically(options.ready_file, ready)
        print(
            f"{len(ready['endpoints'])} endpoints on ports {estate.http_port} (http) and {estate.https_port} (https), "
            f"control {ready['control']}",
            flush=True,
        )
        watch = asyncio.create_task(_watch(options.parent_pid, ended)) if options.parent_pid else None
        await ended.wait()
        if watch:
            watch.cancel()
        server.close()
        await estate.stop()


def _write_atomically(path: Path, content: Any) -> None:
    """Whoever waits for the file must never see half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    partial.chmod(0o600)
    partial.replace(path)


async def _watch(parent: int, ended: asyncio.Event) -> None:
    """Ends the simulator with the process that started it, however that one ends."""
    is_child = os.getppid() == parent
    while (os.getppid() == parent) if is_child else _is_alive(parent):
        await asyncio.sleep(_PARENT_CHECK)
    ended.set()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
