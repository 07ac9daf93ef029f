# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the tests of all transports, leaves out the secure way of the one that has none."""
    items[:] = [item for item in items if not (item.path.stem == "test_pyspnego" and _is_secure(item))]


def _is_secure(item: pytest.Item) -> bool:
    return bool(getattr(item, "callspec", None) and item.callspec.params.get("secure"))  # type: ignore[attr-defined]
