# SPDX-License-Identifier: GPL-3.0-or-later
"""The code page of a shell: what WINRS_CODEPAGE asks for, or the OEM code page of the system's language (official)."""

from __future__ import annotations

import codecs

UTF_8 = "65001"
_OEM = {
    "en-US": "437",
    "ja": "932",
    "zh-CN": "936",
    "ko": "949",
    "zh-TW": "950",
    "cs": "852",
    "pl": "852",
    "tr": "857",
    "ru": "866",
}
_WESTERN = "850"


def codec(asked: str, language: str) -> str:
    """The name of Python's codec; LookupError where Windows would not know the code page either."""
    number = asked or _OEM.get(language) or _OEM.get(language.partition("-")[0], _WESTERN)
    return codecs.lookup("utf-8" if number == UTF_8 else f"cp{number}").name
