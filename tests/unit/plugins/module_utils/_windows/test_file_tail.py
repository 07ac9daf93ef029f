# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import gzip
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._windows import commands, file_tail
from ansible_collections.configmgr.client.plugins.module_utils._windows.errors import WindowsError
from ansible_collections.configmgr.client.plugins.module_utils._windows.file_tail import FileEnd
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ProtocolError
from ansible_collections.configmgr.client.plugins.module_utils._wsman.shell import CommandResult

SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
PATHS = [(r"C:\a.log", 100), (r"C:\b.log", 10)]
TRANSCRIPT = Path(__file__).parents[4] / "simulator/windows/programs/transcripts/newest_ends.yml"


def read_literal(script: str) -> tuple[str, str]:
    """The text of the literal that *script* begins with, and what follows, by about_Quoting_Rules."""
    assert script[0] in SINGLE_QUOTES
    text, at = "", 1
    while True:
        if script[at] in SINGLE_QUOTES:
            if at + 1 >= len(script) or script[at + 1] not in SINGLE_QUOTES:
                return text, script[at + 1 :]
            at += 1
        text += script[at]
        at += 1


@given(st.text(st.sampled_from(SINGLE_QUOTES + '"$`();a\\ ') | st.characters(), max_size=20))
@example("'); Remove-Item C:\\ -Recurse; ('")
@example("\u2019); exit 3; #")
def test_path_never_breaks_out_of_its_quotes(path: str) -> None:
    assert read_literal(commands.literal(path) + ", 1)") == (path, ", 1)")


class Programs:
    """Answers the one command; keeps what was asked."""

    def __init__(self, stdout: str, exit_code: int = 0, stderr: str = "") -> None:
        self.answer = CommandResult(exit_code, stdout, stderr)
        self.asked: dict[str, t.Any] = {}

    def run(self, program: str, arguments: list[str], *, writes: bool, max_output: int) -> CommandResult:
        assert not writes
        self.asked = {"program": program, "arguments": arguments, "max_output": max_output}
        return self.answer


def read(programs: Programs) -> list[FileEnd]:
    return file_tail.read(t.cast(t.Any, programs), PATHS)


def packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data)).decode()


def test_each_file_gets_its_answer() -> None:
    programs = Programs(f"1 FileNotFoundException\r\n0 5000 4900 {packed(b'x' * 100)}\r\n")
    assert read(programs) == [
        FileEnd(5000, 4900, b"x" * 100),
        FileEnd(problem="it does not exist any more"),
    ]
    assert programs.asked["program"] == r"WindowsPowerShell\v1.0\powershell.exe"
    assert programs.asked["arguments"][:-1] == ["-NoProfile", "-NonInteractive", "-Command"]
    assert '"' not in programs.asked["arguments"][-1]
    assert "\n" not in programs.asked["arguments"][-1]


def test_script_is_the_one_whose_output_the_simulated_endpoints_know() -> None:
    """They interpret nothing. Whoever changes the script says in the transcript what PowerShell prints then."""
    known = yaml.safe_load(TRANSCRIPT.read_text(encoding="utf-8"))["script"]
    asked = known.replace("<paths>", r"'C:\a.log', 'C:\b.log'").replace("<limits>", "100, 10")
    programs = Programs("0 0 0 \r\n1 0 0 \r\n")
    read(programs)
    assert programs.asked["arguments"][-1].split() == asked.split()


def test_empty_file() -> None:
    assert read(Programs(f"0 0 0 \r\n1 0 0 {packed(b'')}\r\n")) == [FileEnd(), FileEnd()]


@pytest.mark.parametrize(
    "stdout",
    [
        "",
        "0 1 0 \r\n",
        "0 1 0 \r\n1 1 0 %%%\r\n",
        f"0 1 0 \r\n1 11 0 {packed(b'x' * 11)}\r\n",
        f"0 1 0 \r\n1 9 0 {packed(b'x' * 10_000_000)}\r\n",
        f"0 1 0 \r\n1 9 0 {base64.b64encode(gzip.compress(b'x' * 9)[:-4]).decode()}\r\n",
        f"0 1 0 \r\n1 9 0 {base64.b64encode(b'no gzip').decode()}\r\n",
        "0 1 0 \r\n1 0 0 \r\n2 0 0 \r\n7 IOException\r\n",
    ],
    ids=["nothing", "one", "no base64", "too long", "bomb", "cut", "no gzip", "one too many"],
)
def test_answer_that_is_none_is_refused(stdout: str) -> None:
    with pytest.raises(ProtocolError):
        read(Programs(stdout))


@pytest.mark.parametrize(("code", "words"), [(87, "constrained language"), (1, "boom")])
def test_failure_says_why(code: int, words: str) -> None:
    with pytest.raises(WindowsError, match=words):
        read(Programs("", code, "boom\r\n at line 1"))
