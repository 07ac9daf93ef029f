# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests are the same everywhere: no environment reaches in."""

from __future__ import annotations

import pytest

_REACHES_IN = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and trust stores of whoever runs the tests decide nothing here."""
    for name in _REACHES_IN:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
