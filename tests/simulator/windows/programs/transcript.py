# SPDX-License-Identifier: GPL-3.0-or-later
"""A script of PowerShell that is known by its text, and plays what its transcript says about the simulated files."""

from __future__ import annotations

import base64
import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from .result import ProgramResult

if TYPE_CHECKING:
    from ..world import World

_QUOTE = "['\u2018\u2019\u201a\u201b]"
"""PowerShell takes each of these for a single quote, and two of them in a text for one (official)."""
_LITERAL = f"{_QUOTE}((?:[^{_QUOTE[1:-1]}]|{_QUOTE}{{2}})*){_QUOTE}"
_LISTS = {"<paths>": _LITERAL, "<limits>": r"\d+"}

TRANSCRIPT = Path(__file__).parent / "transcripts" / "newest_ends.yml"
_TRANSCRIPT = yaml.safe_load(TRANSCRIPT.read_text("utf-8"))


def _pattern(script: str) -> re.Pattern[str]:
    pattern = re.escape(" ".join(line.strip() for line in script.splitlines()))
    for name, item in _LISTS.items():
        pattern = pattern.replace(name, f"(?P{name}{item}(?:, {item})*)")
    return re.compile(pattern)


_KNOWN = _pattern(_TRANSCRIPT["script"])


def run(world: World, script: str) -> ProgramResult | None:
    """None where it is another script."""
    known = _KNOWN.fullmatch(script)
    if known is None:
        return None
    if world.variants.powershell_language != "FullLanguage":
        return ProgramResult(_TRANSCRIPT["constrained"])
    paths = [re.sub(f"({_QUOTE}){_QUOTE}", r"\1", text) for text in re.findall(_LITERAL, known["paths"])]
    limits = [int(number) for number in known["limits"].split(", ")]
    lines = (_line(world, index, *wanted) for index, wanted in enumerate(zip(paths, limits, strict=True)))
    return ProgramResult(0, "".join(f"{line}\r\n" for line in lines))


def _line(world: World, index: int, path: str, limit: int) -> str:
    prints: dict[str, str] = _TRANSCRIPT["prints"]
    file = world.files.find(path)
    if file is None:
        folder = path.rpartition("\\")[0].lower() + "\\"
        known = any(each.path.lower().startswith(folder) for each in world.files)
        return prints["no_file" if known else "no_folder"].format(index=index)
    if file.access == "denied" or not world.access.is_administrator:
        return prints["denied"].format(index=index)
    if file.access == "locked":
        return prints["locked"].format(index=index)
    start = max(0, file.size - limit)
    start += start % 2
    data = file.read(start, file.size - start)
    world.journal.happened("file.read", f"{file.path} {len(data)}")
    packed = base64.b64encode(gzip.compress(data, mtime=0)).decode() if data else ""
    return prints["read"].format(index=index, size=file.size, start=start, packed=packed)
