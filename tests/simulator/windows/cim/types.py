# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM types: conversion of the text that arrives in a request, and the DMTF form of date and time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .model import Scalar, WmiError

_INTEGERS = {
    f"{sign}int{bits}": (0 if sign == "u" else -(1 << (bits - 1)), (1 << (bits - (0 if sign == "u" else 1))) - 1)
    for sign in ("u", "s")
    for bits in (8, 16, 32, 64)
}
CIM_TYPES = frozenset({*_INTEGERS, "string", "boolean", "datetime", "char16", "real32", "real64", "object", "ref"})

_DMTF = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})")


def from_text(cim_type: str, text: str | None) -> Scalar:
    """The value that a text stands for.

    Booleans: `true`/`false` are what WS-Man specifies; other casings and 1/0 are accepted too (inferred: XML schema's
    own lexical forms, and WMIC users write `"False"`).
    """
    if text is None:
        return None
    if cim_type in _INTEGERS:
        return _integer(cim_type, text.strip())
    if cim_type == "boolean":
        try:
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        except KeyError:
            raise WmiError("type_mismatch", f"{text!r} is not a boolean") from None
    if cim_type == "datetime":
        return parse_datetime(text.strip())
    return text


def _integer(cim_type: str, text: str) -> int:
    low, high = _INTEGERS[cim_type]
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII) or len(text) > 21 or not low <= int(text) <= high:
        raise WmiError("type_mismatch", f"{text!r} is not a {cim_type}")
    return int(text)


def is_integer(cim_type: str) -> bool:
    return cim_type in _INTEGERS


def parse_datetime(text: str) -> datetime:
    """A CIM_DATETIME (``yyyymmddHHMMSS.mmmmmmsUUU``, local time with its offset from UTC) or ISO 8601."""
    match = _DMTF.fullmatch(text)
    try:
        if match:
            *numbers, sign, offset = match.groups()
            year, month, day, hour, minute, second, micro = (int(number) for number in numbers)
            minutes = int(offset) if sign == "+" else -int(offset)
            zone = timezone(timedelta(minutes=minutes))
            return datetime(year, month, day, hour, minute, second, micro, zone)
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise WmiError("type_mismatch", f"{text!r} is not a date and time") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def format_datetime(moment: datetime, bias: int = 0) -> str:
    """CIM_DATETIME in a zone `bias` minutes east of UTC (the sign is opposite to the one in CMTrace logs)."""
    local = moment.astimezone(timezone(timedelta(minutes=bias)))
    return f"{local:%Y%m%d%H%M%S}.{local.microsecond:06d}{'-' if bias < 0 else '+'}{abs(bias):03d}"
