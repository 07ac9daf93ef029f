# SPDX-License-Identifier: GPL-3.0-or-later
"""What the account that logs in to the machine may do."""

from __future__ import annotations

from typing import Literal

Account = Literal["administrator", "limited", "denied"]

# Official: only LocalSystem opens these, administrators too are refused.
_SYSTEM_ONLY = ("hklm\\sam\\sam", "hklm\\security")


class Access:
    """`limited` reads what users may read and changes nothing; `denied` is refused by WMI altogether."""

    def __init__(self, account: Account = "administrator") -> None:
        self.account: Account = account

    @property
    def is_administrator(self) -> bool:
        return self.account == "administrator"

    @property
    def can_use_wmi(self) -> bool:
        return self.account != "denied"

    def can_read_key(self, path: str) -> bool:
        return not path.lower().startswith(_SYSTEM_ONLY)

    def can_write_key(self, path: str) -> bool:
        return self.is_administrator and self.can_read_key(path)
