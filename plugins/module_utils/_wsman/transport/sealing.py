# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sealed message as HTTP carries it, for NTLM (MS-WSMV 2.2.9.1.1). Pure but for the security context."""

from __future__ import annotations

import re
import struct
import typing as t

from ..errors import ProtocolError

_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_BOUNDARY = "Encrypted Boundary"

CONTENT_TYPE = f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="{_BOUNDARY}"'

_BODY = re.compile(
    rb"--Encrypted Boundary\r\n"
    rb"[ \t]*Content-Type:[ \t]*application/HTTP-SPNEGO-session-encrypted[ \t]*\r\n"
    rb"[ \t]*OriginalContent:[^\r\n]*;[ \t]*Length=([0-9]{1,9})[ \t]*\r\n"
    rb"--Encrypted Boundary\r\n"
    rb"[ \t]*Content-Type:[ \t]*application/octet-stream[ \t]*\r\n"
    rb"(.*)--Encrypted Boundary--[ \t\r\n]*",
    re.DOTALL | re.IGNORECASE,
)


def seal(context: t.Any, message: bytes) -> bytes:
    """The body for *message*; *context* is a security context of pyspnego that is complete."""
    wrapped = context.wrap_winrm(message)
    head = (
        f"--{_BOUNDARY}\r\n"
        f"\tContent-Type: {_PROTOCOL}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message)}\r\n"
        f"--{_BOUNDARY}\r\n"
        "\tContent-Type: application/octet-stream\r\n"
    )
    signature = struct.pack("<i", len(wrapped.header)) + wrapped.header
    return b"".join((head.encode(), signature, wrapped.data, f"--{_BOUNDARY}--\r\n".encode()))


def is_sealed(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/encrypted")


def unseal(context: t.Any, body: bytes) -> bytes:
    """The message in *body*. Raises ProtocolError where it is none of the other end's."""
    match = _BODY.fullmatch(body)
    if not match:
        raise ProtocolError("the answer says that it is sealed, and is no sealed message")
    length, payload = int(match[1]), match[2]
    size = struct.unpack_from("<I", payload)[0] if len(payload) >= 4 else len(payload)
    if size > len(payload) - 4:
        raise ProtocolError("the answer's signature is cut off")
    try:
        message: bytes = context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
    except Exception as error:  # pyspnego raises whatever its parsing trips over
        raise ProtocolError(f"the answer's seal is broken ({type(error).__name__}): somebody changed it") from error
    if len(message) != length:
        raise ProtocolError(f"the answer has {len(message)} octets, and says that it has {length}")
    return message
