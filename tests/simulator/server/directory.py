# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of the fleet as a domain counts them: wrong passwords, wherever they were tried, and what locks out.

Official: a domain account is locked after so many wrong passwords, at whatever machines; a right one before that begins
the count anew; once it is locked, the right password is refused too. Here it stays locked until somebody unlocks it.
Local accounts are counted and never locked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .accounts import Home


@dataclass
class Standing:
    rejected: int = 0
    """Logins that reached a decision and were rejected."""
    locked_out_after: int | None = None
    """How many of them there were when the account was locked."""
    in_a_row: int = 0


class Directory:
    def __init__(self, threshold: int = 0) -> None:
        self._threshold = threshold
        """After how many wrong passwords an account is locked; 0: never."""
        self._accounts: dict[str, Standing] = {}

    def admits(self, home: Home, domain: str, user: str, *, right: bool) -> bool:
        """Somebody logs in with a right or a wrong password: whether the account may."""
        name, is_domains = home.identity(domain, user)
        standing = self._accounts.setdefault(name, Standing())
        if right and standing.locked_out_after is None:
            standing.in_a_row = 0
            return True
        standing.rejected += 1
        standing.in_a_row += 1
        if is_domains and standing.locked_out_after is None and 0 < self._threshold <= standing.in_a_row:
            standing.locked_out_after = standing.rejected
        return False

    def describe(self) -> dict[str, dict[str, Any]]:
        return {name: asdict(standing) for name, standing in sorted(self._accounts.items())}

    def unlock(self) -> None:
        """An administrator unlocks every account; the counts begin anew."""
        self._accounts.clear()
