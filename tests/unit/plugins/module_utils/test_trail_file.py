# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.configmgr.client.plugins.module_utils import _trail_file
from ansible_collections.configmgr.client.plugins.module_utils._client.errors import TrailBroken
from ansible_collections.configmgr.client.plugins.module_utils._trail_file import opened

PROCESSES, LINES = 6, 40
_WRITER = """
import sys
from ansible_collections.configmgr.client.plugins.module_utils._trail_file import opened
with opened(sys.argv[1], {"run": sys.argv[2]}) as keep:
    for number in range(int(sys.argv[3])):
        keep({"number": number, "text": "x" * 9000})
"""


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_many_processes_append_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    command = [sys.executable, "-c", _WRITER, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = [subprocess.Popen([*command, str(each), str(LINES)], env=environment) for each in range(PROCESSES)]
    assert [writer.wait(60) for writer in writers] == [0] * PROCESSES
    found = lines(path)
    assert len(found) == PROCESSES * LINES
    for each in range(PROCESSES):
        assert [line["number"] for line in found if line["run"] == str(each)] == list(range(LINES))


def test_a_file_is_made_for_its_owner_and_an_old_one_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in (1, 2):
        with opened(str(path), {"run": "r"}) as keep:
            keep({"number": number})
    assert lines(path) == [{"run": "r", "number": 1}, {"run": "r", "number": 2}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_was_cut_off_takes_no_other_along(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"event": "beg', encoding="utf-8")
    with opened(str(path), {}) as keep:
        keep({"number": 1})
    assert path.read_text(encoding="utf-8") == '{"event": "beg\n{"number": 1}\n'


def test_what_cannot_be_a_trail_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path, why in {
        "": "No such file or directory",
        str(tmp_path): "Is a directory",
        f"{tmp_path}/none/audit.jsonl": "No such file or directory",
        f"{tmp_path}/file/audit.jsonl": "Not a directory",
        f"{tmp_path}/pipe": "Not a regular file",
        f"{tmp_path}/loop": "Too many levels of symbolic links",
        "/dev/full": "Not a regular file",
    }.items():
        sentence = f"audit_path={path} cannot be opened ({why}), and without it nothing is sent: give a file"
        with pytest.raises(TrailBroken, match=f"^{re.escape(sentence)}"), opened(path, {}):
            pass


@pytest.mark.parametrize("function", ["write", "fsync", "pread"])
def test_a_record_that_is_not_on_the_disk_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "audit.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    with opened(str(path), {}) as keep:
        with monkeypatch.context() as patch:
            patch.setattr(_trail_file.os, function, full)
            with pytest.raises(TrailBroken, match=re.escape(f"audit_path={path} cannot be written (No space left")):
                keep({"number": 1})
        with path.open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody would wait for us
        keep({"number": 2})
    assert lines(path)[-1] == {"number": 2}


def test_a_record_of_which_only_a_part_finds_room_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "audit.jsonl", os.write
    with opened(str(path), {}) as keep:
        monkeypatch.setattr(_trail_file.os, "write", lambda file, line: write(file, line[:5]))
        with pytest.raises(TrailBroken, match="No space left"):
            keep({"number": 1})
    monkeypatch.undo()
    with opened(str(path), {}) as keep:
        keep({"number": 2})
    assert path.read_text(encoding="utf-8").splitlines() == ['{"num', '{"number": 2}']


def test_it_is_flushed_before_it_counts_as_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.jsonl"
    flushed: list[str] = []
    fsync = os.fsync

    def noting(file: int) -> None:
        fsync(file)
        flushed.append(path.read_text(encoding="utf-8"))

    monkeypatch.setattr(_trail_file.os, "fsync", noting)
    with opened(str(path), {}) as keep:
        keep({"number": 1})
        assert flushed == ['{"number": 1}\n']
