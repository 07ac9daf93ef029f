# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches for what public sources leave open or contradict each other about. The first choice is the default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .reading import Reader


def choice(*allowed: Any) -> Any:
    return field(default=allowed[0], metadata={"allowed": allowed})


@dataclass(frozen=True)
class Variants:
    # The registry provider.
    missing_value_code: int = choice(1, 2)
    """ReturnValue of Get…Value where the key exists and the value does not (community: 1; a Win32 reading: 2)."""
    wrong_type_code: int = choice(2147749893, 1)
    """ReturnValue of Get…Value for a value of another type (community, one source each)."""
    nil_on_failure: str = choice("nil", "absent")
    """Output parameters of a registry call that failed (no evidence)."""
    empty_key_arrays: str = choice("null", "empty")
    """EnumKey and EnumValues of a key that has none (official: null; over WS-Man both look the same)."""
    # Method calls in general.
    parameter_names: str = choice("exact", "any_case")
    """Whether method parameters must be spelled as in the class (community findings on two Windows versions)."""
    # SMS_Client.
    return_value: str = choice("zero", "absent", "nil")
    """ReturnValue of a successful SMS_Client method (official: 0; community: often null)."""
    sms_client_invoke: str = choice("allowed", "refused")
    """Whether SMS_Client methods can be called over the network, by whatever URI (disputed)."""
    sms_client_refusal: str = choice(
        "invalid_method_parameters", "invalid_method", "provider_failure", "not_supported", "type_mismatch", "failed"
    )
    """With what error they are refused (no evidence)."""
    set_provisioning_mode: str = choice("works", "ignored", "fails", "flag_only")
    """`ignored` answers success and does nothing; `flag_only` changes the registry flag and nothing else."""
    fails_after_seconds: int = field(default=0, metadata={"minimum": 0})
    """How long SetClientProvisioningMode takes before it fails (article's comments: five minutes)."""
    not_ready_minutes: int = field(default=0, metadata={"minimum": 0})
    """For how long after CcmExec's start SetClientProvisioningMode fails with E_FAIL (article's comments: 3)."""
    enter_restarts: bool = choice(True, False)
    """Whether CcmExec restarts when the mode is entered (article: its log shows a shutdown)."""
    exit_enables_ccmexec: bool = choice(False, True)
    """Whether leaving the mode alone enables a CcmExec that an upgrade disabled (one source says ccmeval does it)."""
    max_minutes_read: str = choice("each_check", "at_start")
    """When ProvisioningMaxMinutes is read (community: a change needs a restart of the client or ccmeval)."""
    timestampless_exit: str = choice("stays", "leaves")
    """What the hourly check does where ProvisioningEnabledTime is absent, 0 or unreadable (no evidence)."""
    known_schedules: str = choice("documented", "policy")
    """Which schedules the client has: not every client has all that are documented (community); or policy's alone."""
    unknown_schedule: str = choice("not_found", "success", "failed")
    """TriggerSchedule with an id that the client does not have (one source: it does not exist)."""
    scheduler_history_time: str = choice("utc", "local")
    """Zone of CCM_Scheduler_History.LastTriggerTime (no evidence)."""
    request_time: str = choice("utc", "local")
    """Zone of an execution request's ReceivedTime (a dump shows another of its times in local time, marked as UTC)."""
    scheduler_history: str = choice("every_trigger", "own_schedule")
    """Whether LastTriggerTime moves when somebody triggers a schedule, or only when it fires by itself (official: when
    a trigger on the schedule fired; one author of client tools: not when somebody triggers it)."""
    oem_license: bool = choice(False, True)
    """Windows Setup skips SetupComplete.cmd on a machine with an OEM product key (official)."""
    # Processes.
    lsa_protection: bool = choice(True, False)
    """Whether lsass.exe is protected, so that WMI tells neither its path nor its command line (official: the default of
    new installations since Windows 11 22H2; before, only where somebody turned it on)."""
    # Task sequences.
    task_sequence_resumes: int = field(default=0, metadata={"minimum": 0})
    """How many minutes after a reset or restart from outside a task sequence goes on by itself; 0: it dies (official
    docs name the restart as a cause of stuck clients; that some go on is inferred)."""
    # Services.
    start_service_answer: str = choice("late", "at_once")
    """Win32_Service.StartService of a service that takes its time: an answer when it runs, or after 30 seconds the
    answer 7, while it goes on starting (official for the code and the 30 seconds; that the service goes on: reported);
    or success at once with the state Start Pending (official: what StartService of the SCM does)."""
    change_empty_dependency: str = choice("clears", "keeps", "invalid")
    """Win32_Service.Change with one empty ServiceDependencies element (no evidence)."""
    cleared_dependency: str = choice("deleted", "empty")
    """What `sc.exe config … depend= /` leaves of the DependOnService value (assumed: the value is deleted)."""
    # Programs.
    wmic: bool = choice(True, False)
    """Whether wmic.exe is installed; it is an optional feature of new Windows versions."""
    powershell: bool = choice(True, False)
    powershell_language: str = choice("FullLanguage", "ConstrainedLanguage")
    """Whether a policy (AppLocker, App Control) confines PowerShell to cmdlets and a few types (official)."""

    @classmethod
    def read(cls, reader: Reader) -> Variants:
        return reader.choices(cls)
