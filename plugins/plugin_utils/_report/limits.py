# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts of a status a run may have and still be a success. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .rows import asked

_LIMIT = re.compile(r"(?P<number>\d{1,9})(?P<share>%?)", re.ASCII)


def problem(limits: Mapping[str, str | None]) -> str:
    """What is wrong with these, each by its option; empty where nothing is. None and an empty text are no limit."""
    for option, text in limits.items():
        found = _LIMIT.fullmatch((text or "0").strip())
        if not found or (found["share"] and int(found["number"]) > 100):
            return (
                f"{option}={text} is no limit: give a number of hosts such as 5, or a share of those asked such as 10%"
            )
    return ""


def exceeded(counts: Mapping[str, int], limits: Mapping[str, str | None]) -> str:
    """A sentence on the first option whose limit is passed, or empty. An option ``max_STATUS`` limits that status."""
    tried = asked(counts)
    for option, text in limits.items():
        found = _LIMIT.fullmatch((text or "").strip())
        status = option.removeprefix("max_")
        number = counts.get(status, 0)
        if found is None:
            continue
        most = int(found["number"])
        if number * 100 > most * tried if found["share"] else number > most:
            return f"{number} of {tried} hosts that were asked are {status}, more than {option}={text}."
    return ""
