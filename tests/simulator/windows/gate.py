# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a caller and WMI: a missing client, missing rights, broken classes, a machine that boots."""

from __future__ import annotations

from .cim.model import HRESULTS, ErrorKind, WmiError
from .cim.repository import Repository
from .world import World

_CLIENT = "root/ccm"
_CONTAINERS = frozenset({"root", "root/microsoft", "root/microsoft/windows", "root/subscription", "root/wmi"})


class Gate:
    def __init__(self, world: World, repository: Repository) -> None:
        self._world = world
        self._all = repository.namespaces() | _CONTAINERS
        self._without_client = {name for name in self._all if not (name + "/").startswith(_CLIENT + "/")}

    def namespaces(self) -> set[str]:
        return self._all if self._world.client else self._without_client

    def check(self, namespace: str, class_name: str) -> None:
        if not self._world.power.is_up:
            raise WmiError("shutting_down")
        if not self._world.access.can_use_wmi:
            raise WmiError("access_denied")
        for name, kind in self._world.spec.broken_classes.items():
            if name.lower() == class_name.lower():
                raise WmiError(_kind(kind))

    def check_remote_call(self, namespace: str, class_name: str, method: str) -> None:
        """Whether SMS_Client's methods can be called over the network is disputed in public code."""
        if class_name == "SMS_Client" and self._world.variants.sms_client_invoke == "refused":
            raise WmiError(_kind(self._world.variants.sms_client_refusal))


def _kind(name: str) -> ErrorKind:
    return next(kind for kind in HRESULTS if kind == name)
