# SPDX-License-Identifier: GPL-3.0-or-later
"""StdRegProv: the registry over WMI.

Official docs for methods and parameters; return codes are Win32 errors as community sources report them. An error is
never a WMI error here: the call succeeds and ReturnValue tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..cim.model import Row, Scalar, Value, WmiError
from ..registry import Data, Key, RegType, RegValue
from ..world import World

_HIVES = {
    0x80000000: "HKCR",
    0x80000001: "HKCU",
    0x80000002: "HKLM",
    0x80000003: "HKU",
    0x80000005: "HKCC",
}
_HKLM = 0x80000002
_SOFTWARE = "HKLM\\SOFTWARE"
_SUCCESS, _FILE_NOT_FOUND, _ACCESS_DENIED, _INVALID_HANDLE, _INVALID_PARAMETER = 0, 2, 5, 6, 87
_WRITE_BITS = (
    0x2 | 0x4 | 0x20 | 0x10000 | 0x40000 | 0x80000
)  # set value, create sub-key, link, delete, write DAC, owner

_READERS: Mapping[str, tuple[str, frozenset[RegType]]] = {
    # Inferred: the two string readers serve both string types, every other one only its own.
    "GetStringValue": ("sValue", frozenset({RegType.SZ, RegType.EXPAND_SZ})),
    "GetExpandedStringValue": ("sValue", frozenset({RegType.SZ, RegType.EXPAND_SZ})),
    "GetMultiStringValue": ("sValue", frozenset({RegType.MULTI_SZ})),
    "GetDWORDValue": ("uValue", frozenset({RegType.DWORD})),
    "GetQWORDValue": ("uValue", frozenset({RegType.QWORD})),
    "GetBinaryValue": ("uValue", frozenset({RegType.BINARY})),
}
_WRITERS: Mapping[str, tuple[str, RegType]] = {
    "SetStringValue": ("sValue", RegType.SZ),
    "SetExpandedStringValue": ("sValue", RegType.EXPAND_SZ),
    "SetMultiStringValue": ("sValue", RegType.MULTI_SZ),
    "SetDWORDValue": ("uValue", RegType.DWORD),
    "SetQWORDValue": ("uValue", RegType.QWORD),
    "SetBinaryValue": ("uValue", RegType.BINARY),
}


class _Win32Error(Exception):
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class StdRegProv:
    """Static methods only: the class has no instances."""

    def __init__(self, world: World, bits: int = 64) -> None:
        self._world = world
        self._bits = bits

    def instances(self, class_name: str) -> list[Row]:
        return []

    def delete(self, class_name: str, keys: Mapping[str, str]) -> None:
        raise WmiError("not_supported")

    def call(self, class_name: str, method: str, keys: Mapping[str, str], arguments: Row) -> Row:
        try:
            path = _path(arguments)
            if self._bits == 32:
                path = _redirected(path)
            return {**self._run(method, path, arguments), "ReturnValue": _SUCCESS}
        except _Win32Error as error:
            return {**self._failed_outputs(method), "ReturnValue": error.code}

    def _run(self, method: str, path: str, arguments: Row) -> Row:
        name = cast("str | None", arguments.get("sValueName")) or ""
        if method in _READERS:
            return self._read(method, self._readable(path), name)
        if method in _WRITERS:
            return self._write(method, path, name, arguments)
        match method:
            case "EnumKey":
                return {"sNames": self._array([key.name for key in self._readable(path).subkeys()])}
            case "EnumValues":
                entries = list(self._readable(path).values())
                if not any(entry for entry, _ in entries):  # official: null where only the default value exists
                    entries = []
                return {
                    "sNames": self._array([entry for entry, _ in entries]),
                    "Types": self._array([int(value.type) for _, value in entries]),
                }
            case "CreateKey":
                return self._create_key(path)
            case "DeleteKey":
                return self._delete_key(path)
            case "DeleteValue":
                return self._delete_value(path, name)
            case "CheckAccess":
                return self._check_access(path, cast("int | None", arguments.get("uRequired")))
        raise WmiError("invalid_method")

    def _readable(self, path: str) -> Key:
        if not self._world.access.can_read_key(path):
            raise _Win32Error(_ACCESS_DENIED)
        key = self._world.registry.key(path)
        if key is None:
            raise _Win32Error(_FILE_NOT_FOUND)
        return key

    def _writable(self, path: str) -> Key:
        key = self._readable(path)
        if not self._world.access.can_write_key(path):
            raise _Win32Error(_ACCESS_DENIED)
        return key

    def _read(self, method: str, key: Key, name: str) -> Row:
        out, types = _READERS[method]
        value = key.value(name)
        if value is None:
            raise _Win32Error(self._world.variants.missing_value_code)
        if value.type not in types:
            raise _Win32Error(self._world.variants.wrong_type_code)
        if method == "GetExpandedStringValue" and isinstance(value.data, str):
            return {out: self._expanded(value.data)}
        return {out: _to_cim(value.data)}

    def _write(self, method: str, path: str, name: str, arguments: Row) -> Row:
        out, reg_type = _WRITERS[method]
        data = _from_cim(reg_type, arguments.get(out))
        self._world.journal.written("registry.set", f"{path}\\{name} = {data!r} (REG_{reg_type.name})")
        self._writable(path)
        self._world.registry.set_value(path, name, RegValue(reg_type, data))
        return {}

    def _create_key(self, path: str) -> Row:
        self._world.journal.written("registry.create_key", path)
        if not self._world.access.can_write_key(path):
            raise _Win32Error(_ACCESS_DENIED)
        self._world.registry.create_key(path)
        return {}

    def _delete_key(self, path: str) -> Row:
        self._world.journal.written("registry.delete_key", path)
        if self._writable(path).has_subkeys():  # RegDeleteKey (official): the key must not have sub-keys
            raise _Win32Error(_ACCESS_DENIED)
        self._world.registry.delete_key(path)
        return {}

    def _delete_value(self, path: str, name: str) -> Row:
        self._world.journal.written("registry.delete_value", f"{path}\\{name}")
        self._writable(path)
        if not self._world.registry.delete_value(path, name):
            raise _Win32Error(_FILE_NOT_FOUND)
        return {}

    def _check_access(self, path: str, required: int | None) -> Row:
        self._readable(path)
        wanted = 3 if required is None else required  # official: KEY_QUERY_VALUE | KEY_SET_VALUE
        if wanted & _WRITE_BITS and not self._world.access.can_write_key(path):
            raise _Win32Error(_ACCESS_DENIED)
        return {"bGranted": True}

    def _array(self, items: list[Scalar]) -> Value:
        return items if items or self._world.variants.empty_key_arrays == "empty" else None

    def _expanded(self, text: str) -> str:
        parts = text.split("%")
        if len(parts) < 3:
            return text
        environment = {name.lower(): value for name, value in self._world.environment().items()}
        result, at = [parts[0]], 1
        while at < len(parts):
            known = environment.get(parts[at].lower()) if at + 1 < len(parts) else None
            result.append(f"%{parts[at]}" if known is None else known + parts[at + 1])
            at += 1 if known is None else 2
        return "".join(result)

    def _failed_outputs(self, method: str) -> Row:
        if self._world.variants.nil_on_failure == "absent":
            return {}
        if method == "CheckAccess":
            return {"bGranted": False}
        if method == "EnumKey":
            return {"sNames": None}
        if method == "EnumValues":
            return {"sNames": None, "Types": None}
        return {_READERS[method][0]: None} if method in _READERS else {}


def _path(arguments: Row) -> str:
    hive = arguments.get("hDefKey")
    name = _HIVES.get(_HKLM if hive is None else cast("int", hive))
    if name is None:
        raise _Win32Error(_INVALID_HANDLE)
    return f"{name}\\{(arguments.get('sSubKeyName') or '')}".rstrip("\\")


def _redirected(path: str) -> str:
    """What WOW64 makes of a path: HKLM\\SOFTWARE of 32 bits stands below WOW6432Node (official)."""
    if not f"{path}\\".upper().startswith(f"{_SOFTWARE}\\".upper()):
        return path
    below = path[len(_SOFTWARE) :]
    return path if f"{below}\\".upper().startswith("\\WOW6432NODE\\") else f"{_SOFTWARE}\\WOW6432Node{below}"


def _to_cim(data: Data) -> Value:
    return list(data) if isinstance(data, (bytes, tuple)) else data


def _from_cim(reg_type: RegType, value: Value) -> Data:
    """What an omitted value writes is not documented; inferred: the type's empty data."""
    if reg_type in (RegType.DWORD, RegType.QWORD):
        return cast("int | None", value) or 0
    if reg_type is RegType.BINARY:
        return bytes(cast("list[int] | None", value) or [])
    if reg_type is RegType.MULTI_SZ:
        return tuple(text or "" for text in cast("list[str | None] | None", value) or [])
    return cast("str | None", value) or ""
