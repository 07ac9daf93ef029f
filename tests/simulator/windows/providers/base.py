# SPDX-License-Identifier: GPL-3.0-or-later
"""What most providers do not do."""

from __future__ import annotations

from collections.abc import Mapping

from ..cim.model import Row, WmiError
from ..world import World


class BaseProvider:
    def __init__(self, world: World) -> None:
        self._world = world

    def instances(self, class_name: str) -> list[Row]:
        return []

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        raise WmiError("not_supported")

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        raise WmiError("not_supported")
