# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that earlier runs have left as files, and what several of them amount to."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...module_utils._client.times import from_iso
from .rows import ORDER, counts

Content = Mapping[str, t.Any]


class NotAReport(Exception):
    """The message names the file, what is wrong with it and what to do."""


def found(paths: Sequence[str], option: str, schema_version: int, but: Path | None = None) -> list[Content]:
    """The reports in these files, and in the JSON files of these directories *but* one; the oldest first.

    Raises NotAReport, naming the *option*.
    """
    files: list[Path] = []
    for each in paths:
        path = Path(each).expanduser()
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    distinct = dict.fromkeys(file.resolve() for file in files)
    read = [_read(file, option, schema_version) for file in distinct if file != but]
    return sorted(read, key=lambda content: from_iso(content["run"]["made"]))


def merged(reports: Sequence[Content]) -> Content:
    """One report of all hosts; of a host that several tell of, what the youngest of those that saw it says.

    *reports* are given the oldest first. What they say of their runs is told where all say the same.
    """
    hosts: dict[str, t.Any] = {}
    for content in reports:
        for host, row in content["hosts"].items():
            if row["status"] != "not_asked" or host not in hosts:
                hosts[host] = row
    last = reports[-1]["run"]
    run = {
        name: value if all(each["run"].get(name) == value for each in reports) else _several(reports, name)
        for name, value in last.items()
    }
    run["made"] = last["made"]
    ordered = dict(sorted(hosts.items()))
    return {"schema_version": reports[-1]["schema_version"], "run": run, "counts": counts(ordered), "hosts": ordered}


def missing_slices(reports: Sequence[Content]) -> list[str]:
    """Which slices of a fleet the *reports* lack, such as 3/20; none where they are not of slices."""
    there: dict[int, set[int]] = {}
    for content in reports:
        options = content["run"].get("options")
        part = (
            re.fullmatch(r"([0-9]+)/([0-9]+)", str(options.get("fleet_slice"))) if isinstance(options, dict) else None
        )
        if part and int(part[2]) <= _MOST_SLICES:
            there.setdefault(int(part[2]), set()).add(int(part[1]))
    return [
        f"{number}/{count}"
        for count, numbers in there.items()
        for number in range(1, count + 1)
        if number not in numbers
    ]


_MOST_SLICES = 10_000


def _several(reports: Sequence[Content], name: str) -> t.Any:
    """What different runs say, in one text; of anything but texts, nothing."""
    said = list(dict.fromkeys(each["run"].get(name) for each in reports if isinstance(each["run"].get(name), str)))
    return ", ".join(filter(None, said)) if said else None


def _read(file: Path, option: str, schema_version: int) -> Content:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotAReport(f"{option}: {file} cannot be read ({error.strerror}): name reports of earlier runs") from None
    except ValueError as error:
        raise NotAReport(f"{option}: {file} is no JSON ({error}): name reports of earlier runs") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != schema_version:
        raise NotAReport(
            f"{option}: {file} has schema_version {version!r}, and {schema_version} is known here: name reports that"
            " this version of the collection has written"
        )
    if not _is_whole(content):
        raise NotAReport(f"{option}: {file} is no report of this collection: name another file")
    return {**content, "counts": counts(content["hosts"])}


def _is_whole(content: Content) -> bool:
    run, hosts = content.get("run"), content.get("hosts")
    if not isinstance(run, dict) or not isinstance(hosts, dict) or not set(_OF_A_RUN) <= set(run):
        return False
    try:
        if from_iso(run["made"]).tzinfo is None:
            return False
    except (AttributeError, TypeError, ValueError):
        return False
    return all(_is_row(row) for row in hosts.values())


_OF_A_RUN = (
    *("made", "user", "controller", "job", "playbook", "play", "limit", "check_mode"),
    *("collection_version", "ansible_version"),
)


def _is_row(row: t.Any) -> bool:
    return isinstance(row, dict) and row.get("status") in ORDER and isinstance(row.get("message"), str)
