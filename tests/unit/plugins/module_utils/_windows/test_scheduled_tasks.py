# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._windows import scheduled_tasks
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.scheduled_tasks import BootTask, ScheduledTasks
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult
from tests.unit import wire
from tests.unit.fakes import Wire

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
TASK = BootTask(r"C:\Windows\system32\cmd.exe", '/d /c a&&(b||c "d")', dt.timedelta(minutes=5))
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=30).map(str.strip)
TASKS = st.builds(
    BootTask,
    program=WORDS,
    arguments=WORDS,
    delay=st.integers(0, 10**6).map(lambda seconds: dt.timedelta(seconds=seconds)),
    enabled=st.booleans(),
    conditions=st.sampled_from([(), ("DisallowStartIfOnBatteries",), ("RunOnlyIfIdle", "RunOnlyIfNetworkAvailable")]),
)


@given(TASKS)
def test_what_is_written_is_what_is_read(task: BootTask) -> None:
    assert scheduled_tasks.from_xml(scheduled_tasks.to_xml(task)) == task


@pytest.mark.parametrize("wrap", ["{}", "\ufeff{}\r\r\n\r\r\n", '<?xml version="1.0" encoding="UTF-16"?>\r\n{}\r\n'])
def test_declaration_is_not_believed(wrap: str) -> None:
    text = wrap.format(scheduled_tasks.to_xml(TASK))
    assert scheduled_tasks.from_xml(text) == TASK
    assert scheduled_tasks.from_xml(text.encode("utf-16-le").decode(errors="replace")) == TASK


def xml(triggers: str, rest: str = "") -> str:
    return (
        f'<Task version="1.2" xmlns="{NAMESPACE}"><Triggers>{triggers}</Triggers>{rest}'
        "<Actions><Exec><Command>a.exe</Command></Exec></Actions></Task>"
    )


def test_what_xml_leaves_out_is_what_windows_takes() -> None:
    task = scheduled_tasks.from_xml(xml("<BootTrigger/>"))
    batteries = ("DisallowStartIfOnBatteries", "StopIfGoingOnBatteries")
    assert task == BootTask("a.exe", "", dt.timedelta(0), user="", conditions=batteries)


@pytest.mark.parametrize("name", ["S-1-5-18", "SYSTEM", r"NT AUTHORITY\SYSTEM"])
def test_system_has_three_names(name: str) -> None:
    principal = f"<Principals><Principal><UserId>{name}</UserId></Principal></Principals>"
    assert scheduled_tasks.from_xml(xml("<BootTrigger/>", principal)).user == "S-1-5-18"


@pytest.mark.parametrize(
    ("triggers", "difference"),
    [
        ("", {"delay": None}),
        ("<LogonTrigger/>", {"delay": None, "others": ("LogonTrigger",)}),
        ("<BootTrigger/><BootTrigger/>", {"others": ("BootTrigger",)}),
        ("<BootTrigger><Enabled>false</Enabled></BootTrigger>", {"enabled": False}),
    ],
)
def test_any_other_trigger_is_a_difference(triggers: str, difference: dict[str, t.Any]) -> None:
    usual = scheduled_tasks.from_xml(xml("<BootTrigger/>"))
    assert scheduled_tasks.from_xml(xml(triggers)) == dataclasses.replace(usual, **difference)


@pytest.mark.parametrize(
    "text", ["", "ERROR", "</Task><Task>", "<Task><Task></Task>", xml("<BootTrigger><Delay>x</Delay></BootTrigger>")]
)
def test_what_is_no_task_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ProtocolError):
        scheduled_tasks.from_xml(text)


class Programs:
    """Programs that give *answers* one by one; ``asked`` is what was run, and whether it was said to write."""

    def __init__(self, *answers: CommandResult) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, bool]] = []

    def run(self, program: str, arguments: t.Sequence[str], *, writes: bool) -> CommandResult:
        self.asked.append((" ".join([program, *arguments]), writes))
        return self.answers.pop(0)


def tasks(programs: Programs, wire_: Wire | None = None) -> ScheduledTasks:
    return ScheduledTasks((wire_ or Wire([])).writable(), t.cast(t.Any, programs))


NO = CommandResult(1, "", "FEHLER: Das System kann die angegebene Datei nicht finden.")


def test_task_that_no_list_names_is_absent() -> None:
    programs = Programs(NO, CommandResult(0, '"\\Theirs","N/A","Ready"\r\n', ""))
    assert tasks(programs).read("Ours") is None
    assert programs.asked == [
        (r"schtasks.exe /query /xml /tn \Ours", False),
        ("schtasks.exe /query /fo csv /nh", False),
    ]


@pytest.mark.parametrize("listing", [CommandResult(0, '"\\OURS","N/A","Ready"\r\n', ""), NO])
def test_task_that_cannot_be_read_is_not_taken_for_absent(listing: CommandResult) -> None:
    with pytest.raises(WindowsError, match="Ours cannot be read"):
        tasks(Programs(NO, listing)).read("Ours")


REFUSED = wire.wsman_fault(0x80338000, "a:DestinationUnreachable")
REGISTERED = wire.output("PS_ScheduledTask", "RegisterByXml", "", "root/Microsoft/Windows/TaskScheduler")


def test_task_is_registered_by_a_class_and_else_by_a_command_and_each_is_a_write() -> None:
    programs, windows = Programs(), Wire([REGISTERED])
    tasks(programs, windows).register("Ours", TASK)
    assert (windows.single, programs.asked) == ([True], [])
    programs, windows = Programs(CommandResult(0, "", "")), Wire([REFUSED])
    tasks(programs, windows).register("Ours", TASK)
    ((line, writes),) = programs.asked
    assert (windows.single, writes) == ([True], True)
    assert "Register-ScheduledTask -Force -TaskName 'Ours' -TaskPath '\\'" in line
    with pytest.raises(WindowsError, match="Ours cannot be registered: code 1"):
        tasks(Programs(NO), Wire([REFUSED])).register("Ours", TASK)


def test_deletion_is_a_write() -> None:
    programs = Programs(CommandResult(0, "", ""))
    tasks(programs).delete("Ours")
    assert programs.asked == [(r"schtasks.exe /delete /f /tn \Ours", True)]
    with pytest.raises(WindowsError, match="Ours cannot be deleted"):
        tasks(Programs(NO)).delete("Ours")
