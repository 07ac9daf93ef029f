# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a connection, to an endpoint or a site: their order, which rests on which, what they come to. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass
from itertools import groupby

Needs = t.Mapping[str, tuple[str, ...]]
"""All checks of something, in their order, each with those that it rests on."""

ENDPOINT: Needs = {
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
SITE: Needs = {
    "library": (),
    "options": (),
    "dns": ("options",),
    "port": ("dns",),
    "tls": ("port", "library"),
    "login": ("tls",),
    "provider": ("login",),
    "role": ("provider",),
    "clock": ("login",),
    "devices": ("role",),
    "fast_channel": ("devices",),
    "scripts": ("role",),
    "device": ("fast_channel", "scripts"),
}


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


def foundations(needs: Needs, check: str) -> set[str]:
    """All checks that must not have failed for *check* to make sense."""
    found = set(needs[check])
    for each in needs[check]:
        found |= foundations(needs, each)
    return found


def obstacle(needs: Needs, check: str, done: t.Iterable[Check]) -> str | None:
    """The check on which *check* rests and that failed; None where there is none."""
    needed = foundations(needs, check)
    return next((each.check for each in done if each.failed and each.check in needed), None)


def conclusion(done: t.Sequence[Check], sentence: str = "") -> dict[str, t.Any]:
    """The result for a user; *sentence* is said beside whether it is usable."""
    usable = not any(check.failed for check in done)
    advice = next((check.advice for check in _by_weight(done) if check.advice), "")
    return {
        "usable": usable,
        "advice": advice,
        "checks": [check.as_result() for check in done],
        "text": _text(done, f"{'Usable' if usable else 'NOT USABLE'}. {sentence}".rstrip()),
    }


def _by_weight(done: t.Sequence[Check]) -> list[Check]:
    return sorted(done, key=lambda check: not check.failed)


def _text(done: t.Sequence[Check], first: str) -> list[str]:
    rows = []
    for (status, found, advice), group in groupby(done, lambda check: (check.status, check.found, check.advice)):
        names = [check.check for check in group]  # several where one failure has them all skipped
        rows.append((" to ".join(dict.fromkeys([names[0], names[-1]])), status, found))
        if advice:
            rows.append(("", "", f"-> {advice}"))
    width = max((len(name) for name, *_rest in rows), default=0)
    return [first] + [f"{name:{width}}  {status:7}  {found}" for name, status, found in rows]
