# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examines a connection, layer by layer, from the libraries here to the name that the endpoint calls itself by.

It changes nothing, starts no process on the endpoint and opens no shell there. Whatever fails is a finding.
"""

from __future__ import annotations

import typing as t
from contextlib import ExitStack
from dataclasses import dataclass

from .._advice import advice
from .._windows.errors import WindowsError
from .._wsman.connect import transport
from .._wsman.deadline import Deadline
from .._wsman.errors import LoginRejected, WSManError
from .._wsman.session import Session
from .._wsman.settings import Names, Settings
from .._wsman.tape import Tape
from . import outside
from .checks import ORDER, Check, obstacle
from .inside import ANSWERS, Inside

_UNKNOWN_CAUSE = "Run connection_info with record_to, and send the recording with a report."


@dataclass(frozen=True)
class Setup:
    """How the endpoint is to be reached.

    ``options`` tells the options in force; ``settings`` is None where they cannot be used, for ``problem``.
    ``no_login`` is why no login may be tried, empty where one may. ``without_effect`` says which options have none.
    """

    options: str
    settings: Settings | None
    problem: str = ""
    no_login: str = ""
    carrier: str = "pywinrm"
    without_effect: str = ""


class Examination:
    """``done`` are the checks, in their order; ``tape`` holds what was said for them."""

    def __init__(self, setup: Setup, expected_name: str, deadline: Deadline, log: t.Callable[[str], None]) -> None:
        self.done: list[Check] = []
        self.tape = Tape()
        self.inside: Inside | None = None
        self.login_rejected = False
        self._setup = setup
        self._named = setup.settings.names if setup.settings else Names()
        self._expected_name = expected_name
        self._deadline = deadline
        self._log = log
        self._ended = ""

    @property
    def way(self) -> str:
        return self.inside.way if self.inside else "unknown"

    def run(self) -> None:
        with ExitStack() as stack:
            for name in ORDER:
                self.tape.topic = name
                self.done.append(self._check(name, stack))

    def _check(self, name: str, stack: ExitStack) -> Check:
        cause = obstacle(name, self.done)
        if cause:
            return Check(name, "skipped", f"not looked at, since {cause} failed")
        if self._ended:
            return Check(name, "skipped", f"not looked at, since the conversation ended at {self._ended}")
        try:
            return self._look_at(name, stack)
        except (WSManError, WindowsError) as error:
            if isinstance(error, LoginRejected):
                self.login_rejected = True
            if not isinstance(error, ANSWERS):
                self._ended = name
            return Check(name, "failed", str(error), advice(error.layer, self._named) or _UNKNOWN_CAUSE)

    def _look_at(self, name: str, stack: ExitStack) -> Check:
        settings = self._setup.settings
        if name == "library":
            return outside.libraries_here(self._setup.carrier)
        if settings is None:
            return outside.wrong_options(self._setup.options, self._setup.problem)
        if name == "options":
            return outside.options(self._setup.options, self._setup.without_effect)
        if name in outside.CHECKS:
            return outside.CHECKS[name](settings)
        if self.inside is None:
            if self._setup.no_login:
                return Check("login", "failed", self._setup.no_login, advice("login", settings.names))
            connect = self.tape.through(lambda: transport(settings, self._deadline))
            session = stack.enter_context(Session(settings, connect, self._deadline, self._log))
            self.inside = Inside(session, settings, self._expected_name)
        return self.inside.check(name)
