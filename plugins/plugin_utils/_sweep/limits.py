# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many endpoints are asked at a time, and by how many processes."""

from __future__ import annotations

import os
import resource
import typing as t

_FILES_KEPT = 64
"""Of a process, for what it has open besides."""
_FILES_EACH = 4
"""Of an endpoint that is asked: its connection, and those of the login brake and of Kerberos for a moment."""
_MOST_THREADS = 1000
"""Of a process. Where they wait for the network, more do not help it; where they compute, far fewer."""


class Limits(t.NamedTuple):
    """``warning`` says in one sentence why less is used than was asked for; else it is empty."""

    processes: int
    threads: int
    warning: str = ""


def limits(concurrency: int, processes: int, hosts: int, files: int) -> Limits:
    """For so many *hosts*, with so many open *files* in each process."""
    processes = max(1, min(processes, concurrency, hosts))
    wanted = -(-min(concurrency, hosts) // processes)
    most = max(1, min(_MOST_THREADS, (files - _FILES_KEPT) // _FILES_EACH))
    if wanted <= most:
        return Limits(processes, max(1, wanted))
    return Limits(
        processes,
        most,
        f"concurrency={concurrency} is more than {processes} processes with {files} open files each can do:"
        f" {processes * most} endpoints are asked at a time. Raise processes, or ulimit -n, for more",
    )


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
