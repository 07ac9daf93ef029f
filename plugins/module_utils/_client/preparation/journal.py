# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection changed on an endpoint and can undo, kept there: it outlives the controller that did it."""

from __future__ import annotations

import typing as t

from ..._windows.endpoint import Endpoint
from ..._windows.errors import WindowsError
from ..._windows.registry import KeyAbsent, RegistryType
from .. import constants
from .entry import Entry

_JOURNAL, _PREPARED, _AGENT = "Journal", "Prepared", "smstsmgr"
"""Keys below ours. The second and third are where earlier builds kept their two memories."""
_AGENT_VALUE, _NOTHING = "DependOnService", "/"

DEPENDENCY = "dependency"


class Journal:
    """One string value a setting. ``entries`` are as read last, and follow what is written.

    What an earlier build remembered is read as well, and is carried over when its setting is written about.
    Writing is done inside ``Guard.writing``, whose judge may read in between what others noted or forgot.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._registry = endpoint.registry
        self._names: dict[str, set[str]] = {}
        self.entries: dict[str, Entry] = {}

    def read(self) -> None:
        """Raises WindowsError where an entry is damaged: what is to be put back cannot be determined then."""
        self.entries, self._names = {}, {}
        keys = {key.lower() for key in self._registry.keys(constants.OWN_KEY)}
        if _AGENT.lower() in keys:
            stored = self._registry.get_strings(_key(_AGENT), _AGENT_VALUE)
            if stored:
                before = [name for name in stored if name != _NOTHING]
                self.entries[DEPENDENCY] = Entry(before, (), "smstsmgr_dependency")
                self._names[_AGENT] = {DEPENDENCY}
        for key in (_PREPARED, _JOURNAL):
            if key.lower() in keys:
                self._names[key] = set(self._read(key))

    def _read(self, key: str) -> t.Iterator[str]:
        try:
            names = self._registry.types(_key(key))
        except KeyAbsent:
            return
        for name in sorted(names):
            text = self._registry.get_string(_key(key), name)
            try:
                self.entries[name] = Entry.from_text(text or "")
            except ValueError as error:
                raise WindowsError(
                    f"HKLM\\{_key(key)}: the entry {name} is damaged ({error}). Set right by hand what it is about,"
                    " then delete it",
                    0,
                ) from None
            yield name

    def note(self, name: str, entry: Entry) -> None:
        if _JOURNAL not in self._names:
            self._registry.create_key(_key(_JOURNAL))
            self._names[_JOURNAL] = set()
        self._registry.set(_key(_JOURNAL), name, RegistryType.SZ, entry.as_text())
        self._names.setdefault(_JOURNAL, set()).add(name)
        self.entries[name] = entry
        for key in (_PREPARED, _AGENT):
            self._drop(key, name)

    def forget(self, name: str) -> None:
        for key in (_AGENT, _PREPARED, _JOURNAL):
            self._drop(key, name)
        self.entries.pop(name, None)

    def _drop(self, key: str, name: str) -> None:
        names = self._names.get(key, set())
        if name not in names:
            return
        if names == {name}:
            self._registry.delete_key(_key(key))
            self._names.pop(key, None)
        else:
            self._registry.delete_value(_key(key), name)
            self._names.get(key, names).discard(name)


def _key(name: str) -> str:
    return rf"{constants.OWN_KEY}\{name}"
