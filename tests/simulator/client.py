# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a simulated fleet in a process of its own and talks to its control interface."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from .inventory import inventory

_STARTED_WITHIN = 60.0
_STOPPED_WITHIN = 10.0


class SimulatorError(RuntimeError):
    """The simulator did not start, or refused what it was asked."""


class Simulator:
    """`with Simulator({"endpoints": [{"name": "PC-1", "profile": "stuck"}]}) as fleet: …`

    Every argument that is a mapping is a fleet file's content; a path is a fleet file.
    """

    def __init__(self, fleet: Mapping[str, Any] | str | os.PathLike[str], *options: str) -> None:
        self._fleet = fleet
        self._options = options
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.ready: dict[str, Any] = {}

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Simulator:
        self._directory = tempfile.TemporaryDirectory(prefix="simulator-client-")
        directory = Path(self._directory.name)
        if isinstance(self._fleet, Mapping):
            fleet_file = directory / "fleet.yml"
            fleet_file.write_text(json.dumps(self._fleet, default=str), encoding="utf-8")  # JSON is YAML
        else:
            fleet_file = Path(self._fleet)
        ready_file = directory / "ready.json"
        command = [sys.executable, str(Path(__file__).parent), "serve", str(fleet_file)]
        command += ["--ready-file", str(ready_file), "--ca-file", str(directory / "ca.pem")]
        command += ["--parent-pid", str(os.getpid()), *self._options]
        with (directory / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.ready = self._wait(ready_file)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self, ready_file: Path) -> dict[str, Any]:
        assert self._process is not None
        deadline = time.monotonic() + _STARTED_WITHIN
        while not ready_file.exists():
            if self._process.poll() is not None:
                raise SimulatorError(f"the simulator ended at once: {self.log().strip()}")
            if time.monotonic() > deadline:
                raise SimulatorError(f"the simulator is not ready after {_STARTED_WITHIN:.0f} seconds: {self.log()}")
            time.sleep(0.01)
        ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
        return ready

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def log(self) -> str:
        """What the simulator printed: empty but for one line, unless something is wrong with it."""
        if self._directory is None:
            return ""
        with contextlib.suppress(FileNotFoundError):
            return Path(self._directory.name, "log").read_text(encoding="utf-8", errors="replace")
        return ""

    @property
    def http_port(self) -> int:
        return int(self.ready["http_port"])

    @property
    def https_port(self) -> int:
        return int(self.ready["https_port"])

    @property
    def ca_file(self) -> str:
        return str(self.ready["ca_file"])

    def inventory(self, *, https: bool = False) -> str:
        """An Ansible inventory of the endpoints there are now."""
        return inventory({**self.ready, "endpoints": self.endpoints()}, https=https)

    def endpoints(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.request("GET", "/endpoints")
        return found

    def endpoint(self, name: str) -> dict[str, Any]:
        """The endpoint's true state, however it answers over the network."""
        return self._of(name, "GET")

    def traffic(self, name: str) -> dict[str, Any]:
        return self._of(name, "GET", "/traffic")

    def reset_traffic(self, name: str) -> None:
        self._of(name, "DELETE", "/traffic")

    def total_traffic(self) -> dict[str, int]:
        """Connections, login legs, calls and octets of all endpoints together."""
        found: dict[str, int] = self.request("GET", "/traffic")
        return found

    def reset_total_traffic(self) -> None:
        self.request("DELETE", "/traffic")

    def event(self, name: str, event: str, /, **detail: Any) -> None:
        self._of(name, "POST", "/event", {"event": event, **detail})

    def patch(self, name: str, **keys: Any) -> None:
        self._of(name, "PATCH", "", keys)

    def add(self, *entries: Mapping[str, Any]) -> list[dict[str, Any]]:
        added: list[dict[str, Any]] = self.request("POST", "/endpoints", list(entries))
        return added

    def remove(self, name: str) -> None:
        self._of(name, "DELETE")

    def site(self) -> dict[str, Any]:
        """What its service was asked: `requests`, `logins` by kind, `rejected`, `octets`. Its keys are the `source`."""
        found: dict[str, Any] = self.request("GET", "/site")
        return found

    def set_site(self, **keys: Any) -> None:
        self.request("PATCH", "/site", keys)

    def set_site_script(self, name: str, state: str) -> None:
        """What somebody in the console has made of a script: approved, denied, waiting or changed."""
        self.request("POST", f"/site/scripts/{urllib.parse.quote(name)}", state)

    def reset_site_traffic(self) -> None:
        self.request("DELETE", "/site/traffic")

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Who tried to log in, such as CORP\\operator or PC-1\\admin: `rejected` logins, and `locked_out_after`."""
        found: dict[str, dict[str, Any]] = self.request("GET", "/accounts")
        return found

    def unlock_accounts(self) -> None:
        self.request("DELETE", "/accounts")

    def now(self) -> datetime:
        """The fleet's clock."""
        return datetime.fromisoformat(self.request("GET", "/clock")["now"])

    def advance(self, by: str) -> None:
        """Moves the fleet's clock forward: `49h`, `2d`, `90s`."""
        self.request("POST", "/clock", {"advance": by})

    def _of(self, name: str, method: str, what: str = "", body: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = self.request(method, f"/endpoints/{urllib.parse.quote(name, safe='')}{what}", body)
        return answer

    def request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body, default=str).encode()
        request = urllib.request.Request(self.ready["control"] + path, data, method=method)
        try:
            with self._opener.open(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                answer = json.load(error)
            raise SimulatorError(f"{method} {path}: {answer['error']}") from None
