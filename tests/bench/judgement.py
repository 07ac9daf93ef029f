# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judgement costs before each write, and how long the gap is that nobody can close, on loopback."""

from __future__ import annotations

import statistics
import time
from typing import Any

from simulator.client import Simulator

from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.trail import Write
from ansible_collections.configmgr.client.plugins.module_utils._windows.endpoint import Endpoint
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.session import Session
from ansible_collections.configmgr.client.plugins.module_utils._wsman.settings import Settings
from ansible_collections.configmgr.client.plugins.module_utils._wsman.transport.connect import transport

WRITES = 100


class Timed(Session):
    """Notes when each message leaves and when its answer is there."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.exchanges: list[tuple[float, float]] = []

    def _send(self, message: bytes, *, single: bool) -> bytes:
        left = time.perf_counter()
        reply = super()._send(message, single=single)
        self.exchanges.append((left, time.perf_counter()))
        return reply


def judgement() -> str:
    """In a sentence."""
    with Simulator({"endpoints": [{"name": "PC-0001"}]}) as fleet:
        (entry,) = fleet.endpoints()
        settings = Settings(
            host=entry["address"],
            port=fleet.http_port,
            scheme="http",
            username=entry["username"],
            password=entry["password"],
        )
        deadline = Deadline(300)
        gaps, judgements, requests = [], [], 0
        with Timed(settings, lambda: transport(settings, deadline), deadline) as session:
            guard = Guard(Endpoint(session), "PC-0001", "short")
            for _write in range(WRITES):
                before = len(session.exchanges)
                with guard.writing(Write("test")):
                    Endpoint(session).registry.create_key(r"SOFTWARE\configmgr.client\Bench")
                *asked, written = session.exchanges[before:]
                requests = len(asked)
                judgements.append(asked[-1][1] - asked[0][0])
                gaps.append(written[0] - asked[-1][1])
    return (
        f"A judgement before a write: {requests} requests, {statistics.median(judgements) * 1000:.1f} ms; from its last"
        f" answer to the write: {statistics.median(gaps) * 1000:.2f} ms here (at most {max(gaps) * 1000:.2f}), then the"
        " way to the endpoint."
    )
