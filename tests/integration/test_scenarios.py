# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario guide runs as pasted, prints what it says, and the endpoints are then as it says."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.integration.harness import ROOT, Case, Event, Lab, Outcome, Run, client_key
from tests.simulator.client import Simulator

GUIDES = [ROOT / "docs/docsite/rst" / name for name in ("guide_releasing.rst", "guide_waves.rst")]

Endpoint = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A section with playbooks: under each stands what it prints."""

    playbooks: list[list[dict[str, Any]]]
    printed: list[list[str]]


def _sections() -> dict[str, Section]:
    """By the last part of their labels."""
    found = {}
    for guide in GUIDES:
        parts = re.split(r"^\.\. _\S+\.guide_\w+\.(\w+):\n", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert "code-block:: yaml" not in parts[0], f"{guide.name}: a playbook in no section that has a label"
        for label, text in zip(parts[1::2], parts[2::2], strict=True):
            blocks = re.findall(r"^\.\. code-block:: (yaml|text)\n((?:   .*\n|\n)+)", text, re.MULTILINE)
            kinds, texts = [kind for kind, _ in blocks], [textwrap.dedent(block) for _, block in blocks]
            assert kinds == ["yaml", "text"] * (len(kinds) // 2), f"{label}: a playbook without its output"
            if blocks:
                found[label] = Section(
                    [yaml.safe_load(playbook) for playbook in texts[::2]],
                    [lines.strip().splitlines() for lines in texts[1::2]],
                )
    return found


# The calls that block come last: they move the clock that all share.
SECTIONS = dict(sorted(_sections().items(), key=lambda item: item[0] == "blocking"))

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


def row(name: str, check: Check, **spec: Any) -> Row:
    return Row({name: spec}, [{name: check}])


def restart_in_mid_scan(simulator: Simulator) -> None:
    simulator.event("PC-1501", "start_task_sequence")
    simulator.event("PC-1501", "reboot")
    simulator.advance("6m")
    assert simulator.endpoint("PC-1501")["mode"] == "normal"


ROWS: dict[str, Row] = {
    "stuck": Row(
        {
            "PC-0201": {"profile": "stuck"},
            "PC-0202": {"profile": "half_exited"},
            "PC-0203": {"profile": "overdue", "provisioning": {"mode": True, "entered": "146h ago"}},
            "PC-0204": {"profile": "future_timestamp"},
            "PC-0205": {"profile": "no_timestamp"},
            "PC-0206": {"profile": "old_client"},
            "PC-0207": {"profile": "hold_expired"},
            "PC-0208": {"profile": "live_osd"},
            "PC-0209": {"profile": "live_upgrade"},
            "PC-0210": {"profile": "upgrade_pending_restart"},
        },
        [
            dict.fromkeys((f"PC-020{number}" for number in range(1, 7)), is_out)
            | {"PC-0207": lambda endpoint: is_out(endpoint) and not holds(endpoint)}
            | dict.fromkeys(("PC-0208", "PC-0209", "PC-0210"), is_untouched)
        ],
    ),
    "force": Row(
        {"PC-0301": {"profile": "upgrade_pending_restart"}, "PC-0302": {"profile": "live_upgrade"}},
        [{"PC-0301": is_out, "PC-0302": is_untouched}],
    ),
    "service": Row(
        {"PC-0401": {"profile": "dead_upgrade"}, "PC-0402": {"profile": "half_exited_ccmexec_disabled"}},
        [{"PC-0401": is_out, "PC-0402": is_out}],
    ),
    "leftovers": row(
        "PC-0501",
        lambda endpoint: not has_leftovers(endpoint) and len(endpoint["programs"]) == 1,
        profile="leftovers",
    ),
    "blocking": Row({"PC-0601": {"profile": "failing_client"}}, [{"PC-0601": is_in}, {"PC-0601": is_in}]),
    "refused": row("PC-0701", is_out, profile="native_refused"),
    "hold": row("PC-0801", lambda endpoint: is_in(endpoint) and holds(endpoint), profile="normal"),
    "boot": Row(
        {"PC-0901": {"profile": "normal", "variants": {"not_ready_minutes": 3}}},
        [{"PC-0901": is_in}],
        before=lambda simulator: simulator.event("PC-0901", "reboot"),
    ),
    "safeguard": Row(
        {"PC-1501": {}, "PC-1502": {}},
        [
            {"PC-1501": is_protected, "PC-1502": is_protected},
            {name: lambda endpoint: is_out(endpoint) and not is_protected(endpoint) for name in ("PC-1501", "PC-1502")},
        ],
        between=restart_in_mid_scan,
    ),
    "timeout": Row(
        {"PC-1601": {}},
        [
            {"PC-1601": lambda endpoint: limit(endpoint) == 720},
            {"PC-1601": lambda endpoint: limit(endpoint) is None},
            {"PC-1601": lambda endpoint: limit(endpoint) is None},
        ],
    ),
    "dependency": Row(
        {"PC-1701": {"profile": "smstsmgr_dependency"}},
        [
            {"PC-1701": lambda endpoint: depends_on(endpoint) == []},
            {"PC-1701": lambda endpoint: depends_on(endpoint) == ["Winmgmt", "CcmExec"]},
        ],
    ),
}
PLAYBOOKS = [(label, stage) for label, each in SECTIONS.items() for stage in range(len(each.playbooks))]


# -- the runs ----------------------------------------------------------------------------------------------------------


class Night:
    """All sections at once: their first playbooks, each twice, in one process; then their second ones, and so on."""

    def __init__(self, fast_lab: Lab) -> None:
        self.printed: dict[tuple[str, int], list[str]] = {}
        self.events: dict[tuple[str, int], list[list[Event]]] = {}
        self.endpoints: dict[tuple[str, int], dict[str, Endpoint]] = {}
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
                self._group(label): {"hosts": {name: fast_lab.host_vars(name) for name in each.endpoints}}
                for label, each in ROWS.items()
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
            for label, _ in keys:
                (ROWS[label].before if stage == 0 else ROWS[label].between)(fast_lab.simulator)
            twice = [play for label, _ in keys for play in SECTIONS[label].playbooks[stage] * 2]
            run = fast_lab.ansible(
                "ansible-playbook", "-i", inventory, fast_lab.file("plays.yml", twice), env=fast_lab.own_time()
            )
            assert run.rc == 0, run.output
            self._take_apart(run, keys)
            for label, _ in keys:
                names = ROWS[label].endpoints
                self.endpoints[label, stage] = {name: fast_lab.simulator.endpoint(name) for name in names}

    @staticmethod
    def _group(label: str) -> str:
        (group,) = {play["hosts"] for playbook in SECTIONS[label].playbooks for play in playbook}
        return str(group)

    def _take_apart(self, run: Run, keys: list[tuple[str, int]]) -> None:
        outputs = run.output.partition("\nPLAY RECAP")[0].split("\nPLAY [")[1:]
        assert len(outputs) == 2 * len(keys), "two plays for each playbook"
        for key, output in zip(keys, outputs[::2], strict=True):
            self.printed[key] = output.splitlines()
        for label, stage in keys:
            found = [event for event in run.events if event.host in ROWS[label].endpoints]
            tasks = len(SECTIONS[label].playbooks[stage][0]["tasks"]) * len(ROWS[label].endpoints)
            assert len(found) == 2 * tasks, f"section {label}"
            self.events[label, stage] = [found[:tasks], found[tasks:]]


@pytest.fixture(scope="module")
def night(fast_lab: Lab) -> Night:
    return Night(fast_lab)


def test_the_rehearsal_changes_nothing_and_shows_what_a_run_changes(night: Night) -> None:
    assert {name: endpoint["writes"] for name, endpoint in night.untouched.items() if endpoint["writes"]} == {}
    done = [event for label in SECTIONS if label != "blocking" for event in night.events[label, 0][0]]
    changed = {(event.host, event.task) for event in done if event.result.get("changed")}
    rehearsed = {(event.host, event.task) for event in night.rehearsed if event.result.get("changed")}
    assert rehearsed == changed | {("PC-0601", "Release")}, "nobody can know beforehand that the call will fail"


def plain(line: str) -> str:
    """Without what differs from run to run: times, and how often a client that starts had to be asked."""
    without_times = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", line.strip())
    return re.sub(r"Attempts: \d+", "Attempts: many", without_times)


def test_every_section_has_a_row_and_every_row_a_section() -> None:
    assert sorted(SECTIONS) == sorted(ROWS)
    for label, each in SECTIONS.items():
        assert len(each.playbooks) == len(each.printed) == len(ROWS[label].checks) > 0, label


@pytest.mark.parametrize(("label", "stage"), PLAYBOOKS)
def test_the_endpoint_is_as_the_guide_says(night: Night, label: str, stage: int) -> None:
    checks = ROWS[label].checks[stage]
    assert checks.keys() == ROWS[label].endpoints.keys()
    for name, check in checks.items():
        assert check(night.endpoints[label, stage][name]), name


@pytest.mark.parametrize(("label", "stage"), PLAYBOOKS)
def test_what_the_guide_quotes_is_printed(night: Night, label: str, stage: int) -> None:
    quoted = [plain(line) for line in SECTIONS[label].printed[stage]]
    assert any('"' in line for line in quoted)
    printed = [plain(line) for line in night.printed[label, stage]]
    for line in quoted:
        assert line in printed, "\n".join(night.printed[label, stage])


def test_the_blocking_call_really_blocked(night: Night, fast_lab: Lab) -> None:
    """Two runs of each playbook: natively 20 of the 309 seconds are waited for; by command all, 20 at a time."""
    operations = [call["operation"] for call in fast_lab.simulator.traffic("PC-0601")["calls"]]
    assert operations.count("Receive") == 2 * (309 // 20 + 1)
    assert [night.events["blocking", stage][0][0].result["attempts"] for stage in (0, 1)] == [1, 1]


def test_the_client_that_starts_was_asked_until_it_was_ready(night: Night) -> None:
    entered, _ = night.events["boot", 0][0]
    assert entered.result["attempts"] > 1


@pytest.mark.parametrize(("label", "stage"), PLAYBOOKS)
def test_a_second_run_changes_nothing(night: Night, label: str, stage: int) -> None:
    _, second = night.events[label, stage]
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
