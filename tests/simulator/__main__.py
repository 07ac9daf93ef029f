# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m simulator …`, and `python tests/simulator …`, which knows no package yet."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:
        # The directory itself must not be on the path: its module names are not meant to be top-level ones.
        sys.path[0] = str(Path(__file__).resolve().parent.parent)
    sys.exit(importlib.import_module("simulator.cli").main())
