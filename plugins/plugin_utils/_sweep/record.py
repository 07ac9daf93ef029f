# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written down of one endpoint. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t

SCHEMA = 1
"""Of a line of the results file: raised when a key changes its meaning or goes, not when one is added."""

OK = "ok"
"""The status of an endpoint that was asked; of others it is ``unreachable`` or ``failed``, as Ansible has it."""

OFF = ("filtered", "refused")
"""The classes of endpoints that accept no connection."""

Record = dict[str, t.Any]

_CLASSES = {
    "port": "filtered",
    "certificate": "tls",
    "kerberos": "login",
    "connection": "timeout",
    **dict.fromkeys(("class", "method", "request", "command", "provider", "windows"), "fault"),
    **dict.fromkeys(("wsman", "http"), "protocol"),
    "library": "settings",
}
"""By the layer that a failure belongs to, where the layer's own name is not its class."""


def of_answer(host: str, result: t.Mapping[str, t.Any], now: dt.datetime) -> Record:
    """Of an endpoint that was asked; *result* is that of the module for one host."""
    said = {key: value for key, value in result.items() if key != "changed"}
    return {"schema": SCHEMA, "host": host, "at": _moment(now), "status": OK, **said}


def of_failure(
    host: str, message: str, result: t.Mapping[str, t.Any], now: dt.datetime, *, unreachable: bool
) -> Record:
    """Of one that was not, or did not answer; *result* holds the layer that failed."""
    layer = str(result.get("error_layer", "internal"))
    return {
        "schema": SCHEMA,
        "host": host,
        "at": _moment(now),
        "status": "unreachable" if unreachable else "failed",
        "error_class": _CLASSES.get(layer, layer),
        "error_layer": layer,
        "retryable": False,
        **result,
        "msg": message,
    }


def kind(record: Record) -> str:
    """What it is counted as: its verdict, or the class of its error."""
    return str(record["verdict"] if record["status"] == OK else record["error_class"])


def _moment(now: dt.datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"
