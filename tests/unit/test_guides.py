# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the guides list what the code has. Playbooks, commands and links have tests of their own."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.configmgr.client.plugins.module_utils._client.mode.verdict import (
    RELEASED,
    RELEASED_BY_FORCE,
    Verdict,
)
from ansible_collections.configmgr.client.plugins.module_utils._client.schedules import catalog
from ansible_collections.configmgr.client.plugins.module_utils._doctor.checks import ORDER

GUIDES = Path(__file__).parents[2] / "docs/docsite/rst"


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
    assert [check for check, *_ in table("doctor", "check")] == list(ORDER)
    example = text_of("doctor").partition("methods: wmi.\n")[2].partition("\n\n")[0].replace(" to ", "\n")
    assert [line.split()[0] for line in example.splitlines()] == list(ORDER)


def test_schedules() -> None:
    assert table("releasing", "NNN") == [
        [f"{each.number:03d}", each.name, each.title, "" if each.in_mode == catalog.UNKNOWN else each.in_mode]
        for each in catalog.TABLE
    ]
    assert ", ".join(f"``{name}``" for name in catalog.AFTER_EXIT) in text_of("releasing")
