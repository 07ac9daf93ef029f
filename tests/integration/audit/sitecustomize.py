# SPDX-License-Identifier: GPL-3.0-or-later
"""Python runs this when it starts: notes the command line and environment of each process that is started from there.

On the PYTHONPATH of a run, of Ansible itself and of the modules it starts. The file is named by the environment
variable AUDIT_FILE.
"""

from __future__ import annotations

import os
import sys
from typing import Any

# Their first arguments: program, command line, and where given the directory and the environment.
_STARTS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _STARTS:
        with open(os.environ["AUDIT_FILE"], "a", encoding="utf-8") as file:
            file.write(f"{event} {arguments!r} {dict(os.environ)!r}\n")


sys.addaudithook(_note)
