# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides and the READMEs list is what the code has. Playbooks, commands and links have tests of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    RELEASED,
    RELEASED_BY_FORCE,
    Verdict,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import catalog
from ansible_collections.configmgr.client.plugins.module_utils._doctor.checks import ENDPOINT, SITE

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs/docsite/rst"
ROLES = sorted(path.parent for path in (ROOT / "roles").glob("*/README.md"))


def text_of(guide: str) -> str:
    return (GUIDES / f"guide_{guide}.rst").read_text(encoding="utf-8")


def table(guide: str, head: str) -> list[list[str]]:
    """The rows below the one that begins with *head*, without the marks of literals."""
    block = text_of(guide).partition(f"\n   {head} | ")[2].partition("\n\n")[0]
    return [[cell.strip(" `") for cell in line.split("|")] for line in block.splitlines()[1:]]


def test_verdicts() -> None:
    assert {verdict: released.startswith("yes") for verdict, _, released in table("verdicts", "verdict")} == {
        each.value: each in RELEASED for each in Verdict
    }
    assert {verdict for verdict, _, released in table("verdicts", "verdict") if "force" in released} == {
        each.value for each in RELEASED_BY_FORCE
    }


def test_checks_of_the_doctor() -> None:
    assert [check for check, *_ in table("doctor", "check")] == list(ENDPOINT)
    assert [check for check, *_ in table("doctor", "check of a site")] == list(SITE)
    example = text_of("doctor").partition("methods: wmi.\n")[2].partition("\n\n")[0].replace(" to ", "\n")
    assert [line.split()[0] for line in example.splitlines()] == list(ENDPOINT)


def test_schedules() -> None:
    assert table("releasing", "NNN") == [
        [f"{each.number:03d}", each.name, each.title, "" if each.in_mode == catalog.UNKNOWN else each.in_mode]
        for each in catalog.TABLE
    ]
    assert ", ".join(f"``{name}``" for name in catalog.AFTER_EXIT) in text_of("releasing")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_options_of_a_role(role: Path) -> None:
    """In the README as in the specification: each one, its default, and what it can be."""
    specification = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    entries = specification["argument_specs"]
    options = {**entries["main"]["options"]}
    for entry in ("sweep", "site"):
        more = entries.get(entry, {}).get("options", {})
        options.update({name: option for name, option in more.items() if _is_of_site(name)})
    options.update(entries.get("wave", {}).get("options", {}))
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", (role / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert list(rows) == list(options)
    for name, option in options.items():
        default, _, meaning = rows[name].partition("|")
        value = option.get("default", "")
        assert isinstance(value, (list, dict)) or "default" not in option or default.strip(" `") == _spelled(value), (
            name
        )
        assert [choice for choice in option.get("choices", []) if f"`{choice}`" not in meaning] == [], name


def _is_of_site(option: str) -> bool:
    return "site" in option.split("_")


def _spelled(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("role", ["survey", "remediate"])
def test_options_of_a_sweep(role: str) -> None:
    entries = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]
    sweep = entries["sweep"]["options"]
    more = [name for name in sweep if name not in entries["main"]["options"] and not _is_of_site(name)]
    page = (ROOT / f"roles/{role}/README.md").read_text(encoding="utf-8")
    assert re.findall(r"^- `(\w+)`: ", page, re.MULTILINE) == more
    for name, option in sweep.items():
        assert option == entries["main"]["options"].get(name, option)


@pytest.mark.parametrize(("head", "files"), [("module", "plugins/modules/[!_]*.py"), ("playbook", "playbooks/*.yml")])
def test_what_is_in_it(head: str, files: str) -> None:
    rows = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"| {head} | does |\n")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| \[?`(\w+)`", rows, re.MULTILINE)) == sorted(path.stem for path in ROOT.glob(files))


def test_layers_of_a_failure() -> None:
    layers = {layer for layer, *_ in table("troubleshooting", "layer")}
    sources = [path.read_text() for path in (ROOT / "plugins").rglob("*.py") if path.name != "_advice.py"]
    said = {layer for text in sources for layer in re.findall(r'layer(?: = |\()"(\w+)"', text)}
    assert layers >= said - {"wsman"}  # the base of all, never raised
    assert layers <= said | {"dns", "port", "proxy", "tls", "http", "site"}


def test_the_ladder_of_verdicts() -> None:
    ladder = text_of("verdicts").partition("the first that holds counts:")[2].partition('"Never"')[0]
    said = set(re.findall(r"[a-z]+(?:_[a-z]+)*", ladder))
    assert {each.value for each in Verdict} <= said
    for line in ladder.splitlines():
        verdicts = {each for each in Verdict if re.search(rf"► {each.value}\b", line)}
        if verdicts:
            assert ("── released" in line) == (verdicts <= RELEASED), line
