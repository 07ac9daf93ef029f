# SPDX-License-Identifier: GPL-3.0-or-later
"""The Task Scheduler: tasks in their XML form ([MS-TSCH]; official), of which boot triggers are carried out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree.ElementTree import SubElement, register_namespace, tostring

from defusedxml import ElementTree

if TYPE_CHECKING:
    from .world import World

_NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
register_namespace("", _NAMESPACE.strip("{}"))
DISABLED, READY = 1, 3


class MalformedTask(ValueError):
    pass


@dataclass(frozen=True)
class ScheduledTask:
    path: str
    """Ends with a backslash; the root folder is one backslash."""
    name: str
    xml: str
    command: str
    user: str
    boot_delay: timedelta | None
    """None: the task has no boot trigger."""
    enabled: bool
    description: str = ""
    on_battery: bool = False
    """Whether it starts while the machine runs on battery power; by default it does not (schema; official)."""

    @property
    def uri(self) -> str:
        return self.path + self.name


class ScheduledTasks:
    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: dict[str, ScheduledTask] = {}

    def __iter__(self) -> Iterator[ScheduledTask]:
        return iter(sorted(self._tasks.values(), key=lambda task: task.uri.lower()))

    def find(self, path: str, name: str) -> ScheduledTask | None:
        return self._tasks.get((_folder(path) + name.lstrip("\\")).lower())

    def register(self, path: str, name: str, xml: str) -> ScheduledTask:
        task = parse(_folder(path), name, xml)
        self._tasks[task.uri.lower()] = task
        self._world.journal.happened("task.registered", task.uri)
        return task

    def unregister(self, path: str, name: str) -> bool:
        task = self.find(path, name)
        if task is None:
            return False
        del self._tasks[task.uri.lower()]
        self._world.journal.happened("task.unregistered", task.uri)
        return True

    def enable(self, task: ScheduledTask, enabled: bool) -> None:
        root = ElementTree.fromstring(task.xml)
        settings = root.find(f"{_NAMESPACE}Settings")
        if settings is None:
            settings = SubElement(root, f"{_NAMESPACE}Settings")
        setting = settings.find(f"{_NAMESPACE}Enabled")
        if setting is None:
            setting = SubElement(settings, f"{_NAMESPACE}Enabled")
        setting.text = str(enabled).lower()
        xml = tostring(root, encoding="unicode")
        self._tasks[task.uri.lower()] = replace(task, enabled=enabled, xml=xml)

    def booted(self) -> None:
        """A boot trigger's delay counts from the start of the scheduler."""
        for task in self:
            if task.enabled and task.boot_delay is not None:
                self._world.timeline.after(task.boot_delay, lambda uri=task.uri: self._run(uri))  # type: ignore[misc]

    def run(self, task: ScheduledTask) -> None:
        self._run(task.uri)

    def _run(self, uri: str) -> None:
        task = self._tasks.get(uri.lower())
        if task and self._world.spec.on_battery and not task.on_battery:
            self._world.journal.happened("task.not_started", f"{task.uri}: on battery power")
        elif task:
            self._world.journal.happened("task.ran", f"{task.uri}: {task.command}")
            self._world.run_detached(task.command)


def parse(path: str, name: str, xml: str) -> ScheduledTask:
    try:
        root = ElementTree.fromstring(xml.encode("utf-16") if "utf-16" in xml[:60].lower() else xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise MalformedTask(str(error)) from None
    if root.tag != f"{_NAMESPACE}Task":
        raise MalformedTask(f"the root element is {root.tag}")

    def text(steps: str, default: str = "") -> str:
        found = root.findtext("/".join(f"{_NAMESPACE}{step}" for step in steps.split("/")))
        return default if found is None else found.strip()

    command = text("Actions/Exec/Command")
    if not command:
        raise MalformedTask("the task has no command")
    arguments = text("Actions/Exec/Arguments")
    if not name:  # seen in public scripts: the task is then called as its own XML says
        folder, _, name = text("RegistrationInfo/URI").rpartition("\\")
        path = _folder(folder)
        if not name:
            raise MalformedTask("the task has no name")
    quoted = f'"{command}"' if " " in command and not command.startswith('"') else command
    boots = root.find(f"{_NAMESPACE}Triggers/{_NAMESPACE}BootTrigger") is not None
    return ScheduledTask(
        path,
        name.lstrip("\\"),
        tostring(root, encoding="unicode"),
        f"{quoted} {arguments}".strip(),
        text("Principals/Principal/UserId"),
        _duration(text("Triggers/BootTrigger/Delay", "PT0M")) if boots else None,
        text("Settings/Enabled", "true").lower() in ("true", "1"),
        text("RegistrationInfo/Description"),
        text("Settings/DisallowStartIfOnBatteries", "true").lower() in ("false", "0"),
    )


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match:
        raise MalformedTask(f"{text!r} is not a duration")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _folder(path: str) -> str:
    return "\\" + path.strip("\\") + "\\" if path.strip("\\") else "\\"
