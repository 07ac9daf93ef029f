# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as a text file for Prometheus' node_exporter. Its labels are few in any fleet: none names a host."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ...module_utils._client.times import from_iso
from .figures import figures
from .rows import ORDER

try:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest
except ImportError as error:
    IMPORT_ERROR: ImportError | None = error
else:
    IMPORT_ERROR = None


_LAYERS = (
    *("dns", "port", "proxy", "tls", "timeout", "http", "connection", "login", "kerberos", "library", "settings"),
    *("permission", "quota", "protocol", "fault", "class", "method", "provider", "windows", "client", "wrong_machine"),
    *("offline", "no_answer", "given_up"),
)
_OTHER = "other"


def prometheus_text(content: Mapping[str, t.Any]) -> str:
    """*content* is that of a report's JSON file."""
    registry = CollectorRegistry()
    made = from_iso(content["run"]["made"])
    found = figures(content["hosts"], made)

    def gauge(name: str, documentation: str, *labels: str) -> t.Any:
        return Gauge(f"configmgr_client_{name}", documentation, labels, registry=registry)

    hosts = gauge("hosts", "Hosts by their status in the last report", "status")
    for status in ORDER:
        hosts.labels(status).set(found.statuses.get(status, 0))
    errors = gauge("errors", "Hosts that could not be read, by the layer that failed", "layer")
    for layer in _LAYERS:
        errors.labels(layer).set(found.errors.get(layer, 0))
    errors.labels(_OTHER).set(sum(number for layer, number in found.errors.items() if layer not in _LAYERS))
    inside = gauge("in_mode", "Hosts in provisioning mode when they were read, by whether their limit is past", "limit")
    inside.labels("below").set(sum(each.below_limit for each in found.ages))
    inside.labels("past").set(sum(each.past_limit for each in found.ages))
    gauge("changed", "Hosts that the run changed").set(
        sum(1 for row in content["hosts"].values() if row.get("changed"))
    )
    gauge("report_timestamp_seconds", "When the report was made").set(made.timestamp())
    return str(generate_latest(registry).decode("utf-8"))
