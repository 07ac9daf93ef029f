# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program leaves behind."""

from __future__ import annotations

from dataclasses import dataclass


class ProgramNotFound(Exception):
    """ERROR_FILE_NOT_FOUND when the process should be created."""


@dataclass(frozen=True)
class ProgramResult:
    exit_code: int
    stdout: str = ""
    stderr: str = ""
    duration: float = 0.0
    """Seconds that the program runs."""
    earlier: tuple[tuple[float, str], ...] = ()
    """What it prints before its end: seconds after its start, and the text. `stdout` is what it prints at its end."""

    @property
    def printed(self) -> str:
        """Its whole standard output, for who waits for its end."""
        return "".join(text for _, text in self.earlier) + self.stdout
