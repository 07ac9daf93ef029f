# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a connection: their order, which rests on which, and what they come to. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass
from itertools import groupby

_NEEDS: dict[str, tuple[str, ...]] = {
    "library": (),
    "options": (),
    "dns": ("options",),
    "port": ("dns",),
    "tls": ("port", "library"),
    "login": ("tls",),
    "rights": ("login",),
    "namespaces": ("rights",),
    "wmi_invoke": ("namespaces",),
    "cim_invoke": ("namespaces",),
    "fallback": ("namespaces",),
    "client": ("namespaces",),
    "clock": ("rights",),
    "name": ("rights",),
}
ORDER = tuple(_NEEDS)


@dataclass(frozen=True)
class Check:
    """``status`` is ok, failed, warning or skipped; ``advice`` is empty where there is nothing to do."""

    check: str
    status: str
    found: str
    advice: str = ""

    @property
    def failed(self) -> bool:
        return self.status == "failed"

    def as_result(self) -> dict[str, str]:
        return asdict(self)


def foundations(check: str) -> set[str]:
    """All checks that must not have failed for *check* to make sense."""
    found = set(_NEEDS[check])
    for each in _NEEDS[check]:
        found |= foundations(each)
    return found


def obstacle(check: str, done: t.Iterable[Check]) -> str | None:
    """The check on which *check* rests and that failed; None where there is none."""
    needed = foundations(check)
    return next((each.check for each in done if each.failed and each.check in needed), None)


def conclusion(done: t.Sequence[Check], way: str) -> dict[str, t.Any]:
    """The result for a user; *way* is wmi, cim, command, none or unknown."""
    usable = not any(check.failed for check in done)
    advice = next((check.advice for check in _by_weight(done) if check.advice), "")
    return {
        "usable": usable,
        "way": way,
        "advice": advice,
        "checks": [check.as_result() for check in done],
        "text": _text(done, usable, way),
    }


def _by_weight(done: t.Sequence[Check]) -> list[Check]:
    return sorted(done, key=lambda check: not check.failed)


def _text(done: t.Sequence[Check], usable: bool, way: str) -> list[str]:
    lines = [f"{'Usable' if usable else 'NOT USABLE'}. Way to the client's methods: {way}."]
    rows = []
    for (status, found, advice), group in groupby(done, lambda check: (check.status, check.found, check.advice)):
        names = [check.check for check in group]  # several where one failure has them all skipped
        rows.append((" to ".join(dict.fromkeys([names[0], names[-1]])), status, found))
        if advice:
            rows.append(("", "", f"-> {advice}"))
    width = max((len(name) for name, *_rest in rows), default=0)
    return lines + [f"{name:{width}}  {status:7}  {found}" for name, status, found in rows]
