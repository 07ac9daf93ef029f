# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ntpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.module_utils._client.logs import locations

SYSTEM32 = r"C:\Windows\system32"
ALLOWED = (
    r"c:\windows\ccm\logs", r"c:\windows\ccm\logs\smstslog", r"c:\_smstasksequence\logs",
    r"c:\_smstasksequence\logs\smstslog", r"c:\windows\ccmsetup\logs", r"c:\windows\panther",
    r"c:\windows\panther\unattendgc",
)  # fmt: skip
PIECES = st.lists(
    st.sampled_from(
        [
            *"\\/.: *?",
            "..",
            "C:",
            "c:\\",
            "Windows",
            "CCM\\Logs",
            "\\Panther",
            "a.log",
            "x",
            ".lo_",
            "\\\\",
            "\0",
            "~1",
            "'",
        ]
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize("folder", ALLOWED)
@pytest.mark.parametrize("name", ["a.log", "A-20261102-080000.LOG", "a.lo_", "it's.log", "a b.log"])
def test_logs_of_the_client_and_of_setup_may_be_read(folder: str, name: str) -> None:
    assert locations.path_problem(f"{folder}\\{name}") is None
    assert locations.path_problem(f"{folder.upper()}\\{name}") is None


@given(st.sampled_from(ALLOWED), PIECES)
@example(ALLOWED[0], "\\..\\..\\..\\secret.log")
@example(ALLOWED[0], "\\.. \\.. \\a.log")
@example(ALLOWED[0], "\\x.log:stream.log")
def test_nothing_else_is(folder: str, rest: str) -> None:
    path = folder + rest
    if locations.path_problem(path) is None:
        # What Windows would make of it: no parent, no device, no stream; blanks and dots at the end are dropped.
        parts = path[3:].split("\\")
        assert all(part and part == part.rstrip(" .") for part in parts)
        assert not set('/:*?"<>|\0') & set(path[2:])
        assert ntpath.dirname(ntpath.normpath(path)).lower() in ALLOWED
        assert path.lower().endswith((".log", ".lo_"))


@pytest.mark.parametrize(
    "path",
    [
        "", "a.log", r"\Windows\CCM\Logs\a.log", r"\\server\CCM\Logs\a.log", r"\\?\C:\Windows\CCM\Logs\a.log",
        r"C:a.log", r"C:\a.log", r"C:\Windows\CCM\a.log", r"C:\Windows\CCM\Logs\deeper\a.log", r"C:\Windows\CCM\Logs\a",
        r"C:\Users\x\Windows\Panther\a.log", "C:/Windows/CCM/Logs/a.log", r"C:\Windows\CCM\Logs\*.log",
        r"C:\Windows\notccm\Logs\a.log", r"C:\Windows\CCM\Logs\.log",
    ],
)  # fmt: skip
def test_message_names_option_value_and_fix(path: str) -> None:
    problem = locations.path_problem(path)
    assert problem is not None
    assert problem.startswith(f"path={path} ")
    assert "give the full path" in problem


@pytest.mark.parametrize("name", [*locations.SETS, "CcmExec.log", "smsts.log", "ccmsetup.log", "a b.log", "x.lo_"])
def test_names(name: str) -> None:
    where = locations.folders(None, SYSTEM32)
    assert locations.name_problem(name) is None
    for path in locations.paths(name, where):
        assert locations.path_problem(path) is None
    assert len(set(locations.paths(name, where))) == len(locations.paths(name, where))


@pytest.mark.parametrize(
    "name", ["", "everything", "CcmExec", "..\\a.log", "a/b.log", "*.log", "a..log", "C:a.log", ".log"]
)
def test_name_is_a_file_name(name: str) -> None:
    assert "name=" in str(locations.name_problem(name))


def test_folder_is_the_registrys() -> None:
    assert locations.paths("App.log", locations.folders("D:\\Logs\\", SYSTEM32)) == [r"D:\Logs\App.log"]
    assert locations.paths("App.log", locations.folders(None, r"E:\WINNT\system32")) == [r"E:\WINNT\CCM\Logs\App.log"]


@pytest.mark.parametrize("folder", [r"\\server\logs", "logs", r"C:\a\..\b", r"C:\*"])
def test_folder_elsewhere_is_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="LogDirectory"):
        locations.folders(folder, SYSTEM32)


def test_generations() -> None:
    own = ["app.log", "app-20261102-080000.log", "App.lo_"]
    others = [
        "apple.log",
        "app-2026.log",
        "app.log.bak",
        "app-20261102-080000.lo_",
        "xapp.log",
        "app-1-20261102-080000.log",
    ]
    assert locations.generations(r"C:\Windows\CCM\Logs\App.log", [*own, *others]) == own


@given(st.lists(st.integers(0, 5000), max_size=6), st.integers(1024, 9000))
def test_generations_share_one_bound(sizes: list[int], max_bytes: int) -> None:
    shares = locations.shares(sizes, max_bytes)
    assert len(shares) == len(sizes)
    assert shares[:1] in ([], [max_bytes])
    assert sum(min(size, share) for size, share in zip(sizes, shares, strict=True)) == min(max_bytes, sum(sizes))
