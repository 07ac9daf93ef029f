# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what is said over a connection: the envelopes above HTTP, so neither its headers nor its logins."""

from __future__ import annotations

from dataclasses import dataclass

from .._wsman.errors import WSManError
from .._wsman.session import Connect, Transport


@dataclass(frozen=True)
class Exchange:
    """``topic`` is what the recorder was set to; ``error`` stands where no reply came."""

    topic: str
    request: bytes
    reply: bytes | None
    error: WSManError | None = None


class Recorder:
    """``topic`` says what the next exchanges are about."""

    def __init__(self) -> None:
        self.topic = ""
        self.exchanges: list[Exchange] = []

    def through(self, connect: Connect) -> Connect:
        """*connect*, with all that its transports carry kept here."""
        return lambda: _Taped(connect(), self)


class _Taped:
    def __init__(self, transport: Transport, recorder: Recorder) -> None:
        self._transport = transport
        self._recorder = recorder
        self.close = transport.close

    def send(self, message: bytes, read_timeout: float, *, single: bool = False) -> bytes:
        try:
            reply = self._transport.send(message, read_timeout, single=single)
        except WSManError as error:
            self._recorder.exchanges.append(Exchange(self._recorder.topic, message, None, error))
            raise
        self._recorder.exchanges.append(Exchange(self._recorder.topic, message, reply))
        return reply
