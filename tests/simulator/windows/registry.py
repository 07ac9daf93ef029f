# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows registry: typed values in a tree of keys whose names ignore case.

The tree is persistent: keys never change, a write builds new keys along its path. All machines of a fleet therefore
share the parts of the registry in which they do not differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import TypeVar

Data = str | int | bytes | tuple[str, ...]
T = TypeVar("T")

# The running control set is a symbolic link in real Windows; only what it points to is stored.
_LINKS = {"hklm\\system\\currentcontrolset": "HKLM\\SYSTEM\\ControlSet001"}


class RegType(IntEnum):
    """Type numbers as in winnt.h."""

    SZ = 1
    EXPAND_SZ = 2
    BINARY = 3
    DWORD = 4
    MULTI_SZ = 7
    QWORD = 11


_DATA_TYPE: Mapping[RegType, type] = {
    RegType.SZ: str,
    RegType.EXPAND_SZ: str,
    RegType.BINARY: bytes,
    RegType.DWORD: int,
    RegType.MULTI_SZ: tuple,
    RegType.QWORD: int,
}


@dataclass(frozen=True)
class RegValue:
    type: RegType
    data: Data

    def __post_init__(self) -> None:
        if not isinstance(self.data, _DATA_TYPE[self.type]):
            raise TypeError(f"REG_{self.type.name} cannot hold {self.data!r}")

    @classmethod
    def sz(cls, text: str) -> RegValue:
        return cls(RegType.SZ, text)

    @classmethod
    def dword(cls, number: int) -> RegValue:
        return cls(RegType.DWORD, number & 0xFFFFFFFF)

    @classmethod
    def qword(cls, number: int) -> RegValue:
        return cls(RegType.QWORD, number & 0xFFFFFFFFFFFFFFFF)

    @classmethod
    def multi_sz(cls, *texts: str) -> RegValue:
        return cls(RegType.MULTI_SZ, texts)


@dataclass(frozen=True)
class _Named:
    """An entry under the name as it was first written; the mapping's own key is that name in lower case."""

    name: str
    value: RegValue


@dataclass(frozen=True)
class Key:
    name: str = ""
    _values: Mapping[str, _Named] = field(default_factory=lambda: MappingProxyType({}))
    _subkeys: Mapping[str, Key] = field(default_factory=lambda: MappingProxyType({}))

    def value(self, name: str) -> RegValue | None:
        found = self._values.get(name.lower())
        return found.value if found else None

    def values(self) -> Iterator[tuple[str, RegValue]]:
        return ((entry.name, entry.value) for entry in self._values.values())

    def subkey(self, name: str) -> Key | None:
        return self._subkeys.get(name.lower())

    def subkeys(self) -> Iterator[Key]:
        """In alphabetical order, as NTFS-like hives keep them."""
        return (self._subkeys[name] for name in sorted(self._subkeys))

    def has_subkeys(self) -> bool:
        return bool(self._subkeys)

    def with_value(self, name: str, value: RegValue) -> Key:
        old = self._values.get(name.lower())
        return Key(
            self.name, _with(self._values, name.lower(), _Named(old.name if old else name, value)), self._subkeys
        )

    def without_value(self, name: str) -> Key:
        return Key(self.name, _without(self._values, name.lower()), self._subkeys)

    def with_subkey(self, key: Key) -> Key:
        return Key(self.name, self._values, _with(self._subkeys, key.name.lower(), key))

    def without_subkey(self, name: str) -> Key:
        return Key(self.name, self._values, _without(self._subkeys, name.lower()))


def _with(mapping: Mapping[str, T], name: str, entry: T) -> Mapping[str, T]:
    return MappingProxyType({**mapping, name: entry})


def _without(mapping: Mapping[str, T], name: str) -> Mapping[str, T]:
    return MappingProxyType({key: entry for key, entry in mapping.items() if key != name})


def _steps(path: str) -> list[str]:
    for link, target in _LINKS.items():
        if path.lower() == link or path.lower().startswith(link + "\\"):
            path = target + path[len(link) :]
    return [step for step in path.split("\\") if step]


class Registry:
    """Paths are written in full, from the hive's short name: ``HKLM\\SOFTWARE\\Microsoft``."""

    def __init__(self, root: Key | None = None) -> None:
        self.root = root or Key()

    def key(self, path: str) -> Key | None:
        key: Key | None = self.root
        for step in _steps(path):
            if key is None:
                return None
            key = key.subkey(step)
        return key

    def value(self, path: str, name: str) -> RegValue | None:
        key = self.key(path)
        return key.value(name) if key else None

    def text(self, path: str, name: str) -> str | None:
        """The data of a REG_SZ or REG_EXPAND_SZ value; None where it is absent or of another type."""
        value = self.value(path, name)
        return value.data if value and isinstance(value.data, str) else None

    def number(self, path: str, name: str) -> int | None:
        """The data of a REG_DWORD or REG_QWORD value; None where it is absent or of another type."""
        value = self.value(path, name)
        return value.data if value and isinstance(value.data, int) else None

    def create_key(self, path: str) -> None:
        self._rewrite(path, lambda key: key)

    def set_value(self, path: str, name: str, value: RegValue) -> None:
        """Creates the key where it is missing."""
        self._rewrite(path, lambda key: key.with_value(name, value))

    def delete_value(self, path: str, name: str) -> bool:
        if self.value(path, name) is None:
            return False
        self._rewrite(path, lambda key: key.without_value(name))
        return True

    def delete_key(self, path: str) -> bool:
        """The key with all that is below it."""
        steps = _steps(path)
        if not steps or self.key(path) is None:
            return False
        self._rewrite("\\".join(steps[:-1]), lambda key: key.without_subkey(steps[-1]))
        return True

    def _rewrite(self, path: str, change: Callable[[Key], Key]) -> None:
        self.root = _rewritten(self.root, _steps(path), change)


def _rewritten(key: Key, steps: list[str], change: Callable[[Key], Key]) -> Key:
    if not steps:
        return change(key)
    child = key.subkey(steps[0]) or Key(steps[0])
    return key.with_subkey(_rewritten(child, steps[1:], change))
