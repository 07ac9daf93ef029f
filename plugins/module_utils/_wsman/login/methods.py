# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One class for each way to log in: what it asks of the settings, what it gives the library, what its failures mean."""

from __future__ import annotations

import typing as t

from ..errors import LoginRejected, LoginUnavailable, SettingsError, TicketUnavailable, WSManError
from ..settings import Settings
from . import kerberos

try:
    from requests_credssp.exceptions import AuthenticationException, NTStatusException
except ImportError:  # without it no login is tried
    AuthenticationException = NTStatusException = None


class Credential(t.NamedTuple):
    """What the library logs in with. With the name of a ``cache``, its ticket is all that it needs."""

    username: str | None
    password: str | None
    cache: str | None = None


class Login:
    """The login that *settings* ask for."""

    name: t.ClassVar[str]
    libraries: t.ClassVar[tuple[str, ...]] = ("pywinrm", "pypsrp")
    seals: t.ClassVar[bool] = True
    """Whether its messages can be encrypted without https."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def who(self) -> str | None:
        return self.settings.username

    def check(self) -> None:
        """Raises SettingsError, naming the settings, where it cannot be tried with them."""
        named, encryption = self.settings.names, self.settings.message_encryption
        if not self.seals and self.settings.scheme == "http":
            raise SettingsError(
                f"{named['auth']}={self.name} over http would send everything unprotected:"
                f" set {named['scheme']} to https, or {named['auth']} to ntlm or kerberos, which encrypt their messages"
            )
        if not self.seals and encryption == "always":
            raise SettingsError(
                f"{named['message_encryption']}=always cannot be done with {named['auth']}={self.name},"
                f" which leaves the encryption to https: leave {named['message_encryption']} out"
            )

    def credential(self) -> Credential:
        """Raises, before anything is sent to the endpoint, what keeps it from being had."""
        return Credential(self.settings.username, self.settings.password)

    def explain(self, error: Exception) -> WSManError | None:
        """What an *error* of a library behind this login means; None for an error of something else."""
        return None

    def refused(self) -> WSManError:
        """What it means that the endpoint judged the login and answered 401."""
        return LoginRejected(f"{self.settings.url} rejected the login of {self.who} with {self.name}")

    def not_offered(self) -> LoginUnavailable:
        return LoginUnavailable(f"{self.settings.url} does not offer {self.name} logins")


class _WithPassword(Login):
    def check(self) -> None:
        super().check()
        named = self.settings.names
        if not self.settings.username:
            raise SettingsError(f"{named['auth']}={self.name} needs a user name ({named['username']})")
        if not self.settings.password:  # an empty one is a variable that was not filled, and locks the account
            raise SettingsError(f"{named['auth']}={self.name} needs a password ({named['password']})")


class Ntlm(_WithPassword):
    name = "ntlm"
    libraries = ("pywinrm", "pypsrp", "pyspnego", "requests")


class Basic(_WithPassword):
    name = "basic"
    seals = False

    def check(self) -> None:
        super().check()
        named, username = self.settings.names, self.settings.username or ""
        if ":" in username:
            raise SettingsError(
                f"{named['username']}={username} cannot be sent with {named['auth']}=basic, for which a colon ends the"
                " name: take it out"
            )
        for field, text, shown in (
            ("username", username, f"={username}"),
            ("password", self.settings.password or "", ""),
        ):
            try:
                text.encode("latin-1")
            except UnicodeError:
                raise SettingsError(
                    f"{named[field]}{shown} has characters outside ISO 8859-1, which {named['auth']}=basic cannot send:"
                    f" set {named['auth']} to ntlm, kerberos or credssp"
                ) from None


class CredSsp(_WithPassword):
    name = "credssp"

    def explain(self, error: Exception) -> WSManError | None:
        """Without the texts, which may hold tokens."""
        if NTStatusException is None or not isinstance(error, (AuthenticationException, NTStatusException)):
            return None
        if isinstance(error, NTStatusException):
            return LoginRejected(f"{self.refused()} (NTSTATUS {error.status:#010x})")
        # It says so before it has sent anything, and only then names the offers.
        return self.not_offered() if "available authentication method" in str(error) else self.refused()


class Certificate(Login):
    name = "certificate"
    seals = False

    @property
    def who(self) -> str | None:
        return self.settings.cert_pem

    def check(self) -> None:
        super().check()
        named = self.settings.names
        if not (self.settings.cert_pem and self.settings.cert_key_pem):
            raise SettingsError(
                f"{named['auth']}=certificate needs both {named['cert_pem']} and {named['cert_key_pem']}"
            )


class Kerberos(Login):
    """With a ticket from the password, or without one with a ticket from the cache of the environment."""

    name = "kerberos"
    libraries = (*Login.libraries, "requests")

    def check(self) -> None:
        super().check()
        named, username = self.settings.names, self.settings.username
        if "\\" in (username or ""):
            raise SettingsError(f"{named['username']}={username} is not a valid Kerberos name: write user@REALM")
        if self.settings.password and not username:
            raise SettingsError(f"{named['auth']}=kerberos needs a user name ({named['username']}) for its password")

    def credential(self) -> Credential:
        kerberos.require_library(self.settings)
        if not self.settings.password:
            return Credential(self.settings.username, self.settings.password)
        # In a cache of ours there is no other ticket to look for.
        return Credential(None, None, kerberos.ticket_cache(self.settings))

    def explain(self, error: Exception) -> WSManError | None:
        return kerberos.explain(error, self.settings)

    def refused(self) -> WSManError:
        return TicketUnavailable(  # no password was judged: the KDC had done that before
            f"{self.settings.url} refused the ticket for {kerberos.service_name(self.settings)}: have Kerberos enabled"
            " in its WinRM service, correct its clock, and make sure that this name is its own and not one that DNS"
            " still has of another machine"
        )


class Negotiate(Login):
    """Kerberos where that is possible, else NTLM; which of them, pyspnego finds out."""

    name = "negotiate"
    libraries = ("pypsrp",)

    def check(self) -> None:
        super().check()
        named = self.settings.names
        if self.settings.password == "":
            raise SettingsError(
                f"{named['password']} is empty: fill it, or leave it out for {named['auth']}=negotiate with a ticket"
            )
        if self.settings.password and not self.settings.username:
            raise SettingsError(f"{named['auth']}=negotiate needs a user name ({named['username']}) for its password")

    def credential(self) -> Credential:
        """Without a Kerberos library pyspnego would come to that only when the endpoint was asked already."""
        if self.settings.password is None and kerberos.GSSAPI_IMPORT_ERROR is not None:
            named = self.settings.names
            raise SettingsError(
                f"{named['auth']}=negotiate without a password needs Kerberos, and its library is not here:"
                f" set {named['username']} and {named['password']}, or pip install 'pypsrp[kerberos]'"
            ) from kerberos.GSSAPI_IMPORT_ERROR
        return super().credential()


LOGINS: dict[str, type[Login]] = {each.name: each for each in (Negotiate, Ntlm, Kerberos, Basic, Certificate, CredSsp)}


def names(library: str) -> tuple[str, ...]:
    """Of the logins that a library can make."""
    return tuple(name for name, login in LOGINS.items() if library in login.libraries)


AUTH_METHODS = names("pywinrm")
"""Login methods by their own names; Ansible's ``plaintext`` and ``ssl`` are spellings of basic or certificate."""


def login_of(settings: Settings) -> Login:
    """Raises SettingsError where there is no such login, or where it cannot be tried with the rest of *settings*."""
    known = names(settings.library)
    if settings.auth not in known:
        raise SettingsError(f"{settings.names['auth']}={settings.auth!r} is not one of {', '.join(known)}")
    login = LOGINS[settings.auth](settings)
    login.check()
    return login


def checked(settings: Settings) -> Settings:
    """*settings* that a login can be tried with; raises SettingsError."""
    login_of(settings)
    return settings
