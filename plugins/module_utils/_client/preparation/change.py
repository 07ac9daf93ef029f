# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes settings of an endpoint, one after the other, each alike: note, write, read back, forget.

Noted before and forgotten after, so that a run that is cut short anywhere can be run again or undone. Each request
that writes is sent under the guard, which also looks whether another administrator or process was faster.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._wsman.errors import ConnectionLost
from ..errors import NotVerified
from ..guard import Blocked, Guard
from ..trail import Write
from .entry import Entry, Value
from .journal import Journal
from .settings import Setting


def _always() -> str:
    return ""


@dataclass(frozen=True)
class Change:
    """``noted`` is what the journal says of the setting before, ``entry`` afterwards; None says nothing."""

    setting: Setting
    before: Value
    after: Value
    noted: Entry | None = None
    entry: Entry | None = None

    @property
    def writes(self) -> bool:
        """Whether the setting itself is to change, and not only what is noted of it."""
        return not self.setting.equal(self.before, self.after)


class Changes:
    """``done`` are the changes so far, also when an exception ended them; ``stopped`` says why the others were not.

    *still_planned* is asked as well before each write.
    """

    def __init__(
        self,
        guard: Guard,
        journal: Journal,
        log: t.Callable[[str], None],
        still_planned: t.Callable[[], str] = _always,
    ) -> None:
        self._guard = guard
        self._journal = journal
        self._log = log
        self._still_planned = still_planned
        self.done: list[Change] = []
        self.stopped = ""

    def make(self, changes: t.Iterable[Change], *, check_mode: bool) -> None:
        """Raises NotVerified where the endpoint does not keep what was written, or WindowsError or WSManError.

        In *check_mode* nothing is written, and ``done`` is what would be.
        """
        try:
            for change in changes:
                self._guard.identify()
                if check_mode:
                    self._rehearse()
                else:
                    self._log(f"changing {change.setting.name}")
                    self._make(change)
                self.done.append(change)
        except Blocked as reason:
            self.stopped = str(reason)

    def _rehearse(self) -> None:
        reason = self._still_planned()
        if reason:
            raise Blocked(reason)
        self._guard.require()

    def _make(self, change: Change) -> None:
        name, setting = change.setting.name, change.setting
        if change.entry is not None and change.entry != change.noted:
            entry = change.entry
            self._write(
                Write("note", name, change.noted and change.noted.as_text(), entry.as_text()),
                lambda: self._journal.note(name, entry),
                lambda: self._changed_meanwhile(change),
                lambda: self._noted(name) == entry,
            )
        if change.writes:
            self._write(
                Write("change", name, change.before, change.after),
                lambda: setting.write(change.after),
                lambda: self._changed_meanwhile(change),
                lambda: setting.equal(setting.read(), change.after),
            )
            read_back = setting.read()
            if not setting.equal(read_back, change.after):
                raise NotVerified(
                    f"{name} was written as {setting.display(change.after)!r} and reads back as"
                    f" {setting.display(read_back)!r}"
                )
        if change.entry is None and change.noted is not None:
            self._write(
                Write("forget", name, change.noted.as_text()),
                lambda: self._journal.forget(name),
                self._noted_meanwhile,
                lambda: self._noted(name) is None,
            )

    def _noted(self, name: str) -> Entry | None:
        self._journal.read()
        return self._journal.entries.get(name)

    def _write(
        self,
        what: Write,
        write: t.Callable[[], None],
        still_planned: t.Callable[[], str],
        is_done: t.Callable[[], bool],
    ) -> None:
        """Where the connection is lost on the way, *is_done* decides whether it is written once more."""
        for last_attempt in (False, True):
            try:
                with self._guard.writing(what, still_planned):
                    write()
            except ConnectionLost as error:
                self._log(f"no answer ({error}); reading back")
                if is_done():
                    return
                if last_attempt:
                    raise
            else:
                return

    def _noted_meanwhile(self) -> str:
        """The last entry goes with its key: another that came since would go with it."""
        reason, known = self._still_planned(), set(self._journal.entries)
        if reason:
            return reason
        self._journal.read()
        for name in sorted(set(self._journal.entries) - known):
            return f"{name} has just been noted by another administrator or process: run it again"
        return ""

    def _changed_meanwhile(self, change: Change) -> str:
        reason = self._still_planned()
        if reason:
            return reason
        entries = (change.noted, change.entry)
        if entries != (None, None) and self._noted(change.setting.name) not in entries:
            return f"{change.setting.name} has just been noted by another administrator or process: run it again"
        current = change.setting.read()
        if any(change.setting.equal(current, value) for value in (change.before, change.after)):
            return ""
        return f"{change.setting.name} has just been changed by another administrator or process: run it again"
