# SPDX-License-Identifier: GPL-3.0-or-later
"""Identify: the one message that is answered without a login too (recorded with login, specified without)."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from . import names
from .settings import WsmanSettings


def is_identify(root: Element) -> bool:
    body = root.find(f"{{{names.SOAP}}}Body")
    first = None if body is None else next(iter(body), None)
    return first is not None and first.tag == f"{{{names.IDENTITY}}}Identify"


def response(system: str, login_profiles: Iterable[str], settings: WsmanSettings) -> str:
    profiles = "".join(
        "<wsmid:SecurityProfileName>http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/"
        f"{profile}</wsmid:SecurityProfileName>"
        for profile in login_profiles
    )
    return (
        f'<s:Envelope xml:lang="{settings.language}" xmlns:s="{names.SOAP}"><s:Header></s:Header><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{names.IDENTITY}">'
        f"<wsmid:ProtocolVersion>{names.WSMAN}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{system} Stack: {settings.stack}</wsmid:ProductVersion>"
        f"<wsmid:SecurityProfiles>{profiles}</wsmid:SecurityProfiles>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    )
