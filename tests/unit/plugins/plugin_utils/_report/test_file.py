# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from ansible_collections.configmgr.client.plugins.plugin_utils._report import file


def test_disk_that_is_full_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    old = tmp_path / "report.json"
    file.write(old, "1\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(file.PathProblem, match=f"{old}: No space left on device"):
        file.write(old, "2\n")
    assert old.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [old]


def test_relative_path_is_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert file.destination("report.json", "name") == tmp_path / "report.json"
    assert file.destination(".", "name") == file.destination("./", "name") == tmp_path / "name"
    with pytest.raises(file.PathProblem, match=r"^path=none/: the directory .*/none does not exist"):
        file.destination("none/", "name")
