# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep itself: settings go out to the workers, records come in, are written down and counted."""

from __future__ import annotations

import datetime as dt
import time
import typing as t
from collections import deque

from ansible.errors import AnsibleError

from ...module_utils import _module
from ...module_utils._wsman.settings import Settings
from . import progress
from .pool import Died, Pool
from .record import Record, of_failure
from .tally import Tally

SettingsOf = t.Callable[[str], Settings]


class Sweep:
    """*settings_of* gives a host's, or raises; *keep* gets each record; *shown* is told how far it is."""

    def __init__(
        self, settings_of: SettingsOf, tally: Tally, keep: t.Callable[[Record], None], shown: progress.Progress
    ) -> None:
        self.addresses: dict[tuple[str, int], list[str]] = {}
        self._settings_of = settings_of
        self._tally = tally
        self._keep = keep
        self._shown = shown

    def run(self, pool: Pool, hosts: t.Sequence[str], seconds: float) -> bool:
        """Whether all of *hosts* were done within *seconds*."""
        waiting = deque(hosts)
        started = said = time.monotonic()
        before = self._tally.done
        while waiting or not pool.is_idle:
            now = time.monotonic()
            if now >= started + seconds:
                return False
            if now >= said + self._shown.every_seconds:
                said = now
                self._tell(now - started, self._tally.done - before)
            if waiting and pool.has_room():
                self._begin(pool, waiting.popleft())
                self._receive(pool, 0.0)
            else:
                self._receive(pool, min(started + seconds, said + self._shown.every_seconds) - now)
        return True

    def _begin(self, pool: Pool, host: str) -> None:
        try:
            with _module.failures():
                settings = self._settings_of(host)
        except _module.TaskFailed as error:
            self._note(of_failure(host, str(error), error.result, _now(), unreachable=False))
        except AnsibleError as error:
            told = {"error_layer": "settings"}
            self._note(of_failure(host, str(error), told, _now(), unreachable=False))
        else:
            self.addresses.setdefault((settings.host.casefold(), settings.port), []).append(host)
            pool.give(host, settings)

    def _receive(self, pool: Pool, timeout: float) -> None:
        for came in pool.take(max(0.0, timeout)):
            if isinstance(came, Died):
                self._mourn(came)
            else:
                self._note(came)

    def _mourn(self, died: Died) -> None:
        code = died.exit_code or 0
        how = f"signal {-code}" if code < 0 else f"code {code}"
        for host in died.hosts:
            self._note(
                of_failure(
                    host,
                    f"the process that asked this endpoint ended with {how}. Was it killed, or did memory run out? Run"
                    " again to ask it",
                    {"error_layer": "worker", "retryable": True},
                    _now(),
                    unreachable=False,
                )
            )

    def _note(self, record: Record) -> None:
        self._keep(record)
        self._tally.add(record)

    def _tell(self, seconds: float, just_done: int) -> None:
        tally = self._tally
        line = progress.line(tally.done, tally.total, tally.off, tally.errors, seconds, just_done)
        self._shown.tell(line, tally.done / tally.total)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
