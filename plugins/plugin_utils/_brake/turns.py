# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts had their turn in a run, in their order: nothing that Ansible hands to a task tells that.

Each wave's task has a process of its own, so what they share is a file: in Ansible's temporary directory of the run,
which ends with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path


def take_turn(directory: str, variable: str, wave: Sequence[str]) -> list[str]:
    """The hosts of the waves before, judged by the same *variable*; those of this *wave* are noted for the next.

    Raises ValueError where one of these had its turn already.
    """
    digest = hashlib.sha256(variable.encode()).hexdigest()[:32]
    file = Path(directory, f"configmgr-client-turns-{digest}")
    earlier: list[str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    for host in wave:
        if host in earlier:
            raise ValueError(
                f"variable={variable}: {host} had its turn in this run already: judge each wave once, in its first"
                " task, and let each play over the same hosts register another variable"
            )
    file.write_text(json.dumps([*earlier, *wave]), encoding="utf-8")
    return earlier
