# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reports and the audit trail say of the run that they are of."""

from __future__ import annotations

import datetime as dt
import json
import socket
import typing as t
from collections.abc import Mapping
from pathlib import Path

import yaml
from ansible import context
from ansible.release import __version__ as ansible_version

from ...module_utils._client.times import iso
from ...module_utils._trail_file import account

_COLLECTION = Path(__file__).parents[3]


def job(task_vars: Mapping[str, t.Any]) -> str:
    """The job's number in AWX or Automation Controller; empty elsewhere."""
    return str(task_vars.get("awx_job_id", task_vars.get("tower_job_id", "")))


def user(task_vars: Mapping[str, t.Any]) -> str:
    """Who started the job in AWX or Automation Controller; elsewhere whose process this is."""
    return str(task_vars.get("awx_user_name") or task_vars.get("tower_user_name") or account())


def describe(task_vars: Mapping[str, t.Any], options: Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Who ran what, when, where, with which *options* and with which versions."""
    return {
        "made": iso(dt.datetime.now(dt.timezone.utc)),
        "user": user(task_vars),
        "controller": socket.gethostname(),
        "job": job(task_vars),
        "playbook": " ".join(str(name) for name in context.CLIARGS.get("args") or ()),
        "play": str(task_vars.get("ansible_play_name", "")),
        "limit": str(task_vars.get("ansible_limit", "")),
        "check_mode": check_mode,
        "options": options,
        "collection_version": _collection_version(),
        "ansible_version": ansible_version,
    }


def _collection_version() -> str:
    manifest = _COLLECTION / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load((_COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"])
