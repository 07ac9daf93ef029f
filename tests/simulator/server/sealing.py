# SPDX-License-Identifier: GPL-3.0-or-later
"""Message encryption over HTTP: the multipart/encrypted framing (specified: MS-WSMV 2.2.9.1).

The tabs in front of the part headers are needed: clients that decrypt the answer look for them.
"""

from __future__ import annotations

import base64
import re
import struct

import spnego
import spnego.exceptions

# By the scheme under which the client logged in.
_PROTOCOLS = {
    "negotiate": "application/HTTP-SPNEGO-session-encrypted",
    "kerberos": "application/HTTP-Kerberos-session-encrypted",
    "credssp": "application/HTTP-CredSSP-session-encrypted",
}

_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"Content-Type: application/octet-stream\r\n"
_LENGTH = re.compile(rb"OriginalContent:[^\r\n]*;\s*Length=(\d{1,10})", re.IGNORECASE)


class SealingError(Exception):
    """A body that is not sealed for this connection."""


def is_sealed(given: str) -> bool:
    return given.lower().lstrip().startswith("multipart/encrypted")


def content_type(scheme: str) -> str:
    return f'multipart/encrypted;protocol="{_PROTOCOLS[scheme]}";boundary="Encrypted Boundary"'


def seal(context: spnego.ContextProxy, scheme: str, body: bytes) -> bytes:
    wrapped = context.wrap_winrm(body)
    length = len(body) + wrapped.padding_length
    return (
        _BOUNDARY
        + f"\r\n\tContent-Type: {_PROTOCOLS[scheme]}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n".encode()
        + _BOUNDARY
        + b"\r\n\t"
        + _OCTETS
        + struct.pack("<I", len(wrapped.header))
        + wrapped.header
        + wrapped.data
        + _BOUNDARY
        + b"--\r\n"
    )


def unseal(context: spnego.ContextProxy, body: bytes) -> bytes:
    head, separator, sealed = body.partition(_OCTETS)
    found = _LENGTH.search(head)
    if not separator or found is None:
        raise SealingError("the parts of multipart/encrypted are missing")
    sealed = sealed.removesuffix(b"\r\n").removesuffix(_BOUNDARY + b"--")
    if len(sealed) < 4:
        raise SealingError("the encrypted part is empty")
    (header_length,) = struct.unpack("<I", sealed[:4])
    if header_length > len(sealed) - 4:
        raise SealingError("the signature is longer than the encrypted part")
    try:
        plain = context.unwrap_winrm(sealed[4 : 4 + header_length], sealed[4 + header_length :])
    except (spnego.exceptions.SpnegoError, ValueError, struct.error) as error:
        raise SealingError("the signature does not match") from error
    if len(plain) != int(found[1]):
        raise SealingError("the length is not what was announced")
    return plain


def encode_token(token: bytes | None) -> str:
    return base64.b64encode(token).decode() if token else ""
