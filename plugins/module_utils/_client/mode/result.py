# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State and assessment as a module's result: plain JSON types."""

from __future__ import annotations

import typing as t

from ..identity import matches_netbios
from .state import ClientState
from .verdict import Assessment


def as_result(state: ClientState, assessment: Assessment, expected_name: str) -> dict[str, t.Any]:
    """What a brief read did not fetch is None."""
    system = state.system
    return {
        "verdict": assessment.verdict.value,
        "summary": assessment.summary,
        "provisioning_mode": state.mode.enabled,
        "system_task_excludes": state.mode.excludes,
        "evidence": [item.as_result() for item in assessment.evidence],
        "timeline": assessment.timeline.as_result() if assessment.timeline else None,
        "client_version": state.client_version,
        "computer_name": system.computer_name if system else None,
        "name_matches": matches_netbios(expected_name, system.computer_name) if system else None,
        "clock_skew_seconds": round((system.now - system.read_at).total_seconds()) if system else None,
        "full": state.full,
    }
