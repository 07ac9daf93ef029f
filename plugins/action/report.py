# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the report in Ansible's own process: no connection decides where and how it is written."""

from __future__ import annotations

import datetime as dt
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..modules import report
from ..plugin_utils._report import file, formats, limits
from ..plugin_utils._report.artifacts import artifact
from ..plugin_utils._report.rows import counts, problem, rows, unusual
from ..plugin_utils._report.run import describe, job
from ..plugin_utils._report.site import told_by_site
from ..plugin_utils._report.swept import of_sweep
from ..plugin_utils._report.text import lines, summary
from ..plugin_utils._sweep.results_file import ResultsFileError, records

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc]
    BYPASS_HOST_LOOP = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp  # unused since long, and still part of the signature
        _validation, params = self.validate_argument_spec(report.ARGUMENT_SPEC)
        wrong = formats.problem(params["formats"], params["path"]) or limits.problem(_limits(params))
        if wrong:
            raise AnsibleActionFail(wrong)
        try:
            destination = self._destination(params["path"], task_vars or {})
            if destination:
                for path in formats.paths(destination, params["formats"]).values():
                    file.check(path, params["path"])
            if not params["check_only"]:
                result.update(self._report(params, destination, task_vars or {}))
        except (file.PathProblem, ResultsFileError) as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _destination(self, path: str | None, task_vars: dict[str, t.Any]) -> Path | None:
        if not path:
            return None
        number = job(task_vars) or str(os.getppid())
        name = f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%SZ}-{number}.json"
        return file.destination(path, name)

    def _report(
        self, params: dict[str, t.Any], destination: Path | None, task_vars: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        batch, hosts = set(task_vars["ansible_play_batch"]), task_vars["ansible_play_hosts_all"]
        # Of hosts of other plays, who have nothing to tell are told of by the sweep.
        everybody = list(dict.fromkeys([*hosts, *params["others"]]))
        own = {host: task_vars["hostvars"][host].get(params["variable"]) for host in everybody}
        waiting = {host for host in task_vars["ansible_play_hosts"] if own[host] is None and host not in batch}
        swept = _swept(params["sweep"], params["as_wanted"])
        known = {host: each for host, each in own.items() if each is not None}
        results: dict[str, t.Any] = {**(swept or dict.fromkeys(everybody)), **known}
        if params["site"] and "verdicts" in params["site"]:
            results = told_by_site(results, params["site"])
        found = rows(results, waiting)
        # Ansible itself has told of the others; with serial, an earlier batch has.
        telling = batch | (swept.keys() - own.keys() if hosts[0] in batch else set())
        untold = {host: row for host, row in found.items() if host in telling and not _told(own.get(host))}
        numbers = counts(found)
        total = summary(numbers)
        wrong = problem(found, waiting) or ("" if waiting else limits.exceeded(numbers, _limits(params)))
        for line in [*lines(untold), total]:
            display.display(line)
        said: dict[str, t.Any] = {"counts": numbers, "hosts_by_status": unusual(found)}
        name = "_".join(filter(None, ("configmgr_client", job(task_vars))))
        left = {name: artifact(**said)}
        # Of the whole run: AWX takes for artifacts of a job what belongs to no host.
        stats = {"data": left, "per_host": False, "aggregate": False}
        result = {**said, "msg": wrong or total, "failed": bool(wrong), "ansible_stats": stats}
        if destination:
            run = describe(task_vars, params["options"], bool(self._task.check_mode))
            content = {"schema_version": report.SCHEMA_VERSION, "run": run, "counts": said["counts"], "hosts": found}
            file.write(destination, formats.text("json", content))
            display.display(f"Report: {destination}")
            result["path"] = str(destination)
            beside = formats.paths(destination, params["formats"])
            for name, path in beside.items():
                file.write(path, formats.text(name, content))
                display.display(f"Report: {path}")
            result["paths"] = {name: str(path) for name, path in beside.items()}
        return result


def _limits(params: dict[str, t.Any]) -> dict[str, str | None]:
    return {name: params[name] for name in ("max_login_failed", "max_failed", "max_unreachable")}


def _swept(sweep: dict[str, t.Any] | None, as_wanted: list[str]) -> dict[str, t.Any]:
    """Nothing where there was none, or it has failed before it began."""
    if not sweep or "results_path" not in sweep:
        return {}
    return of_sweep(sweep, records(sweep["results_path"]), as_wanted)


def _told(result: dict[str, t.Any] | None) -> bool:
    return bool(result and (result.get("failed") or result.get("unreachable")))
