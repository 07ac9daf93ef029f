# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes settings of an endpoint so that each change can be undone, and undoes them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..errors import NotVerified
from .journal import Record, Undo, Value, extended, undo
from .memory import Memory
from .setting import Setting


class NotReversible(Exception):
    """A change could not be undone exactly, so it is not made; the message says why and what to do."""


class ChangedMeanwhile(NotVerified):
    """What was planned for is not there any more; nothing was written over it."""


@dataclass(frozen=True)
class Change:
    """``record`` is what is remembered afterwards, None forgets; ``noted`` is what was remembered before."""

    setting: Setting
    before: Value
    after: Value
    record: Record | None
    noted: Record | None


@dataclass(frozen=True)
class Plan:
    """``left`` says, by the name of a setting, why it is left as it is although it was prepared."""

    changes: list[Change]
    left: dict[str, str]


def plan_preparation(wanted: t.Iterable[tuple[Setting, Value]], records: t.Mapping[str, Record]) -> Plan:
    """Raises NotReversible."""
    changes = []
    for setting, value in wanted:
        current = setting.read()
        if setting.same(current, value):
            continue
        obstacle = setting.obstacle(current)
        if obstacle:
            raise NotReversible(f"{setting.name} could not be put back later: {obstacle}. Remove it first")
        noted = records.get(setting.name)
        changes.append(Change(setting, current, value, extended(noted, current, value, setting.same), noted))
    return Plan(changes, {})


def plan_undoing(settings: t.Iterable[Setting], records: t.Mapping[str, Record]) -> Plan:
    changes, left = [], {}
    for setting in settings:
        record = records.get(setting.name)
        if record is None:
            continue
        current = setting.read()
        if undo(record, current, setting.same) is Undo.LEAVE:
            left[setting.name] = f"{setting.name} was changed by somebody else since it was prepared"
        else:
            changes.append(Change(setting, current, record.before, None, record))
    return Plan(changes, left)


def carry_out(change: Change, memory: Memory) -> None:
    """Remembers first and forgets last.

    Raises ChangedMeanwhile where somebody else is at it too, and NotVerified where the endpoint does not keep what was
    written.
    """
    setting = change.setting
    memory.read()
    if memory.records.get(setting.name) != change.noted or not setting.same(setting.read(), change.before):
        raise ChangedMeanwhile(f"{setting.name} has just been changed by somebody else: run it again")
    if change.record is not None:
        memory.remember(setting.name, change.record)
    if not setting.same(change.before, change.after):
        setting.write(change.after)
        read_back = setting.read()
        if not setting.same(read_back, change.after):
            raise NotVerified(f"{setting.name} was written as {change.after!r} and reads back as {read_back!r}")
    if change.record is None:
        memory.forget(setting.name)
