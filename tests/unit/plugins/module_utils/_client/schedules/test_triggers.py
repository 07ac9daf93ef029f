# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client import backoff
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Blocked, Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.methods import ClientMethods
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import triggers
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.catalog import find
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules.triggers import Triggers
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.fakes import Clock
from tests.unit.states import NOW, clock
from tests.unit.windows import Windows

POLICY, EVALUATION = find("machine_policy_request"), find("machine_policy_evaluation")
STARTING = fault(FaultDetail(0x80004005, "InternalError", "Not ready."))
NO_SCHEDULE = fault(FaultDetail(0x80041010, "InvalidParameter", "No such schedule."))
DENIED = fault(FaultDetail(5, "AccessDenied", "Access is denied."))
BROKEN = fault(FaultDetail(0x80041013, "InternalError", "No provider."))


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    time = Clock()

    def patient(seconds: float, deadline: t.Any) -> backoff.Backoff:
        return backoff.Backoff(seconds, deadline, time.sleep, time)

    monkeypatch.setattr(triggers, "Backoff", patient)
    monkeypatch.setattr(triggers.time, "sleep", time.sleep)
    monkeypatch.setattr(triggers.time, "monotonic", time)
    return time


class Scene:
    def __init__(self, time: Clock, wait: float = 30) -> None:
        self.time = time
        self.windows = Windows()
        self.errors: dict[str, list[Exception]] = {}
        self.triggered: list[str] = []
        self.lines: list[str] = []
        self.windows.invoke = self.invoke  # type: ignore[method-assign]
        guard = Guard(self.windows.endpoint, "pc-0001", "short")
        self.triggers = Triggers(self.windows.endpoint, guard, clock(), [POLICY, EVALUATION], wait, self.lines.append)

    def invoke(self, namespace: str, class_name: str, method: str, parameters: t.Any, **options: t.Any) -> t.Any:
        output = Windows.invoke(self.windows, namespace, class_name, method, parameters, **options)
        if method == "TriggerSchedule":
            schedule = find(parameters["sScheduleID"]).name
            self.triggered.append(schedule)
            if self.errors.get(schedule):
                raise self.errors[schedule].pop(0)
        return output

    def history(self, *times: tuple[t.Any, dt.datetime]) -> None:
        self.windows.rows["CCM_Scheduler_History"] = [
            {"ScheduleID": schedule.id, "LastTriggerTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"} for schedule, moment in times
        ]

    def send(self, pause: float = 0) -> None:
        self.triggers.send(ClientMethods(self.windows.endpoint, "wmi", self.lines.append), pause)

    @property
    def proofs(self) -> list[str | None]:
        return [each.proof for each in self.triggers.each]


def test_schedules_go_in_order_with_a_pause_between(time: Clock) -> None:
    scene = Scene(time)
    scene.send(pause=20)
    assert scene.triggered == [POLICY.name, EVALUATION.name]
    assert time.naps == [20]
    assert [each.sent for each in scene.triggers.each] == [NOW, NOW + dt.timedelta(seconds=20)]
    assert any("20 s" in line for line in scene.lines)
    assert scene.proofs == [None, None]


@pytest.mark.parametrize("error", [NO_SCHEDULE, DENIED])
def test_refused_schedule_does_not_keep_the_next_one_back(time: Clock, error: Exception) -> None:
    scene = Scene(time)
    scene.errors[POLICY.name] = [error] * 9
    scene.send()
    assert scene.triggered == [POLICY.name, EVALUATION.name]
    assert [each.schedule for each in scene.triggers.refused] == [POLICY]
    assert [each.schedule for each in scene.triggers.sent] == [EVALUATION]
    assert str(error) in scene.triggers.refused[0].problem
    assert time.naps == []


def test_client_that_is_starting_is_waited_for(time: Clock) -> None:
    scene = Scene(time)
    scene.errors[POLICY.name] = [STARTING] * 3
    scene.send()
    assert scene.triggered == [POLICY.name] * 4 + [EVALUATION.name]
    assert scene.triggers.refused == []


def test_client_that_never_starts_is_waited_for_once(time: Clock) -> None:
    scene = Scene(time, wait=30)
    scene.errors = {POLICY.name: [STARTING] * 999, EVALUATION.name: [STARTING] * 999}
    scene.send()
    assert len(scene.triggers.refused) == 2
    assert sum(time.naps) <= 30
    assert EVALUATION.name in scene.triggered


def test_proof_of_each(time: Clock) -> None:
    scene = Scene(time)
    scene.history((POLICY, NOW - dt.timedelta(hours=1)))
    scene.triggers.note_history()
    scene.send()
    scene.history((POLICY, NOW), (EVALUATION, NOW))
    scene.triggers.wait_for_proof()
    assert scene.proofs == ["seen", "seen"]
    assert time.naps == []


def test_proof_that_comes_late_is_waited_for(time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(time)
    scene.history()
    scene.triggers.note_history()
    scene.send()

    def sleep(seconds: float) -> None:
        Clock.sleep(time, seconds)
        if time.now > 1010:
            scene.history((POLICY, NOW + dt.timedelta(seconds=3)), (EVALUATION, NOW))

    monkeypatch.setattr(time, "sleep", sleep)
    scene.triggers.wait_for_proof()
    assert scene.proofs == ["seen", "seen"]
    assert any("waiting for proof of machine_policy_request" in line for line in scene.lines)


def test_missing_proof_has_its_reason(time: Clock) -> None:
    scene = Scene(time, wait=30)
    scene.history((POLICY, NOW - dt.timedelta(hours=1)))
    scene.triggers.note_history()
    scene.send()
    scene.triggers.wait_for_proof()
    assert scene.proofs == ["none", "none"]
    assert "2026-11-20T11:00:00" in scene.triggers.each[0].proof_reason
    assert "CCM_Scheduler_History" in scene.triggers.each[1].proof_reason
    assert sum(time.naps) <= 30


def test_history_that_cannot_be_read_is_not_waited_for(time: Clock) -> None:
    scene = Scene(time)
    scene.windows.fail["CCM_Scheduler_History"] = BROKEN
    scene.triggers.note_history()
    scene.send()
    scene.triggers.wait_for_proof()
    assert scene.proofs == ["unreadable", "unreadable"]
    assert "No provider." in scene.triggers.each[0].proof_reason
    assert time.naps == []
    assert len(scene.triggers.sent) == 2


def test_history_that_goes_dark_is_asked_again(time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(time)
    scene.history()
    scene.triggers.note_history()
    scene.send()
    scene.windows.fail["CCM_Scheduler_History"] = BROKEN
    scene.history((POLICY, NOW), (EVALUATION, NOW))

    def sleep(seconds: float) -> None:
        Clock.sleep(time, seconds)
        scene.windows.fail = {}

    monkeypatch.setattr(time, "sleep", sleep)
    scene.triggers.wait_for_proof()
    assert [(each.proof, each.proof_reason) for each in scene.triggers.each] == [("seen", ""), ("seen", "")]


def test_nothing_triggered_is_not_waited_for(time: Clock) -> None:
    scene = Scene(time)
    scene.history()
    scene.triggers.note_history()
    scene.errors = {each.name: [NO_SCHEDULE] for each in (POLICY, EVALUATION)}
    scene.send()
    scene.triggers.wait_for_proof()
    assert scene.proofs == [None, None]
    assert scene.windows.calls.count("CCM_Scheduler_History") == 1


@pytest.mark.parametrize(("moment", "sent"), [(1, 0), (2, 0), (3, 1)])
def test_nothing_is_triggered_once_a_task_sequence_runs(time: Clock, moment: int, sent: int) -> None:
    """It is asked before each, and before each repetition."""
    scene = Scene(time)
    scene.errors[POLICY.name] = [STARTING]

    def before(asked: str) -> None:
        if asked == "Win32_Process" and scene.windows.calls.count(asked) == moment:
            scene.windows.rows[asked].append({"Name": "TSManager.exe", "ProcessId": 8})

    scene.windows.before = before
    with pytest.raises(Blocked, match="TSManager"):
        scene.send()
    assert len(scene.triggers.sent) == sent
    assert scene.triggered == [POLICY.name] * (moment - 1)
