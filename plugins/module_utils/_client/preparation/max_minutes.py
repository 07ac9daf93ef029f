# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ProvisioningMaxMinutes on an endpoint."""

from __future__ import annotations

from ..._windows.endpoint import Endpoint
from ..._windows.registry import RegistryType
from .. import constants
from ..mode.reader import stored_value
from ..mode.state import StoredValue


def read(endpoint: Endpoint) -> StoredValue:
    """Raises KeyAbsent where there is no client."""
    return stored_value(endpoint, constants.MAX_MINUTES, endpoint.registry.types(constants.CCMEXEC_KEY))


def write(endpoint: Endpoint, value: StoredValue) -> None:
    """Removes it where *value* is absent."""
    if value.data is None or value.type is None:
        endpoint.registry.delete_value(constants.CCMEXEC_KEY, constants.MAX_MINUTES)
    else:
        endpoint.registry.set(constants.CCMEXEC_KEY, constants.MAX_MINUTES, RegistryType(value.type), value.data)
