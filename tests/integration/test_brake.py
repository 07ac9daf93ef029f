# SPDX-License-Identifier: GPL-3.0-or-later
"""The brake in real plays: once it says stop, no endpoint of a later wave gets a request, and nothing else stops it.

The play is the one of the module's examples, word for word but for what a test says.
"""

from __future__ import annotations

import copy
import datetime as dt
import importlib
import itertools
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.integration.harness import FQCN, PASSWORD, USERNAME, WRONG_PASSWORD, Lab, Run, spelled

EXAMPLE = yaml.safe_load(importlib.import_module(f"ansible_collections.{FQCN}.plugins.modules.brake").EXAMPLES)

LAST_CALL = {"method": "TriggerSchedule", "nth": 2}
SPECS: dict[str, dict[str, Any]] = {
    "stuck": {"profile": "stuck"},
    "normal": {},
    "busy": {"profile": "live_upgrade"},
    "denied": {"profile": "access_denied"},
    "fault": {
        "profile": "stuck",
        "faults": [{"match": {"method": "SetClientProvisioningMode"}, "then": "provider_failure"}],
    },
    "lying": {"profile": "lying_client"},
    "rejected": {"profile": "stuck"},
    "off": {"profile": "switched_off"},
    "enters again": {"profile": "stuck", "triggers": [{"after": LAST_CALL, "do": "enter_provisioning_mode"}]},
    "its service stops": {"profile": "stuck", "triggers": [{"after": LAST_CALL, "do": "stop_ccmexec"}]},
    "restarts": {"profile": "stuck", "boot_seconds": "1h", "triggers": [{"after": LAST_CALL, "do": "reboot"}]},
}
UNSEEN = ("off", "silent")

# Under which nothing wrong is allowed.
STRICT = {"max_failed_share": 0, "min_attempts": 1, "max_consecutive_failures": 0, "max_login_rejections": 0}


class Fleet:
    """Endpoints of these kinds in the order of their waves; *silent* ones drop every request for a connection."""

    def __init__(self, lab: Lab, waves: Sequence[Sequence[str]], stack: ExitStack) -> None:
        self.lab = lab
        self.waves: list[dict[str, str]] = []
        self.hosts: dict[str, dict[str, Any]] = {}
        self.sizes = [len(kinds) for kinds in waves]
        for kinds in waves:
            wave = {}
            for kind in kinds:
                name = self._silent(stack) if kind == "silent" else self._simulated(kind)
                wave[name] = kind
            self.waves.append(wave)

    def _simulated(self, kind: str) -> str:
        (name,) = self.lab.add({kind: SPECS[kind]}).values()
        self.hosts[name] = self.lab.host_vars(name)
        if kind == "rejected":
            self.hosts[name]["ansible_password"] = WRONG_PASSWORD
        return name

    def _silent(self, stack: ExitStack) -> str:
        name, address = self.lab.address()
        listener = stack.enter_context(socket.create_server((address, self.lab.simulator.http_port), backlog=0))
        for _ in range(4):  # so that its queue is full
            waits = stack.enter_context(socket.socket())
            waits.setblocking(False)
            waits.connect_ex(listener.getsockname())
        self.hosts[name] = unknown(self.lab, address)
        return name

    def asked(self, wave: int) -> list[bool]:
        """Whether each endpoint of it got a request, by its own log."""
        seen = [name for name, kind in self.waves[wave].items() if kind not in UNSEEN]
        return [bool(self.lab.simulator.traffic(name)["connections"]) for name in seen]

    def play(
        self,
        *command: str,
        work: Mapping[str, Any] = {},
        keywords: Mapping[str, Any] = {},
        plays: Sequence[Mapping[str, Any]] = (),
        **options: Any,
    ) -> Run:
        """The example in these waves, after other *plays*.

        *keywords* go to the play, *work* to the task that releases, *options* to the brake.
        """
        waves, after = copy.deepcopy(EXAMPLE)
        waves.update({"serial": self.sizes, **keywords})
        waves["tasks"] = [task for task in waves["tasks"] if "ansible.builtin.pause" not in task]
        for task in waves["tasks"]:
            task.get(f"{FQCN}.provisioning_mode", {}).update({"connect_timeout": 1, "wait_timeout": 1, **work})
            task.get(f"{FQCN}.brake", {}).update(options)
        playbook = self.lab.file("play.yml", [*plays, waves, after])
        return self.lab.ansible("ansible-playbook", "-i", self.lab.inventory(self.hosts), playbook, *command)


def unknown(lab: Lab, address: str) -> dict[str, Any]:
    """Variables of a host that the simulator does not know."""
    return {
        **spelled("winrm", scheme="http", auth="ntlm"),
        "ansible_host": address,
        "ansible_port": lab.simulator.http_port,
        "ansible_user": USERNAME,
        "ansible_password": PASSWORD,
    }


@contextmanager
def fleet_of(lab: Lab, *waves: Sequence[str]) -> Iterator[Fleet]:
    with ExitStack() as stack:
        yield Fleet(lab, waves, stack)


def decisions(run: Run) -> list[dict[str, Any]]:
    return [event.result for event in run.events if event.action == f"{FQCN}.brake"]


def failures(run: Run) -> list[str]:
    """Of the play after the waves."""
    failed = (event for event in run.events if event.action == "ansible.builtin.fail" and event.status == "failed")
    return [event.result["msg"] for event in failed]


def window(begin: int, end: int) -> str:
    """In so many hours from now, in the zone of the example."""
    now = dt.datetime.now(ZoneInfo("Europe/Berlin"))
    return "-".join(f"{now + dt.timedelta(hours=hours):%H:%M}" for hours in (begin, end))


def assert_stopped(fleet: Fleet, run: Run, before: int, reason: str) -> None:
    """No endpoint of the wave *before* which it was stopped got a request, nor of a later one, and the run is red."""
    *earlier, last = decisions(run)
    assert [each["stop"] for each in earlier] == [False] * before, run.output
    assert last["stop"] is True and reason in last["reason"], run.output
    for number in range(len(fleet.waves)):
        assert fleet.asked(number) == [number < before] * len(fleet.asked(number)), number
    assert failures(run)[-1] == last["reason"] and run.rc in (2, 4), run.output  # as the ansible-core has it


# -- each reason to stop -----------------------------------------------------------------------------------------------

# Key: the waves, the first one that must not begin, options of the brake, and what it says.
STOPS: dict[str, tuple[list[list[str]], int, dict[str, Any], str]] = {
    "more than max_changes": (
        [["stuck"], ["stuck", "stuck"]],
        0,
        {"max_changes": 2, "confirm_changes": 1},
        "3 endpoints would be changed, more than max_changes=2",
    ),
    "fewer confirmed": ([["stuck"], ["stuck"]], 0, {"max_changes": 0, "confirm_changes": 1}, "give confirm_changes=2"),
    "canary": ([["denied"], ["stuck", "stuck"]], 1, {}, "1 failed, and the login failed at 0"),
    "canary that is not verified": ([["lying"], ["stuck"]], 1, {}, "1 failed, and the login failed at 0"),
    "canary that lets nobody in": ([["rejected"], ["stuck"]], 1, {}, "0 failed, and the login failed at 1"),
    "canary that is off, and the next fail": (
        [["off"], ["silent", "normal", "busy", "fault"], ["stuck"]],
        2,
        {"max_consecutive_failures": 9},
        "1 failed, and the login failed at 0",
    ),
    "canary that is in the mode again": ([["enters again"], ["stuck"]], 1, {}, "1 failed, and the login failed at 0"),
    "canary whose service stops": ([["its service stops"], ["stuck"]], 1, {}, "1 failed, and the login failed at 0"),
    "share": (
        [["stuck"], ["fault", "stuck", "off", "lying", "silent", "stuck"], ["stuck"], ["stuck"]],
        2,
        {"max_failed_share": 39, "min_attempts": 5},
        "2 of 5 endpoints failed, which is 40 % and more than max_failed_share=39",
    ),
    "share of those that were well at first": (
        [["stuck"], ["stuck", "enters again", "restarts"], ["stuck"]],
        2,
        {"max_failed_share": 24, "min_attempts": 4},
        "1 of 4 endpoints failed, which is 25 %",
    ),
    "in a row": (
        [["stuck"], ["stuck", "denied", "off", "silent", "normal", "fault"], ["lying", "stuck"], ["stuck"]],
        3,
        {"max_failed_share": 100},
        "3 endpoints in a row failed, more than max_consecutive_failures=2",
    ),
    "login": (
        [["stuck"], ["rejected", "stuck", "rejected", "stuck", "rejected"], ["stuck"]],
        2,
        {},
        # Two of them when somebody looked after the release: none was tried then, lest the account get locked.
        "The login failed at 5 endpoints, more than max_login_rejections=2",
    ),
    "window": ([["stuck"], ["stuck"]], 0, {"window": window(2, 3)}, "outside of window="),
    "window that closes": (
        [["stuck"], ["stuck"], ["stuck"]],
        1,
        {"window": f"{{{{ '{window(-1, 1)}' if groups.windows[0] in ansible_play_batch else '{window(1, 2)}' }}}}"},
        "outside of window=",
    ),
}


@pytest.mark.parametrize("key", STOPS)
def test_next_wave_never_begins(lab: Lab, key: str) -> None:
    waves, before, options, reason = STOPS[key]
    with fleet_of(lab, *waves) as fleet:
        run = fleet.play(**options)
        assert_stopped(fleet, run, before, reason)


@pytest.mark.parametrize("key", ["more than max_changes", "canary", "in a row"])
def test_check_mode_decides_the_same(lab: Lab, key: str) -> None:
    waves, before, options, reason = STOPS[key]
    seen = {"fault": "denied", "lying": "denied"}  # what goes wrong in a change shows when there is one
    with fleet_of(lab, *([seen.get(kind, kind) for kind in wave] for wave in waves)) as fleet:
        run = fleet.play("--check", **options)
        assert_stopped(fleet, run, before, reason)
        assert not any(event.result["changed"] for event in run.events if event.action == f"{FQCN}.brake")


def test_hosts_that_are_unreachable_as_ansible_has_it(lab: Lab) -> None:
    """In the wave that fails: with these, ansible-core's own max_fail_percentage goes on."""
    with fleet_of(lab, ["stuck"], ["off", "denied", "stuck", "silent"], ["stuck"]) as fleet:
        run = fleet.play(work={"offline_action": "unreachable"}, max_failed_share=32, min_attempts=3)
        assert_stopped(fleet, run, 2, "1 of 3 endpoints failed, which is 33 %")


# -- a stop file -------------------------------------------------------------------------------------------------------


@contextmanager
def touching(lab: Lab, path: Path) -> Iterator[dict[str, Any]]:
    """Variables of a host that makes the file when it is asked, and answers nothing."""
    address = lab.address()[1]

    def serve() -> None:
        connection, _peer = listener.accept()
        path.touch()
        connection.close()

    with socket.create_server((address, lab.simulator.http_port)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield unknown(lab, address)
        thread.join(10)


def test_stop_file_that_appears_in_mid_wave(lab: Lab) -> None:
    """It keeps from their turn who did not have it yet, in this wave as in the next."""
    path = lab.directory / "stop"
    with fleet_of(lab, ["stuck"], ["stuck"] * 4, ["stuck"]) as fleet, touching(lab, path) as touches:
        name = list(fleet.hosts)[2]
        fleet.hosts[name] = touches
        del fleet.waves[1][name]
        run = fleet.play("--forks", "1", "-e", f"stop_file={path}")
        assert [each["reason"] for each in decisions(run)] == ["", "", f"The stop file {path} exists."], run.output
        assert [fleet.asked(number) for number in range(3)] == [[True], [True, False, False], [False]]
        assert run.rc == 2 and f"Stopped before the next wave. The stop file {path} exists." in run.output


def test_stop_file_that_is_there_from_the_start(lab: Lab) -> None:
    path = lab.file("stop", "")
    with fleet_of(lab, ["stuck"], ["stuck"]) as fleet:
        assert_stopped(fleet, fleet.play("-e", f"stop_file={path}"), 0, f"The stop file {path} exists.")


# -- what stops nothing ------------------------------------------------------------------------------------------------

GOES_ON: dict[str, tuple[list[list[str]], dict[str, Any]]] = {
    "offline": ([["off"], ["silent", "off", "silent"], ["stuck", "off"], ["off"], ["stuck"]], STRICT),
    "nothing to do": ([["normal"], ["busy", "normal"], ["stuck"]], STRICT),
    "restarts after its release": ([["restarts"], ["stuck"]], STRICT),
    "as much as is allowed": (
        [["stuck"], ["fault", "stuck", "rejected", "stuck"], ["stuck"]],
        {**STRICT, "max_failed_share": 25, "max_consecutive_failures": 1, "max_login_rejections": 1, "max_changes": 6},
    ),
    "as many as are confirmed": ([["stuck"], ["stuck"]], {"max_changes": 0, "confirm_changes": 2}),
    "window": ([["stuck"], ["stuck"]], {"window": window(-1, 1)}),
}


@pytest.mark.parametrize("key", GOES_ON)
def test_it_goes_on(lab: Lab, key: str) -> None:
    waves, options = GOES_ON[key]
    with fleet_of(lab, *waves) as fleet:
        run = fleet.play("-e", "confirm_changes=", **options)  # as AWX hands over what was left empty in a survey
        assert [each["stop"] for each in decisions(run)] == [False] * len(waves), run.output
        assert all(itertools.chain(*map(fleet.asked, range(len(waves)))))
        released = [name for wave in fleet.waves for name, kind in wave.items() if kind == "stuck"]
        assert {lab.simulator.endpoint(name)["mode"] for name in released} == {"normal"}
        assert run.rc == (2 if any("fault" in wave for wave in waves) else 0), run.output


def test_last_wave_that_does_not_stay_well_makes_the_run_red(lab: Lab) -> None:
    with fleet_of(lab, ["stuck"], ["enters again", "stuck"]) as fleet:
        run = fleet.play()
        assert [each["stop"] for each in decisions(run)] == [False, False] and run.rc == 2, run.output
        (said,) = failures(run)
        assert said.startswith("In provisioning mode for ")


def test_it_says_how_many_are_to_be_changed_and_what_came_of_them(lab: Lab) -> None:
    with fleet_of(lab, ["stuck"], ["off", "restarts", "stuck"], ["stuck"]) as fleet:
        run = fleet.play()
        name = list(fleet.waves[1])[1]
        lines = run.output.splitlines()
        said = [
            "5 endpoints are to be changed in waves; limit 100.",
            "1 endpoint had a turn: 1 changed. 4 endpoints to go.",
            f"Released, and offline since: {name}.",
            "4 endpoints had a turn: 3 changed, 1 offline. 1 endpoint to go.",
        ]
        assert [line for line in lines if line in said] == said, run.output
        assert lines.index(said[0]) < next(number for number, line in enumerate(lines) if line.startswith("changed: "))
        assert decisions(run)[-1]["restarting"] == [name]


def test_host_whose_variables_cannot_be_read_fails_alone(lab: Lab) -> None:
    with fleet_of(lab, ["stuck", "stuck", "stuck"], ["stuck"]) as fleet:
        first = next(iter(fleet.hosts))
        fleet.hosts[first]["ansible_password"] = "{{ nothing_of_this_name }}"
        run = fleet.play(max_failed_share=50)
        assert decisions(run)[-1]["counts"] == {"changed": 2, "failed": 1}, run.output
        assert fleet.asked(1) == [True] and run.rc == 2


def test_the_example_runs_as_it_is(lab: Lab) -> None:
    with fleet_of(lab, [*["stuck"] * 3, "off", "normal"]) as fleet:
        playbook = lab.file("play.yml", EXAMPLE)
        run = lab.ansible(
            *("ansible-playbook", "-i", lab.inventory(fleet.hosts), playbook, "-e", "minutes_between_waves=0")
        )
        assert [each["waiting"] for each in decisions(run)] == [5, 4], run.output
        assert run.rc == 0 and "5 hosts: 3 released, 1 unreachable, 1 as_wanted" in run.output


# -- what is wrong with the task ---------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    **{
        name: ({name: -1}, f"{name}=-1 is too small: give 0 or more")
        for name in ("max_changes", "confirm_changes", "max_consecutive_failures", "max_login_rejections")
    },
    "max_failed_share": ({"max_failed_share": -1}, "max_failed_share=-1 is too small"),
    "more than everything": ({"max_failed_share": 101}, "max_failed_share=101 is no percentage: give 0 to 100"),
    "min_attempts": ({"min_attempts": 0}, "min_attempts=0 is too small: give 1 or more"),
    "no number": ({"confirm_changes": "yes"}, "confirm_changes"),
    "no window": ({"window": "at night"}, "window='at night' is no window: give two times of day as HH:MM-HH:MM"),
    "empty window": ({"window": "05:00-05:00"}, "window='05:00-05:00' begins when it ends"),
    "zone": ({"window": "22:00-05:00", "time_zone": "Europe/Berln"}, "time_zone='Europe/Berln' is not known"),
    "folder": (
        {"stop_file": "/no/such/folder/stop"},
        "stop_file=/no/such/folder/stop: /no/such/folder is no directory",
    ),
}


@pytest.mark.parametrize("key", WRONG)
def test_what_is_wrong_is_said_before_anything_is_asked(lab: Lab, key: str) -> None:
    options, said = WRONG[key]
    with fleet_of(lab, ["stuck"], ["stuck"]) as fleet:
        run = fleet.play(**options)
        (event,) = (event for event in run.events if event.action == f"{FQCN}.brake")
        assert event.status == "failed" and said in event.result["msg"], run.output
        assert len(event.result["msg"].splitlines()) == 1
        assert (fleet.asked(0), fleet.asked(1), run.rc) == ([False], [False], 2)


def test_brake_that_would_see_nothing_says_so(lab: Lab) -> None:
    """Its variable is misspelt: no wave may begin once there is something to see."""
    with fleet_of(lab, ["stuck"], ["stuck"]) as fleet:
        run = fleet.play(variable="relaesed")
        assert "variable=relaesed is defined on no host that had its turn: give the name" in run.output
        assert (fleet.asked(0), fleet.asked(1), run.rc) == ([True], [False], 2)


def test_what_was_registered_before_the_waves_is_not_believed(lab: Lab) -> None:
    with fleet_of(lab, ["stuck"], ["stuck"]) as fleet:
        before = {"name": "A play before", "ansible.builtin.debug": {}, "register": "released"}
        run = fleet.play(plays=[{"hosts": "windows", "gather_facts": False, "tasks": [before]}], max_changes=1)
        assert decisions(run)[0]["reason"].startswith("2 endpoints would be changed"), run.output
        assert (fleet.asked(0), fleet.asked(1)) == ([False], [False])


def test_no_host_has_two_turns(lab: Lab) -> None:
    """In a second play by the same variable it could not be told whose result there is."""
    with fleet_of(lab, ["stuck"]) as fleet:
        run = fleet.play(plays=[{**EXAMPLE[0], "serial": 1, "tasks": EXAMPLE[0]["tasks"][:3]}])
        (name,) = fleet.hosts
        assert f"variable=released: {name} had its turn in this run already" in run.output and run.rc == 2


def test_waves_are_those_that_ansible_makes_of_the_order_that_is_asked_for(lab: Lab) -> None:
    with fleet_of(lab, ["stuck"], ["stuck"], ["denied"]) as fleet:
        run = fleet.play(keywords={"order": "reverse_inventory"})
        assert [fleet.asked(number) for number in range(3)] == [[False], [False], [True]], run.output
        assert [each["stop"] for each in decisions(run)] == [False, True] and run.rc == 2


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_strategies_without_waves_refuse_it(lab: Lab, strategy: str) -> None:
    with fleet_of(lab, ["stuck"], ["stuck"]) as fleet:
        playbook = lab.file("play.yml", [{**EXAMPLE[0], "strategy": strategy}])
        run = lab.ansible("ansible-playbook", "-i", lab.inventory(fleet.hosts), playbook)
        assert run.rc != 0 and "bypasses the host loop" in " ".join(run.output.split())
        assert (fleet.asked(0), fleet.asked(1)) == ([False], [False])
