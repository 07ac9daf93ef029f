# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client import constants
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import NotVerified
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.clearing import plan_clearing
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.reader import read_task_sequences
from ansible_collections.configmgr.client.plugins.module_utils._client.task_sequence.writer import Clearing
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.windows import Windows, cim

KINDS = ["execution_requests", "paused_software_distribution"]
REQUEST, KEY = constants.REQUEST_CLASS, constants.DISTRIBUTION_KEY
GONE = fault(FaultDetail(2150858752, "DestinationUnreachable", "No such instance."))


class Endpoint(Windows):
    """With what two dead task sequences left. ``deaf``: what is written is accepted and not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf = False
        self.keys.add(KEY)
        self.registry |= {(KEY, "Paused"): (4, 1), (KEY, "PausedCookie"): (4, 1)}
        # Started lately, so that only the dead requests, once they are cleared as well, tell the age of the pause.
        self.rows["Win32_OperatingSystem"][0].update(LastBootUpTime="2026-11-20T11:00:00Z", CurrentTimeZone=0)
        dead = {"State": "Running", "ReceivedTime": "2026-11-15T12:00:00Z"}
        self.rows[REQUEST] = [{"RequestID": identifier, **dead} for identifier in ("{A}", "{B}")]

    def query(self, namespace: str, wql: str) -> list[t.Any]:
        rows = super().query(namespace, wql)
        return [cim(REQUEST, row) for row in self.rows[REQUEST]] if "* FROM" in wql else rows

    def instances(self, namespace: str, class_name: str) -> list[t.Any]:
        return []

    def delete(self, namespace: str, class_name: str, selectors: t.Mapping[str, str]) -> None:
        self._session._ask_the_judge()
        self.writes.append(f"Delete {selectors['RequestID']}")
        self._count("Delete")
        if not self.deaf:
            self.rows[class_name] = [row for row in self.rows[class_name] if row["RequestID"] != selectors["RequestID"]]

    def get(self, namespace: str, class_name: str, selectors: t.Any = None) -> t.Any:
        if class_name == REQUEST and selectors["RequestID"] not in [row["RequestID"] for row in self.rows[REQUEST]]:
            raise GONE
        return super().get(namespace, class_name, selectors)

    def clear(self, *, before: t.Callable[[str], None] = lambda what: None) -> Clearing:
        guard = Guard(self.endpoint, "pc-0001", "short")
        state = read_task_sequences(self.endpoint, guard)
        plan = plan_clearing(state, KINDS, 240)
        assert len(plan.steps) == 4
        self.calls.clear()
        self.before = before
        self.clearing = Clearing(self.endpoint, guard, state, KINDS, 240, lambda line: None)
        self.clearing.carry_out(plan)
        return self.clearing


WRITES = ["Delete {A}", "Delete {B}", "SetDWORDValue", "SetDWORDValue"]


def test_each_is_cleared_and_looked_at() -> None:
    windows = Endpoint()
    clearing = windows.clear()
    assert windows.writes == WRITES and len(clearing.done) == 4 and not clearing.stopped
    assert windows.rows[REQUEST] == [] and windows.registry[KEY, "Paused"] == windows.registry[KEY, "PausedCookie"] == (
        4,
        0,
    )


@pytest.mark.parametrize("written", range(4))
def test_nothing_is_cleared_once_a_task_sequence_runs(written: int) -> None:
    windows = Endpoint()

    def before(what: str) -> None:
        if what == "Win32_Process" and windows.calls.count(what) == written + 1:
            windows.rows[what].append({"Name": "TSManager.exe", "ProcessId": 8})

    clearing = windows.clear(before=before)
    assert windows.writes == WRITES[:written] and len(clearing.done) == written and "TSManager" in clearing.stopped


@pytest.mark.parametrize(
    ("change", "words"), [({"State": "WaitingContent"}, "may be waiting"), ({"RequestID": "{C}"}, "no longer there")]
)
def test_request_that_has_changed_meanwhile_is_left_alone(change: dict[str, str], words: str) -> None:
    windows = Endpoint()

    def before(what: str) -> None:
        if what == "Delete":
            windows.rows[REQUEST][1].update(change)

    clearing = windows.clear(before=before)
    assert windows.writes == WRITES[:1] and words in clearing.stopped


@pytest.mark.parametrize("runs", [True, False])
def test_what_is_there_again_is_told(runs: bool) -> None:
    windows = Endpoint()
    windows.deaf = True

    def before(what: str) -> None:
        if runs and what == "Delete":
            windows.rows["Win32_Process"].append({"Name": "TSManager.exe", "ProcessId": 8})

    if runs:
        assert "there again" in windows.clear(before=before).stopped
    else:
        with pytest.raises(NotVerified, match="still there"):
            windows.clear(before=before)
    assert windows.writes == WRITES[:1] and len(windows.clearing.done) == runs
