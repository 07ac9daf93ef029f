# GPL-3.0-or-later: https://www.gnu.org/licenses/gpl-3.0.txt
from __future__ import annotations

import pytest

from ansible_collections.configmgr.client.plugins.module_utils._doctor import libraries


def test_what_the_collection_needs_is_here_and_says_its_version() -> None:
    assert libraries.problem() is None
    assert {"pywinrm", "defusedxml", "requests", "cryptography"} <= libraries.versions().keys()


@pytest.mark.parametrize(
    ("version", "works"),
    [("0.4.3", False), ("0.4.99", False), ("0.5.0", True), ("0.10.0", True), ("1.0", True), ("?", True)],
)
def test_versions_of_pywinrm(version: str, works: bool) -> None:
    assert libraries.new_enough(version) is works
