# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as CSV, a line for each host, which a spreadsheet takes for nothing but texts and numbers. Pure."""

from __future__ import annotations

import csv
import io
import typing as t
from collections.abc import Mapping

_PLAIN = ("status", "verdict", "message", "changed", "via", "error_layer")
_TIMES = ("entered_at", "age_minutes", "limit_minutes", "self_exit_earliest", "self_exit_latest")
_MORE = ("computer_name", "client_version", "last_seen", "off_since")
COLUMNS = ("host", *_PLAIN, *_TIMES, *_MORE)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With which a cell begins that a spreadsheet may carry out (OWASP, *CSV Injection*)."""


def csv_text(hosts: Mapping[str, Mapping[str, t.Any]]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for host, row in hosts.items():
        times = row.get("timeline") or {}
        values = [host, *map(row.get, _PLAIN), *map(times.get, _TIMES), *map(row.get, _MORE)]
        writer.writerow([_cell(value) for value in values])
    return lines.getvalue()


def _cell(value: t.Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) and not isinstance(value, int) else text
