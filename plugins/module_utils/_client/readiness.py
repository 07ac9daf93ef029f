# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the client can be worked with: after a boot it needs minutes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._windows.endpoint import Endpoint
from .._wsman.errors import Fault, NotFound
from . import constants


@dataclass(frozen=True)
class Readiness:
    """``problem`` is empty where the client is ready; ``lasting`` says that waiting will not mend it."""

    version: str | None = None
    problem: str = ""
    lasting: bool = False
    attempts: int = 1


def wait_until_ready(endpoint: Endpoint, backoff: t.Iterable[None], log: t.Callable[[str], None]) -> Readiness:
    """The last look at the client: it was ready, will not be by itself, or *backoff* is over."""
    found = Readiness()
    for attempts, _turn in enumerate(backoff, 1):
        found = _look(endpoint, attempts)
        if not found.problem or found.lasting:
            break
        log(f"waiting for the client: {found.problem}")
    return found


def _look(endpoint: Endpoint, attempts: int) -> Readiness:
    service = endpoint.services.read(constants.CLIENT_SERVICE).get(constants.CLIENT_SERVICE.lower())
    if service is None:
        return Readiness(problem="there is no ConfigMgr client", lasting=True, attempts=attempts)
    if service.disabled:
        return Readiness(problem=f"the service {service.name} is disabled", lasting=True, attempts=attempts)
    if not service.running:
        return Readiness(problem=f"the service {service.name} is {service.state or 'in no state'}", attempts=attempts)
    try:
        client = endpoint.session.get(constants.CLIENT_NAMESPACE, constants.CLIENT_CLASS)
    except NotFound as error:
        return Readiness(problem=f"its WMI class is missing ({error})", attempts=attempts)
    except Fault as error:
        return Readiness(problem=f"its WMI class does not answer ({error})", attempts=attempts)
    return Readiness(version=client.string("ClientVersion"), attempts=attempts)
