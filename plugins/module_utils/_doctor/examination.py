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
from .._wsman.deadline import Deadline
from .._wsman.errors import WSManError
from .._wsman.session import Session
from .._wsman.settings import OptionNames, Settings
from .._wsman.transport.braked import Brake
from .._wsman.transport.connect import transport
from . import network_checks
from .checks import ENDPOINT, Check, obstacle
from .endpoint_checks import ANSWERS, Inside
from .recorder import Recorder

_UNKNOWN_CAUSE = "Run connection_info with record_to, and send the recording with a report."


@dataclass(frozen=True)
class Target:
    """How the endpoint is to be reached.

    ``options`` tells the options in force; ``settings`` is None where they cannot be used, for ``problem``.
    The ``brake`` is asked before a login. ``without_effect`` says which options have none.
    """

    options: str
    settings: Settings | None
    problem: str = ""
    brake: Brake | None = None
    library: str = "pywinrm"
    without_effect: str = ""


class Examination:
    """``done`` are the checks, in their order; ``recorder`` holds what was said for them."""

    def __init__(self, target: Target, expected_name: str, deadline: Deadline, log: t.Callable[[str], None]) -> None:
        self.done: list[Check] = []
        self.recorder = Recorder()
        self.inside: Inside | None = None
        self._target = target
        self._named = target.settings.names if target.settings else OptionNames()
        self._expected_name = expected_name
        self._deadline = deadline
        self._log = log
        self._ended = ""

    @property
    def way(self) -> str:
        return self.inside.way if self.inside else "unknown"

    def run(self) -> None:
        with ExitStack() as stack:
            for name in ENDPOINT:
                self.recorder.topic = name
                self.done.append(self._check(name, stack))

    def _check(self, name: str, stack: ExitStack) -> Check:
        cause = obstacle(ENDPOINT, name, self.done)
        if cause:
            return Check(name, "skipped", f"not looked at, since {cause} failed")
        if self._ended:
            return Check(name, "skipped", f"not looked at, since the conversation ended at {self._ended}")
        try:
            return self._look_at(name, stack)
        except (WSManError, WindowsError) as error:
            if not isinstance(error, ANSWERS):
                self._ended = name
            return Check(name, "failed", str(error), advice(error.remedy or error.layer, self._named) or _UNKNOWN_CAUSE)

    def _look_at(self, name: str, stack: ExitStack) -> Check:
        settings = self._target.settings
        if name == "library":
            return network_checks.libraries_here(self._target.library)
        if settings is None:
            return network_checks.wrong_options(self._target.options, self._target.problem)
        if name == "options":
            return network_checks.options(self._target.options, self._target.without_effect)
        if name in network_checks.CHECKS:
            return network_checks.CHECKS[name](settings)
        if self.inside is None:
            connect = self.recorder.through(lambda: transport(settings, self._deadline, self._target.brake))
            session = stack.enter_context(Session(settings, connect, self._deadline, self._log))
            self.inside = Inside(session, settings, self._expected_name)
        return self.inside.check(name)
