# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.backoff import Backoff
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import MethodFailed, NotVerified
from ansible_collections.configmgr.client.plugins.module_utils._client.guard import Guard
from ansible_collections.configmgr.client.plugins.module_utils._client.methods import ClientMethods
from ansible_collections.configmgr.client.plugins.module_utils._client.mode import change, hold, reader, verification
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.change import ModeChange
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.plan import Entry, Exit
from ansible_collections.configmgr.client.plugins.module_utils._client.mode.state import Hold
from ansible_collections.configmgr.client.plugins.module_utils._wsman import errors
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import FaultDetail, fault
from tests.unit.fakes import Clock
from tests.unit.states import NOW, TASKS, ago
from tests.unit.windows import Windows, cim

SET, TRIGGER = "SetClientProvisioningMode", "TriggerSchedule"
WAIT = 30
BEFORE, AFTER = int(ago(hours=30).timestamp()), int(NOW.timestamp())
HOLD = Hold("jdoe", "CHG0012345", NOW + dt.timedelta(hours=1))
EXIT, EXIT_AND_TRIGGER = Exit(240), Exit(240, triggers=["machine_policy_request"])
Effect = t.Callable[[Windows], None]


def nothing(windows: Windows) -> None: ...


def leave(windows: Windows) -> None:
    windows.set(ProvisioningMode=(1, "false"), SystemTaskExcludes=(1, ""))


def leave_and_restart(windows: Windows) -> None:
    leave(windows)
    windows.rows["Win32_Service"][0]["ProcessId"] += 1


def enter(windows: Windows, entered: int = AFTER) -> None:
    windows.set(ProvisioningMode=(1, "true"), SystemTaskExcludes=(1, TASKS), ProvisioningEnabledTime=(11, entered))


def run_a_task_sequence(windows: Windows) -> None:
    windows.rows["Win32_Process"].append({"Name": "TSManager.exe", "ProcessId": 8})


def hold_by_another(windows: Windows) -> None:
    judge, windows._session._judge = windows._session._judge, lambda: None
    asked, windows.before = windows.before, lambda what: None
    hold.write(windows.endpoint, dataclasses.replace(HOLD, owner="asmith", entered=BEFORE))
    windows._session._judge, windows.before = judge, asked
    del windows.writes[-2:]


class Scene:
    """A client that is *entered*, or out of the mode. ``calls`` are what each call of its method does; the last stays.

    ``at`` says what happens right before the nth request of a kind.
    """

    def __init__(self, wanted: Exit | Entry, *calls: Effect | Exception, entered: bool = True) -> None:
        self.wanted = wanted
        self.windows = Windows()
        enter(self.windows, BEFORE)
        if not entered:
            leave(self.windows)
        self.calls = list(calls)
        self.at: dict[tuple[str, int], Effect] = {}
        self.clock = Clock()

    def start(self) -> ModeChange:
        windows, endpoint = self.windows, self.windows.endpoint
        self.guard = guard = Guard(endpoint, "pc-0001", "short")
        state = reader.read_state(endpoint, guard, full=True)
        plan = self.wanted.plan(state)
        assert plan.steps, plan.left_alone
        windows.calls.clear()
        windows.before = self._before
        methods = ClientMethods(endpoint, "wmi", lambda line: None)
        return ModeChange(endpoint, guard, self.wanted, state, plan, methods, wait=WAIT, log=lambda line: None)

    def _before(self, what: str) -> None:
        self.at.get((what, self.windows.calls.count(what)), nothing)(self.windows)
        if what == SET:
            effect = self.calls.pop(0) if len(self.calls) > 1 else self.calls[0]
            if isinstance(effect, Exception):
                raise effect
            effect(self.windows)

    def run(self) -> ModeChange:
        """Time passes by sleeping alone."""
        with pytest.MonkeyPatch.context() as patch:
            for module in (change, verification):
                patch.setattr(
                    module,
                    "Backoff",
                    lambda seconds, deadline, **pauses: Backoff(
                        seconds, deadline, self.clock.sleep, self.clock, **pauses
                    ),
                )
            self.running = self.start()
            self.running.carry_out()
        return self.running

    def fail(self, kind: type[Exception], words: str | None = None) -> ModeChange:
        with pytest.raises(kind, match=words):
            self.run()
        return self.running

    def is_of(self, version: str) -> None:
        self.windows.get = lambda *asked: cim("SMS_Client", {"ClientVersion": version})  # type: ignore[method-assign]

    @property
    def stored_hold(self) -> Hold | None:
        self.windows.before = lambda what: None
        return hold.read(self.windows.endpoint)


def done(running: ModeChange) -> list[str]:
    return [step.action.value for step in running.outcome.done]


# Leaving


def test_exit_that_restarts_the_client_is_verified() -> None:
    scene = Scene(EXIT_AND_TRIGGER, leave_and_restart)
    running = scene.run()
    assert running.outcome.mode.exited and scene.guard.wrote
    assert done(running) == ["set_mode", "trigger_schedule"]
    assert (running.outcome.attempts, running.outcome.warnings, running.outcome.stopped) == (1, [], "")
    assert scene.windows.writes == [SET, TRIGGER] and scene.clock.naps == []


def test_exit_without_a_restart_is_looked_at_twice() -> None:
    scene = Scene(EXIT, leave)
    assert scene.run().outcome.mode.exited
    assert len(scene.clock.naps) == 1


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (nothing, "ProvisioningMode is still true"),
        (lambda windows: windows.set(ProvisioningMode=(1, "false")), "SystemTaskExcludes is still filled"),
        (lambda windows: windows.rows["Win32_Service"][0].update(State="Stopped"), "CcmExec is Stopped"),
        (lambda windows: windows.rows["Win32_Service"].pop(0), "CcmExec is gone"),
    ],
)
def test_exit_that_does_not_hold_fails_says_which_part_and_that_it_was_accepted(effect: Effect, words: str) -> None:
    scene = Scene(EXIT_AND_TRIGGER, effect)
    running = scene.fail(NotVerified, f"was accepted.*{words}")
    assert sum(scene.clock.naps) <= WAIT
    assert scene.windows.writes == [SET], "asked once, then only looked at"
    happened = "SystemTaskExcludes" in words  # of the others the mode is what it was, in the same stay
    assert done(running) == (["set_mode"] if happened else [])


def leave_and_enter(windows: Windows) -> None:
    leave(windows)
    enter(windows)


@pytest.mark.parametrize(
    ("effect", "version", "words"),
    [
        (leave_and_enter, "5.00.9128.1007", "by another administrator"),
        (lambda windows: (leave_and_enter(windows), run_a_task_sequence(windows)), "5.00.9128.1007", "TSManager.exe"),
        (run_a_task_sequence, "5.00.8692.1000", "TSManager.exe"),
    ],
)
def test_client_that_is_entered_again_after_a_good_exit_did_leave(effect: Effect, version: str, words: str) -> None:
    scene = Scene(EXIT_AND_TRIGGER, effect)
    scene.is_of(version)
    running = scene.run()
    assert running.outcome.stopped.startswith("the client left provisioning mode and was then set into it again")
    assert words in running.outcome.stopped
    assert (done(running), scene.guard.wrote, running.outcome.mode.enabled) == (["set_mode"], True, True)
    assert scene.windows.writes == [SET]


def test_client_that_is_slow_is_not_taken_for_one_that_was_entered_again() -> None:
    scene = Scene(EXIT, nothing)
    scene.at["GetStringValue", 9] = leave_and_restart
    assert done(scene.run()) == ["set_mode"]
    assert scene.running.outcome.mode.exited and scene.clock.naps


def test_nothing_is_triggered_on_a_client_that_is_in_the_mode_again() -> None:
    scene = Scene(EXIT_AND_TRIGGER, leave_and_restart)
    scene.at["GetStringValue", 5] = enter  # it was read back, and then
    running = scene.run()
    assert done(running) == ["set_mode"] and "again" in running.outcome.stopped


# No answer

NO_ANSWER = [
    errors.ConnectionLost("gone"),
    errors.DeadlineExceeded("not finished"),
    fault(FaultDetail(2150858793, "TimedOut", "")),
]


def then(error: Exception, effect: Effect) -> Effect:
    def call(windows: Windows) -> None:
        effect(windows)
        raise error

    return call


@pytest.mark.parametrize("error", NO_ANSWER)
def test_call_without_an_answer_is_judged_by_its_effect(error: Exception) -> None:
    scene = Scene(EXIT, then(error, leave_and_restart))
    running = scene.run()
    assert (done(running), running.outcome.attempts, running.outcome.mode.exited) == (["set_mode"], 1, True)


def test_call_that_got_lost_is_made_again_under_the_guard() -> None:
    scene = Scene(EXIT, NO_ANSWER[0], leave_and_restart)
    assert (done(scene.run()), scene.running.outcome.attempts) == (["set_mode"], 2)
    scene = Scene(EXIT, NO_ANSWER[0], leave_and_restart)
    scene.at["Win32_Process", 2] = run_a_task_sequence
    running = scene.run()
    assert "TSManager.exe" in running.outcome.stopped
    assert (done(running), running.outcome.attempts, scene.windows.writes) == ([], 1, [SET])
    assert scene.guard.wrote  # for all that is known
    assert "may have been carried out" in running.outcome.stopped


def test_call_that_never_arrives_says_so() -> None:
    scene = Scene(EXIT, errors.ConnectionLost("the line broke"))
    running = scene.fail(NotVerified, r"the line broke.*still true")
    assert (done(running), scene.guard.wrote) == ([], False)


@pytest.mark.parametrize("error", NO_ANSWER[1:])
def test_call_that_outlasts_its_time_says_what_to_set(error: Exception) -> None:
    running = Scene(EXIT, error).fail(NotVerified, r"wait_timeout=30 s.*still true.*via=command and deadline=600")
    assert (running.outcome.attempts, running.outcome.mode.enabled) == (1, True)


def test_client_that_keeps_failing_is_asked_as_long_as_it_was_to_be_waited_for() -> None:
    scene = Scene(EXIT, fault(FaultDetail(0x80004005, "", "Generic failure")))
    running = scene.fail(MethodFailed, r"6 time\(s\) within wait_timeout=30 s.*E_FAIL")
    assert scene.windows.writes == [SET] * 6 and running.outcome.attempts == 6
    assert 0 < sum(scene.clock.naps) < WAIT


@pytest.mark.parametrize(
    "error", [MethodFailed("0x80004005"), fault(FaultDetail(5, "AccessDenied", "")), errors.NotSent("dark", "x")]
)
def test_call_that_failed_ends_the_plan(error: Exception) -> None:
    scene = Scene(EXIT_AND_TRIGGER, error)
    running = scene.fail(type(error))
    assert (done(running), scene.guard.wrote, running.outcome.mode.enabled) == ([], False, True)
    assert running.outcome.attempts == (0 if isinstance(error, errors.NotSent) else 1)
    assert scene.windows.writes == [SET] and scene.clock.naps == []


@pytest.mark.parametrize(
    "error",
    [
        fault(FaultDetail(0x80004005, "", "Generic failure")),  # the call is made again
        fault(FaultDetail(0x8004102E, "", "refused")),  # a command is tried
        MethodFailed("0x80041001"),
    ],
)
def test_call_that_was_carried_out_although_it_failed_is_told(error: Exception) -> None:
    def fails(windows: Windows) -> None:
        leave_and_restart(windows)
        raise error

    scene = Scene(EXIT, fails)
    with suppress(MethodFailed):
        scene.run()
    assert scene.guard.wrote and scene.running.outcome.mode.exited
    assert scene.windows.writes == [SET]


# Schedules


@pytest.mark.parametrize("code", [5, 2150859174, 2147942402])
def test_schedule_that_fails_is_a_warning(code: int) -> None:
    """The exit stands without it."""
    scene = Scene(EXIT_AND_TRIGGER, leave_and_restart)
    scene.windows.fail[TRIGGER] = fault(FaultDetail(code, "InternalError", "no such schedule"))
    running = scene.run()
    assert done(running) == ["set_mode"]
    (warning,) = running.outcome.warnings
    assert "machine_policy_request" in warning and "no such schedule" in warning


def test_schedule_waits_for_a_client_that_starts() -> None:
    scene = Scene(EXIT_AND_TRIGGER, leave_and_restart)
    scene.windows.fail[TRIGGER] = fault(FaultDetail(0x80041001, "", "starting"))
    scene.at[TRIGGER, 3] = lambda windows: windows.fail.clear()
    assert scene.run().outcome.warnings == []
    assert scene.windows.writes == [SET, *[TRIGGER] * 3]


# Entering


def test_entry_is_verified_by_mode_and_time() -> None:
    running = Scene(Entry(), enter, entered=False).run()
    assert (done(running), running.outcome.mode.enabled) == (["set_mode"], True)


def test_entry_whose_time_does_not_move_fails_where_the_client_notes_it() -> None:
    scene = Scene(Entry(), lambda windows: windows.set(ProvisioningMode=(1, "true")), entered=False)
    scene.is_of("5.00.8692.1000")
    assert done(scene.run()) == ["set_mode"]
    scene = Scene(Entry(), lambda windows: windows.set(ProvisioningMode=(1, "true")), entered=False)
    assert done(scene.fail(NotVerified, "ProvisioningEnabledTime did not move")) == ["set_mode"]


def test_hold_is_bound_to_the_stay_before_and_then_to_the_entry() -> None:
    scene = Scene(Entry(HOLD), enter, entered=False)
    seen = []
    scene.at[SET, 1] = lambda windows: seen.append(scene.stored_hold)
    scene.run()
    assert seen == [dataclasses.replace(HOLD, entered=BEFORE)]
    assert scene.stored_hold == dataclasses.replace(HOLD, entered=AFTER)
    assert done(scene.running) == ["hold", "set_mode"]
    assert scene.windows.writes == ["CreateKey", "SetStringValue", SET, "SetStringValue"]


def test_hold_of_an_entry_that_failed_is_taken_back() -> None:
    scene = Scene(Entry(HOLD), MethodFailed("no"), entered=False)
    running = scene.fail(MethodFailed)
    assert (done(running), scene.guard.wrote, scene.stored_hold) == (["hold", "remove_hold"], True, None)


def test_hold_that_may_not_be_taken_back_explains_no_later_stay() -> None:
    scene = Scene(Entry(HOLD), enter, entered=False)
    scene.at["Win32_Process", 3] = run_a_task_sequence
    running = scene.run()
    assert "TSManager.exe" in running.outcome.stopped and SET not in scene.windows.writes
    assert (done(running), scene.guard.wrote) == (["hold"], True)
    assert scene.stored_hold == dataclasses.replace(HOLD, entered=BEFORE)


@pytest.mark.parametrize("moment", [("CreateKey", 1), (SET, 1)])
def test_hold_of_another_is_not_written_over(moment: tuple[str, int]) -> None:
    scene = Scene(Entry(HOLD), enter, entered=False)
    scene.at[moment] = hold_by_another
    if moment[0] == SET:
        assert done(scene.fail(NotVerified, "hold of asmith.*faster")) == ["hold", "set_mode"]
    else:
        assert "another hold has just been set by asmith" in scene.run().outcome.stopped
    assert scene.stored_hold == dataclasses.replace(HOLD, owner="asmith", entered=BEFORE)


# Whatever happens meanwhile

DISABLED = {"State": "Stopped", "StartMode": "Disabled"}
REASONS: dict[str, Effect] = {
    "runs": run_a_task_sequence,
    "armed": lambda windows: windows.registry.update({(r"SYSTEM\Setup", "SetupType"): (4, 2)}),
    "restarted": lambda windows: (
        windows.rows["Win32_OperatingSystem"][0].update(LastBootUpTime="2026-11-20T11:59:00Z")
        or windows.rows["CCM_TSExecutionRequest"].append({"State": "Running"})
    ),
    "other machine": lambda windows: windows.rows["Win32_OperatingSystem"][0].update(CSName="PC-0002"),
    "unreadable": lambda windows: windows.rows["Win32_Service"].pop(),
}
ASKED_LAST = {"runs": "Win32_Process", "unreadable": "Win32_Service"}
WRITES = {SET, TRIGGER, "StartService", "ChangeStartMode", "CreateKey", "SetStringValue", "DeleteKey"}


@pytest.mark.parametrize("reason", REASONS)
@given(wanted=st.sampled_from(["exit", "exit of a disabled client", "entry with a hold"]), moment=st.integers(1, 150))
def test_nothing_is_written_after_it_was_seen(reason: str, wanted: str, moment: int) -> None:
    """Between the guard's question and the write lies one round trip: what happens in it is seen at the next."""
    entering = wanted == "entry with a hold"
    scene = Scene(Entry(HOLD) if entering else EXIT_AND_TRIGGER, enter if entering else leave, entered=not entering)
    if "disabled" in wanted:
        scene.windows.rows["Win32_Service"][0].update(DISABLED)
    asked: list[str] = []

    def before(what: str) -> None:
        asked.append(what)
        if len(asked) == moment:
            REASONS[reason](scene.windows)
        if what == "StartService":
            scene.windows.rows["Win32_Service"][0]["State"] = "Running"
        Scene._before(scene, what)

    scene._before = before  # type: ignore[method-assign]
    with suppress(NotVerified, errors.NotSent):
        scene.run()
    since = asked[moment - 1 :]
    question = ASKED_LAST.get(reason, "Win32_OperatingSystem")
    if question in since:
        assert not WRITES & set(since[since.index(question) :])


def test_entry_says_that_a_task_sequence_came_in_between() -> None:
    def both(windows: Windows) -> None:
        enter(windows)
        run_a_task_sequence(windows)

    running = Scene(Entry(), both, entered=False).run()
    assert "TSManager.exe" in running.outcome.stopped and done(running) == ["set_mode"]


def test_hold_of_another_is_not_bound_over() -> None:
    """Set after the own hold was read back, and before the judge of its binding reads it."""
    calm = Scene(Entry(HOLD), enter, entered=False)
    calls = calm.run()._endpoint.session.calls
    binding = len(calls) - 1 - calls[::-1].index("SetStringValue")
    judging = binding - calls[:binding][::-1].index("Win32_OperatingSystem") - 1
    scene = Scene(Entry(HOLD), enter, entered=False)
    scene.at["EnumValues", calls[: judging - 1].count("EnumValues")] = hold_by_another
    assert "another hold has just been set by asmith" in scene.run().outcome.stopped
    assert scene.stored_hold == dataclasses.replace(HOLD, owner="asmith", entered=BEFORE)
