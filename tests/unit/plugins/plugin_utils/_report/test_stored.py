# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._report.stored import (
    NotAReport,
    found,
    merged,
    missing_slices,
)
from tests.unit.plugins.plugin_utils._report.test_formats import content, row


def stored(directory: Path, name: str, text: Any) -> str:
    path = directory / name
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return str(path)


def at(hour: int, hosts: dict[str, str], **run: Any) -> dict[str, Any]:
    return content({host: row(status) for host, status in hosts.items()}, made=f"2026-11-28T{hour:02}:00:00Z", **run)


def test_the_youngest_that_saw_a_host_counts(tmp_path: Path) -> None:
    late = stored(tmp_path, "a.json", at(9, {"PC-1": "normal", "PC-2": "not_asked", "PC-3": "unreachable"}))
    early = stored(tmp_path, "b.json", at(8, {"PC-1": "stuck", "PC-2": "stuck", "PC-4": "not_asked"}, job="7"))
    for order in ([late, early], [early, late, early], [str(tmp_path)]):
        reports = found(order, "reports", 1)
        assert [each["run"]["made"][11:13] for each in reports] == ["08", "09"]
        whole = merged(reports)
        assert {host: each["status"] for host, each in whole["hosts"].items()} == {
            "PC-1": "normal",
            "PC-2": "stuck",
            "PC-3": "unreachable",
            "PC-4": "not_asked",
        }
        assert whole["counts"] == {"stuck": 1, "unreachable": 1, "not_asked": 1, "normal": 1}
        assert (whole["run"]["made"], whole["run"]["job"]) == ("2026-11-28T09:00:00Z", "7")
    assert found([str(tmp_path)], "reports", 1, tmp_path / "a.json")[0]["run"]["job"] == "7"


@given(st.integers(1, 12), st.sets(st.integers(1, 12)))
def test_slices_that_nobody_reported(count: int, there: set[int]) -> None:
    there = {number for number in there if number <= count}
    reports = [at(8, {"PC-1": "normal"}, options={"fleet_slice": f"{number}/{count}"}) for number in there]
    expected = [f"{number}/{count}" for number in range(1, count + 1) if number not in there] if there else []
    assert missing_slices(reports) == expected
    assert missing_slices([at(8, {}, options=options) for options in (None, {}, {"fleet_slice": "x"}, ["1/2"])]) == []


GOOD = at(8, {"PC-1": "normal"})
BAD: dict[str, tuple[Any, str]] = {
    "nothing": ("", "is no JSON"),
    "half a file": (json.dumps(GOOD)[:-40], "is no JSON"),
    "a list": ([], "schema_version None"),
    "an older schema": ({**GOOD, "schema_version": 0}, "schema_version 0, and 1 is known here"),
    "a newer schema": ({**GOOD, "schema_version": 2}, "schema_version 2, and 1 is known here"),
    "no run": ({"schema_version": 1, "hosts": {}}, "is no report"),
    "no time": ({**GOOD, "run": {**GOOD["run"], "made": "yesterday"}}, "is no report"),
    "a time of no zone": ({**GOOD, "run": {**GOOD["run"], "made": "2026-11-28T08:00:00"}}, "is no report"),
    "a time that is a number": ({**GOOD, "run": {**GOOD["run"], "made": 5}}, "is no report"),
    "hosts as a list": ({**GOOD, "hosts": []}, "is no report"),
    "a row of nothing": ({**GOOD, "hosts": {"PC-1": None}}, "is no report"),
    "a status that is none": ({**GOOD, "hosts": {"PC-1": row("<b>")}}, "is no report"),
}


@pytest.mark.parametrize("key", BAD)
def test_what_is_no_report_is_named(tmp_path: Path, key: str) -> None:
    text, word = BAD[key]
    path = stored(tmp_path, "bad.json", text)
    with pytest.raises(NotAReport, match=r"^reports: ") as raised:
        found([path], "reports", 1)
    assert path in str(raised.value) and word in str(raised.value) and ": name " in str(raised.value)
    with pytest.raises(NotAReport, match="cannot be read"):
        found([str(tmp_path / "none.json")], "earlier", 1)
