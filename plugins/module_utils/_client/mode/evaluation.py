# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's own health evaluation. It puts services right after an upgrade that died (community, one source)."""

from __future__ import annotations

from ..._windows import command
from ..._windows.endpoint import Endpoint
from ..errors import MethodFailed

_PROPERTIES_KEY = r"SOFTWARE\Microsoft\SMS\Client\Configuration\Client Properties"
_USUAL_DIRECTORY = r"C:\Windows\CCM"


def run(endpoint: Endpoint) -> None:
    """Runs ``ccmeval.exe`` and waits for its end; raises MethodFailed where it says that it failed."""
    directory = endpoint.registry.get_string(_PROPERTIES_KEY, "Local SMS Path") or _USUAL_DIRECTORY
    directory = directory.rstrip("\\")
    result = command.run(endpoint.session, rf"{directory}\ccmeval.exe", [])
    if result.exit_code != 0:
        raise MethodFailed(f"ccmeval.exe failed with code {result.exit_code}")
