# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs: what is read of them, what is found in them, and what it costs the endpoint."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.harness import Case, Lab, Outcome, open_shells

LOGS = "C:\\Windows\\CCM\\Logs"
SMSTS = f"{LOGS}\\smsts.log"
SETUPACT = "C:\\Windows\\Panther\\UnattendGC\\setupact.log"
HUGE = 2_000_000_000


def app(name: str = "App", **file: Any) -> dict[str, Any]:
    return {f"{LOGS}\\{name}.log": file}


def records(*messages: str, **more: Any) -> list[dict[str, Any]]:
    return [{"at": "10m ago", "component": "App", "message": message, **more} for message in messages]


GENERATIONS = {
    f"{LOGS}\\App.log": {"records": records("newest"), "modified": "10m ago"},
    f"{LOGS}\\App-20261101-080000.log": {"records": records("newer", at="1d ago"), "access": "closed"},
    f"{LOGS}\\App-20261031-080000.log": {"records": records("older", at="2d ago"), "access": "closed"},
    f"{LOGS}\\App.lo_": {"records": records("oldest", at="3d ago"), "access": "closed"},
    f"{LOGS}\\Apple-20261101-080000.log": {"records": records("another log")},
    f"{LOGS}\\App-2026.log": {"records": records("another log")},
}
SEVERAL = [
    *records("one", severity=1),
    *records("two", severity=2, component="Other"),
    *records("three\nand more", severity=3, at="5m ago"),
    *records("four", severity=0, at="1m ago"),
]
NOISE = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", k=300_000))
ODD = "Gr\u00fc\u00dfe \u20ac"


CMTRACE = (
    '<![LOG[{}]LOG]!><time="10:00:00.000+000" date="11-01-2026" component="App" context="" type="1" thread="1" file="">'
)


def line(message: bytes) -> bytes:
    before, after = CMTRACE.encode().split(b"{}")
    return before + message + after + b"\r\n"


BROKEN = line(b"whole") + b"\xff\xfe\x00\xc3(\x80 no record at all\r\n" + line(b"whole again")
BROKEN_INSIDE = line(b"bad \xc3( \xff \x80 here") + line(b"<![LOG[ nested ]LOG]!>") + line(ODD.encode()) + b"<![LOG[cut"


# Every form of line that is known, and as much as is written of it in logs; spelled with the time in UTC.
SETUP = "\r\n".join(
    [
        "2026-11-01 10:00:00, Info       [0x0a013d] UI     Accepting Cancel.",
        "2026-11-01 10:00:01, Error      [0x064230] IBSLIB Failed to create a store.",
        "2026-11-01 10:00:02, Warning               SP     Not so good",
        "    with another line",
        "2026-11-01 10:00:03, Info                  [windeploy.exe] No column",
        "2026-11-01 10:00:04, Info                         No component",
        "2026-11-01T10:00:05, Info                  CBS    ISO",
        "2026-11-01 10.00.06, Info                  CSI    00000001 Dots",
    ]
)
OLD = "\r\n".join(
    [
        "whole  $$<A><11-01-2026 10:00:00.000+000><thread=17 (0x11)>",
        "Error: no thread  $$<B><2026-11-01T11:00:01+01:00>",
        "no seconds $$<C><11-01-2026 10.01><thread=4>",
        "which day?  $$<D><01/11/2026 10:00:00><thread=4>",
    ]
)


def case(spec: Mapping[str, Any], **options: Any) -> Case:
    return Case("client_log", options, {"profile": "normal", **spec})


CASES = {
    "failed_entry": Case("client_log", {}, {"profile": "failed_entry"}),
    "failed_entry_east": Case("client_log", {}, {"profile": "failed_entry", "os": {"time_zone": 330}}),
    "failed_entry_west": Case("client_log", {}, {"profile": "failed_entry", "os": {"time_zone": -480}}),
    "filters_leave_diagnoses": Case(
        "client_log", {"severity": "error", "component": "tsmanager", "max_records": 1}, {"profile": "failed_entry"}
    ),
    "later_period": Case("client_log", {"since": 60}, {"profile": "failed_entry"}),
    "oem_key": Case("client_log", {}, {"profile": "oem_key", "os": {"time_zone": 120}}),
    "healthy": case({"files": {SMSTS: {"records": records("Successfully finalized logs")}}}),
    "no_logs": case({}),
    "no_client": Case("client_log", {"name": "CcmExec.log"}, {"profile": "no_client"}),
    "missing": case({}, name="Nothing.log"),
    "missing_path": case({}, path=f"{LOGS}\\Nothing.log"),
    "huge": case({"files": app(hole=HUGE, records=records("the end"))}, name="App.log", max_bytes=4096),
    "rotated": case({"files": GENERATIONS}, name="App.log", rotated=True),
    "rotated_bounded": case({"files": GENERATIONS}, name="App.log", rotated=True, max_bytes=1024),
    "not_rotated": case({"files": GENERATIONS}, name="App.log"),
    "rotated_without_current": case(
        {"files": {**GENERATIONS, f"{LOGS}\\App.log": "absent"}}, name="App.log", rotated=True
    ),
    "severity": case({"files": app(records=SEVERAL)}, name="App.log", severity="warning"),
    "component": case({"files": app(records=SEVERAL)}, name="App.log", component="other"),
    "pattern": case({"files": app(records=SEVERAL)}, name="App.log", pattern="(?i)T[WH]"),
    "newest_record": case({"files": app(records=SEVERAL)}, name="App.log", max_records=1),
    "until": case({"files": app(records=SEVERAL)}, name="App.log", until="3", since="8"),
    "setup": case({"files": {SETUPACT: {"text": SETUP}}, "os": {"time_zone": 0}}, path=SETUPACT),
    "setup_component": case({"files": {SETUPACT: {"text": SETUP}}}, path=SETUPACT, component="ui"),
    "setup_severity": case({"files": {SETUPACT: {"text": SETUP}}}, path=SETUPACT, severity="warning"),
    "setup_until": case(
        {"files": {SETUPACT: {"text": SETUP}}, "os": {"time_zone": 120}},
        path=SETUPACT, since="2026-11-01T08:00:05Z", until="2026-11-01T08:00:05Z",
    ),
    "old": case({"files": app(text=OLD), "os": {"time_zone": 0}}, name="App.log"),
    "old_component": case({"files": app(text=OLD)}, name="App.log", component="b", severity="error"),
    "old_since": case({"files": app(text=OLD)}, name="App.log", since="2026-11-01T10:00:30Z"),
    "old_until": case({"files": app(text=OLD)}, name="App.log", until="2026-11-01T09:00:00Z"),
    "old_unreadable_filtered": case(
        {"files": app(text=OLD)}, name="App.log", component="A", since="2020-01-01", max_records=1
    ),
    "timeless": case({"files": app(text="one\r\ntwo\r\n")}, name="App.log", since="5"),
    "denied": case({"files": app(access="denied", records=SEVERAL)}, name="App.log"),
    "locked": case({"files": app(access="locked", records=SEVERAL)}, name="App.log"),
    "quote": case({"files": app("it's", records=SEVERAL)}, name="it's.log"),
    "break_out": case({"files": app("a'); exit 3; #", records=SEVERAL)}, path=f"{LOGS}\\a'); exit 3; #.log"),
    "utf8_bom": case({"files": app(records=records(ODD), encoding="utf-8-sig")}, name="App.log"),
    "broken": case({"files": app(hex=BROKEN.hex())}, name="App.log"),
    "broken_inside": case({"files": app(hex=BROKEN_INSIDE.hex())}, name="App.log"),
    "utf16": case({"files": app(records=records(ODD), encoding="utf-16")}, name="App.log"),
    "utf16_end": case(
        {"files": app(records=records(*["x" * 500] * 5, ODD), encoding="utf-16-be")}, name="App.log", max_bytes=1025
    ),
    "cp1252": case({"files": app(records=records(ODD), encoding="cp1252")}, name="App.log"),
    "zeros": case({"files": app(records=records(ODD), hex="00" * 600)}, name="App.log"),
    "empty": case({"files": app(text="")}, name="App.log"),
    "incompressible": case({"files": app(text=NOISE)}, name="App.log"),
    "elsewhere": case(
        {
            "registry": {"HKLM\\SOFTWARE\\Microsoft\\CCM\\Logging\\@GLOBAL": {"LogDirectory": "D:\\Client Logs\\"}},
            "files": {"D:\\Client Logs\\App.log": {"records": SEVERAL}},
        },
        name="App.log",
    ),
    "on_a_share": case(
        {"registry": {"HKLM\\SOFTWARE\\Microsoft\\CCM\\Logging\\@GLOBAL": {"LogDirectory": "\\\\server\\logs"}}},
        name="App.log",
    ),
    "constrained": case({"variants": {"powershell_language": "ConstrainedLanguage"}}, name="CcmExec.log"),
    "no_powershell": case({"variants": {"powershell": False}}, name="CcmExec.log"),
    "limited": Case("client_log", {"name": "CcmExec.log"}, {"profile": "limited_account"}),
    "slow_pattern": case({"files": app(records=records("a" * 60))}, name="App.log", pattern="(a+)+b"),
    "check_mode": Case("client_log", {"name": "client"}, {"profile": "normal"}, check=True),
}  # fmt: skip
BAD = {
    "unc": ({"path": "\\\\server\\share\\CCM\\Logs\\a.log"}, "path"),
    "parent": ({"path": f"{LOGS}\\..\\..\\a.log"}, "path"),
    "outside": ({"path": "C:\\Windows\\System32\\config\\a.log"}, "path"),
    "wildcard": ({"path": f"{LOGS}\\*.log"}, "path"),
    "stream": ({"path": f"{LOGS}\\a.txt:b.log"}, "path"),
    "other_file": ({"path": f"{LOGS}\\a.txt"}, "path"),
    "device": ({"path": "\\\\?\\C:\\Windows\\CCM\\Logs\\a.log"}, "path"),
    "name_is_path": ({"name": "..\\a.log"}, "name"),
    "no_such_set": ({"name": "everything"}, "name"),
    "both": ({"name": "client", "path": SMSTS}, "name"),
    "since": ({"since": "yesterday"}, "since"),
    "order": ({"since": "5", "until": "10"}, "since"),
    "pattern": ({"pattern": "(a"}, "pattern"),
    "too_many_bytes": ({"max_bytes": 4194305}, "max_bytes"),
    "no_records": ({"max_records": 0}, "max_records"),
}


@pytest.fixture(scope="module")
def outcomes(lab: Lab) -> dict[str, Outcome]:
    bad = {f"bad_{name}": case({}, **options) for name, (options, _option) in BAD.items()}
    return lab.play({**CASES, **bad})


def messages(outcome: Outcome) -> list[str]:
    assert outcome.status == "ok", outcome.result
    return [record["message"] for record in outcome.result["records"]]


def diagnoses(outcome: Outcome) -> dict[str, Any]:
    return {each["id"]: each["found"] for each in outcome.result["diagnoses"]}


def file(outcome: Outcome, path: str) -> dict[str, Any]:
    (found,) = [each for each in outcome.result["files"] if each["path"].lower() == path.lower()]
    return found


def bytes_read(outcome: Outcome) -> dict[str, int]:
    """What was read of each file, as the endpoint knows it."""
    found: dict[str, int] = {}
    for event in outcome.endpoint["events"]:
        if event["event"] == "file.read":
            path, _, count = event["detail"].rpartition(" ")
            found[path.lower()] = found.get(path.lower(), 0) + int(count)
    return found


@pytest.mark.parametrize("name", ["failed_entry", "failed_entry_east", "failed_entry_west"])
def test_failed_entry_is_found_with_its_records_at_the_right_time(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert diagnoses(outcome) == {"failed_entry": True, "oem_key": None, "nothing_seen": False}
    (found,) = [each for each in outcome.result["diagnoses"] if each["id"] == "failed_entry"]
    assert "0x80004005" in found["means"]
    assert len(found["evidence"]) == 7
    assert found["evidence"][0]["message"] == "Setting the client into provisioning mode"
    assert found["evidence"][-1]["message"] == "Failed to put client in provisioning mode (0x80004005)"
    assert found["what_to_do"]
    begun = datetime.fromisoformat(found["evidence"][0]["time"].replace("Z", "+00:00"))
    age = datetime.fromisoformat(outcome.before["clock"]) - begun
    assert abs(age - timedelta(minutes=120)) < timedelta(minutes=5)
    assert "failed_entry" in outcome.msg


def test_filters_choose_records_and_leave_the_diagnoses(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["filters_leave_diagnoses"]
    assert messages(outcome) == ["Failed to run the action. Upgrade Operating System"]
    assert diagnoses(outcome)["failed_entry"] is True
    assert outcome.result["counts"] == {"info": 0, "warning": 0, "error": 1}


def test_period_is_what_is_looked_at(outcomes: dict[str, Outcome]) -> None:
    assert messages(outcomes["later_period"]) == []
    assert diagnoses(outcomes["later_period"]) == {"failed_entry": False, "oem_key": None, "nothing_seen": True}


def test_oem_key_is_found_in_local_time(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["oem_key"]
    assert diagnoses(outcome) == {"failed_entry": None, "oem_key": True, "nothing_seen": False}
    (found,) = [each for each in outcome.result["diagnoses"] if each["id"] == "oem_key"]
    assert [each["component"] for each in found["evidence"]] == ["windeploy.exe"] * 2
    assert {each["log"] for each in found["evidence"]} == {SETUPACT}
    when = datetime.fromisoformat(found["evidence"][0]["time"].replace("Z", "+00:00"))
    age = datetime.fromisoformat(outcome.before["clock"]) - when
    assert abs(age - timedelta(hours=31)) < timedelta(minutes=5)


def test_nothing_seen_says_what_was_looked_at(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["healthy"]
    assert diagnoses(outcome) == {"failed_entry": False, "oem_key": None, "nothing_seen": True}
    (found,) = [each for each in outcome.result["diagnoses"] if each["id"] == "nothing_seen"]
    assert re.search(r"\d+ bytes of 1 log from 2\S+Z to 2\S+Z", found["means"])


@pytest.mark.parametrize("name", ["no_logs", "no_client", "missing", "missing_path"])
def test_log_that_is_missing_is_told_and_starts_nothing(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert messages(outcome) == []
    assert outcome.msg.startswith("There is no such log: C:\\")
    assert not any(each["exists"] for each in outcome.result["files"])
    assert set(diagnoses(outcome).values()) == {None, True}
    assert outcome.endpoint["shells_opened"] == 0


def test_huge_log_costs_what_was_asked_for(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["huge"]
    assert messages(outcome)[-1] == "the end"
    found = file(outcome, f"{LOGS}\\App.log")
    assert found["size"] > HUGE
    assert found["truncated"] is True
    assert found["bytes_read"] <= 4096
    assert bytes_read(outcome) == {f"{LOGS}\\app.log".lower(): found["bytes_read"]}


def test_generations_are_read_within_one_bound(outcomes: dict[str, Outcome]) -> None:
    assert messages(outcomes["not_rotated"]) == ["newest"]
    assert messages(outcomes["rotated"]) == ["oldest", "older", "newer", "newest"]
    assert messages(outcomes["rotated_without_current"]) == ["oldest", "older", "newer"]
    bounded = outcomes["rotated_bounded"]
    assert sum(bytes_read(bounded).values()) <= 1024
    assert messages(bounded)[-1] == "newest"
    assert [each["exists"] for each in outcomes["rotated_without_current"].result["files"]] == [False, True, True, True]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("severity", ["two", "three\nand more"]),
        ("component", ["two"]),
        ("pattern", ["two", "three\nand more"]),
        ("newest_record", ["four"]),
        ("until", ["three\nand more"]),
        ("quote", ["one", "two", "three\nand more", "four"]),
        ("break_out", ["one", "two", "three\nand more", "four"]),
        ("elsewhere", ["one", "two", "three\nand more", "four"]),
        ("utf8_bom", [ODD]),
        ("utf16", [ODD]),
        ("cp1252", [ODD]),
        ("zeros", [ODD]),
        ("empty", []),
    ],
)
def test_records(outcomes: dict[str, Outcome], name: str, expected: list[str]) -> None:
    assert messages(outcomes[name]) == expected


def test_lines_of_windows_setup_are_told_apart(outcomes: dict[str, Outcome]) -> None:
    found = outcomes["setup"].result["records"]
    assert [(each["component"], each["severity"], each["message"], each["time"][11:19]) for each in found] == [
        ("UI", "info", "[0x0a013d] Accepting Cancel.", "10:00:00"),
        ("IBSLIB", "error", "[0x064230] Failed to create a store.", "10:00:01"),
        ("SP", "warning", "Not so good\n    with another line", "10:00:02"),
        ("windeploy.exe", "info", "[windeploy.exe] No column", "10:00:03"),
        ("", "info", "No component", "10:00:04"),
        ("CBS", "info", "ISO", "10:00:05"),
        ("CSI", "info", "00000001 Dots", "10:00:06"),
    ]
    assert messages(outcomes["setup_component"]) == ["[0x0a013d] Accepting Cancel."]
    assert [each["component"] for each in outcomes["setup_severity"].result["records"]] == ["IBSLIB", "SP"]
    assert messages(outcomes["setup_until"]) == ["ISO"]
    assert not any(outcomes[name].result.get("warnings") for name in ("setup", "setup_until"))


def test_a_time_that_cannot_be_read_is_told_and_leaves_nothing_out(outcomes: dict[str, Outcome]) -> None:
    found = outcomes["old"].result["records"]
    keys = ("component", "severity", "thread", "time", "unread_time")
    assert [tuple(each[key] for key in keys) for each in found] == [
        ("A", "info", "17", "2026-11-01T10:00:00.000Z", ""),
        ("B", "error", "", "2026-11-01T10:00:01.000Z", ""),
        ("C", "info", "4", "2026-11-01T10:01:00.000Z", ""),
        ("D", "info", "4", None, "01/11/2026 10:00:00"),
    ]
    assert [each["message"] for each in outcomes["old_component"].result["records"]] == ["Error: no thread"]
    assert [each["component"] for each in outcomes["old_since"].result["records"]] == ["C", "D"]
    assert [each["component"] for each in outcomes["old_until"].result["records"]] == ["D"]
    assert [each["component"] for each in outcomes["old_unreadable_filtered"].result["records"]] == ["A"]
    for name in ("old", "old_component", "old_since", "old_until", "old_unreadable_filtered"):
        outcome = outcomes[name]
        (warning,) = outcome.result["warnings"]
        assert "1 record cannot be read" in warning and "'01/11/2026 10:00:00'" in warning, warning
        assert ("since" in warning, "until" in warning) == (
            name in {"old_since", "old_unreadable_filtered"}, name == "old_until"
        )  # fmt: skip
        assert outcome.result["times_unreadable"] == 1
    assert messages(outcomes["timeless"]) == ["one", "two"]
    (warning,) = outcomes["timeless"].result["warnings"]
    assert "No record has a time in " in warning and "since" in warning


def test_records_left_out_are_counted(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["newest_record"].result["records_left_out"] == 3
    assert outcomes["newest_record"].result["counts"] == {"info": 2, "warning": 1, "error": 1}


def test_end_of_a_log_in_utf16_keeps_its_characters_whole(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["utf16_end"]
    assert messages(outcome)[-1] == ODD
    assert [each["complete"] for each in outcome.result["records"]] == [False, True]


def test_output_that_needs_many_answers_arrives_whole(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["incompressible"]
    assert file(outcome, f"{LOGS}\\App.log")["bytes_read"] == 262144
    assert [call["operation"] for call in outcome.calls].count("Receive") > 2


@pytest.mark.parametrize(
    ("name", "problem"), [("denied", "access is denied"), ("locked", "another program has locked it")]
)
def test_log_that_cannot_be_read_is_told(outcomes: dict[str, Outcome], name: str, problem: str) -> None:
    outcome = outcomes[name]
    assert messages(outcome) == []
    assert file(outcome, f"{LOGS}\\App.log")["problem"] == problem
    assert problem in outcome.msg


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("constrained", "constrained language mode"),
        ("no_powershell", "powershell.exe"),
        ("on_a_share", "\\\\server\\logs"),
        ("limited", "administrator"),
        ("slow_pattern", "pattern="),
    ],
)
def test_failure_names_its_cause(outcomes: dict[str, Outcome], name: str, words: str) -> None:
    outcome = outcomes[name]
    assert outcome.status == "failed"
    assert words in outcome.msg
    assert len(outcome.msg.splitlines()) == 1


def test_lines_in_no_encoding_hide_no_others(outcomes: dict[str, Outcome]) -> None:
    broken = [message for message in messages(outcomes["broken"]) if "no record" not in message]
    assert broken == ["whole", "whole again"]
    inside = messages(outcomes["broken_inside"])
    assert inside[0].startswith("bad ") and inside[0].endswith(" here")
    assert len(inside) >= 3


@pytest.mark.parametrize("name", ["unc", "parent", "outside", "wildcard", "stream", "other_file", "device"])
def test_a_path_that_is_not_read_is_named_with_those_that_are(outcomes: dict[str, Outcome], name: str) -> None:
    message = outcomes[f"bad_{name}"].msg
    assert f"path={BAD[name][0]['path']}" in message
    assert "give the full path of a log in" in message


@pytest.mark.parametrize("name", BAD)
def test_bad_option_is_named_before_anything_is_sent(outcomes: dict[str, Outcome], name: str) -> None:
    outcomes[f"bad_{name}"].assert_refused(BAD[name][1])


def test_reading_changes_nothing_and_leaves_no_shell(outcomes: dict[str, Outcome]) -> None:
    for name, outcome in outcomes.items():
        assert outcome.writes == [], name
        assert outcome.changed is False, name
        assert open_shells(outcome.endpoint) == [], name
        assert outcome.endpoint["shells_opened"] <= 1, name
    assert outcomes["check_mode"].status == "ok"
    assert outcomes["check_mode"].result["counts"]["info"] > 0


def test_one_log_costs_few_calls(outcomes: dict[str, Outcome]) -> None:
    operations = [call["operation"] for call in outcomes["severity"].calls]
    assert operations == ["Enumerate", "Invoke", "Enumerate", "Create", "Command", "Receive", "Signal", "Delete"]
