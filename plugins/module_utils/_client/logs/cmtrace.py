# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a log, from the bytes of its newest end. Pure; nothing in a log makes it raise.

The client writes the format of CMTrace, ``<![LOG[message]LOG]!><time="08:15:30.123-60" date="11-02-2026" …>``, where
the number after the time is UTC minus local time in minutes: the opposite of a CIM datetime's. Windows Setup writes
``2026-11-02 08:15:30, Info   CBS    message`` in local time. Both may stand in one file, among lines of neither kind.
A message may have several lines. Sources: samples of real logs, and Microsoft's page on the log files of Windows Setup.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from dataclasses import dataclass

SEVERITIES = ("info", "warning", "error")
"""From the least to the most severe."""

_START = "<![LOG["
_STARTS = re.compile(r"^<!\[LOG\[", re.MULTILINE)
_END = "]LOG]!>"
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*(?:"([^"\n]*)"|'([^'\n]*)')""")
_ENDS = re.compile(r"""\]LOG\]!><((?:\s*\w+\s*=\s*(?:"[^"\n]*"|'[^'\n]*'))+)\s*>""")
# Writers that put a plus before a number that may be negative produce two signs: the second one counts.
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?:\+?([+-]\d{1,4}))?")
_DATE = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})")
_SETUP_LINE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:[.,]\d+)?, +"
    r"(?:(Info|Perf|Warning|Error|Fatal|FatalError)(?: +|$))?(.*)"
)
_SETUP_COMPONENT = re.compile(r"([A-Z][A-Z0-9]{1,5}) +|\[([^\]\s]{1,40})\] ")
_SETUP_COMPONENT_WIDTH = 7
_BY_TYPE = {"2": "warning", "3": "error"}
_BY_LEVEL = {"Warning": "warning", "Error": "error", "FatalError": "error", "Fatal": "error"}
_MOST_MINUTES_FROM_UTC = 14 * 60 + 60
_SAMPLE = 4096


@dataclass(frozen=True)
class Record:
    """``time`` is UTC, None where the record tells none. ``complete`` is false where a part of the record is missing.

    ``source`` is what the record names as its origin: a line of the client's source code.
    """

    message: str
    time: dt.datetime | None = None
    component: str = ""
    severity: str = "info"
    thread: str = ""
    source: str = ""
    complete: bool = True


def read(data: bytes, utc_offset: int) -> list[Record]:
    """The records of *data*, which may begin and end anywhere; an even number of bytes into a file of UTF-16.

    *utc_offset*: minutes by which the endpoint is east of UTC, for times that do not tell themselves.
    """
    return parse(decode(data), utc_offset)


def decode(data: bytes) -> str:
    """Text with plain line feeds, in whatever encoding the writers of the log took.

    Lines that are not UTF-8 are taken for Windows-1252, each for itself: programs of both kinds write to one log.
    NUL characters, which a power failure leaves in a log, are no text.
    """
    encoding = _utf16(data)
    text = data.decode(encoding, "replace") if encoding else _eight_bit(data)
    return text.replace("\ufeff", "").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _utf16(data: bytes) -> str | None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return encoding
    # Without the mark, which the end of a log does not have: half of the bytes of markup in UTF-16 are NUL.
    sample = data[:_SAMPLE]
    low, high = sample[::2].count(0), sample[1::2].count(0)
    if high * 3 > len(sample[1::2]) and high > 4 * low:
        return "utf-16-le"
    if low * 3 > len(sample[::2]) and low > 4 * high:
        return "utf-16-be"
    return None


def _eight_bit(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\n".join(_line(line) for line in data.split(b"\n"))


def _line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def parse(text: str, utc_offset: int) -> list[Record]:
    """As read, for *text* with plain line feeds."""
    records: list[Record] = []
    position = 0
    for end in _ENDS.finditer(text):
        before = text[position : end.start()]
        starts = list(_STARTS.finditer(before))
        attributes = _attributes(end[1])
        if starts:
            # Of several starts the last one has this end; the others lost theirs.
            start = starts[-1].start()
        else:
            start = before.find(_START)  # behind a line that was never ended
        if start >= 0:
            records += _loose(before[:start], utc_offset)
            records.append(_record(before[start + len(_START) :], attributes, utc_offset))
        else:
            records.append(_record(before.lstrip("\n"), attributes, utc_offset, complete=False))
        position = end.end()
    return records + _loose(text[position:], utc_offset)


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): double or single for name, double, single in _ATTRIBUTE.findall(text)}


def _record(message: str, attributes: t.Mapping[str, str], utc_offset: int, complete: bool = True) -> Record:
    return Record(
        message,
        _time(attributes.get("date", ""), attributes.get("time", ""), utc_offset),
        attributes.get("component", ""),
        _BY_TYPE.get(attributes.get("type", ""), "info"),
        attributes.get("thread", ""),
        attributes.get("file", ""),
        complete,
    )


def _time(date: str, time: str, utc_offset: int) -> dt.datetime | None:
    day, clock = _DATE.fullmatch(date.strip()), _TIME.fullmatch(time.strip())
    if not day or not clock:
        return None
    hour, minute, second, fraction, bias = clock.groups()
    micro = int((fraction or "").ljust(6, "0")[:6])
    minutes = -utc_offset if bias is None else int(bias)
    if abs(minutes) > _MOST_MINUTES_FROM_UTC:
        return None
    return _utc((day[3], day[1], day[2], hour, minute, second), micro, minutes)


def _utc(parts: t.Sequence[str], micro: int, bias: int) -> dt.datetime | None:
    """*bias*: UTC minus local time in minutes."""
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts)
        local = dt.datetime(year, month, day, hour, minute, second, micro, dt.timezone.utc)
        return local + dt.timedelta(minutes=bias)
    except (ValueError, OverflowError):
        return None


def _loose(text: str, utc_offset: int) -> list[Record]:
    """What stands between whole records: plain lines, then records whose end is missing."""
    plain, *broken = _STARTS.split(text)
    records = _plain(plain, utc_offset)
    for part in broken:
        message, _end, rest = part.rstrip("\n").partition(_END)
        records.append(_record(message, _attributes(rest), utc_offset, complete=False))
    return records


def _plain(text: str, utc_offset: int) -> list[Record]:
    """Lines of Windows Setup with the lines that continue them; any other line is a record without a time."""
    records: list[Record] = []
    parts: list[str] = []  # of a line of Windows Setup: its message so far
    head: Record | None = None

    def flush() -> None:
        if head is not None:
            records.append(Record("\n".join(parts), head.time, head.component, head.severity))

    for line in text.split("\n"):
        match = _SETUP_LINE.fullmatch(line)
        if match:
            flush()
            component, message = _setup_component(match[8])
            severity = _BY_LEVEL.get(match[7], "info")
            head = Record("", _utc(match.groups()[:6], 0, -utc_offset), component, severity)
            parts = [message]
        elif head is not None and line.strip():
            parts.append(line)
        elif line.strip():
            records.append(Record(line))
    flush()
    return records


def _setup_component(rest: str) -> tuple[str, str]:
    """Component and message of a line of Windows Setup: a padded column, or the program in brackets, or none."""
    match = _SETUP_COMPONENT.match(rest)
    if match and match[2]:
        return match[2], rest
    if match and match.end() >= min(_SETUP_COMPONENT_WIDTH, len(rest)):
        return match[1], rest[match.end() :]
    return "", rest
