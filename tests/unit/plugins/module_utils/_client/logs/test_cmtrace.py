# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.logs.cmtrace import Record, parse, read

# Any text that holds no markup of its own; a line feed is the only end of a line that survives reading.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), max_size=40).filter(
    lambda text: "LOG" not in text
)
NAMES = st.text("abcXYZ0189_.: <>", max_size=12)
TIMES = st.datetimes(dt.datetime(1999, 1, 2), dt.datetime(2099, 12, 30), timezones=st.just(dt.timezone.utc)).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)
RECORDS = st.builds(
    Record,
    message=TEXT,
    time=TIMES,
    component=NAMES,
    severity=st.sampled_from(["info", "warning", "error"]),
    thread=st.integers(0, 99999).map(str),
    source=NAMES,
)
BIASES = st.integers(-14 * 60, 12 * 60)
QUOTES = st.sampled_from("\"'")


def written(record: Record, bias: int, quote: str = '"', ending: str = "\r\n") -> str:
    """*bias* is UTC minus local time in minutes, as the client writes it."""
    local = record.time - dt.timedelta(minutes=bias)
    attributes = {
        "time": f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}{bias:+04d}",
        "date": f"{local:%m-%d-%Y}",
        "component": record.component,
        "context": "",
        "type": str(1 + ["info", "warning", "error"].index(record.severity)),
        "thread": record.thread,
        "file": record.source,
    }
    joined = " ".join(f"{name}={quote}{value}{quote}" for name, value in attributes.items())
    return f"<![LOG[{record.message}]LOG]!><{joined}>{ending}"


@given(
    st.lists(st.tuples(RECORDS, BIASES, QUOTES, st.sampled_from(["\r\n", "\n", ""])), max_size=5),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.integers(-720, 840),
)
def test_what_was_written_is_read(parts: list[tuple[Record, int, str, str]], encoding: str, utc_offset: int) -> None:
    text = "".join(written(*part) for part in parts)
    # Nothing but its mark tells UTF-16 where nearly all of a text is no Latin script.
    assume(sum(character < "\u0100" for character in text) * 3 >= 2 * len(text) or not encoding.startswith("utf-16-"))
    assert read(text.encode(encoding), utc_offset) == [part[0] for part in parts]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.integers(-720, 840))
def test_nothing_makes_it_raise(data: bytes, utc_offset: int) -> None:
    for record in read(data, utc_offset):
        assert "\0" not in record.message


MARKUP = ["<![LOG[", "<time=", '"', "'", ">", "\n", " ", "x", "2026-11-02 08:00:00, Info ", ", y", "[a] "]


@given(st.lists(st.sampled_from(MARKUP)))
def test_what_is_no_whole_record_is_kept_as_text(parts: list[str]) -> None:
    text = "".join(parts)
    assert sum(record.message.count("x") for record in parse(text, 0)) == text.count("x")


@given(st.lists(st.sampled_from([*MARKUP, "]LOG]!>", '<time="" date="" type="3">']), max_size=12), RECORDS)
def test_no_confusion_of_markup_costs_the_record_behind_it(parts: list[str], record: Record) -> None:
    text = "".join(parts) + "\n" + written(record, 0, ending="")
    assert parse(text, 0)[-1] == record


@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
def test_any_part_of_a_log_keeps_every_whole_record(records: list[Record], data: st.DataObject) -> None:
    lines = [written(record, 0).encode() for record in records]
    log = b"".join(lines)
    start = data.draw(st.integers(0, len(log)))
    end = data.draw(st.integers(start, len(log)))
    whole, position = [], 0
    for record, line in zip(records, lines, strict=True):
        if start <= position and position + len(line) <= end:
            whole.append(record)
        position += len(line)
    found = read(log[start:end], 0)
    assert [record for record in found if record in whole] == whole


@given(RECORDS, RECORDS, TEXT.filter(str.strip))
def test_record_without_an_end_costs_no_other(first: Record, last: Record, message: str) -> None:
    text = written(first, 0) + f"<![LOG[{message}\n" + written(last, 0)
    found = parse(text.replace("\r\n", "\n"), 0)
    assert (found[0], found[-1]) == (first, last)
    (broken,) = found[1:-1]
    assert (broken.complete, broken.time) == (False, None)
    assert broken.message.strip("\n") == message.strip("\n")


@given(RECORDS, BIASES)
def test_bias_is_utc_minus_local_time(record: Record, bias: int) -> None:
    assert parse(written(record, bias, ending=""), 0)[0].time == record.time


@pytest.mark.parametrize(
    ("time", "utc_hour"),
    [
        ("08:00:00.000+480", 16),
        ("08:00:00.000-60", 7),
        ("08:00:00.000+-60", 7),
        ("08:00:00.000+000", 8),
        ("8:00:00+60", 9),
        ("08:00:00.1234567-060", 7),
        ("08:00:00.000", 6),
    ],
)
def test_spellings_of_the_time(time: str, utc_hour: int) -> None:
    """Without a bias the endpoint's own offset is taken: two hours east here."""
    (record,) = parse(f'<![LOG[x]LOG]!><date="11-02-2026" time="{time}">', 120)
    assert record.time is not None
    assert (record.time.day, record.time.hour) == (2, utc_hour)


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("13-02-2026", "08:00:00.000+0"),
        ("02-30-2026", "08:00:00.000+0"),
        ("11-02-2026", "25:00:00.000+0"),
        ("11-02-2026", "08:00:00.000+9999"),
        ("01-01-0001", "00:00:00.000-60"),
        ("12-31-9999", "23:59:00.000+60"),
        ("", ""),
        ("", "08:00:00"),
        ("11/02/2026", "08:00:00"),
    ],
)
def test_impossible_time_is_no_time_and_no_loss(date: str, time: str) -> None:
    (record,) = parse(f'<![LOG[x]LOG]!><time="{time}" date="{date}" component="C" type="3">', 0)
    assert record == Record("x", None, "C", "error", unread_time=f"{date} {time}".strip())


@pytest.mark.parametrize(
    ("kind", "severity"), [("0", "info"), ("1", "info"), ("2", "warning"), ("3", "error"), ("", "info")]
)
def test_type_is_the_severity(kind: str, severity: str) -> None:
    (record,) = parse(f'<![LOG[x]LOG]!><time="" date="" type="{kind}">', 0)
    assert record.severity == severity


def test_encodings_may_change_within_a_log() -> None:
    lines = [
        written(dataclasses.replace(PLAIN, message=text), 0)
        for text in ("Gr\u00fc\u00dfe", "\u20ac 5", "Gr\u00fc\u00dfe")
    ]
    data = lines[0].encode("cp1252") + lines[1].encode() + lines[2].encode("cp1252")
    assert [record.message for record in read(data, 0)] == ["Gr\u00fc\u00dfe", "\u20ac 5", "Gr\u00fc\u00dfe"]


def test_tail_begins_and_ends_in_the_middle_of_a_record() -> None:
    first, last = written(PLAIN, 0), written(dataclasses.replace(PLAIN, message="second"), 0)
    records = parse(first[9:] + last[: last.index("component")], 0)
    assert [(record.message, record.time, record.complete) for record in records] == [
        ("rst", PLAIN.time, False),
        ("second", PLAIN.time, False),
    ]


def test_lines_of_windows_setup() -> None:
    text = (
        "the rest of a line\n"
        "2026-11-02 08:00:00, Info                  MOUPG  Setup phase change\n"
        "    from 1 to 2\n\n"
        "2026-11-02 08:00:01, Warning               SP     Not so good\n"
        "2026-11-02 08:00:02, Error      [windeploy.exe] OEM license detected\n"
        "2026-11-02 08:00:03, Info                         No component\n"
        "2026-13-02 08:00:03, FatalError\n"
    )
    at = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.timezone.utc)
    second = dt.timedelta(seconds=1)
    assert parse(text, 120) == [
        Record("the rest of a line"),
        Record("Setup phase change\n    from 1 to 2", at, "MOUPG"),
        Record("Not so good", at + second, "SP", "warning"),
        Record("[windeploy.exe] OEM license detected", at + 2 * second, "windeploy.exe", "error"),
        Record("No component", at + 3 * second),
        Record("", None, "", "error", unread_time="2026-13-02 08:00:03"),
    ]


@given(
    TIMES,
    st.sampled_from(["Info", "Warning", "Error", "Fatal", "Perf"]),
    st.none() | st.integers(0, 0xFFFFFF),
    st.sampled_from(["", "UI", "IBS", "IBSLIB", "SYSPRP", "CBS", "MOUPG"]),
    st.lists(st.text("abc []x0", min_size=1).filter(str.strip), max_size=3),
)
def test_a_line_of_windows_setup_is_read_whatever_columns_it_has(
    time: dt.datetime, level: str, code: int | None, component: str, further: list[str]
) -> None:
    """The level and a code take 22 columns together, and the component seven more."""
    code_text = "" if code is None else f"[0x{code:06x}] "
    head = f"{level:<11}{code_text:<11}"
    message = "\n".join(["Accepting Cancel.", *further])
    text = f"{time:%Y-%m-%d %H:%M:%S}, {head}{component:<7}{message}\n"
    assert parse(text, 0) == [
        Record(
            code_text + message,
            time.replace(microsecond=0),
            component,
            {"Info": "info", "Perf": "info", "Warning": "warning"}.get(level, "error"),
        )
    ]


@given(
    st.lists(
        st.tuples(
            TEXT.filter(lambda text: "\n" not in text and "$" not in text and text == text.strip() and text),
            TIMES,
            BIASES,
            st.sampled_from([" (0x1)>", ">"]),
            st.booleans(),
        ),
        max_size=4,
    )
)
def test_the_older_form_of_cmtrace(lines: list[tuple[str, dt.datetime, int, str, bool]]) -> None:
    text, expected = "", []
    for message, time, bias, end, has_thread in lines:
        local = time - dt.timedelta(minutes=bias)
        thread = f"<thread=17{end}" if has_thread else ""
        written_at = f"{local:%m-%d-%Y %H:%M:%S}.{local.microsecond // 1000:03d}{bias:+04d}"
        text += f"{message}  $$<SMS_X><{written_at}>{thread}\n"
        expected.append(Record(message, time, "SMS_X", "info", "17" if has_thread else ""))
    assert parse(text, 0) == expected


def test_the_older_form_may_have_several_lines_and_stand_among_others() -> None:
    text = (
        "Error: first\nand more $$<Script:main><11-02-2026 08:00><thread=9>\n"
        "2026-11-02 08:00:01, Info                  CBS    In between\n"
        "last  $$<C><yesterday>\n"
    )
    at = dt.datetime(2026, 11, 2, 8, 0, tzinfo=dt.timezone.utc)
    assert parse(text, 0) == [
        Record("Error: first\nand more", at, "Script:main", "error", "9"),
        Record("In between", at + dt.timedelta(seconds=1), "CBS"),
        Record("last", None, "C", unread_time="yesterday"),
    ]


PLAIN = Record("first", dt.datetime(2026, 11, 2, 8, 0, tzinfo=dt.timezone.utc), "C", "info", "1", "c.cpp:1")
