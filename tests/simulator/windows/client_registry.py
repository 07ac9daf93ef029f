# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the ConfigMgr client keeps its state in the registry (64-bit view)."""

from __future__ import annotations

from datetime import datetime

from .registry import Registry, RegType, RegValue

CCM = "HKLM\\SOFTWARE\\Microsoft\\CCM"
CCMEXEC = f"{CCM}\\CcmExec"
MOBILE_CLIENT = "HKLM\\SOFTWARE\\Microsoft\\SMS\\Mobile Client"
TASK_SEQUENCE = "HKLM\\SOFTWARE\\Microsoft\\SMS\\Task Sequence"
DISTRIBUTION_STATE = f"{MOBILE_CLIENT}\\Software Distribution\\State"

MODE, ENTERED, MAX_MINUTES, EXCLUDES = (
    "ProvisioningMode",
    "ProvisioningEnabledTime",
    "ProvisioningMaxMinutes",
    "SystemTaskExcludes",
)
# The list comes from one source of 2012; each name is that of a real system task in CcmExec.log.
EXCLUDED_TASKS = "SchedulerStartup;SchedulerShutdown;SchedulerLogon;SchedulerLogoff;ClientRegistrationStartup"


class ClientRegistry:
    """The only writer of these values on the client's behalf."""

    def __init__(self, registry: Registry, title_case: bool = False) -> None:
        self._registry = registry
        self.title_case = title_case

    @property
    def mode(self) -> bool:
        return (self._registry.text(CCMEXEC, MODE) or "").lower() == "true"

    @property
    def excludes(self) -> tuple[str, ...]:
        return tuple(name for name in (self._registry.text(CCMEXEC, EXCLUDES) or "").split(";") if name)

    @property
    def entered(self) -> int | None:
        """Epoch seconds. Values of a wrong type count as absent (inferred)."""
        return self._registry.number(CCMEXEC, ENTERED)

    @property
    def max_minutes(self) -> int:
        return self._registry.number(CCMEXEC, MAX_MINUTES) or 0

    def set_flag(self, enabled: bool) -> None:
        """Public scripts write lower case; some show `True` and `False`. Which one the client writes is unknown."""
        text = str(enabled) if self.title_case else str(enabled).lower()
        self._registry.set_value(CCMEXEC, MODE, RegValue.sz(text))

    def set_excluded(self, excluded: bool) -> None:
        self._registry.set_value(CCMEXEC, EXCLUDES, RegValue.sz(EXCLUDED_TASKS if excluded else ""))

    def set_entered(self, moment: datetime) -> None:
        """REG_QWORD by one community source; a value that is a DWORD already keeps its type."""
        old = self._registry.value(CCMEXEC, ENTERED)
        seconds = int(moment.timestamp())
        dword = old is not None and old.type is RegType.DWORD
        self._registry.set_value(CCMEXEC, ENTERED, RegValue.dword(seconds) if dword else RegValue.qword(seconds))

    def set_site(self, site: str) -> None:
        self._registry.set_value(MOBILE_CLIENT, "AssignedSiteCode", RegValue.sz(site))
