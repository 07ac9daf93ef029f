# SPDX-License-Identifier: GPL-3.0-or-later
"""The ConfigMgr client: provisioning mode, its hourly check, schedules, policy.

The mode has two faces. What the registry says is one; what CcmExec loaded when it started is the other, and that is
what it acts by. Both agree as long as the mode is changed with the WMI method; who edits the registry makes them
differ (official: "Just changing the registry value doesn't fully take the client out of provisioning mode").
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from . import schedules
from .client_registry import ClientRegistry
from .files import ClientLogs
from .journal import Journal
from .services import Scm, ScmError
from .timeline import Appointment, Timeline
from .variants import Variants

SERVICE = "CcmExec"
E_FAIL = 0x80004005
HOUR = timedelta(hours=1)
DEFAULT_LIMIT_MINUTES = 2880
FIRST_BUILD_WITH_TIMER = 8790  # release 1902 (official)
DEPENDENCY_BUG = range(8634, 8692)  # release 1802, fixed in 1806 (one comment of the article)


class ClientError(Exception):
    """A client method that fails with an HRESULT, after some seconds."""

    def __init__(self, hresult: int, text: str, duration: float = 0.0) -> None:
        self.hresult = hresult
        self.duration = duration
        super().__init__(text)


@dataclass
class LoadedState:
    """What a running CcmExec goes by."""

    provisioning: bool
    excludes: tuple[str, ...]
    limit_minutes: int
    started: datetime

    @property
    def takes_policy(self) -> bool:
        """Inferred: excluded system tasks keep a client from working even where the flag is off."""
        return not self.provisioning and not self.excludes


@dataclass
class Client:
    version: str
    site: str
    registry: ClientRegistry
    scm: Scm
    timeline: Timeline
    journal: Journal
    logs: ClientLogs
    variants: Variants = field(default_factory=Variants)
    restart_gap: timedelta = timedelta(seconds=2)
    self_exit_works: bool = True
    past_due: list[str] = field(default_factory=list)
    loaded: LoadedState | None = None
    """None while CcmExec does not run."""
    triggered: dict[str, datetime] = field(default_factory=dict)
    """What ran last and when, by itself or because somebody asked."""
    history: dict[str, datetime] = field(default_factory=dict)
    """What of that the scheduler remembers."""
    policy_received: datetime | None = None
    _check: Appointment | None = None
    _return: Appointment | None = None
    """When CcmExec comes back, while it restarts."""

    @property
    def build(self) -> int:
        return int(self.version.split(".")[2])

    @property
    def has_timer(self) -> bool:
        return self.build >= FIRST_BUILD_WITH_TIMER

    @property
    def mode(self) -> str:
        if self.registry.mode:
            return "provisioning"
        return "half_exited" if self.registry.excludes or (self.loaded and self.loaded.provisioning) else "normal"

    def describe(self) -> dict[str, Any]:
        loaded = self.loaded
        return {
            "version": self.version,
            "site": self.site,
            "running": loaded is not None,
            "loaded_mode": loaded.provisioning if loaded else None,
            "loaded_excludes": list(loaded.excludes) if loaded else None,
            "takes_policy": bool(loaded and loaded.takes_policy),
            "policy_received": self.policy_received.isoformat() if self.policy_received else None,
            "past_due": list(self.past_due),
            "triggered": {schedule: moment.isoformat() for schedule, moment in self.triggered.items()},
        }

    # -- CcmExec ---------------------------------------------------------------------------------------------------

    def service_started(self, started: datetime | None = None) -> None:
        """Loads the state; in the mode, the hourly check begins. `started` may lie in the past."""
        began = started or self.timeline.now
        self.loaded = LoadedState(self.registry.mode, self.registry.excludes, self.registry.max_minutes, began)
        self._cancel()
        since = self.timeline.now - began
        self._check = self.timeline.after(HOUR * (since // HOUR + 1) - since, self._hourly)
        if started is None:
            self.journal.happened("ccmexec.started")
            self.logs.write("CcmExec", "Starting CCMEXEC service...", "entrypoint.cpp:2904")
            if self.loaded.takes_policy:
                self._resume_work()

    def reload(self) -> None:
        """Somebody set the machine up anew; a running CcmExec takes it over without a restart."""
        if self.loaded:
            fresh = LoadedState(
                self.registry.mode, self.registry.excludes, self.registry.max_minutes, self.loaded.started
            )
            self.loaded = fresh

    def service_stopped(self) -> None:
        self.journal.happened("ccmexec.stopped")
        self.logs.write("CcmExec", "Shutting down CCMEXEC...", "entrypoint.cpp:3069")
        self.loaded = None
        self._cancel()

    def powered_off(self) -> None:
        self.loaded = None
        self._cancel()

    def _cancel(self) -> None:
        for appointment in (self._check, self._return):
            if appointment:
                appointment.cancel()
        self._check = self._return = None

    def _restart_service(self, why: str) -> None:
        service = self.scm.find(SERVICE)
        if service is None or not service.is_running:
            return
        self.journal.happened("ccmexec.restarting", why)
        self.scm.terminate(SERVICE)
        self._return = self.timeline.after(self.restart_gap, self._start_again)

    def _start_again(self) -> None:
        with contextlib.suppress(ScmError):  # disabled, or started by somebody else, in the meantime
            self.scm.start(SERVICE)

    def _resume_work(self) -> None:
        """Article: out of the mode, policy is updated nearly immediately and what is past due starts at once."""
        self._policy_requested("CcmExec started")
        self._record(schedules.MACHINE_POLICY_EVALUATION)
        while self.past_due:
            self.journal.happened("deployment.started", self.past_due.pop(0))

    def _policy_requested(self, why: str, by_hand: bool = False) -> None:
        self.policy_received = self.timeline.now
        self._record(schedules.MACHINE_POLICY_REQUEST, by_hand)
        self.journal.happened("policy.requested", why)

    def _record(self, schedule: str, by_hand: bool = False) -> None:
        self.triggered[schedule] = self.timeline.now
        if not by_hand or self.variants.scheduler_history == "every_trigger":
            self.history[schedule] = self.timeline.now

    # -- the way out by time ---------------------------------------------------------------------------------------

    def _hourly(self) -> None:
        """Official: every 60 minutes a client in the mode leaves it after *more than* the limit."""
        self._check = self.timeline.after(HOUR, self._hourly)
        if self.loaded and self.loaded.provisioning and self.has_timer and self.self_exit_works and self._is_over():
            self.journal.happened("client.self_exit", "longer in provisioning mode than the limit")
            self._leave("self exit")

    def _is_over(self) -> bool:
        entered = self.registry.entered
        if not entered:
            return self.variants.timestampless_exit == "leaves"
        return self.timeline.now.timestamp() // 1 - entered > self._limit_minutes() * 60

    def _limit_minutes(self) -> int:
        """Official: absent and 0 both mean the default."""
        loaded = self.loaded.limit_minutes if self.loaded else 0
        limit = loaded if self.variants.max_minutes_read == "at_start" else self.registry.max_minutes
        return limit or DEFAULT_LIMIT_MINUTES

    # -- SMS_Client ------------------------------------------------------------------------------------------------

    def set_provisioning_mode(self, enable: bool) -> None:
        self._check_ready(enable)
        match self.variants.set_provisioning_mode:
            case "ignored":
                self.journal.happened("client.ignored", f"SetClientProvisioningMode({str(enable).lower()})")
            case "flag_only":
                self.registry.set_flag(enable)
            case _ if enable:
                self._enter()
            case _:
                self._leave("SetClientProvisioningMode")

    def _check_ready(self, enable: bool) -> None:
        if self.variants.set_provisioning_mode == "fails":
            raise ClientError(E_FAIL, "Generic failure", self.variants.fails_after_seconds)
        ready_after = timedelta(minutes=self.variants.not_ready_minutes)
        if self.loaded and self.timeline.now - self.loaded.started < ready_after:
            raise ClientError(E_FAIL, "Generic failure", self.variants.fails_after_seconds)
        sequence_agent = self.scm.find("smstsmgr")
        # Article's comments: the bug showed when a task sequence put the client into the mode.
        if enable and self.build in DEPENDENCY_BUG and sequence_agent and _names(sequence_agent.depend_on, SERVICE):
            raise ClientError(E_FAIL, "Generic failure", self.variants.fails_after_seconds)

    def _enter(self) -> None:
        changed = not self.registry.mode or not self.loaded or not self.loaded.provisioning
        self.registry.set_flag(True)
        self.registry.set_excluded(True)
        if self.has_timer:
            self.registry.set_entered(self.timeline.now)  # official: rewritten by every call
        self.journal.happened("client.entered_provisioning_mode")
        if changed and self.variants.enter_restarts:
            self._restart_service("provisioning mode entered")
        elif self.loaded:
            self.loaded.provisioning, self.loaded.excludes = True, self.registry.excludes

    def _leave(self, why: str) -> None:
        changed = self.mode != "normal"
        self.registry.set_flag(False)
        self.registry.set_excluded(False)  # ProvisioningEnabledTime stays (article's screenshots)
        service = self.scm.find(SERVICE)
        if service and service.start_mode == "Disabled" and self.variants.exit_enables_ccmexec:
            self.enable_service()
        if changed:
            self.journal.happened("client.left_provisioning_mode", why)
            self._restart_service("provisioning mode left")

    def enable_service(self) -> None:
        """Automatic start and running: what ccmeval's health check sees to (official: client health checks)."""
        service = self.scm.find(SERVICE)
        if service is None:
            return
        self.scm.change_config(SERVICE, start_mode="Auto")
        if not service.is_running and self._return is None:
            self._start_again()

    def evaluate_health(self) -> None:
        """ccmeval.exe; that it reads ProvisioningMaxMinutes again is one community source."""
        self.enable_service()
        if self.loaded:
            self.loaded.limit_minutes = self.registry.max_minutes
        self.journal.happened("client.health_evaluated")

    def restart(self) -> None:
        self._restart_service("ccmrestart.exe")

    def trigger_schedule(self, schedule: str) -> None:
        """The client must run (inferred). In the mode it fetches policy but does not act on it (article)."""
        if self.loaded is None:
            raise ClientError(E_FAIL, "Generic failure")
        known = schedule.upper()
        if not self._has_schedule(known):
            match self.variants.unknown_schedule:
                case "not_found":
                    raise ClientError(0x80041002, "Not found")
                case "failed":
                    raise ClientError(0x80041001, "Generic failure")
            return
        self.journal.happened("schedule.triggered", f"{known} {schedules.NAMES.get(known, 'deployment')}")
        self.logs.write(
            "SmsClientMethodProvider", f"Sending message for schedule {known}", "smsclientmethodprovider.cpp:1"
        )
        self._record(known, by_hand=True)
        if known == schedules.MACHINE_POLICY_REQUEST:
            self._policy_requested("TriggerSchedule", by_hand=True)
        # Article: evaluating deployments by hand installs what is past due even in the mode.
        if known in schedules.EVALUATE_DEPLOYMENTS:
            while self.past_due:
                self.journal.happened("deployment.started", self.past_due.pop(0))

    def _has_schedule(self, schedule: str) -> bool:
        if self.variants.known_schedules == "policy":
            return schedule in (schedules.MACHINE_POLICY_REQUEST, schedules.MACHINE_POLICY_EVALUATION)
        return schedule in schedules.NAMES or bool(schedules.DEPLOYMENT.fullmatch(schedule))

    def request_policy(self) -> None:
        self.trigger_schedule(schedules.MACHINE_POLICY_REQUEST)

    def evaluate_policy(self) -> None:
        self.trigger_schedule(schedules.MACHINE_POLICY_EVALUATION)

    def assign_site(self, site: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]{3}", site):
            raise ClientError(0x80070057, "The parameter is incorrect.")
        self.site = site.upper()
        self.registry.set_site(self.site)


def _names(names: tuple[str, ...], wanted: str) -> bool:
    return wanted.lower() in (name.lower() for name in names)
