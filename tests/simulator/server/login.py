# SPDX-License-Identifier: GPL-3.0-or-later
"""The login state of one TCP connection.

Negotiate (NTLM or Kerberos, raw or inside SPNEGO), Kerberos, CredSSP, Basic and client certificates.
"""

from __future__ import annotations

import base64
import binascii
import enum
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import BadBindingsError, InvalidTokenError

from .accounts import Account, AccountFiles, Home
from .directory import Directory

log = logging.getLogger(__name__)
# Stands in the header in place of a scheme (as clients send it that are known to work).
_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_NTLM = b"NTLMSSP\x00"
# The head of the AV pair MsvAvChannelBindings, sixteen octets long (specified: MS-NLMP 2.2.2.1).
_CHANNEL_BINDINGS = b"\x0a\x00\x10\x00"
# A GSS token of Kerberos says so by its object identifier, 1.2.840.113554.1.2.2, behind its length (RFC 2743 3.1).
_KERBEROS = bytes.fromhex("06092a864886f712010202")
_CHANNEL_BOUND = 0x800  # GSS_C_CHANNEL_BOUND_FLAG
_NTLM_NEGOTIATE = _NTLM + b"\x01\x00\x00\x00"
_NTLM_AUTHENTICATE = _NTLM + b"\x03\x00\x00\x00"


class Step(enum.Enum):
    CONTINUE = "continue"
    GRANTED = "granted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Outcome:
    step: Step
    token: bytes | None = None


REJECTED = Outcome(Step.REJECTED)


class _Watched:
    """The negotiation inside of CredSSP, each step of which somebody else takes."""

    def __init__(self, inner: spnego.ContextProxy, take: Callable[..., bytes | None]) -> None:
        self._inner = inner
        self._take = take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def step(self, token: bytes) -> bytes | None:
        return self._take(token, partial(self._inner.step, token))


def _claimed_account(token: bytes) -> tuple[str, str] | None:
    """Domain and user of the AUTHENTICATE_MESSAGE in a token, bare or in SPNEGO (specified: MS-NLMP 2.2.1.3)."""
    message = token[token.find(_NTLM_AUTHENTICATE) :] if _NTLM_AUTHENTICATE in token else b""
    if len(message) < 64:
        return None
    encoding = "utf-16-le" if message[60] & 1 else "cp437"
    fields = (struct.unpack_from("<HHI", message, at) for at in (28, 36))
    domain, user = (message[start : start + length].decode(encoding, "replace") for length, _, start in fields)
    return (domain, user) if user else None


class Login:
    def __init__(
        self,
        account: Account,
        home: Home,
        directory: Directory,
        schemes: tuple[str, ...],
        files: AccountFiles,
        bindings: GssChannelBindings | None = None,
        hardening: str = "relaxed",
        keytab: str = "",
        shows_certificate: Callable[[], bool] = lambda: False,
    ) -> None:
        self._account = account
        self._home = home
        self._directory = directory
        self._schemes = schemes
        self._files = files
        self._bindings = None if hardening == "none" else bindings
        self._bindings_required = hardening == "strict"
        self._shows_certificate = shows_certificate
        self._keytab = keytab
        self._context: spnego.ContextProxy | None = None
        self.principal = ""
        self.scheme = ""

    @property
    def context(self) -> spnego.ContextProxy | None:
        """What seals messages, once the login is complete."""
        return self._context if self._context is not None and self.principal else None

    def step(self, authorization: str) -> Outcome:
        if authorization.strip().lower() == _CERTIFICATE:
            if not self._shows_certificate():
                return REJECTED
            if not self._directory.admits(self._home, "", self._account.username, right=True):
                return REJECTED
            self.principal = self._account.username
            return Outcome(Step.GRANTED)
        scheme, _, credentials = authorization.strip().partition(" ")
        if scheme.lower() not in self._schemes:
            return REJECTED
        try:
            token = base64.b64decode(credentials.strip(), validate=True)
        except (binascii.Error, ValueError):
            return REJECTED
        self.scheme = scheme.lower()
        if self.scheme == "basic":
            return self._basic(token)
        return self._credssp(token) if self.scheme == "credssp" else self._negotiate(token)

    @property
    def delegated(self) -> bool:
        """Whether the client handed over a ticket with which to go on to other machines."""
        return self.context is not None and bool(self.context.context_attr & spnego.ContextReq.delegate)

    def _basic(self, token: bytes) -> Outcome:
        user, separator, password = token.decode("utf-8", "replace").partition(":")
        if not separator:
            return REJECTED
        domain, _, name = user.rpartition("\\")
        right = self._account.accepts(domain, name, password, self._home)
        if not self._directory.admits(self._home, domain, name, right=right):
            return REJECTED
        self.principal = user
        return Outcome(Step.GRANTED)

    def _expected_bindings(self, token: bytes) -> GssChannelBindings | None:
        """CbtHardeningLevel Relaxed, the default, lets in who binds nothing, but not who bound another channel."""
        return self._bindings if self._bindings_required or _CHANNEL_BINDINGS in token else None

    def _negotiate(self, token: bytes) -> Outcome:
        if not token:
            return REJECTED
        if _KERBEROS in token[:24]:
            protocol, options = "kerberos", spnego.NegotiateOptions.none
        elif self.scheme == "kerberos":
            return REJECTED
        elif token.startswith(_NTLM):
            protocol, options = "ntlm", spnego.NegotiateOptions.use_ntlm
        else:
            protocol, options = "negotiate", spnego.NegotiateOptions.use_negotiate
        if protocol == "kerberos" and not self._keytab:
            return REJECTED
        self._files.use(self._account, self._home)
        if self._keytab:
            self._files.use_keytab(self._keytab)
        try:
            begins = self._context is None or self._context.complete or token.startswith(_NTLM_NEGOTIATE)
            if self._context is None or begins:
                self.principal = ""
                self._context = spnego.server(protocol=protocol, service="HTTP", options=options)
            # Of Kerberos, the acceptor lets in who binds nothing, and says so: the bindings lie sealed in the token.
            bindings = self._bindings if protocol == "kerberos" else self._expected_bindings(token)
            step = partial(self._context.step, token, channel_bindings=bindings)
            # A proof that answers no challenge of this connection is malformed, and nobody looks for an account.
            answer = step() if begins else self._decided(token, step)
        except Exception as error:
            # A hostile token must not reach the server, and pyspnego's parsers raise what they happen to meet on a
            # malformed one: struct, index, value errors.
            log.debug("login rejected: %s", error)
            self._context = None
            return REJECTED
        if not self._context.complete:
            return Outcome(Step.CONTINUE, answer)
        # Of Kerberos, the domain has decided before the endpoint sees anything.
        if self._context.negotiated_protocol == "kerberos" and not self._is_welcome(self._context):
            return REJECTED
        self.principal = self._context.client_principal or self._account.username
        return Outcome(Step.GRANTED, answer)

    def _credssp(self, token: bytes) -> Outcome:
        """TLS inside the tokens, NTLM or Kerberos inside of that, and last the password (specified: MS-CSSP)."""
        self._files.use(self._account, self._home)
        try:
            if self._context is None or self._context.complete:
                self.principal = ""
                inner = _Watched(spnego.server(protocol="negotiate", service="HTTP"), self._decided)
                self._context = spnego.server(protocol="credssp", service="HTTP", credssp_negotiate_context=inner)
            answer = self._context.step(token)
        except Exception as error:  # as above
            log.debug("login rejected: %s", error)
            self._context = None
            return REJECTED
        if not self._context.complete:
            return Outcome(Step.CONTINUE, answer)
        self.principal = self._context.client_principal or self._account.username
        return Outcome(Step.GRANTED, answer)

    def _decided(self, token: bytes, step: Callable[[], bytes | None]) -> bytes | None:
        """A step of NTLM, where one that carries the proof of a password is a login that the account's domain counts.

        A proof that is bound to another channel is refused without a word about the password, so that none is counted.
        """
        claimed = _claimed_account(token)
        if claimed is None:
            return step()
        try:
            answer = step()
        except BadBindingsError:
            raise
        except Exception:
            self._directory.admits(self._home, *claimed, right=False)
            raise
        if not self._directory.admits(self._home, *claimed, right=True):
            raise InvalidTokenError(context_msg="The account is locked out")
        return answer

    def _is_welcome(self, context: spnego.ContextProxy) -> bool:
        # pyspnego keeps this flag to itself: it lies in the GSS context inside its own, or inside the one of SPNEGO.
        inner: Any = context
        while not hasattr(inner, "actual_flags"):
            inner = inner._context
        bound = bool(int(inner.actual_flags) & _CHANNEL_BOUND)
        required = self._bindings_required and self._bindings is not None
        return self._account.owns(context.client_principal or "") and (bound or not required)
