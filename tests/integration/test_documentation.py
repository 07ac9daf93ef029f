# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-doc shows every option, and what the documentation tells people to type exists."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.integration.harness import EVERY_MODULE, FQCN, ROOT, Lab, argument_spec

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "roles").glob("*/README.md"))]


@pytest.fixture(scope="module")
def documents(lab: Lab) -> dict[str, Any]:
    run = lab.ansible("ansible-doc", "--json", "-t", "module", *(f"{FQCN}.{module}" for module in EVERY_MODULE))
    assert run.rc == 0, run.output
    found: dict[str, Any] = json.loads(run.output[run.output.index("{") :])
    return found


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_every_option_is_documented_as_it_is(documents: dict[str, Any], module: str) -> None:
    _compare(documents[f"{FQCN}.{module}"]["doc"]["options"], argument_spec(module))


def _compare(documented: dict[str, Any], spec: dict[str, Any]) -> None:
    assert sorted(documented) == sorted(spec)
    for name, option in spec.items():
        for key, default in (("type", "str"), ("default", None), ("choices", None), ("elements", None)):
            assert documented[name].get(key) == option.get(key, default), (name, key)
        assert bool(documented[name].get("required")) == bool(option.get("required")), name
        assert documented[name]["description"], name
        if "options" in option:
            _compare(documented[name]["suboptions"], option["options"])


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_examples_and_results_are_documented(documents: dict[str, Any], module: str) -> None:
    document = documents[f"{FQCN}.{module}"]
    assert f"{FQCN}.{module}" in document["examples"]
    assert document["return"]
    assert document["doc"]["has_action"] is True


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_a_person_can_read_it(lab: Lab, module: str) -> None:
    run = lab.ansible("ansible-doc", f"{FQCN}.{module}")
    assert run.rc == 0
    assert "EXAMPLES" in run.output and all(option in run.output for option in argument_spec(module))


def _commands() -> list[str]:
    pattern = re.compile(r"^(?:\$ )?(ansible(?:-playbook|-doc|-galaxy)? .*?)(?: +#.*)?$", re.MULTILINE)
    return sorted({command for page in PAGES for command in pattern.findall(page.read_text(encoding="utf-8"))})


def test_the_pages_have_commands() -> None:
    assert len(_commands()) >= 4


@pytest.mark.parametrize(
    "playbook", ["survey", "remediate", "prepare", "restore", "finish_osd", "change_window", "doctor"]
)
def test_playbooks_resolve_by_name(lab: Lab, playbook: str) -> None:
    name = lab.add({"one": {}})["one"]
    inventory = lab.inventory({name: lab.host_vars(name)})
    for option in ("--syntax-check", "--list-hosts"):
        run = lab.ansible("ansible-playbook", "-i", inventory, f"{FQCN}.{playbook}", option)
        assert run.rc == 0, run.output
    assert name in run.output
    assert lab.simulator.traffic(name)["connections"] == 0


@pytest.mark.parametrize("command", [each for each in _commands() if "galaxy" not in each])
def test_commands_of_the_pages_run(lab: Lab, command: str) -> None:
    """Word for word, against a fleet in which each host that they name exists."""
    hosts = re.findall(r"\b(?:PC|LAP|WS)-?\d+\b", command) or ["PC-1"]
    name = lab.add({"one": {"profile": "stuck"}})["one"]
    variables = lab.host_vars(name)
    inventory = dict.fromkeys(hosts, variables)
    words = [word.strip("'\"") for word in command.split()]
    place = words.index("-i") if "-i" in words else None
    path = str(lab.inventory(inventory))
    if place is None:
        words[1:1] = ["-i", path]
    else:
        words[place + 1] = path
    if "playbook.yml" in words:  # the reader's own: what the page has pasted into it
        page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
        pasted = page.partition("```yaml\n")[2].partition("```")[0]
        (lab.directory / "playbook.yml").write_text(re.sub("hosts: .*", "hosts: windows", pasted), encoding="utf-8")
    run = lab.ansible(*words, "-e", "configmgr_client_hosts=windows") if "playbook" in words[0] else lab.ansible(*words)
    assert "couldn't resolve" not in run.output and "could not be found" not in run.output
    assert "unrecognized arguments" not in run.output and "usage:" not in run.output
    assert run.events or run.rc == 0, run.output
