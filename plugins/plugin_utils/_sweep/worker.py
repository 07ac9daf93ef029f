# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of the sweep: asks as many endpoints at a time as it has threads.

It never outlives the process that started it, and says nothing to anybody else: Ansible's Display is not for it.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import typing as t
from multiprocessing.connection import Connection

from .endpoint import Question, ask

_STACK_BYTES = 512 * 1024


def serve(pipe: Connection, threads: int, question: Question) -> t.NoReturn:
    """Takes pairs of a host and its settings from *pipe*, and gives their records back, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other end is told, and closes the pipe
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    jobs: queue.SimpleQueue[t.Any] = queue.SimpleQueue()
    sending = threading.Lock()

    def work() -> None:
        while True:
            host, settings = jobs.get()
            record = ask(host, settings, question)
            with sending:
                pipe.send(record)

    threading.stack_size(_STACK_BYTES)
    for _number in range(threads):
        threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            jobs.put(pipe.recv())
    finally:  # the pipe was closed: what is still under way interests nobody any more
        os._exit(0)
