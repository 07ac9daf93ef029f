# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is to a module: an endpoint, its parameters, and how it may end. Shared by modules and actions."""

from __future__ import annotations

import dataclasses
import inspect
import secrets
import traceback
import typing as t
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._advice import advice, is_retryable
from ._argspec import ENDPOINT_NAMES, endpoint_settings, range_problem
from ._client.errors import MethodFailed, NotVerified, TrailBroken, WrongMachine
from ._client.guard import Guard, untold
from ._client.trail import Keep
from ._trail_file import Origin, account, opened
from ._windows.endpoint import Endpoint
from ._windows.errors import WindowsError
from ._wsman.deadline import Deadline
from ._wsman.errors import ConnectionLost, EndpointUnreachable, LoginRejected, LoginUnavailable, WSManError
from ._wsman.session import Session
from ._wsman.settings import OptionNames, Settings
from ._wsman.transport.braked import Brake, LoginNote
from ._wsman.transport.connect import IMPORT_ERRORS, LEAST_VERSIONS, transport
from ._wsman.xml import DEFUSEDXML_IMPORT_ERROR

Log = t.Callable[[str], None]
Result = dict[str, t.Any]

LOGIN = "_login"
"""The key under which a module tells its action what became of the login; no user sees it."""

_PLAIN = OptionNames()
_UNREACHABLE = (EndpointUnreachable, LoginRejected, LoginUnavailable)


class TaskFailed(Exception):
    """The task fails with *message*; *result* holds what else its user is to see."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result or {}


class TaskUnreachable(TaskFailed):
    """Nothing was asked of the endpoint: it cannot be reached, or lets nobody in."""


@dataclass(frozen=True)
class Task:
    """One run of a module against one endpoint. ``params`` are validated; ``log`` reports progress.

    ``keep`` takes the records of the audit trail.
    """

    endpoint: Endpoint
    params: t.Mapping[str, t.Any]
    check_mode: bool
    log: Log
    names: OptionNames = field(default_factory=OptionNames)
    keep: Keep = untold

    @property
    def expected_name(self) -> str:
        return str(self.params.get("computer_name", ""))

    @cached_property
    def guard(self) -> Guard:
        """Asked before each write; modules without ``name_check`` only read."""
        return Guard(self.endpoint, self.expected_name, self.params.get("name_check", "off"), self.keep)

    @contextmanager
    def telling(self, so_far: t.Callable[[], Result] = dict) -> t.Iterator[None]:
        """A failure inside also tells what was done until then, and whether anything was changed, or may have been."""
        try:
            with failures(self.names):
                yield
        except TaskFailed as failure:
            failure.result.update({"changed": self.guard.wrote, **so_far()})
            raise


Run = t.Callable[[Task], Result]
Check = t.Callable[[Result], "str | None"]
Work = t.Callable[[Result, bool, Log, Brake], Result]


def missing_library(library: str) -> str | None:
    """Ansible's usual message for a library that is missing where this runs; *library* carries the messages."""
    requirement = f"{library}>={LEAST_VERSIONS[library]}"
    for wanted, error in ((requirement, IMPORT_ERRORS[library]), ("defusedxml", DEFUSEDXML_IMPORT_ERROR)):
        if error is not None:
            return f"{missing_required_lib(wanted)} {error}"
    return None


def problem(params: Result, check: Check | None) -> str | None:
    """What is wrong with validated *params*: with one number alone, or by *check* with several together."""
    return range_problem(params) or (check(params) if check else None)


def execute(
    run: Run,
    settings: Settings,
    params: t.Mapping[str, t.Any],
    check_mode: bool,
    log: Log,
    trace: Log,
    brake: Brake,
    origin: Origin | None = None,
) -> Result:
    """*run*'s result; every expected failure becomes one TaskFailed or TaskUnreachable. *trace* tells each call.

    Logins go by the *brake*. *origin* is for the audit trail, of what may write.
    """
    with failures(settings.names), trail(run, params, check_mode, origin) as keep:
        deadline = Deadline(params["deadline"])
        with Session(settings, lambda: transport(settings, deadline, brake), deadline, trace) as session:
            result = run(Task(Endpoint(session), params, check_mode, log, settings.names, keep))
    if not result.get("warnings"):
        result.pop("warnings", None)  # ansible-core before 2.19 shows an empty list
    return result


def trail(
    run: t.Callable[..., Result], params: t.Mapping[str, t.Any], check_mode: bool, origin: Origin | None
) -> t.ContextManager[Keep]:
    """Keeps the records of what *run* is going to write, where somebody wants them."""
    path = params.get("audit_path")
    if path is None or check_mode or origin is None:
        return nullcontext(untold)
    known = {
        **dataclasses.asdict(origin),
        "module": Path(inspect.getfile(run)).stem,
        "force_reason": params["force_reason"] if params.get("force") else None,
    }
    return opened(path, known)


@contextmanager
def failures(named: OptionNames = _PLAIN) -> t.Iterator[None]:
    """Errors of the layers below, as the one message that a user gets, in words that are *named* as the user does."""
    try:
        yield
    except WSManError as error:
        doubt = " Whether its last request was carried out is not known." if isinstance(error, ConnectionLost) else ""
        kind = TaskUnreachable if isinstance(error, _UNREACHABLE) else TaskFailed
        message = " ".join(f"{error}.{doubt} {advice(error.remedy or error.layer, named)}".split())
        raise kind(message.replace("..", "."), _layer(error.layer)) from error
    except WindowsError as error:
        raise TaskFailed(f"{error}. {advice(error.layer, named)}".rstrip(), _layer(error.layer)) from error
    except WrongMachine as error:
        raise TaskFailed(
            f"Nothing was changed: {error}. {advice('wrong_machine', named)}", _layer("wrong_machine")
        ) from error
    except TrailBroken as error:
        raise TaskFailed(f"{error}.", _layer("audit")) from error
    except (MethodFailed, NotVerified) as error:
        raise TaskFailed(f"{error}.", _layer("client")) from error


def sentence(reason: str) -> str:
    """A *reason* of the guard as a sentence of its own."""
    return f"{reason[:1].upper()}{reason[1:]}."


def _layer(layer: str) -> Result:
    return {"error_layer": layer, "retryable": is_retryable(layer)}


def main(argument_spec: dict[str, t.Any], run: Run, check: Check | None = None, **rules: t.Any) -> None:
    """Runs a module where Ansible has brought it, against the Windows endpoint of its ``endpoint`` option."""

    def work(params: Result, check_mode: bool, log: Log, brake: Brake) -> Result:
        missing = missing_library("pywinrm")
        if missing:
            raise TaskFailed(missing)
        with failures(ENDPOINT_NAMES):
            settings = endpoint_settings(params["endpoint"], params["connect_timeout"])
        origin = Origin(secrets.token_hex(8), account(), params["endpoint"]["host"])
        return execute(run, settings, params, check_mode, log, log, brake, origin)

    serve(argument_spec, work, check, **rules)


def serve(argument_spec: dict[str, t.Any], work: Work, check: Check | None = None, **rules: t.Any) -> None:
    """As main, for a module whose *work* is not one Run over one session: it gets params, check mode, log and brake."""
    module = AnsibleModule(argument_spec, supports_check_mode=True, **rules)
    params = dict(module.params)
    if not params["endpoint"]:
        module.fail_json(msg="endpoint is required where this module does not run over a winrm or psrp connection")
    wrong = problem(params, check)
    if wrong:
        module.fail_json(msg=wrong)
    if "computer_name" in params:
        params["computer_name"] = params["computer_name"] or params["endpoint"]["host"]
    note = LoginNote()
    try:
        result = work(params, module.check_mode, module.debug, note)
    except TaskFailed as error:
        unreachable = {"unreachable": True} if isinstance(error, TaskUnreachable) else {}
        module.fail_json(msg=str(error), **unreachable, **error.result, **{LOGIN: note.outcome})
    except Exception as error:  # a defect of ours: the traceback is for the report of it
        module.fail_json(msg=f"internal error: {error!r}", exception=traceback.format_exc(), **{LOGIN: note.outcome})
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result, **{LOGIN: note.outcome})
