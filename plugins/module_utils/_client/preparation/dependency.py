# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the services that smstsmgr depends on, and the memory of what they were. Pure but for the memory.

A dependency of the task sequence agent on the client's service made SetClientProvisioningMode fail on version 1802
(a reader's report of Microsoft's answer, in the comments of the article; no official page is known).
"""

from __future__ import annotations

import typing as t

from ..._windows.endpoint import Endpoint
from ..._windows.registry import RegistryType
from .. import constants

_MEMORY_KEY = constants.OWN_KEY + r"\smstsmgr"
_MEMORY_VALUE = "DependOnService"
_NOTHING = "/"
"""Stands for "no dependencies" in the memory: an empty REG_MULTI_SZ cannot be told from an absent one."""


def read(endpoint: Endpoint) -> list[str]:
    return endpoint.services.dependencies(constants.AGENT_SERVICE)


def write(endpoint: Endpoint, system_directory: str, dependencies: t.Sequence[str]) -> None:
    endpoint.services.set_dependencies(system_directory, constants.AGENT_SERVICE, dependencies)


def wanted(current: t.Sequence[str], target: t.Sequence[str] | None) -> list[str]:
    """What the dependencies are to be.

    With a *target*, that. Without one the workaround is only taken where it is needed, and then it is the article's:
    no dependencies at all.
    """
    if target is not None:
        return list(target)
    return [] if _same_name_in(current, constants.CLIENT_SERVICE) else list(current)


def same(one: t.Sequence[str], other: t.Sequence[str]) -> bool:
    """Service names have no case, and dependencies no order."""
    return {name.lower() for name in one} == {name.lower() for name in other}


def _same_name_in(names: t.Sequence[str], name: str) -> bool:
    return name.lower() in {item.lower() for item in names}


def remembered(endpoint: Endpoint) -> list[str] | None:
    """What the dependencies were before the workaround; None where nothing is remembered."""
    stored = endpoint.registry.get_strings(_MEMORY_KEY, _MEMORY_VALUE)
    if not stored:
        return None
    return [name for name in stored if name != _NOTHING]


def remember(endpoint: Endpoint, dependencies: t.Sequence[str]) -> None:
    endpoint.registry.create_key(_MEMORY_KEY)
    endpoint.registry.set(_MEMORY_KEY, _MEMORY_VALUE, RegistryType.MULTI_SZ, list(dependencies) or [_NOTHING])


def forget(endpoint: Endpoint) -> None:
    endpoint.registry.delete_key(_MEMORY_KEY)
