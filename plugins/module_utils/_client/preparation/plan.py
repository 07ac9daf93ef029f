# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preparing a client changes, and what undoing that changes back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .change import Change
from .entry import PREPARATION, Entry, Undo, Value, extended, undo
from .settings import Setting


class NotReversible(Exception):
    """A change could not be undone exactly, so it is not made; the message says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """``left`` says, by the name of a setting, why it is left as it is although it was prepared."""

    changes: list[Change]
    left: dict[str, str]


def plan_preparation(wanted: t.Iterable[tuple[Setting, Value]], entries: t.Mapping[str, Entry]) -> Plan:
    """Raises NotReversible."""
    changes = []
    for setting, value in wanted:
        current = setting.read()
        if setting.equal(current, value):
            continue
        obstacle = setting.obstacle(current)
        if obstacle:
            raise NotReversible(f"{setting.name} could not be put back later: {obstacle}. Remove it first")
        noted = entries.get(setting.name)
        entry = extended(noted, current, value, setting.equal, PREPARATION)
        changes.append(Change(setting, current, value, noted, entry))
    return Plan(changes, {})


def plan_undoing(settings: t.Iterable[Setting], entries: t.Mapping[str, Entry]) -> Plan:
    """Of what a preparation changed; what the modules for one setting changed is theirs to undo."""
    changes, left = [], {}
    for setting in settings:
        entry = entries.get(setting.name)
        if entry is None or entry.by != PREPARATION:
            continue
        current = setting.read()
        if undo(entry, current, setting.equal) is Undo.LEAVE:
            left[setting.name] = f"{setting.name} was changed by another administrator or process since it was prepared"
        else:
            changes.append(Change(setting, current, entry.before, entry))
    return Plan(changes, left)
