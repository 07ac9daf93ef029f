# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a log, from the bytes of its newest end. Pure; nothing in a log makes it raise.

The client writes the format of CMTrace, ``<![LOG[message]LOG]!><time="08:15:30.123-60" date="11-02-2026" …>``. An older
one ends with what the other begins with, ``message  $$<component><11-02-2026 08:15:30.123-60><thread=1 (0x1)>``, where
scripts leave out the thread. Windows Setup writes ``2026-11-02 08:15:30, Info   CBS    message`` in local time, with a
message's code in brackets before the component in some lines. All may stand in one file, among lines of no kind. A
message may have several lines. Sources: samples of real logs, and Microsoft's page on the log files of Windows Setup.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t
from dataclasses import dataclass

from . import written_times

SEVERITIES = ("info", "warning", "error")
"""From the least to the most severe."""

_START = "<![LOG["
_STARTS = re.compile(r"^<!\[LOG\[", re.MULTILINE)
_END = "]LOG]!>"
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*(?:"([^"\n]*)"|'([^'\n]*)')""")
_ENDS = re.compile(r"""\]LOG\]!><((?:\s*\w+\s*=\s*(?:"[^"\n]*"|'[^'\n]*'))+)\s*>""")
_OLD_LINE = re.compile(r"(.*?) {0,2}\$\$<([^<>]*)><([^<>]*)>(?:<thread=([^<>]*)>)?\s*")
_OLD_SEVERITY = re.compile(r"(Warning|Error) ?:", re.IGNORECASE)
_SETUP_LINE = re.compile(
    r"(\d{4}[-./]\d\d?[-./]\d\d?[T ]\d\d?[:.]\d\d[:.]\d\d(?:[.,]\d+)?), +"
    r"(?:(Info|Perf|Warning|Error|Fatal|FatalError)(?: +|$))?(.*)"
)
_SETUP_CODE = re.compile(r"(\[0x[0-9A-Fa-f]+\]) +")
_SETUP_COMPONENT = re.compile(r"([A-Z][A-Z0-9]{1,5}) +|\[([^\]\s]{1,40})\] ")
_SETUP_COMPONENT_WIDTH = 7
_BY_TYPE = {"2": "warning", "3": "error"}
_BY_LEVEL = {"Warning": "warning", "Error": "error", "FatalError": "error", "Fatal": "error"}
_SAMPLE = 4096


@dataclass(frozen=True)
class Record:
    """``time`` is UTC, None where the record tells none. ``complete`` is false where a part of the record is missing.

    ``source`` is what the record names as its origin: a line of the client's source code.
    ``unread_time`` is what the record gives as its time, where that cannot be read.
    """

    message: str
    time: dt.datetime | None = None
    component: str = ""
    severity: str = "info"
    thread: str = ""
    source: str = ""
    complete: bool = True
    unread_time: str = ""


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
    written = f"{attributes.get('date', '')} {attributes.get('time', '')}".strip()
    time = written_times.read(written, utc_offset)
    return Record(
        message,
        time,
        attributes.get("component", ""),
        _BY_TYPE.get(attributes.get("type", ""), "info"),
        attributes.get("thread", ""),
        attributes.get("file", ""),
        complete,
        "" if time else written,
    )


def _loose(text: str, utc_offset: int) -> list[Record]:
    """What stands between whole records: plain lines, then records whose end is missing."""
    plain, *broken = _STARTS.split(text)
    records = _plain(plain, utc_offset)
    for part in broken:
        message, _end, rest = part.rstrip("\n").partition(_END)
        records.append(_record(message, _attributes(rest), utc_offset, complete=False))
    return records


def _plain(text: str, utc_offset: int) -> list[Record]:
    """Lines of Windows Setup with those that continue them, and older ones of CMTrace with those that begin them.

    Any other line is a record without a time.
    """
    records: list[Record] = []
    head: Record | None = None  # of a line of Windows Setup, whose message goes on in further lines
    lines: list[str] = []  # without a record of their own so far

    def flush() -> None:
        nonlocal head
        if head is not None:
            records.append(dataclasses.replace(head, message="\n".join(lines)))
        else:
            records.extend(Record(line) for line in lines)
        head = None
        lines.clear()

    for line in text.split("\n"):
        if setup := _SETUP_LINE.fullmatch(line):
            flush()
            head, message = _setup_record(setup, utc_offset)
            lines.append(message)
        elif old := _OLD_LINE.fullmatch(line):
            if head is not None:
                flush()
            records.append(_old_record("\n".join([*lines, old[1]]), old, utc_offset))
            lines.clear()
        elif line.strip():
            lines.append(line)
    flush()
    return records


def _old_record(message: str, line: re.Match[str], utc_offset: int) -> Record:
    """The form has no place for a severity: scripts begin their message with it, and the client tells none."""
    severity = _OLD_SEVERITY.match(message)
    time = written_times.read(line[3], utc_offset)
    return Record(
        message,
        time,
        line[2],
        severity[1].lower() if severity else "info",
        (line[4] or "").partition(" ")[0],
        unread_time="" if time else line[3].strip(),
    )


def _setup_record(line: re.Match[str], utc_offset: int) -> tuple[Record, str]:
    """The record of a line of Windows Setup, without its message, and the message's first line."""
    component, message = _setup_component(line[3])
    time = written_times.read(line[1], utc_offset)
    severity = _BY_LEVEL.get(line[2], "info")
    return Record("", time, component, severity, unread_time="" if time else line[1]), message


def _setup_component(rest: str) -> tuple[str, str]:
    """Component and message of a line of Windows Setup: a padded column, or the program in brackets, or none.

    A message's code may stand before them, and stays in the message: it is the same in every language of Windows.
    """
    code = _SETUP_CODE.match(rest)
    if code:
        component, message = _setup_component(rest[code.end() :])
        return component, f"{code[1]} {message}"
    match = _SETUP_COMPONENT.match(rest)
    if match and match[2]:
        return match[2], rest
    if match and match.end() >= min(_SETUP_COMPONENT_WIDTH, len(rest)):
        return match[1], rest[match.end() :]
    return "", rest
