# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of a report beside its JSON: what each is called, and what it needs."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import metrics
from .junit import junit_text
from .page import html
from .table import csv_text

Content = Mapping[str, t.Any]

SUFFIXES = {"html": ".html", "csv": ".csv", "prometheus": ".prom", "junit": ".xml"}


def problem(formats: Sequence[str], path: str | None) -> str:
    """Why these cannot be written beside a report at *path*; empty where they can."""
    if formats and not path:
        return f"formats={','.join(formats)} go beside the report: give path as well"
    for name in formats:
        if str(path).endswith(SUFFIXES[name]):
            return f"path={path} is that of formats={name}, and the report itself is JSON: name it .json"
    if "prometheus" in formats and metrics.IMPORT_ERROR is not None:
        return (
            "formats: prometheus needs prometheus_client where Ansible runs: pip install prometheus_client"
            f" ({metrics.IMPORT_ERROR})"
        )
    return ""


def paths(report: Path, formats: Sequence[str]) -> dict[str, Path]:
    """Where each goes: beside the *report*, with the same stem."""
    return {name: report.with_suffix(SUFFIXES[name]) for name in formats}


def text(name: str, content: Content, earlier: Sequence[Content] = ()) -> str:
    """*content* is that of the report's JSON file, which is the form ``json``.

    *earlier* are those of the runs before, the oldest first.
    """
    made: dict[str, Callable[[], str]] = {
        "json": lambda: json.dumps(content, indent=2, ensure_ascii=False) + "\n",
        "html": lambda: html(content, earlier),
        "csv": lambda: csv_text(content["hosts"]),
        "prometheus": lambda: metrics.prometheus_text(content),
        "junit": lambda: junit_text(content),
    }
    return made[name]()
