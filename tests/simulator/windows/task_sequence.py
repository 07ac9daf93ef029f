# SPDX-License-Identifier: GPL-3.0-or-later
"""Task sequences and Windows Setup: what they leave on a machine while they run, and what stays when they die.

Article and community (Recast's walk-through of an in-place upgrade): an upgrade puts the client into the mode, stops
CcmExec and disables it; Windows Setup is armed to call SetupComplete.cmd after the last restart, and that resumes the
task sequence, which takes the client out of the mode at its end, also when it failed.

A restart that a task sequence itself asks for leaves a gap: for minutes nothing of it runs and Setup is not armed, then
its agent starts by itself and it goes on. That it does so is daily experience; that it sets its agent's start mode to
Auto for this, that its request goes on saying Running, and how long the gap is, is inferred: each can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .cim.model import Value
from .client import ClientError
from .client_registry import DISTRIBUTION_STATE, TASK_SEQUENCE
from .registry import RegValue
from .registry_image import IMAGE, IMAGE_COMPLETE, IMAGE_STATE, MOSETUP, SETUP
from .requests import ExecutionRequests
from .services import ScmError
from .timeline import Appointment

if TYPE_CHECKING:
    from .world import World

POLICY_SOURCE = "CcmTaskSequence"
TASK_CLIENT = "execmgr"
"""Who asks the maintenance task coordinator for a task sequence (inferred)."""
AGENT = "smstsmgr"
GAP_MINUTES = 3
ENGINE = "TSManager.exe"
PROGRESS = "TsProgressUI.exe"
BOOTSTRAP = "TSMBootstrap.exe"
SETUP_PROGRAMS = ("setupprep.exe", "SetupHost.exe")
RESUME_COMMAND = "C:\\Windows\\SMSTSPostUpgrade\\SetupComplete.cmd"
_PATHS: Mapping[str, str] = {
    ENGINE.lower(): "C:\\Windows\\CCM\\TSManager.exe /service",
    PROGRESS.lower(): "C:\\Windows\\CCM\\TsProgressUI.exe /Register:WinPE",
    BOOTSTRAP.lower(): "C:\\Windows\\CCM\\TSMBootstrap.exe /env:SAContinue",
    "setuphost.exe": "C:\\$WINDOWS.~BT\\Sources\\SetupHost.exe /Install /Package /Quiet",
    "setupprep.exe": "C:\\$WINDOWS.~BT\\Sources\\setupprep.exe /Auto Upgrade /Quiet",
}
ENGINE_PROGRAMS = (ENGINE, PROGRESS, BOOTSTRAP, *SETUP_PROGRAMS)


def command_line(program: str) -> str:
    return _PATHS.get(program.lower(), f"C:\\Windows\\System32\\{program}")


def orphan() -> Mapping[str, Value]:
    """The local policy by which a task sequence configures the client."""
    return {"PolicyID": "{tasksequence}", "PolicySource": POLICY_SOURCE, "PolicyVersion": "1.00", "SiteSettingsKey": 1}


class TaskSequences:
    def __init__(self, world: World, requests: ExecutionRequests) -> None:
        self._world = world
        self.requests = requests
        self._gap: timedelta | None = None
        """How long after the next start of Windows it goes on; None where no task sequence waits for that."""
        self._resumption: Appointment | None = None

    @property
    def waits(self) -> bool:
        """Whether nothing of a task sequence runs that will go on by itself."""
        return self._gap is not None

    @property
    def held_back(self) -> frozenset[str]:
        """Services that do not start at the very start of Windows."""
        return frozenset({AGENT}) if self.waits else frozenset()

    @property
    def _is_shown(self) -> bool:
        return bool(self._world.processes.named(PROGRESS))

    @property
    def is_alive(self) -> bool:
        return any(self._world.processes.named(program) for program in ENGINE_PROGRAMS)

    def start(self, detail: Mapping[str, Any]) -> None:
        """A deployed task sequence; only one with an operating system step puts the client into the mode."""
        self._run_engine()
        self._world.journal.happened("task_sequence.started")
        if detail.get("enters_mode", True):
            self._set_mode(True)

    def start_upgrade(self, detail: Mapping[str, Any]) -> None:
        """The step Upgrade Operating System, Windows Setup in its down-level phase."""
        self._run_engine()
        self._world.journal.happened("upgrade.started")
        if not self._set_mode(True):
            self.die()
            return
        self._disable_client()
        for program in SETUP_PROGRAMS:
            self._world.processes.start(command_line(program))
        self._world.registry.set_value(MOSETUP, "SetupProgress", RegValue.dword(int(detail.get("progress", 10))))

    def upgrade_restarts(self) -> None:
        """The down-level phase is over: the machine restarts, and Setup is armed to resume the task sequence."""
        self._arm_setup()
        self._world.processes.end_named(*ENGINE_PROGRAMS)
        self._stop_agent()
        self._world.power.restart("upgrade.restarting", resume_setup=False)
        self.requests.suspend()

    def restarts(self, detail: Mapping[str, Any]) -> None:
        """Its own step Restart Computer, or one that asks for a restart. `request`, `agent_auto`: what tells of it."""
        if not self.is_alive:
            raise ValueError("task_sequence_restart: no task sequence runs")
        minutes, request = detail.get("gap_minutes", GAP_MINUTES), detail.get("request", True)
        if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or minutes < 0:
            raise ValueError(f"task_sequence_restart.gap_minutes: {minutes!r} … allowed: a number of minutes")
        if request not in (True, False, "absent"):
            raise ValueError(f"task_sequence_restart.request: {request!r} … allowed: true, false, absent")
        self._pause_for(timedelta(minutes=minutes), bool(detail.get("agent_auto", True)))
        self._disarm_setup()
        if request == "absent":
            self.requests.clear()
        elif not request:
            self.requests.suspend()
        self._world.power.restart("task_sequence.restarting")

    def interrupted(self) -> None:
        """A restart from outside. Whether a task sequence survives it is a variant: stuck clients say that it dies."""
        if minutes := self._world.variants.task_sequence_resumes:
            self._pause_for(timedelta(minutes=minutes), agent_auto=True)
        else:
            self.die()

    def _pause_for(self, gap: timedelta, agent_auto: bool) -> None:
        self._world.processes.end_named(*ENGINE_PROGRAMS)
        self._stop_agent()
        self._world.registry.delete_key(MOSETUP)  # the last part of its name is what it is
        if agent_auto and self._world.scm.find(AGENT):
            self._world.scm.change_config(AGENT, start_mode="Auto")
        self._gap = gap

    def wait(self, gap: timedelta | None) -> None:
        """The machine was found in the gap: it goes on after so much more time."""
        self.powered_off()
        self._gap = gap
        if gap is not None:
            self._resumption = self._world.timeline.after(gap, self._go_on)

    def powered_off(self) -> None:
        if self._resumption:
            self._resumption.cancel()
            self._resumption = None

    def booted(self) -> None:
        if self._gap is not None:
            self.wait(self._gap)
        elif (agent := self._world.scm.find(AGENT)) and agent.is_running and not self._is_shown:
            # Inferred: an agent that was left to start by itself finds no task sequence, and ends.
            self._world.scm.terminate(AGENT)

    def _go_on(self) -> None:
        self._gap = self._resumption = None
        self._world.journal.happened("task_sequence.resumed")
        if self._world.client and not self._world.client.registry.mode:
            self._world.journal.happened("task_sequence.broken", "out of provisioning mode when it went on")
        self._agent_starts_on_demand()
        self._run_engine()

    def _agent_starts_on_demand(self) -> None:
        agent = self._world.scm.find(AGENT)
        if agent and agent.start_mode == "Auto":
            self._world.scm.change_config(AGENT, start_mode="Manual")

    def resume(self) -> None:
        """After a restart Setup runs what it is armed with (KB 939857 for SetupType 2; official)."""
        armed = "smstspostupgrade" in (self._world.registry.text(SETUP, "CmdLine") or "").lower()
        if not armed or self._world.registry.number(SETUP, "SetupType") != 2:
            return
        self._disarm_setup()
        if self._world.variants.oem_license:
            self._world.journal.happened("upgrade.setupcomplete_skipped", "OEM license detected")
            return
        self._world.journal.happened("upgrade.resumed")
        self._world.processes.start(command_line(BOOTSTRAP))
        self._run_engine()

    def end(self) -> None:
        """Success or handled failure: the task sequence cleans up and takes the client out of the mode."""
        self.wait(None)
        self._world.processes.end_named(*ENGINE_PROGRAMS)
        self._stop_agent()
        self._agent_starts_on_demand()
        self._clean_up()
        self._disarm_setup()
        self._world.registry.delete_key(MOSETUP)
        self._world.registry.delete_key(TASK_SEQUENCE)
        self._world.journal.happened("task_sequence.ended")
        if self._world.client and self._set_mode(False):
            self._world.client.enable_service()

    def die(self) -> None:
        """The engine ends without cleaning anything up; its request survives (real dump of a stuck machine).

        So do its policy and the pause of software distribution (community, one source each).
        """
        self.wait(None)
        self._world.processes.end_named(*ENGINE_PROGRAMS)
        self._stop_agent()
        self.requests.fail()

    def _run_engine(self) -> None:
        try:
            self._world.scm.start(AGENT)
        except ScmError:
            self._world.processes.start(command_line(ENGINE))
        self._world.processes.start(command_line(PROGRESS), session=1)
        engine = self._world.processes.named(ENGINE)
        request = self.requests.begin(self._world.timeline.now, engine[0].process_id if engine else 0)
        self._world.registry.set_value(TASK_SEQUENCE, "Active Request Handle", RegValue.sz(str(request["RequestID"])))
        self._world.registry.set_value(TASK_SEQUENCE, "Program", RegValue.sz("*"))
        if self._world.client:
            if task := request.get("MTCHandle"):
                self._world.maintenance_requests.add({"TaskID": task, "ClientID": TASK_CLIENT})
            self._world.policies.add(orphan())
            self._pause(1)

    def _clean_up(self) -> None:
        for request in self.requests:
            self._world.maintenance_requests.delete({"TaskID": request.get("MTCHandle")})
        self.requests.clear()
        self._world.policies.delete_where(PolicySource=POLICY_SOURCE)
        if self._world.client:
            self._pause(0)

    def _pause(self, value: int) -> None:
        for name in ("Paused", "PausedCookie"):
            self._world.registry.set_value(DISTRIBUTION_STATE, name, RegValue.dword(value))

    def touched(self, what: str) -> None:
        """Somebody outside deleted or wrote what a task sequence that goes on goes by: tests look for this."""
        if self.is_alive or self.waits:
            self._world.journal.happened("task_sequence.broken", what)

    def _stop_agent(self) -> None:
        agent = self._world.scm.find(AGENT)
        if agent and not agent.is_stopped:
            self._world.scm.terminate(agent.name)

    def _set_mode(self, enable: bool) -> bool:
        """False where the client refuses: the task sequence then fails (article's smsts.log)."""
        try:
            if self._world.client:
                self._world.client.set_provisioning_mode(enable)
        except ClientError as error:
            self._world.journal.happened("task_sequence.failed", f"SetClientProvisioningMode: {error.hresult:#010x}")
            return False
        return True

    def _disable_client(self) -> None:
        if self._world.scm.find("CcmExec"):
            self._world.scm.terminate("CcmExec")
            self._world.scm.change_config("CcmExec", start_mode="Disabled")

    def _arm_setup(self) -> None:
        self._world.registry.set_value(SETUP, "SetupType", RegValue.dword(2))
        self._world.registry.set_value(SETUP, "CmdLine", RegValue.sz(RESUME_COMMAND))

    def _disarm_setup(self) -> None:
        for name in ("SetupType", "SetupPhase", "SystemSetupInProgress", "OOBEInProgress"):
            self._world.registry.set_value(SETUP, name, RegValue.dword(0))
        self._world.registry.set_value(SETUP, "CmdLine", RegValue.sz(""))
        self._world.registry.set_value(IMAGE, IMAGE_STATE, RegValue.sz(IMAGE_COMPLETE))
