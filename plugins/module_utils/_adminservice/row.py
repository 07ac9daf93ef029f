# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object of an answer. Its properties are found by name without case, since the service spells them in two ways."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from .._wsman.errors import ProtocolError

_NEVER_YEARS = (1970, 1980)
"""Null, 1970-01-01 and 1980-01-01 all stand for "never"."""
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?")


class Row:
    """Each reader returns None for null and for a property that is not there; ProtocolError for one of another type."""

    def __init__(self, properties: t.Mapping[str, t.Any]) -> None:
        self._properties = {name.lower(): value for name, value in properties.items()}

    @property
    def width(self) -> int:
        """How many properties it has."""
        return len(self._properties)

    def items(self) -> t.ItemsView[str, t.Any]:
        """Names in lower case."""
        return self._properties.items()

    def get(self, name: str) -> t.Any:
        return self._properties.get(name.lower())

    def text(self, name: str) -> str | None:
        value = self.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(name, "text")

    def texts(self, name: str) -> list[str]:
        value = self.get(name)
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        raise self._wrong(name, "a list of texts")

    def integer(self, name: str) -> int | None:
        value = self.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit():  # so in answers of v1.0
            return int(value)
        raise self._wrong(name, "a number")

    def boolean(self, name: str) -> bool | None:
        """JSON's own on some classes, 0 and 1 on others."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        if value in (0, 1):
            return bool(value)
        raise self._wrong(name, "true or false")

    def moment(self, name: str) -> dt.datetime | None:
        """UTC; None for what the site calls never."""
        value = self.get(name)
        if value is None:
            return None
        match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self._wrong(name, "a time")
        whole, fraction, zone = match.groups()
        try:
            offset = (zone or "Z").replace("Z", "+00:00")
            local = dt.datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6]:0<6}{offset}")
            found = local.astimezone(dt.timezone.utc)
        except (ValueError, OverflowError):
            raise self._wrong(name, "a time") from None
        return None if found.year in _NEVER_YEARS else found

    def _wrong(self, name: str, what: str) -> ProtocolError:
        return ProtocolError(f"the service's {name} is {self.get(name)!r:.60}, which is not {what}")
