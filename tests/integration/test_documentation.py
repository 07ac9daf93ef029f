# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-doc shows every option, and what the documentation tells people to type exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import EVERY_MODULE, FQCN, ROOT, Lab, argument_spec

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = ROOT / "docs/docsite/rst"
PAGES = [*sorted(GUIDES.glob("*.rst")), *sorted((ROOT / "roles").glob("*/README.md"))]


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


def test_a_person_can_read_it(lab: Lab) -> None:
    run = lab.ansible("ansible-doc", *(f"{FQCN}.{module}" for module in EVERY_MODULE))
    assert run.rc == 0
    pages = re.split(r"^> ", run.output, flags=re.MULTILINE)[1:]
    assert len(pages) == len(EVERY_MODULE)
    for module, page in zip(EVERY_MODULE, pages, strict=True):
        title = page.removeprefix("MODULE ").lower()  # which versions of ansible-core spell in their own ways
        assert title.startswith(f"{FQCN}.{module} ") and "EXAMPLES" in page
        assert [option for option in argument_spec(module) if option not in page] == []


COMMAND = re.compile(r"^ *(?:\$ )?(ansible(?:-playbook|-doc|-galaxy)? .*?)(?: +#.*)?$", re.MULTILINE)
ALL_COMMANDS = {command for page in PAGES for command in COMMAND.findall(page.read_text(encoding="utf-8"))}
COMMANDS = sorted(command for command in ALL_COMMANDS if command != "ansible-galaxy collection build --force")
"""The other one is the README's, which has a test of its own."""


ELSEWHERE = {
    "ansible-rulebook ": "test_eda.py runs it",
    "make ": "this is one of them, or CI runs it",
    "pip install ansible-core -r requirements.txt": "test_execution_environment.py runs what it installs",
    "python3 -m venv": "the same",
    ". ~/": "the same",
    "ansible-builder ": "its context is made by test_execution_environment.py; an image takes a container engine",
    "podman ": "takes a container engine",
    "apt ": "changes the machine",
    "pip install 'pywinrm[kerberos]'": "compiles for minutes; CI installs the same for the tests of Kerberos",
    "jq ": "not on every machine",
    "export ": "of the shell",
    "read ": "of the shell",
    "mkdir ": "of the shell",
}


def test_every_command_that_is_shown_is_run_by_a_test_or_said_not_to_be() -> None:
    shown: set[str] = set()
    for page in [*PAGES, ROOT / "README.md"]:
        text = page.read_text(encoding="utf-8")
        shown.update(re.findall(r"^   \$ (.*?)(?: +#.*)?$", text, re.MULTILINE))
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
            shown.update(re.sub(r" +#.*", "", line) for line in block.splitlines() if line)
    other = {line for line in shown if not COMMAND.fullmatch(line)}
    assert {line for line in other if not line.startswith(tuple(ELSEWHERE))} == set()
    assert {start for start in ELSEWHERE if not any(line.startswith(start) for line in other)} == set()


def test_the_pages_have_commands() -> None:
    assert len(COMMANDS) >= 10
    assert len(COMMAND.findall(README)) >= 7


@pytest.mark.parametrize(
    "playbook", ["survey", "remediate", "prepare", "restore", "finish_osd", "change_window", "doctor"]
)
def test_playbooks_resolve_by_name(lab: Lab, playbook: str) -> None:
    name = lab.add({"one": {}})["one"]
    inventory = lab.inventory({name: lab.host_vars(name)})
    run = lab.ansible("ansible-playbook", "-i", inventory, f"{FQCN}.{playbook}", "--list-hosts", "--list-tasks")
    assert run.rc == 0 and name in run.output, run.output
    assert lab.simulator.traffic(name)["connections"] == 0


@pytest.mark.parametrize("command", COMMANDS)
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
        page = (GUIDES / "guide_releasing.rst").read_text(encoding="utf-8")
        pasted = re.search(r"code-block:: yaml\n\n((?:   .*\n|\n)+)", page)
        assert pasted is not None
        (lab.directory / "playbook.yml").write_text(
            re.sub("hosts: .*", "hosts: windows", textwrap.dedent(pasted[1])), encoding="utf-8"
        )
    for name in re.findall(r"@(\w+\.yml)", command):  # as the page shows it, with no site to ask
        pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
        shown = re.search(rf"with ``{name}``:\n\n.. code-block:: yaml\n\n((?:   .*\n|\n)+)", pages)
        assert shown is not None
        content = textwrap.dedent(shown[1]).replace("cm01.corp.example", "127.0.0.1")
        (lab.directory / name).write_text(content, encoding="utf-8")
    run = lab.ansible(*words, "-e", "configmgr_client_hosts=windows") if "playbook" in words[0] else lab.ansible(*words)
    assert "couldn't resolve" not in run.output and "could not be found" not in run.output
    assert "unrecognized arguments" not in run.output and "usage:" not in run.output
    assert run.events or run.rc == 0, run.output


# -- the README, line by line ------------------------------------------------------------------------------------------


def test_the_readme_installs_what_a_checkout_holds(tmp_path: Path) -> None:
    """In an empty environment, without what make leaves in a checkout."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    lines = [line for line in COMMAND.findall(README) if line.startswith("ansible-galaxy")]
    assert [line.split()[2] for line in lines] == ["build", "install"]
    for line in lines:
        program, *words = line.split()
        subprocess.run(
            [Path(sys.executable).with_name(program), *words],
            cwd=checkout,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            check=True,
            capture_output=True,
        )
    assert (tmp_path / ".ansible/collections/ansible_collections/configmgr/client/MANIFEST.json").is_file()


def test_the_readme_leads_from_its_inventory_to_a_released_client(lab: Lab) -> None:
    name = "PC-1102"
    lab.simulator.add({"name": name, "address": lab.address()[1], "profile": "stuck"})
    found = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    (lab.directory / "inventory.yml").write_text(found[1], encoding="utf-8")
    variables = lab.host_vars(name)
    password = variables.pop("ansible_password")
    # Its address, port and account are the simulator's; all else is as pasted.
    given = ["-e", json.dumps({key: variables[key] for key in ("ansible_host", "ansible_port", "ansible_user")})]
    lines = [line for line in COMMAND.findall(README) if "-i inventory.yml" in line]
    assert [re.sub(r".*configmgr\.client\.(\w+).*", r"\1", line) for line in lines] == [
        "provisioning_mode_info",
        "doctor",
        "survey",
        *["remediate"] * 3,
    ]
    for line in lines:
        run = lab.ansible(*line.split(), *given, env={"WINDOWS_PASSWORD": password})
        assert run.rc == 0, run.output
    assert lab.simulator.endpoint(name)["mode"] == "normal"
    report = json.loads((lab.directory / "survey.json").read_text(encoding="utf-8"))
    assert report["hosts"][name]["verdict"] == "stuck", "where the user is, and of the time before the release"
