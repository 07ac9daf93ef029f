# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted faults of the service: which requests they meet."""

from __future__ import annotations

from .spec import FaultSpec


class Faults:
    def __init__(self, specs: tuple[FaultSpec, ...]) -> None:
        self._specs = [[spec, 0] for spec in specs]

    def of(self, method: str, target: str) -> FaultSpec | None:
        met = None
        for entry in self._specs:
            spec, seen = entry
            assert isinstance(spec, FaultSpec) and isinstance(seen, int)
            if spec.pattern.search(f"{method} {target}"):
                entry[1] = seen + 1
                if met is None and spec.first <= seen + 1 <= spec.last:
                    met = spec
        return met
