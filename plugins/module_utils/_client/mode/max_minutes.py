# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ProvisioningMaxMinutes on an endpoint."""

from __future__ import annotations

from ..._windows.endpoint import Endpoint
from ..._windows.registry import RegistryType
from .. import facts
from .reader import stored_value
from .state import StoredValue


def read(endpoint: Endpoint) -> StoredValue:
    """Raises KeyAbsent where there is no client."""
    return stored_value(endpoint, facts.MAX_MINUTES, endpoint.registry.types(facts.CCMEXEC_KEY))


def write(endpoint: Endpoint, value: StoredValue) -> None:
    """Removes it where *value* is absent."""
    if value.data is None or value.type is None:
        endpoint.registry.delete_value(facts.CCMEXEC_KEY, facts.MAX_MINUTES)
    else:
        endpoint.registry.set(facts.CCMEXEC_KEY, facts.MAX_MINUTES, RegistryType(value.type), value.data)
