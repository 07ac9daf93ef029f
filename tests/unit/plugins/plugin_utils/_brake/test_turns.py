# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.configmgr.client.plugins.plugin_utils._brake.turns import take_turn


def test_each_wave_knows_those_before_it_in_their_order(tmp_path: Path) -> None:
    waves = [["pc-3"], ["pc-1", "pc-2"], [], ["pc-0"]]
    found = [take_turn(str(tmp_path), "released", wave) for wave in waves]
    assert found == [[], ["pc-3"], ["pc-3", "pc-1", "pc-2"], ["pc-3", "pc-1", "pc-2"]]


def test_each_variable_has_waves_of_its_own_whatever_its_name(tmp_path: Path) -> None:
    for variable in ("released", "released2", "../a/b", "x" * 300):
        assert take_turn(str(tmp_path), variable, ["pc-1"]) == []


def test_nobody_has_a_second_turn(tmp_path: Path) -> None:
    take_turn(str(tmp_path), "released", ["pc-1"])
    with pytest.raises(ValueError, match="variable=released: pc-1 had its turn in this run already"):
        take_turn(str(tmp_path), "released", ["pc-2", "pc-1"])
    assert take_turn(str(tmp_path), "released", ["pc-3"]) == ["pc-1"]
