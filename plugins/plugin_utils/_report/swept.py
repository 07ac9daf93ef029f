# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sweep found, in the terms of the results of a host's own task. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping

from .._sweep.record import Record

Result = Mapping[str, t.Any]


def of_sweep(sweep: Result, records: Mapping[str, Record], as_wanted: Collection[str]) -> dict[str, Result]:
    """For each host of the *sweep*, which is the result of fleet_info, from its record.

    Of hosts whose verdict is in *as_wanted* there is nothing to be done.
    """
    kinds = (*sweep["verdicts"].values(), *sweep["errors"].values())
    results: dict[str, Result] = {host: _of(records[host], as_wanted) for hosts in kinds for host in hosts}
    for host in sweep["hosts_given_up"]:
        results[host] = {"reachable": False, "error_layer": "given_up", "msg": "It is not asked any more."}
    for host, absent in sweep["absent"].items():
        results[host] = {**results[host], **absent, "msg": f"{results[host]['msg']}{_since(absent)}"}
    for host in sweep["not_finished"]:
        results[host] = {"skipped": True, "reason": "The sweep ended before its turn came."}
    return results


def _since(absent: Result) -> str:
    """A sentence, but for one that was missed for the first time."""
    if absent["tries"] == 1:
        return ""
    seen = f"last seen on {absent['last_seen'][:10]}" if absent["last_seen"] else "never seen"
    return f" It was off in {absent['tries']} sweeps since {absent['off_since'][:10]}, and {seen}."


def _of(record: Record, as_wanted: Collection[str]) -> Result:
    if record["status"] == "unreachable":
        return {**record, "reachable": False}
    if record["status"] == "failed":
        return {**record, "failed": True}
    return {**record, "action": "none"} if record["verdict"] in as_wanted else record
