# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.configmgr.client.plugins.plugin_utils._sweep.limits import limits

NUMBERS = st.integers(1, 100_000)


@given(NUMBERS, st.integers(1, 256), st.integers(0, 100_000), st.integers(16, 2**20))
def test_there_is_work_for_everyone_and_files_for_all(concurrency: int, processes: int, hosts: int, files: int) -> None:
    found = limits(concurrency, processes, hosts, files)
    assert 1 <= found.processes <= min(processes, concurrency, max(hosts, 1))
    assert found.threads >= 1
    at_a_time = found.processes * found.threads
    assert at_a_time < min(concurrency, max(hosts, 1)) + found.processes
    if at_a_time < min(concurrency, hosts):
        assert f"concurrency={concurrency} is more than" in found.warning and f" {at_a_time} endpoints" in found.warning
    else:
        assert found.warning == ""
    assert found.threads == 1 or found.threads * 4 <= files - 64
