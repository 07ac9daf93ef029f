# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that may log in, in the files that the acceptors of NTLM and Kerberos read."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    username: str
    password: str

    def names(self, machine_name: str) -> list[tuple[str, str]]:
        """Domain and user as clients may spell them: a local account answers to its machine's name as well."""
        domain, separator, user = self.username.rpartition("\\")
        if separator:
            return [(domain, user)]
        if "@" in user:
            name, _, realm = user.partition("@")
            return [("", user), (realm, name)]
        return [("", user), (machine_name, user)]

    def accepts(self, username: str, password: str, machine_name: str) -> bool:
        domain, separator, user = username.rpartition("\\")
        given = (domain if separator else "", user)
        spelled = [(known_domain.lower(), known.lower()) for known_domain, known in self.names(machine_name)]
        return (given[0].lower(), given[1].lower()) in spelled and password == self.password

    def owns(self, principal: str) -> bool:
        """Whether a Kerberos principal is this account: the realm is the domain's, by whatever short name."""
        user = self.username.rpartition("\\")[2].partition("@")[0]
        return principal.partition("@")[0].lower() == user.lower()


class AccountFiles:
    """One credential file for each different account: the acceptor takes it from the environment at each step."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="simulator-accounts-")
        self._files: dict[tuple[str, str, str], Path] = {}

    def use(self, account: Account, machine_name: str) -> None:
        """Everything runs in one thread and a step does not yield, so the environment holds for that step."""
        key = (account.username, account.password, "" if "\\" in account.username else machine_name)
        path = self._files.get(key)
        if path is None:
            path = Path(self._directory.name, str(len(self._files)))
            lines = [f"{domain}:{user}:{account.password}" for domain, user in account.names(machine_name)]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            path.chmod(0o600)
            self._files[key] = path
        os.environ["NTLM_USER_FILE"] = str(path)

    def use_keytab(self, keytab: str) -> None:
        """As for `use`. Nothing of the machine's own Kerberos is read, and replays are noted apart from others'."""
        config = Path(self._directory.name, "krb5.conf")
        if not config.exists():
            config.write_text("[libdefaults]\n", encoding="utf-8")
        os.environ["KRB5_CONFIG"] = str(config)
        os.environ["KRB5_KTNAME"] = f"FILE:{keytab}"
        os.environ["KRB5RCACHENAME"] = f"file2:{self._directory.name}/replays"

    def close(self) -> None:
        self._directory.cleanup()
