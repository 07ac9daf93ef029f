# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules have in common that ask the site instead of an endpoint."""

from __future__ import annotations

import datetime as dt
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._adminservice.service import REQUESTS_IMPORT_ERROR, AdminService
from ._client.guard import untold
from ._client.trail import Keep
from ._module import Log, Result, TaskFailed, failures, trail
from ._site.connection import NAMES, site_settings
from ._site.errors import SiteProblem
from ._site.site import Site, identify
from ._trail_file import Origin
from ._wsman.deadline import Deadline
from ._wsman.settings import OptionNames, Settings
from ._wsman.transport.braked import Brake


@dataclass(frozen=True)
class SiteTask:
    """One run of a module against one site. ``params`` are validated; ``log`` reports progress.

    ``keep`` takes the records of the audit trail.
    """

    service: AdminService
    site: Site
    deadline: Deadline
    params: t.Mapping[str, t.Any]
    check_mode: bool
    log: Log
    keep: Keep = untold

    @property
    def now(self) -> dt.datetime:
        """The site's clock, as its last answer told it; else the clock here."""
        return self.service.now or dt.datetime.now(dt.timezone.utc)


Run = t.Callable[[SiteTask], Result]
BrakeOf = t.Callable[[Settings], Brake]


def missing_library() -> str | None:
    if REQUESTS_IMPORT_ERROR is None:
        return None
    return f"{missing_required_lib('requests')} {REQUESTS_IMPORT_ERROR}"


def execute(
    run: Run,
    params: t.Mapping[str, t.Any],
    check_mode: bool,
    log: Log,
    trace: Log,
    brake_of: BrakeOf,
    ticket_directory: str | None,
    names: OptionNames = NAMES,
    origin: Origin | None = None,
) -> Result:
    """*run*'s result; every expected failure becomes one TaskFailed or TaskUnreachable. *trace* tells each request.

    Nothing is asked before the service has answered as the one of a site. *origin* is for the audit trail.
    """
    with failures(names), _problems(), trail(run, params, check_mode, origin) as keep:
        settings = site_settings(params, ticket_directory)
        deadline = Deadline(params["deadline"])
        token, brake = params["token"], brake_of(settings)
        with AdminService(settings, deadline, token=token, brake=brake, log=trace) as service:
            result = run(SiteTask(service, identify(service), deadline, params, check_mode, log, keep))
    if not result.get("warnings"):
        result.pop("warnings", None)  # ansible-core before 2.19 shows an empty list
    return result


@contextmanager
def _problems() -> t.Iterator[None]:
    try:
        yield
    except SiteProblem as error:
        raise TaskFailed(f"{error}.", {"error_layer": "site", "retryable": False}) from error


def main(argument_spec: dict[str, t.Any], **rules: t.Any) -> None:
    module = AnsibleModule(argument_spec, supports_check_mode=True, **rules)
    module.fail_json(msg="this module runs in Ansible's own process only, on the controller: call it as a task")
