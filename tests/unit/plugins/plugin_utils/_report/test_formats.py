# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of a report: the same numbers in each, whatever the hosts are called and say."""

from __future__ import annotations

import csv
import datetime as dt
import io
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.configmgr.client.plugins.plugin_utils._report import charts, formats, metrics
from ansible_collections.configmgr.client.plugins.plugin_utils._report.figures import figures
from ansible_collections.configmgr.client.plugins.plugin_utils._report.kinds import KINDS, TITLES
from ansible_collections.configmgr.client.plugins.plugin_utils._report.rows import ORDER, counts
from ansible_collections.configmgr.client.plugins.plugin_utils._report.table import COLUMNS

MADE = dt.datetime(2026, 11, 28, 8, 0, tzinfo=dt.timezone.utc)
HOSTILE = [
    "<script>alert(1)</script>",
    "</title><b>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "{% raw %}",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "../../etc/passwd",
    'a"b\\c\nd',
    "nul\x00bell\x07",
    "lone \ud800 surrogate",
    "ünï\u202ecode",
]


def row(status: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"status": status, "message": message, "changed": status in ("released", "entered"), **more}


def inside(minutes: int, limit: int = 2880, *, leaves: bool = True) -> dict[str, Any]:
    entered = MADE - dt.timedelta(minutes=minutes)
    latest = entered + dt.timedelta(minutes=limit + 60)
    return {
        "age_minutes": minutes,
        "limit_minutes": limit,
        "entered_at": f"{entered:%Y-%m-%dT%H:%M:%SZ}",
        "self_exit_latest": f"{latest:%Y-%m-%dT%H:%M:%SZ}" if leaves else None,
    }


def content(hosts: dict[str, dict[str, Any]], **run: Any) -> dict[str, Any]:
    about = {
        "made": f"{MADE:%Y-%m-%dT%H:%M:%SZ}",
        "user": "jdoe",
        "controller": "ctl",
        "job": "",
        "playbook": "configmgr.client.survey",
        "play": "",
        "limit": "",
        "check_mode": False,
        "options": {},
        "collection_version": "1.0.0",
        "ansible_version": "2.19.14",
        **run,
    }
    return {"schema_version": 1, "run": about, "counts": counts(hosts), "hosts": hosts}


class Page(HTMLParser):
    """What a browser would make of it: texts of the cells by row, and which elements there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.statuses: list[str | None] = []
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "xlink:href")]
        if tag == "tr":
            self.rows.append([])
            self.statuses.append(given.get("data-status"))
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data

    @property
    def hosts(self) -> dict[str, list[str]]:
        return {cells[0]: cells for cells, status in zip(self.rows, self.statuses, strict=True) if status is not None}


def test_each_status_has_a_kind() -> None:
    assert set(KINDS) == set(ORDER) and set(KINDS.values()) == set(TITLES) == set(charts.COLOURS)


@pytest.mark.parametrize("drawn", [True, False])
def test_nothing_that_a_host_says_is_more_than_a_text(monkeypatch: pytest.MonkeyPatch, drawn: bool) -> None:
    if not drawn:
        monkeypatch.setattr(charts, "pygal", None)
    hosts = {
        name: row("failed", f"said {name}", error_layer=name, client_version=name, via=name, verdict=name)
        for name in HOSTILE
    }
    plain = Page(formats.text("html", content({f"PC-{n}": row("failed", "x", error_layer=f"e{n}") for n in range(12)})))
    found = Page(formats.text("html", content(hosts, user=HOSTILE[0], limit=HOSTILE[2], controller=HOSTILE[1])))
    shown = {name.replace("\x00", "\ufffd") for name in hosts}
    assert {name.replace("\x00", "\ufffd") for name in found.hosts} == shown
    assert found.tags.count("script") == plain.tags.count("script") == 1
    assert "img" not in found.tags and "b" in found.tags
    assert all(link is None or link.startswith("#") for link in found.links)
    assert ("svg" in found.tags) is drawn


def test_the_page_has_the_numbers_with_and_without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {
        **{f"PC-{number}": row("normal") for number in range(7)},
        "S-1": row("stuck", timeline=inside(1800), client_version="5.00.9128.1007"),
        "S-2": row("overdue", timeline=inside(9000)),
        "S-3": row("released", "Released.", timeline=inside(600), via="site"),
        "S-4": row("recent", timeline=inside(10, leaves=False)),
        "OFF": row("unreachable", "off", error_layer="port"),
    }
    drawn = formats.text("html", content(hosts), [content({"PC-1": row("stuck")})])
    monkeypatch.setattr(charts, "pygal", None)
    bare = formats.text("html", content(hosts), [content({"PC-1": row("stuck")})])
    assert "pip install &#39;pygal&gt;=3&#39;" in bare and "pygal&gt;=3" not in drawn
    assert "<svg" in drawn and "<svg" not in bare
    for text in (drawn, bare):
        rows = Page(text).rows
        for line in (["normal", "7"], ["1 to 2 d", "1", "0"], ["2 to 7 d", "0", "1"], ["should have", "1"]):
            assert line in rows
        assert ["within 24 h", "1"] in rows and ["not by itself", "1"] in rows and ["port", "1"] in rows
        assert ["stuck", "1", "1"] in rows and ["site", "1"] in rows and ["5.00.9128.1007", "1"] in rows
        assert Page(text).hosts["S-1"][3] == "1 d 6 h"


@pytest.mark.parametrize("version", ["2.4.0", "0"])
def test_an_old_library_of_charts_is_as_none(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(charts.pygal, "__version__", version)
    assert "too old" in charts.problem()
    assert "<svg" not in formats.text("html", content({"PC-1": row("stuck", timeline=inside(9))}))


def test_a_report_of_nobody() -> None:
    nothing = content({})
    assert Page(formats.text("html", nothing)).hosts == {}
    assert formats.text("csv", nothing).splitlines() == [",".join(COLUMNS)]
    assert ET.fromstring(formats.text("junit", nothing)).get("tests") == "0"
    assert 'configmgr_client_hosts{status="stuck"} 0.0' in formats.text("prometheus", nothing)


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 20_000), st.booleans()), max_size=30))
def test_each_host_in_the_mode_counts_once(found: list[tuple[int, int, bool]]) -> None:
    hosts = {
        f"PC-{number}": row("stuck", timeline=inside(age, limit, leaves=leaves))
        for number, (age, limit, leaves) in enumerate(found)
    }
    told = figures(hosts, MADE)
    assert sum(each.below_limit + each.past_limit for each in told.ages) == sum(told.exits.values()) == len(found)
    assert sum(each.past_limit for each in told.ages) == sum(age >= limit for age, limit, _leaves in found)
    limits = [limit for _age, limit, _leaves in found]
    assert (told.limit is None) == (not found)
    if told.limit:
        assert limits.count(told.limit.minutes) == max(limits.count(limit) for limit in limits)


def test_the_line_lies_between_the_ages_below_and_past_it() -> None:
    for limit in (0, 60, 720, 2880, 5000, 43_200, 50_000):
        ages = [age for age in (limit - 1, limit) if age >= 0]
        hosts = {f"PC-{age}": row("stuck", timeline=inside(age, limit)) for age in ages}
        told = figures(hosts, MADE)
        assert told.limit is not None
        below = [number for number, each in enumerate(told.ages) if each.below_limit]
        past = [number for number, each in enumerate(told.ages) if each.past_limit]
        assert all(number < told.limit.place for number in below), limit
        assert all(told.limit.place <= number + 1 for number in past), limit
    page = formats.text("html", content({"PC-1": row("stuck", timeline=inside(10, 2880))}))
    assert "limit of most: 2 d" in page


@given(st.dictionaries(st.text(), st.sampled_from(ORDER), max_size=8), st.text())
def test_csv_gives_back_what_it_got(hosts: dict[str, str], message: str) -> None:
    made = formats.text("csv", content({host: row(status, message) for host, status in hosts.items()}))
    head, *lines = list(csv.reader(io.StringIO(made, newline="")))
    assert tuple(head) == COLUMNS and len(lines) == len(hosts)
    for cells, (host, status) in zip(lines, hosts.items(), strict=True):
        assert [cell.removeprefix("'") for cell in (cells[0], cells[3])] == [
            text.removeprefix("'") for text in (host, message)
        ]
        assert cells[1] == status
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


@given(st.dictionaries(st.text(), st.sampled_from(ORDER), max_size=8), st.text())
def test_junit_is_xml_whatever_hosts_are_called(hosts: dict[str, str], message: str) -> None:
    found = {host: row(status, message) for host, status in hosts.items()}
    suite = ET.fromstring(formats.text("junit", content(found)))
    kinds = [KINDS[status] for status in hosts.values()]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(hosts)), str(kinds.count("bad")))
    assert len(suite.findall("testcase/skipped")) == kinds.count("unseen") == int(suite.get("skipped") or "")


def test_metrics_are_the_same_series_for_each_fleet() -> None:
    def series(text: str) -> dict[tuple[str, ...], float]:
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    few = series(formats.text("prometheus", content({"PC-1": row("stuck", timeline=inside(9000))})))
    many = series(
        formats.text("prometheus", content({name: row("failed", name, error_layer=name) for name in HOSTILE}))
    )
    assert few.keys() == many.keys() and not [key for key in many if set(key) & set(HOSTILE)]
    assert (few["configmgr_client_hosts", "stuck"], few["configmgr_client_in_mode", "past"]) == (1, 1)
    assert (many["configmgr_client_hosts", "failed"], many["configmgr_client_errors", "other"]) == (len(HOSTILE),) * 2
    assert many["configmgr_client_report_timestamp_seconds",] == MADE.timestamp()


@pytest.mark.parametrize(
    ("names", "path", "word"),
    [
        (["html"], None, "give path"),
        (["html"], "fleet.html", "name it .json"),
        (["csv", "junit"], "a/b.xml", "name it .json"),
        (["html", "csv"], "fleet.json", ""),
        ([], "fleet.html", ""),
    ],
)
def test_forms_and_the_report_do_not_share_a_file(names: list[str], path: str | None, word: str) -> None:
    found = formats.problem(names, path)
    assert word in found and bool(found) == bool(word)


def test_without_the_library_of_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "IMPORT_ERROR", ImportError("no module"))
    assert "pip install prometheus_client" in formats.problem(["prometheus"], "fleet.json")
    assert not formats.problem(["html"], "fleet.json")
