# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows machine behind the simulated WinRM server: registry, services, WMI, programs, ConfigMgr client."""

from __future__ import annotations

from pathlib import Path


def profiles_file() -> Path:
    """The named machines, as plain data."""
    return Path(__file__).parent / "profiles.yml"
