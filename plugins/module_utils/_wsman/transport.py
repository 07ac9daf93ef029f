# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the session needs of a transport: one authenticated connection that carries envelopes."""

from __future__ import annotations

import typing as t


class Transport(t.Protocol):
    def send(self, message: bytes, read_timeout: float) -> bytes:
        """The SOAP reply to *message*, faults included, within *read_timeout* seconds of silence.

        Raises EndpointUnreachable, LoginRejected, ConnectionLost, DeadlineExceeded or ProtocolError.
        """
        ...

    def close(self) -> None: ...


Connect = t.Callable[[], Transport]
"""Builds a fresh transport; logging in may wait until the first message."""
