# SPDX-License-Identifier: GPL-3.0-or-later
"""Where recordings of real hosts and Microsoft's schemas are: they belong to others and are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(
    os.environ.get("CONFIGMGR_CLIENT_RECORDINGS") or Path(__file__).parents[1].parent / "shared" / "recordings"
)
"""The folder that CONFIGMGR_CLIENT_RECORDINGS names, else ../shared/recordings beside the checkout."""
