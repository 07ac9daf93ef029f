# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._client import backoff
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import MethodFailed, NotVerified
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import reader, writer
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.plan import Plan, Step
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.writer import Writer
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.fakes import Clock
from tests.unit.states import TASKS
from tests.unit.windows import Windows

EXIT = Plan([Step("set_mode", False)])
EXIT_AND_TRIGGER = Plan([*EXIT.steps, Step("trigger_schedule", "machine_policy_request")])
ENTRY = Plan([Step("set_mode", True)])
WAIT = 30


class Client:
    """The client's methods: set_mode has its *effect* on *windows*, and ends with ``error`` where there is one."""

    def __init__(self, windows: Windows, effect: t.Callable[[Windows], None] = lambda windows: None) -> None:
        self.asked: list[bool] = []
        self.triggered: list[str] = []
        self.effect = effect
        self.error: Exception | None = None
        self.trigger_errors: list[Exception] = []
        self._windows = windows

    def set_mode(self, enabled: bool) -> None:
        self.asked.append(enabled)
        self.effect(self._windows)
        if self.error:
            raise self.error

    def trigger(self, schedule: str) -> None:
        self.triggered.append(schedule)
        if self.trigger_errors:
            raise self.trigger_errors.pop(0)


def leave(windows: Windows) -> None:
    windows.set(ProvisioningMode=(1, "false"), SystemTaskExcludes=(1, ""))


def leave_and_restart(windows: Windows) -> None:
    leave(windows)
    windows.rows["Win32_Service"][0]["ProcessId"] = 4712


def enter(windows: Windows) -> None:
    windows.set(
        ProvisioningMode=(1, "true"), SystemTaskExcludes=(1, TASKS), ProvisioningEnabledTime=(11, 1_800_000_000)
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time passes by sleeping alone."""
    clock = Clock()

    def patient(seconds: float, deadline: t.Any, **pauses: float) -> backoff.Backoff:
        return backoff.Backoff(seconds, deadline, clock.sleep, clock, **pauses)

    monkeypatch.setattr(writer, "Backoff", patient)
    return clock


@pytest.fixture
def windows() -> Windows:
    windows = Windows()
    windows.set(
        ProvisioningMode=(1, "true"), SystemTaskExcludes=(1, TASKS), ProvisioningEnabledTime=(11, 1_700_000_000)
    )
    return windows


def write(windows: Windows, client: Client) -> Writer:
    state = reader.read_state(windows.endpoint, full=True)
    return Writer(windows.endpoint, state, t.cast(t.Any, client), WAIT, lambda line: None, lambda: "")


def test_exit_that_restarts_the_client_is_verified(windows: Windows, clock: Clock) -> None:
    client = Client(windows, leave_and_restart)
    outcome = write(windows, client).carry_out(EXIT_AND_TRIGGER)
    assert (outcome.mode.enabled, outcome.mode.excludes) == (False, "")
    assert outcome.done == EXIT_AND_TRIGGER.steps
    assert outcome.warnings == []
    assert (client.asked, client.triggered) == ([False], ["machine_policy_request"])


def test_exit_without_a_restart_is_looked_at_twice(windows: Windows, clock: Clock) -> None:
    outcome = write(windows, Client(windows, leave)).carry_out(EXIT)
    assert outcome.mode.left
    assert len(clock.naps) == 1


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (lambda windows: None, "ProvisioningMode is still true"),
        (lambda windows: windows.set(ProvisioningMode=(1, "false")), "SystemTaskExcludes is still filled"),
        (lambda windows: windows.rows["Win32_Service"][0].update(State="Stopped"), "CcmExec is Stopped"),
        (lambda windows: windows.rows["Win32_Service"].clear(), "CcmExec is gone"),
    ],
)
def test_exit_that_does_not_hold_fails_and_says_which_part(
    windows: Windows, clock: Clock, effect: t.Callable[[Windows], None], words: str
) -> None:
    client = Client(windows, effect)
    with pytest.raises(NotVerified, match=words):
        write(windows, client).carry_out(EXIT_AND_TRIGGER)
    assert sum(clock.naps) <= WAIT
    assert client.asked == [False], "asked once, then only looked at"
    assert client.triggered == []


NO_ANSWER = [
    errors.ConnectionLost("gone"),
    errors.DeadlineExceeded("not finished"),
    fault(FaultDetail(2150858793, "TimedOut", "")),
]


@pytest.mark.parametrize("error", NO_ANSWER)
def test_call_without_an_answer_is_judged_by_its_effect(windows: Windows, clock: Clock, error: Exception) -> None:
    client = Client(windows, leave_and_restart)
    client.error = error
    assert write(windows, client).carry_out(EXIT).mode.left


def test_call_without_an_answer_and_without_effect_says_both(windows: Windows, clock: Clock) -> None:
    client = Client(windows)
    client.error = errors.ConnectionLost("the line broke")
    with pytest.raises(NotVerified, match=r"the line broke.*still true"):
        write(windows, client).carry_out(EXIT)


@pytest.mark.parametrize("error", NO_ANSWER[1:])
def test_call_that_outlasts_its_time_says_what_to_set(windows: Windows, clock: Clock, error: Exception) -> None:
    client = Client(windows)
    client.error = error
    running = write(windows, client)
    with pytest.raises(NotVerified, match=r"wait_timeout=30 s.*still true.*via=command and deadline=600"):
        running.carry_out(EXIT)
    assert (running.outcome.attempts, running.outcome.mode.enabled) == (1, True)


def test_client_that_keeps_failing_is_asked_as_long_as_it_was_to_be_waited_for(windows: Windows, clock: Clock) -> None:
    client = Client(windows)
    client.error = fault(FaultDetail(0x80004005, "", "Generic failure"))
    running = write(windows, client)
    with pytest.raises(MethodFailed, match=r"6 time\(s\) within wait_timeout=30 s.*E_FAIL"):
        running.carry_out(EXIT)
    assert len(client.asked) == running.outcome.attempts == 6
    assert 0 < sum(clock.naps) < WAIT


@pytest.mark.parametrize("error", [MethodFailed("0x80004005"), fault(FaultDetail(5, "AccessDenied", ""))])
def test_call_that_failed_ends_the_plan(windows: Windows, clock: Clock, error: Exception) -> None:
    client = Client(windows)
    client.error = error
    running = write(windows, client)
    with pytest.raises(type(error)):
        running.carry_out(EXIT_AND_TRIGGER)
    assert running.outcome.done == []
    assert client.triggered == clock.naps == []


@pytest.mark.parametrize(
    "error",
    [
        MethodFailed("no such schedule"),
        fault(FaultDetail(5, "AccessDenied", "no such schedule")),
        fault(FaultDetail(2150859174, "InternalError", "no such schedule")),
        fault(FaultDetail(2147942402, "InternalError", "no such schedule")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_schedule_that_fails_is_a_warning(windows: Windows, clock: Clock, error: Exception) -> None:
    """The exit stands without it."""
    client = Client(windows, leave_and_restart)
    client.trigger_errors = [error] * 100
    outcome = write(windows, client).carry_out(EXIT_AND_TRIGGER)
    assert outcome.done == EXIT.steps
    (warning,) = outcome.warnings
    assert "machine_policy_request" in warning
    assert "no such schedule" in warning


def test_schedule_waits_for_a_client_that_starts(windows: Windows, clock: Clock) -> None:
    client = Client(windows, leave_and_restart)
    client.trigger_errors = [fault(FaultDetail(0x80041001, "", "starting"))] * 2
    outcome = write(windows, client).carry_out(EXIT_AND_TRIGGER)
    assert outcome.warnings == []
    assert len(client.triggered) == 3


def test_entry_is_verified_by_mode_and_time(windows: Windows, clock: Clock) -> None:
    leave(windows)
    outcome = write(windows, Client(windows, enter)).carry_out(ENTRY)
    assert outcome.mode.enabled is True


def test_entry_whose_time_does_not_move_fails(windows: Windows, clock: Clock) -> None:
    leave(windows)
    client = Client(windows, lambda windows: windows.set(ProvisioningMode=(1, "true")))
    with pytest.raises(NotVerified, match="ProvisioningEnabledTime did not move"):
        write(windows, client).carry_out(ENTRY)
