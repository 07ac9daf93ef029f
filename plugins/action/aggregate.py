# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one report of several in Ansible's own process: they are files of the controller."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..modules import aggregate, report
from ..plugin_utils._report import artifacts, file, formats, stored
from ..plugin_utils._report.rows import asked, unusual
from ..plugin_utils._report.text import summary

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc]
    BYPASS_HOST_LOOP = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp  # unused since long, and still part of the signature
        _validation, params = self.validate_argument_spec(
            aggregate.ARGUMENT_SPEC,
            required_one_of=aggregate.REQUIRED_ONE_OF,
            mutually_exclusive=aggregate.MUTUALLY_EXCLUSIVE,
        )
        wrong = formats.problem(params["formats"], params["path"])
        if params["artifacts"] is not None and params["earlier"]:
            wrong = f"earlier={', '.join(params['earlier'])} goes with reports: of artifacts no report is written"
        if wrong:
            raise AnsibleActionFail(wrong)
        try:
            told = self._of_artifacts(params["artifacts"]) if params["reports"] is None else self._of_reports(params)
        except (file.PathProblem, stored.NotAReport, artifacts.NotAnArtifact) as error:
            raise AnsibleActionFail(str(error)) from None  # whose text ansible-core would add
        result.update(told)
        tried, expected = asked(told["counts"]), params["expected_hosts"]
        if expected is not None and tried < expected:
            display.warning(f"Of {expected} hosts only {tried} were asked: a slice may be missing.")
        result["to_release"], patterns = artifacts.to_release(told["hosts_by_status"])
        if patterns:
            display.warning(
                f"Not handed on to be released, as a play would take the name for a pattern: {', '.join(patterns)}"
            )
        left = {"configmgr_client_to_release": result["to_release"]}
        result["ansible_stats"] = {"data": left, "per_host": False, "aggregate": False}
        return result

    def _of_artifacts(self, left: list[t.Any]) -> dict[str, t.Any]:
        if not left:
            raise artifacts.NotAnArtifact("artifacts=[] has none: the jobs before this one have left no report")
        counts, hosts = artifacts.merged(left)
        total = summary(counts)
        display.display(f"{len(left)} {'artifact' if len(left) == 1 else 'artifacts'}. {total}")
        for status, names in hosts.items():
            display.display(f"{status}: {', '.join(names)}")
        return {
            "changed": False,
            "reports": len(left),
            "missing_slices": [],
            "counts": counts,
            "hosts_by_status": hosts,
            "msg": total,
            "paths": {},
        }

    def _of_reports(self, params: dict[str, t.Any]) -> dict[str, t.Any]:
        destination = file.destination(params["path"], "fleet.json") if params["path"] else None
        beside = formats.paths(destination, params["formats"]) if destination else {}
        for path in beside.values():
            file.check(path, params["path"])
        reports = stored.found(params["reports"], "reports", report.SCHEMA_VERSION, destination)
        if not reports:
            raise stored.NotAReport(f"reports={', '.join(params['reports'])} hold no report: name files or directories")
        earlier = stored.found(params["earlier"], "earlier", report.SCHEMA_VERSION, destination)
        missing = stored.missing_slices(reports)
        for part in missing:
            display.warning(f"No report is of the slice {part}: its hosts are missing.")
        content = stored.merged(reports)
        total = summary(content["counts"])
        display.display(f"{len(reports)} {'report' if len(reports) == 1 else 'reports'}. {total}")
        changed = False
        written = {"json": destination, **beside} if destination and not self._task.check_mode else {}
        for name, path in written.items():
            changed |= file.write_if_other(path, formats.text(name, content, earlier))
            display.display(f"Report: {path}")
        return {
            "changed": changed,
            "reports": len(reports),
            "missing_slices": missing,
            "counts": content["counts"],
            "hosts_by_status": unusual(content["hosts"]),
            "msg": total,
            "paths": {name: str(path) for name, path in written.items()},
        }
