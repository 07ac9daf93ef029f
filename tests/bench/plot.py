# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a picture: how each way compares with the sweep, and how the sweep grows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from .measure import Cost
from .report import Results


def plot(results: Results, path: Path) -> None:
    sweep, *others = results.beside
    figure = Figure(figsize=(14, 5), layout="constrained")
    ratios, sizes = figure.subplots(1, 2, width_ratios=(3, 2))
    kinds: dict[str, Callable[[Cost], float]] = {
        "time": lambda cost: cost.use.seconds / sweep.use.seconds,
        "CPU of the controller": lambda cost: cost.cpu_ms / sweep.cpu_ms,
        "octets": lambda cost: cost.octets / sweep.octets,
    }
    height = 0.8 / len(kinds)
    for number, (kind, ratio) in enumerate(kinds.items()):
        places = [place + number * height for place in range(len(others))]
        bars = ratios.barh(places, [ratio(each) for each in others], height, label=kind)
        ratios.bar_label(bars, fmt="%.2g", padding=2)
    ratios.set_yticks([place + height for place in range(len(others))], [each.way for each in others])
    ratios.invert_yaxis()
    ratios.set_xscale("log")
    ratios.margins(x=0.1)
    ratios.axvline(1, color="black", linewidth=1)
    ratios.set_title(f"times what fleet_info takes, {sweep.endpoints} endpoints")
    ratios.legend()
    sweeps = [(each.endpoints, each.use.seconds) for each in results.sweeps]
    sizes.plot(*zip(*sweeps, strict=True), "o-", label="fleet_info, by WinRM")
    for way in dict.fromkeys(each.way for each in results.sites):
        told = [(each.devices, each.use.seconds) for each in results.sites if each.way == way]
        sizes.plot(*zip(*told, strict=True), "s--", label=f"{way}, of the site")
    sizes.set_xscale("log")
    sizes.set_yscale("log")
    sizes.grid(alpha=0.3)
    sizes.legend()
    sizes.set_title("how they grow")
    sizes.set_xlabel("endpoints")
    sizes.set_ylabel("seconds")
    figure.savefig(path)
