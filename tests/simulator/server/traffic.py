# SPDX-License-Identifier: GPL-3.0-or-later
"""What an endpoint was asked, and what that cost on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..wsman.calls import Call

# More calls than any test makes; a forgotten simulator does not eat the memory.
_MOST_CALLS = 20000


@dataclass(frozen=True)
class CallRecord:
    operation: str
    resource: str
    method: str
    detail: str
    request_bytes: int
    response_bytes: int
    status: int


@dataclass(frozen=True)
class LoginRecord:
    """A login that was granted."""

    scheme: str
    principal: str
    delegated: bool


@dataclass
class Traffic:
    connections: int = 0
    login_requests: int = 0
    login_bytes: int = 0
    wire_bytes: int = 0
    """Octets of HTTP in both directions with headers, without the login legs; over TLS: before encryption."""
    calls: list[CallRecord] = field(default_factory=list)
    logins: list[LoginRecord] = field(default_factory=list)

    def logged_in(self, scheme: str, principal: str, *, delegated: bool) -> None:
        if len(self.logins) < _MOST_CALLS:
            self.logins.append(LoginRecord(scheme, principal, delegated))

    def login(self, received: int, sent: int) -> None:
        self.login_requests += 1
        self.login_bytes += received + sent

    def call(self, call: Call, received: int, sent: int, status: int) -> None:
        self.wire_bytes += received + sent
        if len(self.calls) < _MOST_CALLS:
            self.calls.append(
                CallRecord(call.operation, call.resource, call.method, call.detail, received, sent, status)
            )

    def other(self, received: int, sent: int) -> None:
        """What HTTP.sys answered before anyone knew what was asked."""
        self.wire_bytes += received + sent

    def reset(self) -> None:
        self.connections = self.login_requests = self.login_bytes = self.wire_bytes = 0
        self.calls.clear()
        self.logins.clear()

    def describe(self) -> dict[str, Any]:
        return asdict(self)


def total(of: Iterable[Traffic]) -> dict[str, int]:
    """Of several endpoints."""
    found = {"connections": 0, "login_requests": 0, "login_bytes": 0, "wire_bytes": 0, "calls": 0, "logins": 0}
    for traffic in of:
        for name in found:
            value = getattr(traffic, name)
            found[name] += len(value) if isinstance(value, list) else value
    return found
