# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that nothing here can run: what can be told of them by reading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from ansible_collections.configmgr.client.plugins.module_utils._client import constants, programs
from ansible_collections.configmgr.client.plugins.module_utils._site import own_scripts
from ansible_collections.configmgr.client.plugins.module_utils._site.own_scripts import LEAVE_MODE, READ_MODE, SCRIPTS

FOLDER = Path(own_scripts.__file__).with_name("scripts")
TEXTS = {name: (FOLDER / f"{name}.ps1").read_text(encoding="utf-8") for name in SCRIPTS}
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def nodes(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [node, *(below for child in node.children for below in nodes(child))]


def commands(text: str) -> set[str]:
    """What is called, cmdlets and programs, by name."""
    found = [node for node in nodes(PARSER.parse(text.encode()).root_node) if node.type == "command_name"]
    return {node.text.decode() for node in found if node.text}


def guard() -> str:
    """The part of leave_mode that is also put on a command line."""
    return TEXTS["leave_mode"].partition("$guard = {")[2].partition("\n}\n")[0]


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_powershell(name: str) -> None:
    tree = PARSER.parse(TEXTS[name].encode())
    assert not [node.start_point for node in nodes(tree.root_node) if node.type == "ERROR" or node.is_missing]
    assert TEXTS[name].isascii()
    assert TEXTS[name].splitlines()[0] == f"# {SCRIPTS[name].name}"


READING = {
    *("ConvertFrom-Json", "ConvertTo-Json", "ForEach-Object", "Get-CimInstance", "Get-ItemProperty", "New-Object"),
    *("Select-Object", "Test-Path", "Where-Object"),
}


def test_reading_calls_what_only_reads() -> None:
    own = set(re.findall(r"^function ([\w-]+)", TEXTS["read_mode"], re.MULTILINE))
    assert commands(TEXTS["read_mode"]) - own <= READING


def test_leaving_calls_one_method_and_starts_one_process() -> None:
    assert commands(TEXTS["leave_mode"]) - READING == {"Invoke-CimMethod"}
    assert re.findall(r"-MethodName (\w+)", TEXTS["leave_mode"]) == ["SetClientProvisioningMode", "Create"]
    assert "bEnable = $false" in TEXTS["leave_mode"]


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_fetched_hidden_or_written(name: str) -> None:
    code = "\n".join(line for line in TEXTS[name].lower().splitlines() if not line.startswith("#"))
    for word in ("http", "encodedcommand", "frombase64", "invoke-expression", "iex", "set-item", "new-item", "remove-"):
        assert word not in code


def test_what_is_put_on_a_command_line_survives_it() -> None:
    """It stands there between double quotes, and goes through a format string as a value."""
    text = guard()
    assert '"' not in text and "`" not in text
    assert len(text) < 16_000  # of the 32,767 characters that CreateProcess takes
    line = next(line for line in TEXTS["leave_mode"].splitlines() if " -f $guard" in line)
    assert line.count("{{") - line.count("}}") == 0 and line.count("{0}") == 1
    # Its own command line must not look like an upgrade's to whoever looks at processes meanwhile.
    assert "smstspostupgrade" not in text.lower()


def test_both_look_at_the_processes_that_are_looked_at_over_winrm() -> None:
    condition = programs.where(())
    assert f"@'\n{condition}\n'@" in TEXTS["read_mode"]
    quoted = condition.replace("'", "''")
    assert f"-Filter '{quoted}'" in TEXTS["leave_mode"]


def test_of_command_lines_all_that_makes_a_difference_is_told() -> None:
    telling = re.search(r"^\$telling = '(.*)'$", TEXTS["read_mode"], re.MULTILINE)
    assert telling
    switches = programs.SETUP_SWITCH.pattern.replace('\\"', '"')
    assert telling[1] == f"smstspostupgrade|provisionts|{switches}"


@pytest.mark.parametrize("name", TEXTS)
def test_both_look_where_winrm_does(name: str) -> None:
    for key in (
        constants.CCMEXEC_KEY,
        constants.SETUP_KEY,
        constants.WINPE_KEY,
        constants.AUDIT_KEY,
        constants.AUTOPILOT_KEY,
        constants.HOLD_KEY,
    ):
        assert f"HKLM:\\{key}'" in TEXTS[name]
    for value in (
        *(constants.MODE, constants.EXCLUDES, constants.ENTERED, constants.AUDIT, constants.AUTOPILOT_DONE),
        *(*constants.SETUP_REQUIRED, *constants.SETUP_LIVE, *constants.SETUP_ARMED),
        *(constants.AGENT_SERVICE, constants.PROOF_SERVICE),
    ):
        assert value in TEXTS[name], value


def test_a_script_that_changes_is_another_script() -> None:
    assert READ_MODE.guid != LEAVE_MODE.guid and len(READ_MODE.hash) == 64
    assert READ_MODE.stored[:2] == b"\xff\xfe" and READ_MODE.stored.decode("utf-16").count("\r\n") > 20
    assert READ_MODE.hash == READ_MODE.hash.upper()
