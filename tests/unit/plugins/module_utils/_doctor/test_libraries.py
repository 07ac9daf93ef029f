# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._doctor import libraries


@pytest.mark.parametrize("library", ["pywinrm", "pypsrp"])
def test_what_the_collection_needs_is_here_and_says_its_version(library: str) -> None:
    assert libraries.problem(library) is None
    assert {library, "defusedxml", "requests", "cryptography"} <= libraries.versions().keys()


def test_a_library_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "versions", lambda: {"pywinrm": "0.5.0", "pypsrp": "0.8.0"})
    assert libraries.problem("pywinrm") is None
    assert "pypsrp 0.8.0" in (libraries.problem("pypsrp") or "")


@pytest.mark.parametrize(
    ("version", "works"),
    [
        *[("0.4.3", False), ("0.4.99", False), ("0.5.0", False), ("0.5.1", True), ("0.10.0", True), ("1.0", True)],
        *[("0.5.1.dev2", True), ("?", True), ("", True)],
    ],
)
def test_versions(version: str, works: bool) -> None:
    assert libraries.new_enough(version, "0.5.1") is works
