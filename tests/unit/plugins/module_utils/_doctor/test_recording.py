# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from ansible_collections.configmgr.client.plugins.module_utils._doctor import recording
from ansible_collections.configmgr.client.plugins.module_utils._doctor.examination import Examination, Target
from ansible_collections.configmgr.client.plugins.module_utils._doctor.recorder import Exchange
from ansible_collections.configmgr.client.plugins.module_utils._wsman.deadline import Deadline
from ansible_collections.configmgr.client.plugins.module_utils._wsman.errors import ConnectionLost
from tests.unit import wire

ROOT = Path(__file__).parents[5]


def examination(*exchanges: Exchange) -> Examination:
    made = Examination(Target("", None), "PC-0001", Deadline(60), lambda line: None)
    made.recorder.exchanges += exchanges
    return made


def test_it_says_of_which_version_it_is() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == recording.COLLECTION_VERSION


def test_it_holds_what_was_said() -> None:
    request = wire.envelope("<s:Text>PC-0001</s:Text>")
    made = recording.compose(
        examination(
            Exchange("rights", request, request),
            Exchange("client", request, b"PC-0001 is no XML"),
            Exchange("name", request, None, ConnectionLost("PC-0001 hung up")),
        )
    )
    first, second, third = made["exchanges"]
    assert (first["check"], first["error"]) == ("rights", None)
    assert first["request"] == first["reply"] != ""
    assert second["reply"] == "17 bytes that are no plain XML"
    assert (third["reply"], third["error"]) == (None, "ConnectionLost (connection)")
    assert "PC-0001" not in json.dumps(made)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text("what was there before, and longer than what comes")
    path.chmod(0o644)
    recording.write(str(path), {"format": 1})
    assert json.loads(path.read_text()) == {"format": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        recording.write(str(path), {"format": object()})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    assert recording.problem(str(tmp_path / "1.json")) is None
    for bad, words in (("none/1.json", "does not exist"), ("", "is a directory")):
        said = recording.problem(str(tmp_path / bad))
        assert said is not None
        assert said.startswith(f"record_to={tmp_path / bad}") and words in said
