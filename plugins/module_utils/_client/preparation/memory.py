# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a preparation, kept on the endpoint: they outlive the controller that made it."""

from __future__ import annotations

from ..._windows.endpoint import Endpoint
from ..._windows.errors import WindowsError
from ..._windows.registry import KeyAbsent, RegistryType
from .. import constants
from .journal import Record

_KEY = constants.OWN_KEY + r"\Prepared"


class Memory:
    """One string value a setting. ``records`` are as read last, and follow what is written."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._registry = endpoint.registry
        self.records: dict[str, Record] = {}

    def read(self) -> None:
        """Raises WindowsError where a record is damaged: nobody can then tell what is to be put back."""
        self.records = {}
        try:
            names = self._registry.types(_KEY)
        except KeyAbsent:
            return
        for name in sorted(names):
            text = self._registry.get_string(_KEY, name)
            try:
                self.records[name] = Record.from_text(text or "")
            except ValueError as error:
                raise WindowsError(
                    f"HKLM\\{_KEY}: the record {name} is damaged ({error}). Set that right by hand, then delete it",
                    0,
                ) from None

    def remember(self, name: str, record: Record) -> None:
        self._registry.create_key(_KEY)
        self._registry.set(_KEY, name, RegistryType.SZ, record.as_text())
        self.records[name] = record

    def forget(self, name: str) -> None:
        self._registry.delete_value(_KEY, name)
        del self.records[name]
        if not self.records:
            self._registry.delete_key(_KEY)
