# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site told of its devices, in the terms of the results of a host's own task. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

Result = Mapping[str, t.Any]

_SILENT = {
    "offline": "The site does not see it.",
    "no_answer": "The site sees it, and it did not answer. Whether one in provisioning mode can is not certain.",
}


def of_site(found: Result) -> dict[str, Result]:
    """For each device of *found*, which is the result of site_cmpivot_info, by its name in lower case."""
    results: dict[str, Result] = {
        name.lower(): {"verdict": verdict, "via": "site"}
        for verdict, names in found["verdicts"].items()
        for name in names
    }
    for each in found["devices"]:
        results[each["name"].lower()] = {**each, "via": "site"}
    for kind, message in _SILENT.items():
        for name in found[kind]:
            results[name.lower()] = {"reachable": False, "error_layer": kind, "msg": message, "via": "site"}
    return results


def told_by_site(results: Mapping[str, Result | None], found: Result) -> dict[str, Result | None]:
    """*results*, with what the site knows of hosts that nobody else has reached. Devices have a host's first part."""
    by_name = of_site(found)
    return {
        host: by_name.get(host.partition(".")[0].lower(), result) if _is_missed(result) else result
        for host, result in results.items()
    }


def _is_missed(result: Result | None) -> bool:
    return result is None or result.get("reachable") is False or bool(result.get("unreachable"))
