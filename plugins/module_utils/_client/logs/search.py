# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches texts by a user's regular expression, which may backtrack for longer than anybody waits."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

# A process of its own, which can be ended: Python's regular expressions hold the interpreter, so that no other thread
# gets a chance to end them, and a signal reaches the main thread alone.
_PROGRAM = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
json.dump([bool(re.search(pattern, text)) for text in texts], sys.stdout)
"""


class TookTooLong(Exception):
    """The time was over before the search was."""


def search(pattern: str, texts: t.Sequence[str], seconds: float) -> list[bool]:
    """In which of *texts* the *pattern*, a valid one, occurs; TookTooLong after *seconds*."""
    if not texts:
        return []
    asked = json.dumps([pattern, texts]).encode("ascii")
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]  # without what is installed, which takes longest to start
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function  # there may be no AnsibleModule here
            command, input=asked, capture_output=True, timeout=seconds, check=True
        )
    except subprocess.TimeoutExpired:
        raise TookTooLong from None
    found: list[bool] = json.loads(done.stdout)
    return found
