# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What task sequences left, as a module's result: plain JSON types."""

from __future__ import annotations

import typing as t

from ..times import iso
from .rules import Assessment, Request, TaskSequenceState, age_minutes, orphans


def as_result(state: TaskSequenceState, assessment: Assessment) -> dict[str, t.Any]:
    """What could not be read is None; where there is no client, nothing of it is looked for."""
    return {
        "state": assessment.situation.value,
        "summary": assessment.summary,
        "evidence": [item.as_result() for item in assessment.evidence],
        "execution_requests": _optional(state.requests, lambda requests: [_request(each, state) for each in requests]),
        "maintenance_requests": _optional(
            state.maintenance, lambda found: [{"item": each.label, "client": each.owner} for each in found]
        ),
        "orphaned_policy": _optional(state.policies, lambda found: [each.label for each in orphans(state)]),
        "software_distribution": _optional(state.pause, dict),
        "registry": _optional(state.registry, dict),
        "computer_name": state.system.computer_name if state.system else None,
    }


_Found = t.TypeVar("_Found")


def _optional(found: _Found | None, show: t.Callable[[_Found], t.Any]) -> t.Any:
    return None if found is None else show(found)


def _request(request: Request, state: TaskSequenceState) -> dict[str, t.Any]:
    return {
        "request_id": request.request_id,
        "advert_id": request.details.get("AdvertID"),
        "content_id": request.details.get("ContentID"),
        "package_name": request.details.get("MIFPackageName"),
        "program_id": request.details.get("ProgramID"),
        "state": request.state,
        "running_state": request.running_state,
        "completion_state": request.completion_state,
        "process_id": request.process_id,
        "process": (state.processes or {}).get(request.process_id),
        "received_at": iso(request.received),
        "age_minutes": age_minutes(request, state.system) if state.system else None,
        "maintenance_task": request.task,
    }
