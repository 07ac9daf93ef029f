# SPDX-License-Identifier: GPL-3.0-or-later
"""The Task Scheduler's WMI classes, as the cmdlets of the module ScheduledTasks use them. Undocumented: inferred."""

from __future__ import annotations

from collections.abc import Mapping

from ..cim.model import Row, WmiError
from ..scheduled_tasks import DISABLED, READY, MalformedTask
from .base import BaseProvider

_FILE_NOT_FOUND, _ALREADY_EXISTS, _MALFORMED_XML = 0x80070002, 0x800700B7, 0x8004131A


class TaskScheduler(BaseProvider):
    def instances(self, class_name: str) -> list[Row]:
        if class_name != "MSFT_ScheduledTask":
            return []
        return [
            {
                "Description": task.description or None,
                "State": READY if task.enabled else DISABLED,
                "TaskName": task.name,
                "TaskPath": task.path,
                "URI": task.uri,
            }
            for task in self._world.scheduled_tasks
        ]

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        if class_name != "PS_ScheduledTask":
            raise WmiError("not_supported")
        path, name = str(arguments.get("TaskPath") or "\\"), str(arguments.get("TaskName") or "")
        self._world.journal.written(f"task.{method}", path + name)
        if not self._world.access.is_administrator:
            raise WmiError("access_denied")
        tasks = self._world.scheduled_tasks
        task = tasks.find(path, name)
        if method == "RegisterByXml":
            if task and not arguments.get("Force"):
                raise WmiError("failed", "The task exists already", _ALREADY_EXISTS)
            try:
                tasks.register(path, name, str(arguments.get("Xml") or ""))
            except MalformedTask as error:
                raise WmiError("failed", f"The task XML is malformed: {error}", _MALFORMED_XML) from None
            return {"ReturnValue": 0}
        if task is None:
            raise WmiError("not_found", "The system cannot find the file specified.", _FILE_NOT_FOUND)
        match method:
            case "UnregisterByName":
                tasks.unregister(path, name)
            case "EnableByName" | "DisableByName":
                tasks.enable(task, method == "EnableByName")
            case "StartByName":
                tasks.run(task)
            case "ExportByName":
                return {"XmlText": task.xml, "ReturnValue": 0}
        return {"ReturnValue": 0}

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        self._world.journal.written("task.delete", keys["TaskPath"] + keys["TaskName"])
        if not self._world.access.is_administrator:
            raise WmiError("access_denied")
        self._world.scheduled_tasks.unregister(keys["TaskPath"], keys["TaskName"])
