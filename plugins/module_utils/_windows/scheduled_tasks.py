# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled tasks that run one program at boot.

Read and deleted with schtasks.exe, which Microsoft documents. Registered as XML ([MS-TSCH] 2.5): `schtasks.exe /create`
without a file knows no setting for batteries, and its tasks then never start on a laptop that is not plugged in.
The XML goes through the WMI class behind the cmdlet Register-ScheduledTask, which is not documented itself, and
through that cmdlet where the endpoint refuses the class.
"""

from __future__ import annotations

import csv
import datetime as dt
import typing as t
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .._wsman.cim import Value, parse_interval, text_of
from .._wsman.errors import FileMissing, InvalidRequest, NotFound, OperationRefused, ProtocolError
from .._wsman.session import Session
from .._wsman.shell import CommandResult
from .._wsman.xml import local_name, parse
from .commands import POWERSHELL, Commands, failure_text, literal
from .errors import WindowsError

SYSTEM_SID = "S-1-5-18"

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_WMI_NAMESPACE = "root/Microsoft/Windows/TaskScheduler"
_REFUSED = (OperationRefused, InvalidRequest, NotFound)
_SYSTEM_NAMES = ("s-1-5-18", "system", r"nt authority\system")
_CONDITIONS = {
    "DisallowStartIfOnBatteries": "true",
    "StopIfGoingOnBatteries": "true",
    "RunOnlyIfIdle": "false",
    "RunOnlyIfNetworkAvailable": "false",
}
"""Settings that keep a task from running, and what each is where the XML does not name it (Task Scheduler schema)."""


@dataclass(frozen=True)
class BootTask:
    """``others`` names triggers and actions beyond the one boot trigger and the one program.

    ``conditions`` are the settings that can keep it from running. ``delay`` None: there is no boot trigger.
    """

    program: str
    arguments: str
    delay: dt.timedelta | None
    user: str = SYSTEM_SID
    enabled: bool = True
    conditions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def as_result(self) -> dict[str, t.Any]:
        return {
            "program": self.program,
            "arguments": self.arguments,
            "delay_minutes": None if self.delay is None else self.delay.total_seconds() / 60,
            "user": self.user,
            "enabled": self.enabled,
            "conditions": list(self.conditions),
            "others": list(self.others),
        }


class ScheduledTasks:
    """Tasks of the root folder, by names without blanks and quotes."""

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands

    def read(self, name: str) -> BootTask | None:
        """None where there is no such task."""
        found = self._schtasks("/query", "/xml", "/tn", f"\\{name}", writes=False)
        if found.exit_code == 0:
            return from_xml(found.stdout)
        # "Not found" and "denied" share one exit code, and the text is in the endpoint's language: the list decides.
        listed = self._schtasks("/query", "/fo", "csv", "/nh", writes=False)
        if listed.exit_code == 0 and f"\\{name}".lower() not in _names(listed.stdout):
            return None
        raise _failure(f"The task {name} cannot be read", found)

    def register(self, name: str, task: BootTask) -> None:
        """Creates the task or replaces it as a whole."""
        xml = to_xml(task)
        parameters: dict[str, Value] = {"Force": True, "TaskName": name, "TaskPath": "\\", "Xml": xml}
        try:
            self._session.invoke(_WMI_NAMESPACE, "PS_ScheduledTask", "RegisterByXml", parameters, writes=True)
        except _REFUSED as refusal:
            try:
                self._register_by_command(name, xml)
            except FileMissing as error:
                raise WindowsError(
                    f"The task {name} cannot be registered: {refusal}, and powershell.exe is missing", 0
                ) from error

    def _register_by_command(self, name: str, xml: str) -> None:
        script = (
            f"Register-ScheduledTask -Force -TaskName {literal(name)} -TaskPath '\\' -Xml {literal(xml)}"
            " -ErrorAction Stop"
        )
        result = self._commands.run(POWERSHELL, ["-NoProfile", "-NonInteractive", "-Command", script], writes=True)
        if result.exit_code != 0:
            raise _failure(f"The task {name} cannot be registered", result)

    def delete(self, name: str) -> None:
        result = self._schtasks("/delete", "/f", "/tn", f"\\{name}", writes=True)
        if result.exit_code != 0:
            raise _failure(f"The task {name} cannot be deleted", result)

    def _schtasks(self, *arguments: str, writes: bool) -> CommandResult:
        return self._commands.run("schtasks.exe", arguments, writes=writes)


def to_xml(task: BootTask) -> str:
    """The definition of a task that has a delay. No declaration: the text travels in somebody else's encoding."""
    if task.delay is None:
        raise ValueError("a task without a delay has no boot trigger")
    conditions = "".join(f"<{name}>{str(name in task.conditions).lower()}</{name}>" for name in _CONDITIONS)
    return (
        f'<Task version="1.2" xmlns="{_NAMESPACE}"><Triggers><BootTrigger><Enabled>true</Enabled>'
        f"<Delay>PT{int(task.delay.total_seconds())}S</Delay></BootTrigger></Triggers>"
        f'<Principals><Principal id="Owner"><UserId>{text_of(task.user)}</UserId>'
        "<RunLevel>HighestAvailable</RunLevel></Principal></Principals>"
        f"<Settings>{conditions}<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>"
        f"<ExecutionTimeLimit>PT1H</ExecutionTimeLimit><Enabled>{str(task.enabled).lower()}</Enabled></Settings>"
        f'<Actions Context="Owner"><Exec><Command>{text_of(task.program)}</Command>'
        f"<Arguments>{text_of(task.arguments)}</Arguments></Exec></Actions></Task>"
    )


def from_xml(text: str) -> BootTask:
    """Of what ``schtasks.exe /query /xml`` prints; raises ProtocolError where that is no task.

    The declaration says UTF-16 whatever the bytes are, so it is not believed.
    """
    start, end = text.find("<Task"), text.rfind("</Task>")
    if start < 0:
        text = text.replace("\0", "")
        start, end = text.find("<Task"), text.rfind("</Task>")
    if start < 0 or end < start:
        raise ProtocolError("schtasks.exe printed no task")
    root = parse(text[start : end + len("</Task>")].encode())
    triggers, actions = _children(root, "Triggers"), _children(root, "Actions")
    boot = next((trigger for trigger in triggers if local_name(trigger.tag) == "BootTrigger"), None)
    program = next((action for action in actions if local_name(action.tag) == "Exec"), None)
    rest = [element for element in (*triggers, *actions) if element is not boot and element is not program]
    bounds = [] if boot is None else [name for name in ("StartBoundary", "EndBoundary") if _text(boot, name)]
    user = _text(root, "Principals/Principal/UserId")
    return BootTask(
        program=_text(program, "Command"),
        arguments=_text(program, "Arguments"),
        delay=None if boot is None else _delay(_text(boot, "Delay") or "PT0S"),
        user=SYSTEM_SID if user.lower() in _SYSTEM_NAMES else user,
        enabled=_true(root, "Settings/Enabled", "true") and (boot is None or _true(boot, "Enabled", "true")),
        conditions=tuple(name for name, default in _CONDITIONS.items() if _true(root, f"Settings/{name}", default))
        + tuple(bounds),
        others=tuple(local_name(element.tag) for element in rest),
    )


def _children(root: Element, name: str) -> list[Element]:
    found = root.find(f"{{{_NAMESPACE}}}{name}")
    return [] if found is None else list(found)


def _text(element: Element | None, path: str) -> str:
    if element is None:
        return ""
    return (element.findtext("/".join(f"{{{_NAMESPACE}}}{step}" for step in path.split("/"))) or "").strip()


def _true(element: Element, path: str, default: str) -> bool:
    return (_text(element, path) or default).lower() in ("true", "1")


def _delay(text: str) -> dt.timedelta:
    try:
        return parse_interval(text)
    except ValueError:
        raise ProtocolError(f"the task's delay {text!r} is not a valid duration") from None


def _names(listing: str) -> set[str]:
    return {row[0].lower() for row in csv.reader(listing.splitlines()) if row}


def _failure(what: str, result: CommandResult) -> WindowsError:
    return WindowsError(f"{what}: code {result.exit_code}: {failure_text(result)}", result.exit_code)
