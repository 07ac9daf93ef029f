# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page, an option or a comment refers to is there. The links into the web are not asked."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
PAGES = [page for pattern in ("*.md", "roles/*/*.md", "tests/**/*.md") for page in sorted(ROOT.glob(pattern))]
SOURCES = [
    path
    for top in ("plugins", "roles", "playbooks", "meta", "tests", "changelogs", "extensions")
    for path in sorted((ROOT / top).rglob("*"))
    if path.suffix in {".py", ".yml"} and path != Path(__file__)
]
LABELS = "ansible_collections.configmgr.client.docsite."


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def labels_of(guide: Path) -> list[str]:
    return re.findall(r"^\.\. _(\S+):$", text_of(guide), re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Those that GitHub gives to the headings."""
    pattern = r"^(.+)\n(?:={3,}|-{3,}|\^{3,})$" if page.suffix == ".rst" else r"^#+ (.+)$"
    titles = re.findall(pattern, text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_there_are_pages_and_guides() -> None:
    assert {"README.md", "CONTRIBUTING.md", "roles/survey/README.md"} <= set(map(name_of, PAGES))
    assert len(GUIDES) >= 9


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"https?://", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_references_of_a_guide_lead_somewhere(guide: Path) -> None:
    text = text_of(guide)
    assert {word for word in re.findall(r":(?:ref|doc):`[^`]*`", text) if not word.startswith(":ref:")} == set()
    bare = [word for word in re.findall(r":ref:`([^`]*)`", text) if not re.search(r"\s<\S+>$", word)]
    assert bare == [], "a label without words of its own"
    known = {label for each in GUIDES for label in labels_of(each)}
    assert set(re.findall(r":ref:`[^`]*<(\S+)>`", text)) <= known


def test_labels_of_the_guides_are_unique_and_say_where_they_are() -> None:
    labels = {guide: labels_of(guide) for guide in GUIDES}
    twice = [label for label, number in Counter(chain.from_iterable(labels.values())).items() if number > 1]
    assert twice == []
    for guide, found in labels.items():
        assert found[0] == LABELS + guide.stem, guide
        assert all(label.startswith(f"{LABELS}{guide.stem}.") for label in found[1:]), guide


def test_every_guide_is_in_the_site_and_in_the_readme() -> None:
    (section,) = yaml.safe_load(text_of(ROOT / "docs/docsite/extra-docs.yml"))["sections"]
    assert sorted(section["toctree"]) == [guide.stem for guide in GUIDES]
    named = re.findall(r"^- \[([^]]+)\]\(docs/docsite/rst/(\w+)\.rst\)", text_of(ROOT / "README.md"), re.MULTILINE)
    assert [stem for _, stem in named] == section["toctree"]


def test_what_the_sources_refer_to_is_there() -> None:
    known = {label for guide in GUIDES for label in labels_of(guide)}
    stems = {guide.stem for guide in GUIDES}
    broken, found = [], 0
    for path in SOURCES:
        for stem, label in re.findall(r"(?:docsite\.)?\b(guide_\w+)((?:\.(?!rst\b)\w+)?)", text_of(path)):
            found += 1
            if stem not in stems or (label and f"{LABELS}{stem}{label}" not in known):
                broken.append((name_of(path), stem + label))
        if re.search(r"docs/\w+\.md", text_of(path)):
            broken.append((name_of(path), "a page of docs/"))
    assert found >= 4
    assert broken == []
