# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario guide runs as pasted, prints what it says, and the endpoints are then as it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.integration.harness import ROOT, Case, Event, Lab, Outcome, Run, client_key
from tests.simulator.client import Simulator

GUIDE = ROOT / "docs" / "scenarios.md"

Endpoint = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A row of the guide: its playbooks, and under each what it prints."""

    title: str
    playbooks: list[list[dict[str, Any]]]
    printed: list[list[str]]

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9 -]", "", self.title.lower()).replace(" ", "-")


def _sections() -> dict[int, Section]:
    found = {}
    for part in re.split(r"^## ", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        blocks = re.findall(r"^```yaml\n(.*?)^```\n\n```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert len(blocks) == text.count("```yaml"), f"{title}: a playbook without its output"
        found[int(title.partition(".")[0])] = Section(
            title, [yaml.safe_load(playbook) for playbook, _ in blocks], [lines.splitlines() for _, lines in blocks]
        )
    return found


SECTIONS = _sections()

# -- what must hold on the endpoint, by the simulator's own knowledge --------------------------------------------------

Check = Callable[[Endpoint], bool]


def is_out(endpoint: Endpoint) -> bool:
    client, service = endpoint["client"], endpoint["services"]["CcmExec"]
    runs = (service["state"], service["start_mode"]) == ("Running", "Auto")
    return endpoint["mode"] == "normal" and client["loaded_mode"] is False and client["takes_policy"] and runs


def is_in(endpoint: Endpoint) -> bool:
    return endpoint["mode"] == "provisioning" and endpoint["client"]["loaded_mode"] is True


def is_untouched(endpoint: Endpoint) -> bool:
    return endpoint["mode"] == "provisioning" and not endpoint["writes"] and not endpoint["shells_opened"]


def holds(endpoint: Endpoint) -> bool:
    return "Hold" in endpoint["registry"].get("HKLM\\SOFTWARE\\configmgr.client", {})


def limit(endpoint: Endpoint) -> Any:
    return client_key(endpoint).get("ProvisioningMaxMinutes", {}).get("data")


def is_protected(endpoint: Endpoint) -> bool:
    return [task["uri"] for task in endpoint["scheduled_tasks"]] == ["\\configmgr.client.safeguard"]


def has_leftovers(endpoint: Endpoint) -> bool:
    policies = [each for each in endpoint["policies"] if each["PolicySource"] == "CcmTaskSequence"]
    return bool(endpoint["task_sequence"]["requests"] or policies)


def depends_on(endpoint: Endpoint) -> list[str]:
    return list(endpoint["services"]["smstsmgr"]["depend_on"])


# -- one row for each section ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """`endpoints` are the simulator's entries; `checks` hold after each playbook.

    `before` happens right before the first playbook, `between` between it and the second.
    """

    endpoints: Mapping[str, Mapping[str, Any]]
    checks: list[Mapping[str, Check]]
    before: Callable[[Simulator], None] = lambda simulator: None
    between: Callable[[Simulator], None] = lambda simulator: None


def row(profile: str, check: Check, **spec: Any) -> Callable[[str], Row]:
    return lambda name: Row({name: {"profile": profile, **spec}}, [{name: check}])


def restart_in_mid_scan(simulator: Simulator) -> None:
    simulator.event("PC-1501", "start_task_sequence")
    simulator.event("PC-1501", "reboot")
    simulator.advance("6m")
    assert simulator.endpoint("PC-1501")["mode"] == "normal"


ROWS: dict[int, Row] = {
    number: each(f"PC-{number:02}01")
    for number, each in {
        1: row("normal", is_in),
        2: row("stuck", is_out),
        3: row("live_osd", is_untouched),
        4: row("live_upgrade", is_untouched),
        5: row("upgrade_pending_restart", is_untouched),
        6: row("half_exited", is_out),
        7: row("overdue", is_out, provisioning={"mode": True, "entered": "146h ago"}),
        8: row("future_timestamp", is_out),
        9: row("no_timestamp", is_out),
        10: row("old_client", is_out),
        11: row("normal", lambda endpoint: is_in(endpoint) and holds(endpoint)),
        12: row("hold_expired", lambda endpoint: is_out(endpoint) and not holds(endpoint)),
        18: row("leftovers", lambda endpoint: not has_leftovers(endpoint) and len(endpoint["programs"]) == 1),
        20: row("native_refused", is_out),
    }.items()
} | {
    13: Row(
        {"PC-1301": {}},
        [
            {"PC-1301": lambda endpoint: limit(endpoint) == 720},
            {"PC-1301": lambda endpoint: limit(endpoint) is None},
            {"PC-1301": lambda endpoint: limit(endpoint) is None},
        ],
    ),
    14: Row(
        {"PC-1401": {"profile": "smstsmgr_dependency"}},
        [
            {"PC-1401": lambda endpoint: depends_on(endpoint) == []},
            {"PC-1401": lambda endpoint: depends_on(endpoint) == ["Winmgmt", "CcmExec"]},
        ],
    ),
    15: Row(
        {"PC-1501": {}, "PC-1502": {}},
        [
            {"PC-1501": is_protected, "PC-1502": is_protected},
            {name: lambda endpoint: is_out(endpoint) and not is_protected(endpoint) for name in ("PC-1501", "PC-1502")},
        ],
        between=restart_in_mid_scan,
    ),
    16: Row(
        {"PC-1601": {"profile": "normal", "variants": {"not_ready_minutes": 3}}},
        [{"PC-1601": is_in}],
        before=lambda simulator: simulator.event("PC-1601", "reboot"),
    ),
    17: Row({"PC-1701": {"profile": "failing_client"}}, [{"PC-1701": is_in}, {"PC-1701": is_in}]),
    19: Row(
        {"PC-1901": {"profile": "dead_upgrade"}, "PC-1902": {"profile": "half_exited_ccmexec_disabled"}},
        [{"PC-1901": is_out, "PC-1902": is_out}],
    ),
}
PLAYBOOKS = [(number, stage) for number, each in SECTIONS.items() for stage in range(len(each.playbooks))]


# -- the runs ----------------------------------------------------------------------------------------------------------


class Night:
    """All sections at once: their first playbooks, each twice, in one process; then their second ones, and so on."""

    def __init__(self, fast_lab: Lab) -> None:
        self.printed: dict[tuple[int, int], list[str]] = {}
        self.events: dict[tuple[int, int], list[list[Event]]] = {}
        self.endpoints: dict[tuple[int, int], dict[str, Endpoint]] = {}
        entries = {name: spec for each in ROWS.values() for name, spec in each.endpoints.items()}
        fast_lab.simulator.add(
            *(
                {"name": name, "address": fast_lab.address()[1], "restart_seconds": "0s", **spec}
                for name, spec in entries.items()
            )
        )
        inventory = fast_lab.file(
            "inventory.yml",
            {
                self._group(number): {"hosts": {name: fast_lab.host_vars(name) for name in each.endpoints}}
                for number, each in ROWS.items()
            },
        )
        first = [play for each in SECTIONS.values() for play in each.playbooks[0]]
        check = fast_lab.ansible(
            "ansible-playbook", "-i", inventory, fast_lab.file("plays.yml", first), "--check", "--diff"
        )
        assert check.rc == 0, check.output
        self.rehearsed = check.events
        self.untouched = {name: fast_lab.simulator.endpoint(name) for name in entries}
        for stage in range(max(stage for _, stage in PLAYBOOKS) + 1):
            keys = [key for key in PLAYBOOKS if key[1] == stage]
            for number, _ in keys:
                (ROWS[number].before if stage == 0 else ROWS[number].between)(fast_lab.simulator)
            twice = [play for number, _ in keys for play in SECTIONS[number].playbooks[stage] * 2]
            run = fast_lab.ansible(
                "ansible-playbook", "-i", inventory, fast_lab.file("plays.yml", twice), env=fast_lab.own_time()
            )
            assert run.rc == 0, run.output
            self._take_apart(run, keys)
            for number, _ in keys:
                names = ROWS[number].endpoints
                self.endpoints[number, stage] = {name: fast_lab.simulator.endpoint(name) for name in names}

    @staticmethod
    def _group(number: int) -> str:
        (group,) = {play["hosts"] for playbook in SECTIONS[number].playbooks for play in playbook}
        return str(group)

    def _take_apart(self, run: Run, keys: list[tuple[int, int]]) -> None:
        outputs = run.output.partition("\nPLAY RECAP")[0].split("\nPLAY [")[1:]
        assert len(outputs) == 2 * len(keys), "two plays for each playbook"
        for key, output in zip(keys, outputs[::2], strict=True):
            self.printed[key] = output.splitlines()
        for number, stage in keys:
            found = [event for event in run.events if event.host in ROWS[number].endpoints]
            tasks = len(SECTIONS[number].playbooks[stage][0]["tasks"]) * len(ROWS[number].endpoints)
            assert len(found) == 2 * tasks, f"section {number}"
            self.events[number, stage] = [found[:tasks], found[tasks:]]


@pytest.fixture(scope="module")
def night(fast_lab: Lab) -> Night:
    return Night(fast_lab)


def test_the_rehearsal_changes_nothing_and_shows_what_a_run_changes(night: Night) -> None:
    assert {name: endpoint["writes"] for name, endpoint in night.untouched.items() if endpoint["writes"]} == {}
    done = [event for number in SECTIONS if number != 17 for event in night.events[number, 0][0]]
    changed = {(event.host, event.task) for event in done if event.result.get("changed")}
    rehearsed = {(event.host, event.task) for event in night.rehearsed if event.result.get("changed")}
    assert rehearsed == changed | {("PC-1701", "Release")}, "nobody can know beforehand that the call will fail"


def plain(line: str) -> str:
    """Without what differs from run to run: times, and how often a client that starts had to be asked."""
    without_times = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", line.strip())
    return re.sub(r"Attempts: \d+", "Attempts: many", without_times)


def test_every_section_has_a_row_and_every_row_a_section() -> None:
    assert list(SECTIONS) == sorted(ROWS) == list(range(1, 21))
    for number, each in SECTIONS.items():
        assert len(each.playbooks) == len(each.printed) == len(ROWS[number].checks) > 0, each.title


def test_the_overview_leads_to_every_section() -> None:
    rows = re.findall(r"^\| \[(\d+)\]\(#(\S+)\) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(str(number), each.anchor) for number, each in SECTIONS.items()]


@pytest.mark.parametrize(("number", "stage"), PLAYBOOKS)
def test_the_endpoint_is_as_the_guide_says(night: Night, number: int, stage: int) -> None:
    checks = ROWS[number].checks[stage]
    assert checks.keys() == ROWS[number].endpoints.keys()
    for name, check in checks.items():
        assert check(night.endpoints[number, stage][name]), name


@pytest.mark.parametrize(("number", "stage"), PLAYBOOKS)
def test_what_the_guide_quotes_is_printed(night: Night, number: int, stage: int) -> None:
    quoted = [plain(line) for line in SECTIONS[number].printed[stage]]
    assert any('"' in line for line in quoted)
    printed = [plain(line) for line in night.printed[number, stage]]
    for line in quoted:
        assert line in printed, "\n".join(night.printed[number, stage])


def test_the_blocking_call_really_blocked(night: Night, fast_lab: Lab) -> None:
    """Two runs of each playbook: natively 20 of the 309 seconds are waited for; by command all, 20 at a time."""
    operations = [call["operation"] for call in fast_lab.simulator.traffic("PC-1701")["calls"]]
    assert operations.count("Receive") == 2 * (309 // 20 + 1)
    assert [night.events[17, stage][0][0].result["attempts"] for stage in (0, 1)] == [1, 1]


def test_the_client_that_starts_was_asked_until_it_was_ready(night: Night) -> None:
    entered, _ = night.events[16, 0][0]
    assert entered.result["attempts"] > 1


@pytest.mark.parametrize(("number", "stage"), PLAYBOOKS)
def test_a_second_run_changes_nothing(night: Night, number: int, stage: int) -> None:
    _, second = night.events[number, stage]
    assert [event.task for event in second if event.result.get("changed")] == []


# -- more of the call that blocks for five minutes ---------------------------------------------------------------------


def blocking(profile: str = "failing_client", /, *, options: dict[str, Any], settings: Any = None, **spec: Any) -> Case:
    return Case("provisioning_mode", {"enabled": False, **options}, {"profile": profile, **spec}, settings or {})


LONG = {"via": "command", "wait_timeout": 900, "deadline": 1500}
STARTING = {"not_ready_minutes": 8, "fails_after_seconds": 309}
PATIENT = {"ansible_winrm_operation_timeout_sec": 400, "ansible_winrm_read_timeout_sec": 410}
# Key: the case; attempts; what the message says.
BLOCKING: dict[str, tuple[Case, int, list[str]]] = {
    "past the deadline": (
        blocking(options={"via": "command"}),
        1,
        ["before the deadline of 300 s", "still true", "deadline=600"],
    ),
    "past a short deadline": (
        blocking(options={"via": "command", "deadline": 20, "wait_timeout": 5}),
        1,
        ["before the deadline of 20 s", "still true", "deadline=600"],
    ),
    "again and again": (blocking(options=LONG), 3, ["3 time(s) within wait_timeout=900 s", "0x80004005"]),
    "answered late": (
        blocking(options={"deadline": 600}, settings=PATIENT, wsman={"max_timeout_ms": 600000}),
        1,
        ["1 time(s) within wait_timeout=120 s", "0x80004005"],
    ),
    "cut off by the endpoint": (
        blocking(options={"deadline": 600}, settings=PATIENT),
        1,
        ["ansible_winrm_operation_timeout_sec", "still true"],
    ),
    "entering": (
        blocking(options={"enabled": True}, provisioning={"mode": False}, ts_requests=[]),
        1,
        ["SetClientProvisioningMode(true)", "ansible_winrm_operation_timeout_sec", "still false"],
    ),
}


@pytest.fixture(scope="module")
def blocked(fast_lab: Lab) -> dict[str, Outcome]:
    """One host after the other: they share the clock that each of them moves."""
    cases = {key: case for key, (case, *_) in BLOCKING.items()}
    return fast_lab.play(cases, "--forks", "1", env=fast_lab.own_time())


@pytest.mark.parametrize("key", BLOCKING)
def test_a_call_that_blocks_ends_in_a_clear_message(blocked: dict[str, Outcome], key: str) -> None:
    outcome = blocked[key]
    _, attempts, words = BLOCKING[key]
    assert (outcome.status, outcome.changed) == ("failed", False)
    assert outcome.result["attempts"] == attempts
    assert outcome.result["provisioning_mode"] is (key != "entering")
    for word in words:
        assert word in outcome.msg
    assert outcome.endpoint["mode"] == outcome.before["mode"]
    assert outcome.endpoint["shells"] == []


def test_a_client_that_blocks_twice_is_released_at_last(fast_lab: Lab) -> None:
    # Without a request: in the first minutes after a start, one of a dead task sequence might be of one that goes on.
    case = blocking("stuck", options=LONG, uptime="0s", variants=STARTING, ts_requests=[])
    outcome = fast_lab.play({"starting": case}, env=fast_lab.own_time())["starting"]
    assert (outcome.status, outcome.result.get("attempts")) == ("ok", 3), outcome.msg
    assert is_out(outcome.endpoint)
    assert outcome.endpoint["shells"] == []
