# SPDX-License-Identifier: GPL-3.0-or-later
"""What make bench measures with: a few endpoints, of which it must not lose one."""

from __future__ import annotations

import socket
from dataclasses import replace

import kdc
import pytest
from bench.fleet import SILENT, kerberos, mixture, serving
from bench.measure import measure
from bench.site import WAYS, site_costs
from bench.ways import BARE, NOTHING, SWEEP


@pytest.mark.parametrize("count", [50, 1000, 10000])
def test_the_mixture_is_of_all_endpoints(count: int) -> None:
    assert mixture(count) == {"normal": count * 78 // 100, "stuck": count // 50, SILENT: count // 5}


def test_a_sweep() -> None:
    with serving({"normal": 3, "stuck": 1, SILENT: 2}) as fleet:
        off = [each for each in fleet.endpoints if each.name.startswith("OFF")]
        assert len(off) == 2
        for each in off:
            with pytest.raises(TimeoutError):
                socket.create_connection((each.address, each.port), timeout=0.1)
        cost = measure(SWEEP, fleet)
    assert (cost.endpoints, cost.answering, cost.traffic.logins) == (6, 4, 4)
    assert cost.traffic.calls > 2 * 4 and cost.octets > 4000
    assert cost.use.seconds > 2  # it waited for those that are off
    assert cost.use.cpu_seconds > 0.1 and cost.use.octets > 10_000_000


@pytest.mark.skipif(bool(kdc.missing()), reason=kdc.missing())
def test_a_sweep_by_kerberos() -> None:
    with kerberos() as login, serving({"normal": 3, "stuck": 1}, login=login) as fleet:
        cost = measure(SWEEP, fleet)
        assert login.realm is not None
        assert (login.realm.requests("AS_REQ", login.username), login.realm.requests("TGS_REQ", login.username)) == (
            1,
            4,
        )
    assert (cost.answering, cost.traffic.logins) == (4, 4)


def test_what_did_not_reach_its_endpoints_is_no_result() -> None:
    with serving({"normal": 2}) as fleet:
        assert measure(BARE, fleet).calls == 2
        assert measure(NOTHING, fleet).traffic.calls == 0
        with pytest.raises(RuntimeError, match="0 logins on 2 endpoints"):
            measure(replace(NOTHING, logs_in=True), fleet)
        with pytest.raises(RuntimeError, match=r"ended with \[0\]"):
            measure(replace(NOTHING, codes=(1,)), fleet)


def test_a_site() -> None:
    costs = site_costs(1000)
    assert [cost.way for cost in costs] == list(WAYS)
    for cost in costs:
        assert cost.requests > 4 and cost.octets > 1000 * 100
        assert cost.use.cpu_seconds > 0.1 and cost.use.octets > 10_000_000
