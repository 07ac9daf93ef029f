# SPDX-License-Identifier: GPL-3.0-or-later
"""The login state of one TCP connection: Negotiate (NTLM, raw or inside SPNEGO), Basic and client certificates."""

from __future__ import annotations

import base64
import binascii
import enum
import logging
from collections.abc import Callable
from dataclasses import dataclass

import spnego
from spnego.channel_bindings import GssChannelBindings

from .accounts import Account, AccountFiles

log = logging.getLogger(__name__)
# Stands in the header in place of a scheme (as clients send it that are known to work).
_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_NTLM = b"NTLMSSP\x00"
# The head of the AV pair MsvAvChannelBindings, sixteen octets long (specified: MS-NLMP 2.2.2.1).
_CHANNEL_BINDINGS = b"\x0a\x00\x10\x00"
_NTLM_NEGOTIATE = _NTLM + b"\x01\x00\x00\x00"


class Step(enum.Enum):
    CONTINUE = "continue"
    GRANTED = "granted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Outcome:
    step: Step
    token: bytes | None = None


REJECTED = Outcome(Step.REJECTED)


class Login:
    def __init__(
        self,
        account: Account,
        machine_name: str,
        schemes: tuple[str, ...],
        files: AccountFiles,
        bindings: GssChannelBindings | None = None,
        hardening: str = "relaxed",
        shows_certificate: Callable[[], bool] = lambda: False,
    ) -> None:
        self._account = account
        self._machine_name = machine_name
        self._schemes = schemes
        self._files = files
        self._bindings = None if hardening == "none" else bindings
        self._bindings_required = hardening == "strict"
        self._shows_certificate = shows_certificate
        self._context: spnego.ContextProxy | None = None
        self.principal = ""

    @property
    def context(self) -> spnego.ContextProxy | None:
        """What seals messages, once the login is complete."""
        return self._context if self._context is not None and self.principal else None

    def step(self, authorization: str) -> Outcome:
        if authorization.strip().lower() == _CERTIFICATE:
            if not self._shows_certificate():
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
        if scheme.lower() == "basic":
            return self._basic(token)
        return self._negotiate(token) if scheme.lower() == "negotiate" else REJECTED

    def _basic(self, token: bytes) -> Outcome:
        user, separator, password = token.decode("utf-8", "replace").partition(":")
        if not separator or not self._account.accepts(user, password, self._machine_name):
            return REJECTED
        self.principal = user
        return Outcome(Step.GRANTED)

    def _expected_bindings(self, token: bytes) -> GssChannelBindings | None:
        """CbtHardeningLevel Relaxed, the default, lets in who binds nothing, but not who bound another channel."""
        return self._bindings if self._bindings_required or _CHANNEL_BINDINGS in token else None

    def _negotiate(self, token: bytes) -> Outcome:
        if not token:
            return REJECTED
        raw = token.startswith(_NTLM)
        self._files.use(self._account, self._machine_name)
        try:
            if self._context is None or self._context.complete or token.startswith(_NTLM_NEGOTIATE):
                self.principal = ""
                self._context = spnego.server(
                    protocol="ntlm" if raw else "negotiate",
                    service="HTTP",
                    options=spnego.NegotiateOptions.use_ntlm if raw else spnego.NegotiateOptions.use_negotiate,
                )
            answer = self._context.step(token, channel_bindings=self._expected_bindings(token))
        except Exception as error:
            # A hostile token must not reach the server, and pyspnego's parsers raise what they happen to meet on a
            # malformed one: struct, index, value errors.
            log.debug("login rejected: %s", error)
            self._context = None
            return REJECTED
        if not self._context.complete:
            return Outcome(Step.CONTINUE, answer)
        self.principal = self._context.client_principal or self._account.username
        return Outcome(Step.GRANTED, answer)
