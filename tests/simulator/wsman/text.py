# SPDX-License-Identifier: GPL-3.0-or-later
"""Text on the wire: escaping, identifiers, durations, dates."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta, timezone

# Characters that XML 1.0 cannot carry: Windows writes a question mark (specified: MS-WSMV).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d*)?)S)?)?"
)


def escape(text: str) -> str:
    """Text of an element or an attribute: Windows escapes both quotation marks in either (recorded)."""
    text = _NOT_XML.sub("?", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A bare carriage return would come out of the client's parser as a line feed.
    return text.replace('"', "&quot;").replace("'", "&apos;").replace("\r", "&#13;")


def new_id() -> str:
    """Windows writes its GUIDs in capitals (recorded)."""
    return str(uuid.uuid4()).upper()


def seconds_of(duration: str) -> float:
    """The seconds of an xs:duration without years and months; ValueError otherwise."""
    found = _DURATION.fullmatch(duration.strip())
    if found is None or not any(found.group("days", "hours", "minutes", "seconds")):
        raise ValueError(f"not a duration: {duration!r}")
    days, hours, minutes, seconds = (float(found[part] or 0) for part in ("days", "hours", "minutes", "seconds"))
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return -total if found["sign"] else total


def xml_datetime(moment: datetime) -> str:
    """UTC, trailing zeros of the fraction trimmed (recorded)."""
    utc = moment.astimezone(timezone.utc) if moment.tzinfo else moment
    return f"{utc:%Y-%m-%dT%H:%M:%S}{_fraction(utc.microsecond)}Z"


def xml_interval(length: timedelta) -> str:
    """Recorded: P0DT0H0M1.00417S."""
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"P{length.days}DT{hours}H{minutes}M{seconds}{_fraction(length.microseconds)}S"


def _fraction(microseconds: int) -> str:
    return f".{microseconds:06d}".rstrip("0") if microseconds else ""
