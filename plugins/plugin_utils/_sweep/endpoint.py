# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint of the sweep: is it there, and what does it say."""

from __future__ import annotations

import datetime as dt
import functools
import typing as t
import urllib.request
from dataclasses import dataclass, replace

from ...module_utils import _module
from ...module_utils._wsman.deadline import Deadline
from ...module_utils._wsman.settings import Settings
from ...module_utils._wsman.transport.braked import needs_turn
from ...module_utils._wsman.transport.listener import proxy_in_the_way
from ...modules import provisioning_mode_info
from .._connection.lockout import Lockout
from .preflight import NotThere, check
from .record import Record, of_answer, of_failure


@dataclass(frozen=True)
class Question:
    """What is asked of each endpoint. ``params`` are those of provisioning_mode_info; ``directory`` is the brake's."""

    params: t.Mapping[str, t.Any]
    directory: str


def ask(host: str, settings: Settings, question: Question) -> Record:
    """Whatever goes wrong is a record as well."""
    try:
        result = _answer(host, settings, question)
    except NotThere as error:
        return of_failure(host, str(error), error.result, _now(), unreachable=True)
    except _module.TaskFailed as error:
        unreachable = isinstance(error, _module.TaskUnreachable)
        told = {**error.result, "error_class": "refused"} if _is_refusal(error) else error.result
        return of_failure(host, str(error), told, _now(), unreachable=unreachable)
    except Exception as error:  # a defect of ours must not cost the others
        return of_failure(host, f"internal error: {error!r}", {}, _now(), unreachable=False)
    return of_answer(host, result, _now())


def _answer(host: str, settings: Settings, question: Question) -> _module.Result:
    direct = settings.proxy is None and not (_proxies_are_set() and proxy_in_the_way(settings))
    if direct and settings.auth == "ntlm" and settings.scheme == "http":
        settings = replace(settings, library="pyspnego")
    missing = _module.missing_library(settings.library)
    if missing:
        raise _module.TaskFailed(missing, {"error_layer": "library"})
    brake = Lockout(question.directory, settings)
    deadline = Deadline(question.params["deadline"])
    # Of a login without a turn, this library tells as much, and needs no connection more.
    if direct and not (settings.library == "pyspnego" and brake.knows_password()):
        check(settings, lambda: needs_turn(settings) and not brake.knows_password(), deadline.remaining())
    params = {**question.params, "computer_name": host, "deadline": max(1, round(deadline.remaining()))}
    return _module.execute(provisioning_mode_info.run, settings, params, False, _silent, _silent, brake)


@functools.lru_cache(maxsize=1)
def _proxies_are_set() -> bool:
    """In the environment, which does not change in a worker, and takes its time to be looked through."""
    return bool(urllib.request.getproxies())


def _is_refusal(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ConnectionRefusedError):
        error = error.__cause__
    return error is not None


def _silent(line: str) -> None:
    pass


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
