# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that may log in, in the files that the acceptors of NTLM and Kerberos read."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

# Official: the accounts that every Windows has.
BUILT_IN = ("Administrator", "DefaultAccount", "Guest", "WDAGUtilityAccount")


@dataclass(frozen=True)
class Home:
    """A machine as its logins see it: its own names and accounts, and the domain it belongs to."""

    machine_name: str
    domain: str = ""
    """Empty for a machine that belongs to none."""
    local: tuple[str, ...] = BUILT_IN

    @property
    def own_names(self) -> tuple[str, ...]:
        return self.machine_name, self.machine_name[:15], "."

    def is_itself(self, domain: str) -> bool:
        return domain.lower() in [name.lower() for name in self.own_names]

    def full_name(self, domain: str) -> str:
        """The DNS name of the machine's own domain, where the short name is that domain's."""
        return self.domain if _short(self.domain) == _short(domain) else ""

    def passes_on(self, user: str) -> str:
        """The domain that a bare name is looked up in: none where the machine has an account of that name."""
        return "" if user.lower() in [name.lower() for name in self.local] else _short(self.domain)

    def identity(self, domain: str, user: str) -> tuple[str, bool]:
        """One name for an account, however it is spelled; and whether it is a domain's."""
        if not domain:
            domain, user = _split(user)
        if domain and not self.is_itself(domain):
            return f"{_short(domain)}\\{user.lower()}", True
        found = "" if domain else self.passes_on(user)
        return (f"{found}\\{user.lower()}", True) if found else (f"{self.machine_name.upper()}\\{user.lower()}", False)


def _split(username: str) -> tuple[str, str]:
    domain, _, user = username.rpartition("\\")
    if not domain:
        user, _, domain = user.partition("@")
    return domain, user


def _short(domain: str) -> str:
    """The short name of a domain is the first part of its DNS name here; elsewhere it may be any."""
    return domain.partition(".")[0].upper()


@dataclass(frozen=True)
class Account:
    username: str
    password: str

    def names(self, home: Home) -> list[tuple[str, str]]:
        """Domain and user as clients may spell them to one machine."""
        domain, user = _split(self.username)
        if not domain or home.is_itself(domain):
            return [("", user), *((name, user) for name in home.own_names)]
        short, full = _short(domain), domain if "." in domain else home.full_name(domain)
        found = [(domain, user), (short, user)]
        if full:
            found += [("", f"{user}@{full}"), (full, user)]
        return [*found, ("", user)] if home.passes_on(user) == short else found

    def accepts(self, domain: str, user: str, password: str, home: Home) -> bool:
        spelled = [(known_domain.lower(), known.lower()) for known_domain, known in self.names(home)]
        return (domain.lower(), user.lower()) in spelled and password == self.password

    def owns(self, principal: str) -> bool:
        """Whether a Kerberos principal is this account: the realm is the domain's, by whatever short name."""
        user = self.username.rpartition("\\")[2].partition("@")[0]
        return principal.partition("@")[0].lower() == user.lower()


class AccountFiles:
    """One credential file for each different account: the acceptor takes it from the environment at each step."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="simulator-accounts-")
        self._files: dict[str, Path] = {}

    def use(self, account: Account, home: Home) -> None:
        """Everything runs in one thread and a step does not yield, so the environment holds for that step."""
        # The form with hashes, without the one that NTLMv2 does not need: it would be computed at each login.
        proof = f"1000:{'0' * 32}:{ntowfv1(account.password).hex()}:[U]:LCT-0"
        names = (f"{domain}\\{user}" if domain else user for domain, user in account.names(home))
        text = "".join(f"{name}:{proof}\n" for name in names)
        path = self._files.get(text)
        if path is None:
            path = Path(self._directory.name, str(len(self._files)))
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
            self._files[text] = path
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
