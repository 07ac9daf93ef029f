# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a run's tasks returned to a file, one JSON line each, next to Ansible's own output."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: recorder
type: notification
short_description: Writes each task's result to a file
description: For tests. The file is named by the environment variable RECORDER_FILE.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, entry: dict[str, Any]) -> None:
        with open(os.environ["RECORDER_FILE"], "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, cls=AnsibleJSONEncoder) + "\n")

    def _record(self, status: str, result: Any) -> None:
        public = hasattr(result, "task")  # ansible-core 2.19 and later
        task, host = (result.task, result.host) if public else (result._task, result._host)
        returned = result.result if public else result._result
        self._write(
            {
                "host": host.get_name(),
                "task": task.get_name(),
                "action": task.action,
                "status": status,
                "result": dict(returned),
            }
        )

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record("skipped", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write({"stats": {host: stats.summarize(host) for host in stats.processed}})
