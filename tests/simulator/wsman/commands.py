# SPDX-License-Identifier: GPL-3.0-or-later
"""One command of a shell: its input, what it prints and when, and its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from ..windows.machine import ProgramResult
from .calls import Call

INTERRUPTED = 0xC000013A
"""The exit code of a program that was ended by Ctrl+C (official: STATUS_CONTROL_C_EXIT)."""
_NEVER = datetime.max.replace(tzinfo=timezone.utc)

Part = tuple[str, bytes]
"""The name of a stream, and octets of it."""


@dataclass
class Command:
    text: str
    call: Call
    codec: str
    run: Callable[[str], ProgramResult]
    """Runs the program on its whole input. What it does to the machine happens at once."""
    ends: datetime = _NEVER
    exit_code: int = 0
    changes: int = 0
    """How often something happened that nobody could foresee: the input ended, or a signal came."""
    sent: bool = False
    """Whether the client has received the end of the command: its identifier is gone then (recorded)."""
    _input: bytearray = field(default_factory=bytearray)
    _started: bool = False
    _output: list[tuple[datetime, Part]] = field(default_factory=list)
    """What is still to be received, and when it is printed."""

    def start(self, now: datetime) -> None:
        """Raises ProgramNotFound."""
        result = self.run(self._input.decode(self.codec, errors="replace"))
        self._started = True
        self.ends = now + timedelta(seconds=result.duration)
        self.exit_code = result.exit_code
        self.changes += 1
        for moment, text in result.earlier:
            self._print(now + timedelta(seconds=moment), "stdout", text)
        self._print(self.ends, "stdout", result.stdout)
        self._print(self.ends, "stderr", result.stderr)

    def _print(self, moment: datetime, stream: str, text: str) -> None:
        if text:
            self._output.append((moment, (stream, text.encode(self.codec, errors="replace"))))

    def feed(self, data: bytes, now: datetime, *, is_last: bool) -> None:
        """A program that has started does not look at its input any more."""
        self._input += data
        if is_last and not self._started:
            self.start(now)

    def interrupt(self, now: datetime) -> None:
        """What was printed before stays."""
        if now < self.ends:
            self._output = [entry for entry in self._output if entry[0] <= now]
            self.ends, self.exit_code, self._started = now, INTERRUPTED, True
            self.changes += 1

    def has_news(self, now: datetime) -> bool:
        return self.next_news() <= now

    def next_news(self) -> datetime:
        return min([self.ends, *(moment for moment, _ in self._output)])

    def take(self, now: datetime, room: int) -> list[Part]:
        """The output up to now that goes into an answer with that much room."""
        part: list[Part] = []
        while self._output and self._output[0][0] <= now and room > 0:
            moment, (stream, data) = self._output.pop(0)
            part.append((stream, data[:room]))
            if len(data) > room:
                self._output.insert(0, (moment, (stream, data[room:])))
            room -= len(data)
        return part

    def is_over(self, now: datetime) -> bool:
        """Ended, and everything that it printed taken."""
        return self.ends <= now and not self._output
