# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks all hosts of the play from one task: Ansible runs it once, for the first of them."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
import typing as t

import ansible.constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._module import problem
from ..modules import fleet_info
from ..plugin_utils._sweep.endpoint import Question
from ..plugin_utils._sweep.hosts import HostSettings
from ..plugin_utils._sweep.limits import cores, limits, open_files
from ..plugin_utils._sweep.pool import Pool
from ..plugin_utils._sweep.presence import Presences
from ..plugin_utils._sweep.progress import Progress, shared, summary
from ..plugin_utils._sweep.record import Record
from ..plugin_utils._sweep.results_file import ResultsFile, ResultsFileError
from ..plugin_utils._sweep.slices import parsed
from ..plugin_utils._sweep.state_file import StateFile, StateFileError
from ..plugin_utils._sweep.sweep import Sweep
from ..plugin_utils._sweep.tally import Tally

display = Display()

_TERMINAL = sys.stdout.isatty()
"""Known before Ansible forks: its processes for tasks have no terminal."""


class ActionModule(ActionBase):  # type: ignore[misc]
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp  # unused since long, and still part of the signature
        _validation, params = self.validate_argument_spec(fleet_info.ARGUMENT_SPEC)
        wrong = problem(params, fleet_info.check)
        if params["fleet_slice"] is not None and not wrong:
            try:
                parsed(params["fleet_slice"])
            except ValueError as error:
                wrong = f"fleet_slice={error}"
        if wrong:
            raise AnsibleActionFail(wrong)
        try:
            result.update(self._sweep(params, task_vars or {}))
        except (ResultsFileError, StateFileError) as error:
            raise AnsibleActionFail(str(error)) from None  # whose text ansible-core would add
        return result

    def _sweep(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts = [str(host) for host in task_vars["ansible_play_batch"]]
        if params["fleet_slice"] is not None:
            hosts = parsed(params["fleet_slice"]).of(hosts)
        state = StateFile(params["state_path"]) if params["state_path"] else None
        presences = Presences(state.read(_now()) if state else {})
        given_up = presences.given_up(hosts, params["give_up_after"], _now())
        hosts = [host for host in hosts if host not in given_up]
        try:
            result = self._written(params, task_vars, hosts, presences)
        finally:
            wrong = _remember(state, presences)
        off = [*given_up, *result["hosts_unreachable"]] if state else []
        absent = presences.absent(off, _now())
        result.update(hosts_given_up=[*given_up], absent=absent, asked=len(hosts) + len(given_up))
        result.update(msg=". ".join(filter(None, [wrong, result.get("msg"), summary(result)])))
        if wrong:
            result.update(failed=True)
        return result

    def _written(
        self, params: dict[str, t.Any], task_vars: dict[str, t.Any], hosts: list[str], presences: Presences
    ) -> dict[str, t.Any]:
        """The result of asking *hosts* as far as the results file does not know them."""
        tally = Tally(hosts)
        # Without a path of the user's it ends with the run.
        kept = params["results_path"] or os.path.join(C.DEFAULT_LOCAL_TMP, f"fleet-{os.getpid()}.jsonl")
        path = os.path.abspath(kept)
        warnings: list[str] = []
        with ResultsFile(path) as file:

            def known(record: Record) -> None:
                tally.add(record)
                presences.note(record)

            def keep(record: Record) -> None:
                file.append(record)
                presences.note(record)

            if params["resume"]:
                if file.resume(known):
                    warnings.append(f"results_path={path} ended in half a line, as of a sweep that was killed")
                hosts = [host for host in hosts if not tally.has_answer(host)]
            else:
                file.clear()
            asked = self._asked(params, task_vars, tally, presences.absent_first(hosts), keep, warnings)
            return {"results_path": path, **asked}

    def _asked(
        self,
        params: dict[str, t.Any],
        task_vars: dict[str, t.Any],
        tally: Tally,
        hosts: list[str],
        keep: t.Callable[[Record], None],
        warnings: list[str],
    ) -> dict[str, t.Any]:
        """The result of asking *hosts*, beside what the *tally* has already."""
        started = time.monotonic()
        found = limits(params["concurrency"], params["processes"] or cores(), len(hosts), open_files())
        question = Question({key: params[key] for key in ("full", "minimum_age", "deadline")}, C.DEFAULT_LOCAL_TMP)
        settings = HostSettings(
            self._task, self._play_context, self._templar, task_vars, params["connect_timeout"]
        )
        shown = Progress(display, _TERMINAL)
        sweep = Sweep(settings.of, tally, keep, shown)
        problem = ""
        try:
            with Pool(found.processes, found.threads, question) as pool:
                if not sweep.run(pool, hosts, params["sweep_deadline"]):
                    problem = f"sweep_deadline={params['sweep_deadline']} seconds ended the sweep"
        except ResultsFileError as error:
            problem = str(error)
        finally:
            shown.end()
        result = tally.as_result()
        result.update(changed=False, already_known=tally.total - len(hosts), seconds=round(time.monotonic() - started))
        warnings += [*filter(None, [found.warning, shared(sweep.addresses)])]
        if warnings:
            result["warnings"] = warnings
        if problem:
            result.update(failed=True, msg=problem)
        return result


def _remember(state: StateFile | None, presences: Presences) -> str:
    """Why it could not be written down, or empty."""
    try:
        if state:
            state.update(presences.noted, _now())
    except StateFileError as error:
        return str(error)
    return ""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
