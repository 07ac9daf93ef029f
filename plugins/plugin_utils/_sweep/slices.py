# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in slices, as AWX cuts an inventory: each host is in exactly one, in whatever order the hosts come. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_FORM = re.compile(r"\s*([0-9]{1,9})\s*/\s*([0-9]{1,9})\s*", re.ASCII)


@dataclass(frozen=True)
class Slice:
    """The *number*-th of *count*, from 1 on."""

    number: int
    count: int

    def of(self, hosts: t.Iterable[str]) -> list[str]:
        return sorted(hosts)[self.number - 1 :: self.count]


def parsed(text: str) -> Slice:
    """``3/20``; raises ValueError, with what to give instead, for anything else."""
    match = _FORM.fullmatch(text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return Slice(int(match[1]), int(match[2]))
    raise ValueError(f"{text!r} is no slice: give its number and how many there are, such as 3/20")
